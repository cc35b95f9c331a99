//! Spans, read back from the file in which the collector puts them.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

/// A span of a trace.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// Its id.
    pub id: String,
    /// The span that led to it, perhaps one that nobody told.
    pub parent: Option<String>,
    /// Its name.
    pub name: String,
    /// OTLP's number of its kind: 2 for the server's side, 3 for a client's.
    pub kind: u64,
    /// From when, in microseconds since 1970.
    pub begun_us: i64,
    /// Until when.
    pub ended_us: i64,
    /// What was said about it.
    pub attributes: BTreeMap<String, String>,
    /// Whether it went wrong.
    pub is_bad: bool,
}

/// The spans of one trace, which is named as OpenTelemetry or as X-Ray names it, the earliest first; none where the file is not
/// there yet. A line that is still being written is left for the next time.
///
/// # Errors
///
/// When the file cannot be read.
pub fn spans_of(file: &Path, trace_id: &str) -> Result<Vec<Span>> {
    let trace_id = trace_id.strip_prefix("1-").unwrap_or(trace_id).replace('-', "");
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error).with_context(|| format!("could not read {}", file.display())),
    };
    let lines = text.lines().filter(|line| line.contains(&trace_id));
    let mut spans: Vec<Span> = lines
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .flat_map(|line| read(&line, &trace_id))
        .collect();
    spans.sort_by_key(|span| (span.begun_us, span.ended_us));
    Ok(spans)
}

fn read(line: &Value, trace_id: &str) -> Vec<Span> {
    let children = |value: &Value, name: &str| value.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let spans = children(line, "resourceSpans")
        .iter()
        .flat_map(|resource| children(resource, "scopeSpans"))
        .flat_map(|scope| children(&scope, "spans"))
        .filter(|span| span.get("traceId").and_then(Value::as_str) == Some(trace_id))
        .collect::<Vec<_>>();
    spans.iter().filter_map(span).collect()
}

fn span(value: &Value) -> Option<Span> {
    let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let microseconds = |name: &str| Some(text(name)?.parse::<i64>().ok()? / 1_000);
    let attributes = value.get("attributes").and_then(Value::as_array);
    let attributes = attributes.into_iter().flatten().filter_map(|attribute| {
        let key = attribute.get("key")?.as_str()?.to_owned();
        let value = attribute.get("value")?.as_object()?.values().next()?;
        Some((key, value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
    });
    Some(Span {
        id: text("spanId")?,
        parent: text("parentSpanId"),
        name: text("name")?,
        kind: value.get("kind")?.as_u64()?,
        begun_us: microseconds("startTimeUnixNano")?,
        ended_us: microseconds("endTimeUnixNano")?,
        attributes: attributes.collect(),
        is_bad: value.get("status").is_some(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::otlp::resource_spans;
    use serde_json::json;

    #[test]
    fn what_was_written_is_read_back_for_its_trace_alone() {
        let segment = |trace: &str| {
            json!({"name": "n", "id": "00000000000000aa", "trace_id": trace, "start_time": 1.5, "end_time": 2.25,
                "annotations": {"outcome": "sent", "received": 2}})
        };
        let ours = "1-5759e988-bd862e3fe1be46a994272793";
        let lines = [segment(ours), segment("1-5759e988-000000000000000000000000")]
            .map(|segment| resource_spans(&segment).unwrap().to_string());
        let file = std::env::temp_dir().join(format!("traces-{}.jsonl", std::process::id()));
        std::fs::write(&file, format!("{}\n{}\n{{\"resourceSpans\": [", lines[0], lines[1])).unwrap();
        let spans = spans_of(&file, ours).unwrap();
        std::fs::remove_file(&file).unwrap();
        assert_eq!(spans.len(), 1);
        assert_eq!(
            (spans[0].begun_us, spans[0].ended_us, spans[0].kind),
            (1_500_000, 2_250_000, 2)
        );
        assert_eq!(
            (
                spans[0].attributes["outcome"].as_str(),
                spans[0].attributes["received"].as_str()
            ),
            ("sent", "2")
        );
        assert_eq!(spans_of(&file, ours).unwrap(), []);
    }
}
