//! What goes back to a browser: a page, what it may do there, and what was done.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use links::InvalidLink;

use crate::book::{Book, BrokenPages};

/// What a request came to, as an extension of its response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// A page was shown, and nothing was changed.
    Shown,
    /// Messages of one type were stopped.
    Stopped,
    /// They were to be stopped, and had been before.
    StoppedBefore,
    /// They were stopped, and come again.
    PutBack,
    /// Preferences were saved.
    Saved,
    /// Preferences were sent that stood already.
    Unchanged,
    /// Preferences were sent for a state that stands no more.
    Stale,
    /// A form was sent that cannot be read.
    Unreadable,
    /// A form was sent from a page of somebody else.
    FromElsewhere,
    /// The link does not open: this is why.
    Refused(Refusal),
    /// The link is good, and for messages that are always sent.
    MustSend,
    /// Something of ours did not answer.
    Trouble,
}

/// Why a link does not open. Strangers are told the same whatever it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It is no link of ours, or none any more.
    Invalid(InvalidLink),
    /// It opens another page.
    OtherPurpose,
}

/// What every page says of itself.
const HEADERS: [(HeaderName, &str); 8] = [
    (header::CONTENT_TYPE, "text/html; charset=utf-8"),
    (header::CACHE_CONTROL, "no-store"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("x-robots-tag"), "noindex, nofollow"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (header::VARY, "Accept-Language"),
];

/// A page. One that could not be written is told in the log and is an empty answer.
pub(crate) fn page(
    book: &Book,
    status: StatusCode,
    deed: Deed,
    written: Result<String, BrokenPages>,
) -> Response<Body> {
    let (status, html) = match written {
        Ok(html) => (status, html),
        Err(error) => {
            tracing::error!(error = %domain::chain(&error), "could not write a page");
            (StatusCode::INTERNAL_SERVER_ERROR, String::new())
        }
    };
    let mut response = Response::new(Body::from(html));
    *response.status_mut() = status;
    response.extensions_mut().insert(deed);
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Ok(policy) = HeaderValue::from_str(book.policy()) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("120"));
    }
    response
}
