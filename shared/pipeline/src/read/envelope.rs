//! The envelope that SNS puts around a message where raw delivery is off (Amazon SNS Developer Guide, "Amazon SNS message
//! formats").

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::read::{Refusal, limits};

/// A message taken out of its envelope, if it had one.
pub(crate) struct Opened {
    /// The event.
    pub(crate) event: Map<String, Value>,
    /// The topic it was published to, where an envelope says so.
    pub(crate) topic: Option<String>,
    /// When it was published, where an envelope says so.
    pub(crate) published_at: Option<Timestamp>,
}

/// Parses the text of a message and opens its envelope.
pub(crate) fn open(text: &str) -> Result<Opened, Refusal> {
    let mut event = parse(text, limits::MAX_ENVELOPE_BYTES)?;
    let is_envelope =
        event.get("Type").and_then(Value::as_str) == Some("Notification") && event.contains_key("TopicArn");
    if !is_envelope {
        limits::check(text, limits::MAX_BYTES)?;
        return Ok(Opened {
            event,
            topic: None,
            published_at: None,
        });
    }
    let Some(Value::String(inner)) = event.remove("Message") else {
        return Err(Refusal::one(
            "Message",
            "expected the text of the message in the SNS envelope",
        ));
    };
    let text_of = |name: &str| event.get(name).and_then(Value::as_str);
    Ok(Opened {
        topic: text_of("TopicArn").map(str::to_owned),
        published_at: text_of("Timestamp").and_then(|text| text.parse().ok()),
        event: parse(&inner, limits::MAX_BYTES)?,
    })
}

fn parse(text: &str, max_bytes: usize) -> Result<Map<String, Value>, Refusal> {
    limits::check(text, max_bytes)?;
    match serde_json::from_str(text) {
        Ok(Value::Object(event)) => Ok(event),
        Ok(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => {
            Err(Refusal::one("message", "expected a JSON object"))
        }
        // The parser's own text quotes the value: only the place is safe to repeat.
        Err(error) => Err(Refusal::one(
            "message",
            format!(
                "expected JSON, which ends at line {} column {}",
                error.line(),
                error.column()
            ),
        )),
    }
}
