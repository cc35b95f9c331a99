//! What the caller has already: `ETag` and `If-None-Match` (RFC 9110, sections 8.8.3 and 13.1.2), so that asking again and again costs
//! next to nothing.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::convert::Infallible;

use crate::{Problem, entity_tag};

/// The caller alone may keep an answer, and asks each time whether it still holds.
const KEPT_BY_THE_CALLER: HeaderValue = HeaderValue::from_static("private, no-cache");

/// The answers that the caller has already.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IfNoneMatch {
    revisions: Vec<String>,
    is_any: bool,
}

impl IfNoneMatch {
    /// This answer with its `ETag`, or that the caller has it already (304, without a body). No cache but the caller's own may keep it.
    ///
    /// The tag is a hash of the whole answer; with a `version` it begins with that, so that a change may name it.
    #[must_use]
    pub fn shown(&self, version: Option<u64>, view: &impl Serialize) -> Response {
        let Ok(body) = serde_json::to_vec(view) else {
            return Problem::internal().into_response();
        };
        let revision = revision_of(version, &body);
        let mut response = match self.is_any || self.revisions.contains(&revision) {
            true => StatusCode::NOT_MODIFIED.into_response(),
            false => {
                let json = HeaderValue::from_static("application/json");
                ([(header::CONTENT_TYPE, json)], body).into_response()
            }
        };
        let headers = response.headers_mut();
        headers.insert(header::ETAG, entity_tag(&revision));
        headers.insert(header::CACHE_CONTROL, KEPT_BY_THE_CALLER);
        response
    }
}

fn revision_of(version: Option<u64>, body: &[u8]) -> String {
    let version = version.map(|version| format!("{version}-"));
    let hash = Sha256::digest(body);
    let hash = hash.iter().take(12).map(|byte| format!("{byte:02x}"));
    version.into_iter().chain(hash).collect()
}

impl<S: Sync> FromRequestParts<S> for IfNoneMatch {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let mut known = Self::default();
        for value in parts.headers.get_all(header::IF_NONE_MATCH) {
            for tag in value.to_str().unwrap_or_default().split(',').map(str::trim) {
                known.is_any |= tag == "*";
                // A weak tag is as good as a strong one here (RFC 9110, section 13.1.2).
                let tag = tag.strip_prefix("W/").unwrap_or(tag);
                let revision = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
                known.revisions.extend(revision.map(str::to_owned));
            }
        }
        Ok(known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::to_bytes;
    use axum::http::Request;

    async fn known(tags: &[&str]) -> IfNoneMatch {
        let mut request = Request::builder();
        for tag in tags {
            request = request.header(header::IF_NONE_MATCH, *tag);
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        let Ok(known) = IfNoneMatch::from_request_parts(&mut parts, &()).await;
        known
    }

    fn tag(response: &Response) -> &str {
        response.headers()[header::ETAG].to_str().unwrap()
    }

    #[tokio::test]
    async fn what_the_caller_has_is_not_sent_again() {
        let first = known(&[]).await.shown(Some(7), &"shown");
        assert_eq!(first.status(), StatusCode::OK);
        assert!(tag(&first).starts_with("\"7-"));
        for tags in [
            tag(&first).to_owned(),
            format!("\"a\", W/{}", tag(&first)),
            "*".to_owned(),
        ] {
            let again = known(&[&tags]).await.shown(Some(7), &"shown");
            assert_eq!((again.status(), tag(&again)), (StatusCode::NOT_MODIFIED, tag(&first)));
            assert_eq!(again.headers()[header::CACHE_CONTROL], "private, no-cache");
            assert!(to_bytes(again.into_body(), 64).await.unwrap().is_empty());
        }
    }

    #[tokio::test]
    async fn another_answer_is_sent() {
        let first = known(&[]).await.shown(None, &"shown");
        let other = known(&[tag(&first)]).await.shown(None, &"shown otherwise");
        assert_eq!(other.status(), StatusCode::OK);
        let body = to_bytes(other.into_body(), 64).await.unwrap();
        assert_eq!(&body[..], b"\"shown otherwise\"");
    }
}
