//! The addresses that carriers call.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Extension, Path, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, post};
use carriers::{Answer, Request};
use domain::Carrier;
use jiff::Timestamp;
use lambda_http::request::RequestContext;
use std::net::IpAddr;
use std::sync::Arc;
use web::{Counted, Problem};

use crate::desk::{Deed, Outcome};
use crate::{Archive, Desk, KeysLoad, Queue};

/// UPS sends photographs of doors with parcels, and nobody sends more.
pub const LARGEST_BODY: usize = 1_024 * 1_024;

/// The routes under `/webhooks/carriers`.
pub fn router<K, A, Q>(desk: Arc<Desk<K, A, Q>>) -> Router
where
    K: KeysLoad + 'static,
    A: Archive + 'static,
    Q: Queue + 'static,
{
    Router::new()
        .route("/webhooks/carriers/{carrier}", any(call::<K, A, Q>))
        .route("/webhooks/carriers/{carrier}/{key}", any(call_with_key::<K, A, Q>))
        .route("/webhooks/carriers/ups/token", post(ups_token::<K, A, Q>))
        .with_state(desk)
}

/// A call as axum takes it apart.
#[derive(axum::extract::FromRequestParts)]
struct Parts {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    now: Extension<Timestamp>,
    context: Option<Extension<RequestContext>>,
}

impl Parts {
    fn headers(&self) -> Vec<(String, String)> {
        let text = |(name, value): (&header::HeaderName, &HeaderValue)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        };
        self.headers.iter().filter_map(text).collect()
    }

    /// From where the gateway was called. What headers say of that is anybody's word.
    fn caller(&self) -> Option<IpAddr> {
        let Extension(context) = self.context.as_ref()?;
        match context {
            RequestContext::ApiGatewayV2(context) => context.http.source_ip.as_ref()?.parse().ok(),
            _ => None,
        }
    }
}

async fn call<K: KeysLoad, A: Archive, Q: Queue>(
    State(desk): State<Arc<Desk<K, A, Q>>>,
    Path(carrier): Path<String>,
    parts: Parts,
    body: Bytes,
) -> Response {
    answer(&desk, &carrier, None, &parts, &body).await
}

async fn call_with_key<K: KeysLoad, A: Archive, Q: Queue>(
    State(desk): State<Arc<Desk<K, A, Q>>>,
    Path((carrier, key)): Path<(String, String)>,
    parts: Parts,
    body: Bytes,
) -> Response {
    answer(&desk, &carrier, Some(&key), &parts, &body).await
}

async fn ups_token<K: KeysLoad, A: Archive, Q: Queue>(
    State(desk): State<Arc<Desk<K, A, Q>>>,
    parts: Parts,
    body: Bytes,
) -> Response {
    let headers = parts.headers();
    let request = request_of(&parts, None, &headers, &body);
    match desk.issue_ups_token(&request, parts.caller()).await {
        Ok(answer) => response_of(answer),
        Err(problem) => problem.into_response(),
    }
}

async fn answer<K: KeysLoad, A: Archive, Q: Queue>(
    desk: &Desk<K, A, Q>,
    carrier: &str,
    key: Option<&str>,
    parts: &Parts,
    body: &[u8],
) -> Response {
    let Some((carrier, webhook)) =
        Carrier::from_name(carrier).and_then(|carrier| Some((carrier, carriers::webhook(carrier)?)))
    else {
        return Problem::not_found().into_response();
    };
    if !webhook.methods().contains(&parts.method.as_str()) {
        return Problem::method_not_allowed().into_response();
    }
    let headers = parts.headers();
    let request = request_of(parts, key, &headers, body);
    let Outcome { deed, counts } = desk.take(carrier, webhook, &request, parts.caller()).await;
    let mut response = match deed {
        Deed::Taken(answer) => response_of(answer),
        Deed::Refused => Problem::unauthorized().into_response(),
        // The carrier comes again; those that do not have left their message in the archive.
        Deed::Failed => Problem::unavailable().into_response(),
    };
    response.extensions_mut().insert(Counted(counts));
    response
}

fn request_of<'r>(
    parts: &'r Parts,
    key: Option<&'r str>,
    headers: &'r [(String, String)],
    body: &'r [u8],
) -> Request<'r> {
    Request {
        method: parts.method.as_str(),
        key,
        query: parts.uri.query().unwrap_or_default(),
        headers,
        body,
        now: parts.now.0,
    }
}

fn response_of(answer: Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = status;
    if let Some(content_type) = answer.content_type {
        let value = HeaderValue::from_static(content_type);
        response.headers_mut().insert(header::CONTENT_TYPE, value);
    }
    response
}
