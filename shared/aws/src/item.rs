//! Attribute values, read and written without surprises: what is missing or of another type is simply not there.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use std::collections::HashMap;

/// An item, or a map inside one.
pub(crate) type Item = HashMap<String, AttributeValue>;

pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(crate) fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// A moment as milliseconds since 1970.
pub(crate) fn moment(at: Timestamp) -> AttributeValue {
    number(at.as_millisecond())
}

pub(crate) fn text_of<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name)?.as_s().ok().map(String::as_str)
}

pub(crate) fn number_of<T: std::str::FromStr>(item: &Item, name: &str) -> Option<T> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

pub(crate) fn moment_of(item: &Item, name: &str) -> Option<Timestamp> {
    Timestamp::from_millisecond(number_of(item, name)?).ok()
}

pub(crate) fn map_of<'a>(item: &'a Item, name: &str) -> Option<&'a Item> {
    item.get(name)?.as_m().ok()
}

/// The maps of a list; what is there and no map is left out.
pub(crate) fn maps_of<'a>(item: &'a Item, name: &str) -> impl Iterator<Item = &'a Item> {
    let values = item.get(name).and_then(|value| value.as_l().ok());
    values.into_iter().flatten().filter_map(|value| value.as_m().ok())
}

/// A yes or no; callers who write items by hand also write `"true"` and 1.
pub(crate) fn bool_of(value: &AttributeValue) -> Option<bool> {
    if let Ok(choice) = value.as_bool() {
        return Some(*choice);
    }
    let word = value.as_s().or_else(|_not_text| value.as_n()).ok()?;
    match word.to_ascii_lowercase().as_str() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}
