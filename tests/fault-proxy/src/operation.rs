//! Recognises which AWS operation a request is, and reads its body as text.

use hyper::Method;
use hyper::http::request::Parts;
use serde_json::Value;

/// How a service writes requests and errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// `X-Amz-Target` and JSON: DynamoDB, SQS.
    TargetJson,
    /// Method, path and JSON: SES v2, Lambda.
    RestJson,
    /// A form with `Action=…`, answered in XML: SNS.
    Query,
}

/// A request, as far as rules and records need it.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) operation: String,
    pub(crate) protocol: Protocol,
    pub(crate) body_bytes: usize,
    pub(crate) body: Body,
    raw: String,
}

/// The body, decoded.
#[derive(Debug)]
pub(crate) enum Body {
    Json(Value),
    Form(Vec<(String, String)>),
    Other,
}

impl Seen {
    pub(crate) fn read(head: &Parts, bytes: &[u8]) -> Self {
        let header = |name| {
            head.headers
                .get(name)
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default()
        };
        let is_form = header("content-type").starts_with("application/x-www-form-urlencoded");
        let body = if is_form {
            Body::Form(form_urlencoded::parse(bytes).into_owned().collect())
        } else {
            serde_json::from_slice(bytes).map_or(Body::Other, Body::Json)
        };

        let target = header("x-amz-target").rsplit('.').next().unwrap_or_default();
        let (operation, protocol) = match body.field("Action") {
            Some(action) if is_form => (action.to_owned(), Protocol::Query),
            _ if !target.is_empty() => (target.to_owned(), Protocol::TargetJson),
            _ => (by_path(&head.method, head.uri.path()), Protocol::RestJson),
        };
        let raw = String::from_utf8_lossy(bytes).into_owned();
        Self {
            operation,
            protocol,
            body_bytes: bytes.len(),
            body,
            raw,
        }
    }

    /// Whether the body contains `text`, as it was sent or in one of its decoded fields.
    pub(crate) fn contains(&self, text: &str) -> bool {
        self.raw.contains(text)
            || match &self.body {
                Body::Json(value) => json_contains(value, text),
                Body::Form(fields) => fields.iter().any(|(_, value)| value.contains(text)),
                Body::Other => false,
            }
    }
}

impl Body {
    /// A top-level field that is a text.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        match self {
            Self::Json(value) => value.get(name)?.as_str(),
            Self::Form(fields) => fields
                .iter()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.as_str()),
            Self::Other => None,
        }
    }

    /// The field at `pointer` (RFC 6901) of a JSON body.
    pub(crate) fn at(&self, pointer: &str) -> Option<&Value> {
        match self {
            Self::Json(value) => value.pointer(pointer),
            Self::Form(_) | Self::Other => None,
        }
    }
}

/// Operations of services that speak in paths; others keep method and path as their name.
fn by_path(method: &Method, path: &str) -> String {
    match (method.as_str(), path) {
        ("POST", "/v2/email/outbound-emails") => "SendEmail".to_owned(),
        ("POST", "/v2/email/outbound-bulk-emails") => "SendBulkEmail".to_owned(),
        ("GET", "/v2/email/account") => "GetAccount".to_owned(),
        _ => format!("{method} {path}"),
    }
}

fn json_contains(value: &Value, text: &str) -> bool {
    match value {
        Value::String(string) => string.contains(text),
        Value::Array(values) => values.iter().any(|value| json_contains(value, text)),
        Value::Object(fields) => fields.values().any(|value| json_contains(value, text)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::Request;

    fn see(request: Request<&str>) -> Seen {
        let (head, body) = request.into_parts();
        Seen::read(&head, body.as_bytes())
    }

    fn publish(body: &str) -> Seen {
        see(Request::post("/")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body)
            .unwrap())
    }

    #[test]
    fn dynamodb_and_sqs_name_the_operation_in_a_header() {
        let seen = see(Request::post("/")
            .header("X-Amz-Target", "DynamoDB_20120810.UpdateItem")
            .body("{}")
            .unwrap());
        assert_eq!(
            (seen.operation.as_str(), seen.protocol),
            ("UpdateItem", Protocol::TargetJson)
        );
    }

    #[test]
    fn ses_names_the_operation_by_its_path() {
        let seen = see(Request::post("/v2/email/outbound-emails").body("{}").unwrap());
        assert_eq!(
            (seen.operation.as_str(), seen.protocol),
            ("SendEmail", Protocol::RestJson)
        );
    }

    #[test]
    fn sns_names_the_operation_in_its_form() {
        let seen = publish("Action=Publish&Version=2010-03-31");
        assert_eq!((seen.operation.as_str(), seen.protocol), ("Publish", Protocol::Query));
    }

    #[test]
    fn an_unknown_operation_keeps_method_and_path() {
        assert_eq!(
            see(Request::get("/_ministack/health").body("").unwrap()).operation,
            "GET /_ministack/health"
        );
    }

    #[test]
    fn a_form_is_matched_decoded() {
        assert!(publish("Action=Publish&PhoneNumber=%2B34600123456&Message=Tu+pedido").contains("+34600123456"));
    }

    #[test]
    fn a_form_is_matched_as_sent() {
        assert!(publish("Action=Publish&PhoneNumber=%2B34600123456").contains("%2B34600123456"));
    }

    #[test]
    fn json_inside_a_json_text_is_matched_decoded() {
        let seen = see(Request::post("/")
            .body(r#"{"MessageBody":"{\"userId\":\"user-ana\"}"}"#)
            .unwrap());
        assert!(seen.contains(r#"{"userId":"user-ana"}"#));
    }

    #[test]
    fn another_recipient_is_not_matched() {
        let body = r#"{"Destination":{"ToAddresses":["ana@example.com"]}}"#;
        assert!(!see(Request::post("/v2/email/outbound-emails").body(body).unwrap()).contains("luis@example.com"));
    }
}
