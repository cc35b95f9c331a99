//! The routes under `/_fault/`, through which tests say what shall happen and read what did.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::{Request, Response, StatusCode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::answers;
use crate::book::Book;
use crate::feedback::{Feedback, FeedbackEvent};
use crate::publisher::{EventError, Publisher};
use crate::rule::{Rule, RuleId};
use crate::topic::TopicArn;

/// Paths that start so are ours and are never forwarded.
pub(crate) const PREFIX: &str = "/_fault/";

/// Where events go.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Destination {
    pub(crate) topic: Option<TopicArn>,
}

/// An event about an e-mail that was accepted before.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Emission {
    /// The message's id, or the value of one of its tags, such as the notification's id.
    pub(crate) message: String,
    pub(crate) event: FeedbackEvent,
    pub(crate) times: u64,
}

/// Why nothing was done.
struct Refusal {
    status: StatusCode,
    message: String,
}

/// Answers a request whose path starts with [`PREFIX`].
pub(crate) async fn answer(request: &Request<Bytes>, book: &Book, publisher: &Publisher) -> Response<Full<Bytes>> {
    let path = request.uri().path().trim_start_matches(PREFIX);
    let answered = match path.strip_prefix("feedback") {
        Some(path) => feedback(request, path, book, publisher).await,
        None => calls_and_rules(request, path, book),
    };
    answered.unwrap_or_else(|Refusal { status, message }| {
        answers::plain(status, "application/json", json!({"message": message}).to_string())
    })
}

fn calls_and_rules(request: &Request<Bytes>, path: &str, book: &Book) -> Result<Response<Full<Bytes>>, Refusal> {
    match (request.method().as_str(), path) {
        ("GET", "health") => json(StatusCode::OK, &json!({"status": "ok"})),
        ("GET", "counts") => json(StatusCode::OK, &book.counts()),
        ("GET", "exercised") => json(StatusCode::OK, &book.exercised()),
        ("GET", "calls") => {
            let filter = |name| query(request, name);
            json(
                StatusCode::OK,
                &book.calls(filter("operation").as_deref(), filter("contains").as_deref()),
            )
        }
        ("GET", "rules") => json(StatusCode::OK, &book.rules()),
        ("POST", "rules") => {
            let rule: Rule = read(request, "a rule")?;
            json(StatusCode::CREATED, &json!({"id": book.add_rule(rule)}))
        }
        ("DELETE", "rules") => {
            book.remove_all_rules();
            Ok(done())
        }
        ("DELETE", path) => match path.strip_prefix("rules/").and_then(|id| id.parse::<RuleId>().ok()) {
            Some(id) if book.remove_rule(id) => Ok(done()),
            _ => refuse(StatusCode::NOT_FOUND, format!("no rule at {PREFIX}{path}")),
        },
        _ => unknown(request),
    }
}

async fn feedback(
    request: &Request<Bytes>,
    path: &str,
    book: &Book,
    publisher: &Publisher,
) -> Result<Response<Full<Bytes>>, Refusal> {
    match (request.method().as_str(), path) {
        ("GET", "") => return json(StatusCode::OK, &publisher.report()),
        ("PUT", "") => {
            let standing: Vec<Feedback> = read(request, "a list of feedback")?;
            standing.iter().try_for_each(check)?;
            publisher.set_feedback(standing);
        }
        ("POST", "") => {
            let feedback: Feedback = read(request, "feedback")?;
            check(&feedback)?;
            publisher.add_feedback(feedback);
        }
        ("DELETE", "") => publisher.set_feedback(Vec::new()),
        ("PUT", "/topic") => publisher.set_topic(read::<Destination>(request, "a topic")?.topic),
        ("POST", "/events") => {
            let Emission { message, event, times } = read(request, "an event")?;
            let Some(accepted) = book.accepted_email(&message) else {
                return refuse(
                    StatusCode::NOT_FOUND,
                    format!("no e-mail was accepted under the id, or with a tag, {message}"),
                );
            };
            if let Err(error) = publisher.emit(&accepted, &event, times).await {
                let status = match error {
                    EventError::NoTopic => StatusCode::CONFLICT,
                    EventError::Sns { .. } => StatusCode::BAD_GATEWAY,
                };
                return refuse(status, error.to_string());
            }
        }
        _ => return unknown(request),
    }
    Ok(done())
}

fn check(feedback: &Feedback) -> Result<(), Refusal> {
    feedback.check().map_err(|error| Refusal {
        status: StatusCode::BAD_REQUEST,
        message: error.to_string(),
    })
}

fn read<T: DeserializeOwned>(request: &Request<Bytes>, expected: &str) -> Result<T, Refusal> {
    serde_json::from_slice(request.body()).map_err(|error| Refusal {
        status: StatusCode::BAD_REQUEST,
        message: format!("expected {expected}: {error}"),
    })
}

fn query(request: &Request<Bytes>, name: &str) -> Option<String> {
    let query = request.uri().query().unwrap_or_default();
    form_urlencoded::parse(query.as_bytes())
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

fn json(status: StatusCode, value: &impl Serialize) -> Result<Response<Full<Bytes>>, Refusal> {
    match serde_json::to_string(value) {
        Ok(text) => Ok(answers::plain(status, "application/json", text)),
        Err(error) => refuse(
            StatusCode::INTERNAL_SERVER_ERROR,
            format!("could not write the answer: {error}"),
        ),
    }
}

fn unknown(request: &Request<Bytes>) -> Result<Response<Full<Bytes>>, Refusal> {
    let (method, path) = (request.method(), request.uri().path());
    refuse(StatusCode::NOT_FOUND, format!("no {method} {path} here"))
}

fn refuse<T>(status: StatusCode, message: String) -> Result<T, Refusal> {
    Err(Refusal { status, message })
}

fn done() -> Response<Full<Bytes>> {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}
