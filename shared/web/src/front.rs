//! The way in and out: a call of API Gateway becomes a request to a router, and its response an answer.

use axum::body::{Body, to_bytes};
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::IntoResponse;
use axum::{Extension, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::ports::Clock;
use futures_util::FutureExt;
use lambda::{Call, MetricName, Metrics, Reply, SystemClock};
use serde_json::{Map, Value, json};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use tower::ServiceExt;

use crate::{Identity, Problem};

/// More than the headers of any request, and than what the gateway adds to it.
const LARGEST_REST: usize = 384 * 1_024;

/// A router behind API Gateway.
#[derive(Debug, Clone)]
pub struct Front {
    router: Router,
    largest_body: usize,
}

/// What a handler wants counted besides, as an extension of its response: names of metrics, and how often.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counted(pub Vec<(MetricName, u64)>);

impl Counted {
    /// One thing, once.
    #[must_use]
    pub fn once(name: MetricName) -> Self {
        Self(vec![(name, 1)])
    }
}

/// The route that a request took, with its parameters as names: fit for a log.
#[derive(Debug, Clone)]
struct Route(MatchedPath);

/// Runs a function behind API Gateway until Lambda stops it.
///
/// # Errors
///
/// When Lambda's runtime API cannot be reached or a variable of Lambda's own is missing.
pub async fn serve(function: &'static str, front: Front) -> Result<(), lambda_http::Error> {
    lambda::start(function, async |call: Call| front.handle(&call.payload).await).await
}

impl Front {
    /// A front for this router, which takes bodies of so many bytes. Handlers find the moment of the call as an extension, a
    /// [`jiff::Timestamp`]. What no route knows, and what a route does not take, is answered with a problem.
    #[must_use]
    pub fn new(router: Router, largest_body: usize) -> Self {
        let router = router
            .method_not_allowed_fallback(async || Problem::method_not_allowed())
            .layer(middleware::from_fn(remember_route))
            .fallback(async || Problem::not_found());
        Self { router, largest_body }
    }

    /// The same, whose handlers learn by [`crate::Caller`] who calls.
    #[must_use]
    pub fn for_customers(self, identity: Identity) -> Self {
        Self {
            router: self.router.layer(Extension(Arc::new(identity))),
            ..self
        }
    }

    /// Handles one call. A panic is the caller's own: the next call finds everything as it was.
    pub async fn handle(&self, payload: &str) -> Reply {
        let started_at = SystemClock.now();
        let response = AssertUnwindSafe(self.answer(payload, started_at)).catch_unwind().await;
        let response = response.unwrap_or_else(|_panic| {
            tracing::error!("a handler panicked");
            Problem::internal().into_response()
        });
        let took = SystemClock.now().duration_since(started_at).as_millis();
        let metrics = metrics_of(&response, i64::try_from(took).unwrap_or(i64::MAX));
        Reply {
            value: Ok(answer_of(response).await),
            metrics,
        }
    }

    async fn answer(&self, payload: &str, now: jiff::Timestamp) -> Response<Body> {
        // A body takes at most twice its length inside the call; what is larger is not even read.
        if payload.len() > 2 * self.largest_body + LARGEST_REST {
            return Problem::too_large(self.largest_body).into_response();
        }
        // The crate that reads it trusts the gateway's host and path to make an address.
        let read = catch_unwind(|| lambda_http::request::from_str(payload));
        let Ok(Ok(request)) = read else {
            tracing::warn!("a call that is no request of API Gateway");
            return Problem::wrong("", "expected a request of API Gateway").into_response();
        };
        let (mut parts, body) = request.into_parts();
        let body = body.to_vec();
        if body.len() > self.largest_body {
            return Problem::too_large(self.largest_body).into_response();
        }
        parts.extensions.insert(now);
        let method = parts.method.clone();
        let request = Request::from_parts(parts, Body::from(body));
        let response = match self.router.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        let route = response.extensions().get::<Route>();
        let route = route.map_or("no route", |Route(path)| path.as_str());
        tracing::info!(http.method = %method, http.route = route, http.status = response.status().as_u16(), "answered {method} {route}");
        response
    }
}

async fn remember_route(request: Request, next: Next) -> Response<Body> {
    let route = request.extensions().get::<MatchedPath>().cloned().map(Route);
    let mut response = next.run(request).await;
    if let Some(route) = route {
        response.extensions_mut().insert(route);
    }
    response
}

fn metrics_of(response: &Response<Body>, took_ms: i64) -> Metrics {
    let status = response.status();
    let mut metrics = Metrics::default();
    metrics
        .count(MetricName::ApiRequests, 1)
        .count(MetricName::ApiClientErrors, u64::from(status.is_client_error()))
        .count(MetricName::ApiServerErrors, u64::from(status.is_server_error()))
        .milliseconds(MetricName::ApiLatency, &[took_ms]);
    if let Some(Counted(counts)) = response.extensions().get::<Counted>() {
        for (name, count) in counts {
            metrics.count(*name, *count);
        }
    }
    metrics
}

/// The answer as API Gateway wants it (payload format 2.0). What says nothing about caches may not be kept by any.
async fn answer_of(response: Response<Body>) -> Value {
    let (parts, body) = response.into_parts();
    let mut headers = parts.headers;
    or_else(&mut headers, header::CACHE_CONTROL, "no-store");
    or_else(&mut headers, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    // The gateway counts for itself.
    headers.remove(header::CONTENT_LENGTH);
    let (status, body) = match to_bytes(body, usize::MAX).await {
        Ok(body) => (parts.status, body),
        Err(_broken) => (StatusCode::INTERNAL_SERVER_ERROR, axum::body::Bytes::new()),
    };
    let mut written = Map::new();
    for name in headers.keys() {
        let values: Vec<&str> = headers
            .get_all(name)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .collect();
        written.insert(name.as_str().to_owned(), values.join(", ").into());
    }
    let (body, is_base64) = match std::str::from_utf8(&body) {
        Ok(text) => (text.to_owned(), false),
        Err(_binary) => (STANDARD.encode(&body), true),
    };
    json!({"statusCode": status.as_u16(), "headers": written, "body": body, "isBase64Encoded": is_base64})
}

fn or_else(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    headers.entry(name).or_insert(HeaderValue::from_static(value));
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::extract::Path;
    use axum::routing::{get, post};
    use std::collections::BTreeMap;

    fn front() -> Front {
        let router = Router::new()
            .route("/things/{id}", get(async |Path(id): Path<String>| id))
            .route("/echo", post(async |body: String| body))
            .route("/panic", get(async || -> StatusCode { panic!("of a test") }))
            .route(
                "/counted",
                get(async || (axum::Extension(Counted::once(MetricName::Unsubscribed)), "counted")),
            );
        Front::new(router, 16)
    }

    fn call(method: &str, path: &str, body: Option<&str>) -> String {
        json!({
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": path,
            "rawQueryString": "",
            "headers": {"host": "api.example.com"},
            "requestContext": {
                "apiId": "a", "stage": "$default", "domainName": "api.example.com", "requestId": "r", "accountId": "1",
                "time": "t", "timeEpoch": 0,
                "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "u"}
            },
            "body": body,
            "isBase64Encoded": false
        })
        .to_string()
    }

    async fn answer(payload: &str) -> (u64, String, Map<String, Value>) {
        let reply = front().handle(payload).await;
        let answer = reply.value.unwrap();
        let body = answer["body"].as_str().unwrap().to_owned();
        (
            answer["statusCode"].as_u64().unwrap(),
            body,
            answer["headers"].as_object().unwrap().clone(),
        )
    }

    #[tokio::test]
    async fn a_request_reaches_its_route_and_nothing_is_kept_by_caches() {
        let (status, body, headers) = answer(&call("GET", "/things/7", None)).await;
        assert_eq!((status, body.as_str()), (200, "7"));
        assert_eq!(headers["cache-control"], "no-store");
        assert_eq!(headers["x-content-type-options"], "nosniff");
    }

    #[tokio::test]
    async fn what_no_route_takes_is_a_problem() {
        let (status, body, headers) = answer(&call("GET", "/elsewhere", None)).await;
        assert_eq!(
            (status, headers["content-type"].as_str()),
            (404, Some("application/problem+json"))
        );
        assert!(body.contains("\"status\":404"));
        let (status, body, headers) = answer(&call("DELETE", "/things/7", None)).await;
        assert_eq!((status, headers["allow"].as_str()), (405, Some("GET,HEAD")));
        assert!(body.contains("urn:e-com67:problem:method-not-allowed"));
    }

    #[tokio::test]
    async fn a_body_that_is_too_large_is_not_read() {
        let (status, body, _) = answer(&call("POST", "/echo", Some("sixteen letters!"))).await;
        assert_eq!((status, body.as_str()), (200, "sixteen letters!"));
        let (status, _, _) = answer(&call("POST", "/echo", Some("seventeen letters"))).await;
        assert_eq!(status, 413);
        let (status, _, _) = answer(&call("POST", "/echo", Some(&"x".repeat(LARGEST_REST + 32)))).await;
        assert_eq!(status, 413);
    }

    #[tokio::test]
    async fn what_is_no_request_is_refused_and_a_panic_is_an_answer() {
        for payload in ["", "{}", "[]", "null", r#"{"Records": []}"#] {
            assert_eq!(answer(payload).await.0, 400, "{payload}");
        }
        let (status, body, _) = answer(&call("GET", "/panic", None)).await;
        assert_eq!(status, 500);
        assert!(body.contains("urn:e-com67:problem:internal"));
    }

    #[tokio::test]
    async fn requests_are_counted_and_so_is_what_a_handler_asks_for() {
        let reply = front().handle(&call("GET", "/counted", None)).await;
        let counts: BTreeMap<&str, u64> = reply.metrics.counts().collect();
        assert_eq!(counts, BTreeMap::from([("ApiRequests", 1), ("Unsubscribed", 1)]));
        let reply = front().handle(&call("GET", "/elsewhere", None)).await;
        let counts: BTreeMap<&str, u64> = reply.metrics.counts().collect();
        assert_eq!(counts, BTreeMap::from([("ApiClientErrors", 1), ("ApiRequests", 1)]));
    }
}
