//! JSON as carriers send it: a number where a text was meant, an object where a list was, nothing at all.

use domain::TrackingNumber;
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

/// What stands under these names, one within the other, with dots between; `null` where there is nothing.
pub(crate) fn at<'v>(value: &'v Value, path: &str) -> &'v Value {
    path.split('.')
        .try_fold(value, |value, name| value.get(name))
        .unwrap_or(&Value::Null)
}

/// The text under these names.
pub(crate) fn text_at(value: &Value, path: &str) -> Option<String> {
    text(at(value, path))
}

/// A parcel's number, which may be a JSON number of digits alone.
pub(crate) fn number(value: &Value) -> Option<TrackingNumber> {
    let text = text(value)?;
    let is_number = value.is_string() || text.bytes().all(|byte| byte.is_ascii_digit());
    TrackingNumber::try_from(text).ok().filter(|_| is_number)
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

/// The first text under one of these paths, each of names with dots between.
pub(crate) fn first_text(value: &Value, paths: &[&str]) -> Option<String> {
    paths.iter().find_map(|path| text_at(value, path))
}

/// The elements of the first list, or the lone object, under one of these paths.
pub(crate) fn each_at<'v>(value: &'v Value, paths: &[&str]) -> impl Iterator<Item = &'v Value> {
    paths
        .iter()
        .map(|path| at(value, path))
        .find(|found| found.is_array() || found.is_object())
        .into_iter()
        .flat_map(each)
}
