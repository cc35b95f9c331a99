//! Writes an AWS error in the form of the service that was called.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use serde_json::json;

use crate::operation::Protocol;
use crate::rule::ErrorAnswer;

const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
/// The same for every answer: nobody looks it up.
const NO_REQUEST: &str = "00000000-0000-0000-0000-000000000000";

/// The error that `answer` describes.
pub(crate) fn error(protocol: Protocol, answer: &ErrorAnswer) -> Response<Full<Bytes>> {
    let text = match protocol {
        Protocol::TargetJson | Protocol::RestJson => {
            json!({"__type": answer.code, "message": answer.message}).to_string()
        }
        Protocol::Query => xml(answer),
    };
    let mut response = plain(answer.status, content_type(protocol), text);
    if let Ok(code) = HeaderValue::from_str(&answer.code) {
        response.headers_mut().insert(ERROR_TYPE, code);
    }
    response
}

/// A body that a test made up: JSON, or a text as it is, such as XML.
pub(crate) fn made_up(protocol: Protocol, status: StatusCode, body: &serde_json::Value) -> Response<Full<Bytes>> {
    let text = body.as_str().map_or_else(|| body.to_string(), str::to_owned);
    plain(status, content_type(protocol), text)
}

/// Any text.
pub(crate) fn plain(status: StatusCode, content_type: &'static str, text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
        .headers_mut()
        .insert(REQUEST_ID, HeaderValue::from_static(NO_REQUEST));
    response
}

fn content_type(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::TargetJson => "application/x-amz-json-1.0",
        Protocol::RestJson => "application/json",
        Protocol::Query => "text/xml",
    }
}

fn xml(answer: &ErrorAnswer) -> String {
    let who = if answer.status.is_server_error() {
        "Receiver"
    } else {
        "Sender"
    };
    let (code, message) = (escape(&answer.code), escape(&answer.message));
    format!(
        "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><Error><Type>{who}</Type>\
         <Code>{code}</Code><Message>{message}</Message></Error><RequestId>{NO_REQUEST}</RequestId></ErrorResponse>"
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn throttled() -> ErrorAnswer {
        ErrorAnswer {
            status: StatusCode::BAD_REQUEST,
            code: "Throttling".to_owned(),
            message: "Rate < 1 & falling".to_owned(),
        }
    }

    #[test]
    fn sns_is_answered_in_xml() {
        let text = xml(&throttled());
        assert!(
            text.contains("<Type>Sender</Type><Code>Throttling</Code><Message>Rate &lt; 1 &amp; falling</Message>"),
            "{text}"
        );
    }

    #[test]
    fn the_code_is_in_a_header_too() {
        assert_eq!(
            error(Protocol::RestJson, &throttled()).headers()["x-amzn-errortype"],
            "Throttling"
        );
    }
}
