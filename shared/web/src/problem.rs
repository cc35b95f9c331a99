//! What went wrong, told to the caller as a problem detail (RFC 9457).

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::borrow::Cow;
use utoipa::ToSchema;

/// What went wrong, as `application/problem+json` (RFC 9457).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Problem {
    /// What kind of problem it is: a URN that stays the same.
    #[serde(rename = "type")]
    #[schema(example = "urn:e-com67:problem:invalid-request")]
    kind: Cow<'static, str>,
    /// The kind in a few words.
    #[schema(value_type = String, example = "The request is not valid")]
    title: &'static str,
    /// The status of the answer.
    #[schema(example = 400)]
    status: u16,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    detail: Option<Cow<'static, str>>,
    /// Every field that is wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Wrong>,
    #[serde(skip)]
    headers: Vec<(header::HeaderName, HeaderValue)>,
}

/// One field that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Wrong {
    /// Where: a JSON pointer into the body (RFC 6901), or `query/NAME`, `header/NAME`.
    #[schema(example = "/quietHours/start")]
    pub pointer: String,
    /// What was expected there.
    #[schema(example = "expected a time of day such as 22:00, from 00:00 to 23:59")]
    pub detail: String,
}

impl Problem {
    fn new(status: StatusCode, kind: &'static str, title: &'static str) -> Self {
        Self {
            kind: Cow::Owned(format!("urn:e-com67:problem:{kind}")),
            title,
            status: status.as_u16(),
            detail: None,
            errors: Vec::new(),
            headers: Vec::new(),
        }
    }

    /// Fields that are wrong.
    #[must_use]
    pub fn invalid(errors: Vec<Wrong>) -> Self {
        Self {
            errors,
            ..Self::new(StatusCode::BAD_REQUEST, "invalid-request", "The request is not valid")
        }
    }

    /// One field that is wrong.
    #[must_use]
    pub fn wrong(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::invalid(vec![Wrong {
            pointer: pointer.into(),
            detail: detail.into(),
        }])
    }

    /// Nobody knows who calls. Always the same to the byte, whatever the cause.
    #[must_use]
    pub fn unauthorized() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            "A valid access token is needed",
        )
        .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
    }

    /// The caller is known, and may not do this. Always the same to the byte.
    #[must_use]
    pub fn forbidden() -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", "That is not yours to do")
    }

    /// Nothing there that this caller may see. Always the same to the byte: what belongs to others looks like what does not exist.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "There is nothing here")
    }

    /// The path knows other methods.
    #[must_use]
    pub fn method_not_allowed() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method-not-allowed",
            "This path does not take this method",
        )
    }

    /// What is stored stands against it.
    #[must_use]
    pub fn conflict(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", "What is stored stands against it").with_detail(detail)
    }

    /// The caller's version is not the one that stands.
    #[must_use]
    pub fn stale() -> Self {
        Self::new(
            StatusCode::PRECONDITION_FAILED,
            "stale",
            "It has been changed since it was read",
        )
        .with_detail("read it again, and repeat the change with the ETag of that answer in If-Match")
    }

    /// The caller did not say which version it changes.
    #[must_use]
    pub fn precondition_required() -> Self {
        Self::new(
            StatusCode::PRECONDITION_REQUIRED,
            "precondition-required",
            "A version is needed",
        )
        .with_detail("send the ETag of the answer that you changed in If-Match")
    }

    /// Well formed, and still nothing that can be done.
    #[must_use]
    pub fn unprocessable(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        let errors = vec![Wrong {
            pointer: pointer.into(),
            detail: detail.into(),
        }];
        Self {
            errors,
            ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "unprocessable", "That cannot be done")
        }
    }

    /// The body is larger than anything sensible.
    #[must_use]
    pub fn too_large(limit: usize) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "The body is too large")
            .with_detail(format!("expected at most {limit} bytes"))
    }

    /// The body is of a type that is not read here.
    #[must_use]
    pub fn unsupported_media_type(expected: &'static str) -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported-media-type",
            "The body is of another type",
        )
        .with_detail(format!("expected a Content-Type of {expected}"))
    }

    /// More often than is allowed.
    #[must_use]
    pub fn too_many(detail: impl Into<Cow<'static, str>>, retry_after_seconds: u32) -> Self {
        Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too-many-requests",
            "That was asked for too often",
        )
        .with_detail(detail)
        .with_header(header::RETRY_AFTER, HeaderValue::from(retry_after_seconds))
    }

    /// Something that is needed does not answer.
    #[must_use]
    pub fn unavailable() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "It cannot be done just now",
        )
        .with_detail("nothing is lost; try again in a moment")
        .with_header(header::RETRY_AFTER, HeaderValue::from_static("2"))
    }

    /// A fault of ours.
    #[must_use]
    pub fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "Something went wrong on our side",
        )
    }

    /// The same with what to do about it.
    #[must_use]
    pub fn with_detail(self, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            detail: Some(detail.into()),
            ..self
        }
    }

    fn with_header(mut self, name: header::HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }
}

impl From<domain::ports::Unavailable> for Problem {
    /// The cause is for the log, not for the caller.
    fn from(error: domain::ports::Unavailable) -> Self {
        tracing::warn!(error = domain::chain(&error), "could not answer a request");
        Self::unavailable()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.extend(self.headers);
        response
    }
}
