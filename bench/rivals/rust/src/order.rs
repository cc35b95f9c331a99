//! An order confirmation as callers publish it.

use rust_decimal::Decimal;
use serde::de::{Deserialize, Deserializer, Error as _};
use sha2::{Digest as _, Sha256};

/// The event.
#[derive(Debug, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Event {
    pub(crate) user_id: Option<String>,
    pub(crate) notification_type: String,
    pub(crate) recipient_email: Option<String>,
    pub(crate) idempotency_key: Option<String>,
    pub(crate) order_data: Order,
}

/// The order that it tells of.
#[derive(Debug, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Order {
    pub(crate) order_id: String,
    pub(crate) customer_name: Option<String>,
    pub(crate) items: Vec<Item>,
    pub(crate) subtotal: Option<Amount>,
    pub(crate) tax_amount: Option<Amount>,
    pub(crate) total_amount: Amount,
    #[serde(default = "euro")]
    pub(crate) currency: String,
    pub(crate) shipping_address: Option<String>,
    pub(crate) timestamp: Option<jiff::Timestamp>,
}

/// One line of it.
#[derive(Debug, serde::Deserialize)]
pub(crate) struct Item {
    pub(crate) name: String,
    pub(crate) quantity: u32,
    pub(crate) price: Amount,
}

/// Money, which callers write as a number or as a text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Amount(pub(crate) Decimal);

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        text.parse().map(Amount).map_err(D::Error::custom)
    }
}

impl Event {
    /// The id of the notification: the same for each repetition of the event.
    pub(crate) fn notification_id(&self) -> String {
        let who = self.user_id.as_deref().or(self.recipient_email.as_deref());
        let fact = match &self.idempotency_key {
            Some(key) => format!("key|{key}"),
            None => format!(
                "{}|{}|{}",
                self.notification_type,
                who.unwrap_or_default(),
                self.order_data.order_id
            ),
        };
        Sha256::digest(fact.as_bytes())
            .iter()
            .take(16)
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

fn euro() -> String {
    "EUR".to_owned()
}
