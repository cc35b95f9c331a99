//! JSON as carriers send it: a number where a text was meant, an object where a list was, nothing at all.

use serde_json::Value;

use crate::Unreadable;

/// The body as JSON.
pub(crate) fn json(body: &[u8]) -> Result<Value, Unreadable> {
    serde_json::from_slice(body).map_err(|error| {
        Unreadable::new(format!(
            "JSON, but line {} column {} is not",
            error.line(),
            error.column()
        ))
    })
}

/// A text, or a number written as one; nothing where it is empty or something else.
pub(crate) fn text(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    Some(text).filter(|text| !text.is_empty())
}

/// The elements of a list; a lone object counts as a list of one.
pub(crate) fn each(value: &Value) -> impl Iterator<Item = &Value> {
    let (many, one) = match value {
        Value::Array(elements) => (elements.as_slice(), None),
        Value::Object(_) => (&[][..], Some(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => (&[][..], None),
    };
    many.iter().chain(one)
}
