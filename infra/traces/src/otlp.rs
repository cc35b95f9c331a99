//! From a segment document of X-Ray to spans of OpenTelemetry in OTLP's JSON, as the `awsxray` receiver of the OpenTelemetry
//! Collector maps them: a segment is a span of the kind server, a subsegment of the namespace `aws` one of the kind client,
//! annotations are attributes.

use serde_json::{Map, Value, json};

/// OTLP's numbers for the kinds of spans.
const INTERNAL: u8 = 1;
const SERVER: u8 = 2;
const CLIENT: u8 = 3;

/// OTLP's number for a span that went wrong.
const STATUS_ERROR: u8 = 2;

/// The spans of a document, as a line for a file; nothing where it is no document.
pub(crate) fn resource_spans(document: &Value) -> Option<Value> {
    let trace_id = trace_id(document.get("trace_id")?.as_str()?)?;
    let service = document.get("name")?.as_str()?;
    let mut spans = Vec::new();
    put(document, &trace_id, None, &mut spans)?;
    Some(json!({"resourceSpans": [{
        "resource": {"attributes": [attribute("cloud.provider", &json!("aws")), attribute("service.name", &json!(service))]},
        "scopeSpans": [{"scope": {}, "spans": spans}],
    }]}))
}

/// Puts a segment or subsegment there, and those inside it behind it.
fn put(document: &Value, trace_id: &str, inside: Option<&str>, spans: &mut Vec<Value>) -> Option<()> {
    let id = document.get("id")?.as_str().filter(|id| is_hex(id, 16))?;
    let name = document.get("name")?.as_str()?;
    let parent = inside.or_else(|| document.get("parent_id").and_then(Value::as_str));
    let is_independent = document.get("type").and_then(Value::as_str) == Some("subsegment");
    let namespace = document.get("namespace").and_then(Value::as_str);
    let kind = match namespace {
        _ if inside.is_none() && !is_independent => SERVER,
        Some(_) => CLIENT,
        None => INTERNAL,
    };
    let mut attributes = Vec::new();
    if namespace == Some("aws") {
        attributes.push(attribute("aws.service", &json!(name)));
    }
    if let Some(annotations) = document.get("annotations").and_then(Value::as_object) {
        attributes.extend(annotations.iter().map(|(key, value)| attribute(key, value)));
        let keys: Vec<Value> = annotations.keys().map(|key| json!({"stringValue": key})).collect();
        attributes.push(json!({"key": "aws.xray.annotations", "value": {"arrayValue": {"values": keys}}}));
    }
    let mut span = Map::from_iter([
        ("traceId".to_owned(), json!(trace_id)),
        ("spanId".to_owned(), json!(id)),
        ("name".to_owned(), json!(name)),
        ("kind".to_owned(), json!(kind)),
        (
            "startTimeUnixNano".to_owned(),
            json!(nanoseconds(document.get("start_time")?)?),
        ),
        (
            "endTimeUnixNano".to_owned(),
            json!(nanoseconds(document.get("end_time")?)?),
        ),
        ("attributes".to_owned(), json!(attributes)),
    ]);
    if let Some(parent) = parent {
        span.insert("parentSpanId".to_owned(), json!(parent));
    }
    let is_bad = |word: &str| document.get(word).and_then(Value::as_bool) == Some(true);
    if ["error", "fault", "throttle"].into_iter().any(is_bad) {
        span.insert("status".to_owned(), json!({"code": STATUS_ERROR}));
    }
    spans.push(Value::Object(span));
    let inner = document.get("subsegments").and_then(Value::as_array);
    inner
        .into_iter()
        .flatten()
        .try_for_each(|inner| put(inner, trace_id, Some(id), spans))
}

/// `1-5759e988-bd862e3fe1be46a994272793` without what only X-Ray writes.
fn trace_id(text: &str) -> Option<String> {
    let (seconds, chance) = text.strip_prefix("1-")?.split_once('-')?;
    (is_hex(seconds, 8) && is_hex(chance, 24)).then(|| format!("{seconds}{chance}"))
}

fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Seconds with a fraction as nanoseconds, which OTLP's JSON writes as text. X-Ray keeps microseconds.
fn nanoseconds(seconds: &Value) -> Option<String> {
    let seconds: f64 = seconds.as_f64().filter(|seconds| (0.0..1e11).contains(seconds))?;
    Some(format!("{:.0}000", seconds * 1e6))
}

fn attribute(key: &str, value: &Value) -> Value {
    let value = match value {
        Value::Bool(truth) => json!({"boolValue": truth}),
        Value::Number(number) if number.is_f64() => json!({"doubleValue": number}),
        Value::Number(number) => json!({"intValue": number.to_string()}),
        Value::String(text) => json!({"stringValue": text}),
        Value::Null | Value::Array(_) | Value::Object(_) => json!({"stringValue": value.to_string()}),
    };
    json!({"key": key, "value": value})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_is_a_server_and_its_call_of_aws_a_client_inside_it() {
        let document = json!({
            "name": "e-com67-email-notification", "id": "00000000000000aa", "parent_id": "53995c3f42cd8ad8",
            "trace_id": "1-5759e988-bd862e3fe1be46a994272793", "start_time": 1_795_171_682.015, "end_time": 1_795_171_682.115,
            "origin": "AWS::Lambda::Function", "annotations": {"outcome": "sent"}, "fault": true,
            "subsegments": [{"name": "SES", "id": "00000000000000bb", "start_time": 1_795_171_682.02, "end_time": 1_795_171_682.1,
                "namespace": "aws", "annotations": {"received": 2}}],
        });
        let expected = json!({"resourceSpans": [{
            "resource": {"attributes": [
                {"key": "cloud.provider", "value": {"stringValue": "aws"}},
                {"key": "service.name", "value": {"stringValue": "e-com67-email-notification"}}]},
            "scopeSpans": [{"scope": {}, "spans": [
                {"traceId": "5759e988bd862e3fe1be46a994272793", "spanId": "00000000000000aa", "parentSpanId": "53995c3f42cd8ad8",
                 "name": "e-com67-email-notification", "kind": 2, "status": {"code": 2},
                 "startTimeUnixNano": "1795171682015000000", "endTimeUnixNano": "1795171682115000000",
                 "attributes": [{"key": "outcome", "value": {"stringValue": "sent"}},
                    {"key": "aws.xray.annotations", "value": {"arrayValue": {"values": [{"stringValue": "outcome"}]}}}]},
                {"traceId": "5759e988bd862e3fe1be46a994272793", "spanId": "00000000000000bb", "parentSpanId": "00000000000000aa",
                 "name": "SES", "kind": 3,
                 "startTimeUnixNano": "1795171682020000000", "endTimeUnixNano": "1795171682100000000",
                 "attributes": [{"key": "aws.service", "value": {"stringValue": "SES"}},
                    {"key": "received", "value": {"intValue": "2"}},
                    {"key": "aws.xray.annotations", "value": {"arrayValue": {"values": [{"stringValue": "received"}]}}}]},
            ]}],
        }]});
        assert_eq!(resource_spans(&document), Some(expected));
    }

    #[test]
    fn what_is_no_document_is_none() {
        for wrong in [
            json!({}),
            json!({"name": "n", "id": "1", "trace_id": "1-5759e988-bd862e3fe1be46a994272793", "start_time": 1, "end_time": 2}),
            json!({"name": "n", "id": "00000000000000aa", "trace_id": "5759e988", "start_time": 1, "end_time": 2}),
            json!({"name": "n", "id": "00000000000000aa", "trace_id": "1-5759e988-bd862e3fe1be46a994272793", "start_time": -1, "end_time": 2}),
        ] {
            assert_eq!(resource_spans(&wrong), None, "{wrong}");
        }
    }
}
