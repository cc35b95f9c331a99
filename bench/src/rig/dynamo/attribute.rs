//! Attribute values and items, as they lie on the wire.

use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

/// The value of an attribute: `{"S": "text"}` and its like. Binary values and sets are kept and compared, and nothing else.
#[derive(Debug, Clone, PartialEq)]
pub enum Attribute {
    /// A text.
    S(String),
    /// A number, as its text.
    N(String),
    /// Yes or no.
    Bool(bool),
    /// Nothing.
    Null,
    /// A list.
    L(Vec<Self>),
    /// A map.
    M(Item),
    /// Any other type, by its name.
    Other(String, serde_json::Value),
}

/// An item, or a map within one: its attributes in the order in which they came.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Item(pub Vec<(String, Attribute)>);

impl Attribute {
    /// The name of its type.
    #[must_use]
    pub fn type_name(&self) -> &str {
        match self {
            Self::S(_) => "S",
            Self::N(_) => "N",
            Self::Bool(_) => "BOOL",
            Self::Null => "NULL",
            Self::L(_) => "L",
            Self::M(_) => "M",
            Self::Other(name, _) => name,
        }
    }

    /// The text of a text or a number, which alone may be a key.
    #[must_use]
    pub fn key_text(&self) -> Option<&str> {
        match self {
            Self::S(text) | Self::N(text) => Some(text),
            Self::Bool(_) | Self::Null | Self::L(_) | Self::M(_) | Self::Other(..) => None,
        }
    }

    /// The number in it. Of more than 15 digits the rest is lost; neither moments nor counts have as many.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::N(text) => text.parse().ok(),
            Self::S(_) | Self::Bool(_) | Self::Null | Self::L(_) | Self::M(_) | Self::Other(..) => None,
        }
    }

    /// How it compares with another of its type; values of two types do not compare.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::S(one), Self::S(two)) => Some(one.cmp(two)),
            (Self::N(_), Self::N(_)) => self.number()?.partial_cmp(&other.number()?),
            _ => (self == other).then_some(Ordering::Equal),
        }
    }
}

impl Item {
    /// The attribute of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Attribute> {
        self.0.iter().find(|(other, _)| other == name).map(|(_, value)| value)
    }

    /// The attribute of that name, to change it.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Attribute> {
        self.0
            .iter_mut()
            .find(|(other, _)| other == name)
            .map(|(_, value)| value)
    }

    /// Puts an attribute in, in the place of one of that name.
    pub fn set(&mut self, name: &str, value: Attribute) {
        match self.get_mut(name) {
            Some(place) => *place = value,
            None => self.0.push((name.to_owned(), value)),
        }
    }

    /// Takes the attribute of that name out.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(other, _)| other != name);
    }
}

impl Serialize for Item {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Item;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of attributes")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Item, A::Error> {
                let mut fields = Vec::with_capacity(8);
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Item(fields))
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

impl Serialize for Attribute {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        match self {
            Self::S(text) => map.serialize_entry("S", text)?,
            Self::N(digits) => map.serialize_entry("N", digits)?,
            Self::Bool(choice) => map.serialize_entry("BOOL", choice)?,
            Self::Null => map.serialize_entry("NULL", &true)?,
            Self::L(values) => map.serialize_entry("L", values)?,
            Self::M(fields) => map.serialize_entry("M", fields)?,
            Self::Other(name, value) => map.serialize_entry(name, value)?,
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Attribute {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Typed;
        impl<'de> Visitor<'de> for Typed {
            type Value = Attribute;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an attribute value: one type with its value")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Attribute, A::Error> {
                let Some(name) = map.next_key::<Cow<'de, str>>()? else {
                    return Err(A::Error::custom("an attribute value has a type"));
                };
                let value = match &*name {
                    "S" => Attribute::S(map.next_value()?),
                    "N" => Attribute::N(map.next_value()?),
                    "BOOL" => Attribute::Bool(map.next_value()?),
                    "NULL" => {
                        map.next_value::<IgnoredAny>()?;
                        Attribute::Null
                    }
                    "L" => Attribute::L(map.next_value()?),
                    "M" => Attribute::M(map.next_value()?),
                    _ => Attribute::Other(name.into_owned(), map.next_value()?),
                };
                match map.next_key::<IgnoredAny>()? {
                    None => Ok(value),
                    Some(_) => Err(A::Error::custom("an attribute value has one type")),
                }
            }
        }
        deserializer.deserialize_map(Typed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_is_written_as_it_was_read() {
        let text = r#"{"a":{"S":"x"},"b":{"N":"1.50"},"c":{"L":[{"BOOL":true},{"NULL":true}]},"d":{"M":{"e":{"SS":["y","z"]}}}}"#;
        let item: Item = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&item).unwrap(), text);
    }

    #[test]
    fn numbers_compare_as_numbers_and_types_do_not_mix() {
        let number = |text: &str| Attribute::N(text.to_owned());
        assert_eq!(number("9").compare(&number("10")), Some(Ordering::Less));
        assert_eq!(number("1.0").compare(&number("1")), Some(Ordering::Equal));
        assert_eq!(number("1").compare(&Attribute::S("1".to_owned())), None);
    }

    #[test]
    fn a_value_of_two_types_is_none() {
        assert!(serde_json::from_str::<Attribute>(r#"{"S":"a","N":"1"}"#).is_err());
        assert!(serde_json::from_str::<Attribute>("{}").is_err());
    }
}
