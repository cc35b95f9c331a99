//! The answer to a direct call: `{"statusCode": …, "body": "…"}`, the body being JSON as text.

use pipeline::{Decided, IntakeVerdict};
use serde_json::{Value, json};

/// The answer that a verdict gives a direct caller; nothing when the call has to come again.
pub(crate) fn answer(verdict: &IntakeVerdict) -> Option<Value> {
    let (status, body) = match verdict {
        IntakeVerdict::Decided(Decided { id, is_new, results }) => (
            200,
            json!({"notificationId": id.to_string(), "repeated": !is_new, "channels": results}),
        ),
        IntakeVerdict::Refused(refusal) => (
            400,
            json!({"error": "the event cannot be read", "fields": refusal.problems}),
        ),
        IntakeVerdict::Conflict(id) => (
            409,
            json!({"error": "the idempotencyKey stands for another content already", "notificationId": id.to_string()}),
        ),
        IntakeVerdict::Retry(_) => return None,
    };
    Some(json!({"statusCode": status, "body": body.to_string()}))
}
