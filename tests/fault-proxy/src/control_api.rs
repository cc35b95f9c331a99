//! The routes under `/_fault/`, through which tests add rules and read what was called.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::{Request, Response, StatusCode};
use serde::Serialize;
use serde_json::json;

use crate::answers;
use crate::book::Book;
use crate::rule::{Rule, RuleId};

/// Paths that start so are ours and are never forwarded.
pub(crate) const PREFIX: &str = "/_fault/";

/// Answers a request whose path starts with [`PREFIX`].
pub(crate) fn answer(request: &Request<Bytes>, book: &Book) -> Response<Full<Bytes>> {
    let path = request.uri().path().trim_start_matches(PREFIX);
    match (request.method().as_str(), path) {
        ("GET", "health") => json(StatusCode::OK, &json!({"status": "ok"})),
        ("GET", "counts") => json(StatusCode::OK, &book.counts()),
        ("GET", "calls") => {
            let filter = |name| query(request, name);
            json(
                StatusCode::OK,
                &book.calls(filter("operation").as_deref(), filter("contains").as_deref()),
            )
        }
        ("GET", "rules") => json(StatusCode::OK, &book.rules()),
        ("POST", "rules") => match serde_json::from_slice::<Rule>(request.body()) {
            Ok(rule) => json(StatusCode::CREATED, &json!({"id": book.add_rule(rule)})),
            Err(error) => refuse(StatusCode::BAD_REQUEST, format!("expected a rule: {error}")),
        },
        ("DELETE", "rules") => {
            book.remove_all_rules();
            done()
        }
        ("DELETE", path) => match path.strip_prefix("rules/").and_then(|id| id.parse::<RuleId>().ok()) {
            Some(id) if book.remove_rule(id) => done(),
            _ => refuse(StatusCode::NOT_FOUND, format!("no rule at {PREFIX}{path}")),
        },
        (method, path) => refuse(StatusCode::NOT_FOUND, format!("no {method} {PREFIX}{path} here")),
    }
}

fn query(request: &Request<Bytes>, name: &str) -> Option<String> {
    let query = request.uri().query().unwrap_or_default();
    form_urlencoded::parse(query.as_bytes())
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

fn json(status: StatusCode, value: &impl Serialize) -> Response<Full<Bytes>> {
    match serde_json::to_string(value) {
        Ok(text) => answers::plain(status, "application/json", text),
        Err(error) => refuse(
            StatusCode::INTERNAL_SERVER_ERROR,
            format!("could not write the answer: {error}"),
        ),
    }
}

fn refuse(status: StatusCode, message: String) -> Response<Full<Bytes>> {
    answers::plain(status, "application/json", json!({"message": message}).to_string())
}

fn done() -> Response<Full<Bytes>> {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}
