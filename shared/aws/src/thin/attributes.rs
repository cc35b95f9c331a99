//! DynamoDB's attribute values in JSON, to the SDK's type and back (DynamoDB API Reference, `AttributeValue`).

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Error as _, Serialize, SerializeMap as _, Serializer};
use std::collections::HashMap;
use std::fmt;

use crate::item::Item;

/// A value on its way out.
pub(super) struct Out<'a>(pub(super) &'a AttributeValue);

/// An item on its way out.
pub(super) struct ItemOut<'a>(pub(super) &'a Item);

/// A value on its way in.
pub(super) struct In(pub(super) AttributeValue);

/// An item on its way in.
#[derive(Default)]
pub(super) struct ItemIn(pub(super) Item);

impl Serialize for Out<'_> {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the SDK's own variant for new kinds cannot be named"
    )]
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        match self.0 {
            AttributeValue::S(text) => map.serialize_entry("S", text)?,
            AttributeValue::N(number) => map.serialize_entry("N", number)?,
            AttributeValue::Bool(yes) => map.serialize_entry("BOOL", yes)?,
            AttributeValue::Null(yes) => map.serialize_entry("NULL", yes)?,
            AttributeValue::M(item) => map.serialize_entry("M", &ItemOut(item))?,
            AttributeValue::L(values) => {
                map.serialize_entry("L", &values.iter().map(Out).collect::<Vec<_>>())?;
            }
            AttributeValue::Ss(texts) => map.serialize_entry("SS", texts)?,
            AttributeValue::Ns(numbers) => map.serialize_entry("NS", numbers)?,
            AttributeValue::B(bytes) => map.serialize_entry("B", &STANDARD.encode(bytes.as_ref()))?,
            AttributeValue::Bs(all) => {
                let all: Vec<String> = all.iter().map(|bytes| STANDARD.encode(bytes.as_ref())).collect();
                map.serialize_entry("BS", &all)?;
            }
            _ => return Err(S::Error::custom("a value of a new kind")),
        }
        map.end()
    }
}

impl Serialize for ItemOut<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, Out(value))))
    }
}

impl<'de> Deserialize<'de> for In {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(OneValue)
    }
}

impl<'de> Deserialize<'de> for ItemIn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Values).map(Self)
    }
}

struct OneValue;

impl<'de> Visitor<'de> for OneValue {
    type Value = In;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an attribute value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<In, A::Error> {
        let Some(kind) = map.next_key::<Kind>()? else {
            return Err(de::Error::custom("an attribute value without a type"));
        };
        let value = match kind {
            Kind::S => AttributeValue::S(map.next_value()?),
            Kind::N => AttributeValue::N(map.next_value()?),
            Kind::Bool => AttributeValue::Bool(map.next_value()?),
            Kind::Null => AttributeValue::Null(map.next_value()?),
            Kind::M => AttributeValue::M(map.next_value::<ItemIn>()?.0),
            Kind::L => AttributeValue::L(map.next_value::<Vec<In>>()?.into_iter().map(|value| value.0).collect()),
            Kind::Ss => AttributeValue::Ss(map.next_value()?),
            Kind::Ns => AttributeValue::Ns(map.next_value()?),
            Kind::B => AttributeValue::B(decoded(&map.next_value::<String>()?)?),
            Kind::Bs => {
                let all: Vec<String> = map.next_value()?;
                AttributeValue::Bs(all.iter().map(|bytes| decoded(bytes)).collect::<Result<_, _>>()?)
            }
        };
        match map.next_key::<Kind>()? {
            None => Ok(In(value)),
            Some(_) => Err(de::Error::custom("an attribute value of two types")),
        }
    }
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Kind {
    S,
    N,
    Bool,
    Null,
    M,
    L,
    Ss,
    Ns,
    B,
    Bs,
}

fn decoded<E: de::Error>(text: &str) -> Result<Blob, E> {
    STANDARD.decode(text).map(Blob::new).map_err(E::custom)
}

struct Values;

impl<'de> Visitor<'de> for Values {
    type Value = Item;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("attribute values by name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Item, A::Error> {
        let mut item = HashMap::with_capacity(map.size_hint().unwrap_or(8));
        while let Some((name, value)) = map.next_entry::<String, In>()? {
            item.insert(name, value.0);
        }
        Ok(item)
    }
}
