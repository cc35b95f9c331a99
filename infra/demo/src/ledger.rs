//! Reads the ledger: what was decided about an event, and how far each channel is.

use std::collections::HashMap;
use std::fmt;

use anyhow::{Context, Result};
use aws_config::SdkConfig;
use aws_sdk_dynamodb::types::AttributeValue;

use crate::settings::Settings;
use crate::story::Fact;

pub(crate) struct Ledger {
    dynamodb: aws_sdk_dynamodb::Client,
    table: String,
}

/// How one channel fared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Delivery {
    pub(crate) channel: String,
    pub(crate) outcome: String,
    pub(crate) reason: Option<String>,
}

impl Ledger {
    pub(crate) fn new(settings: &Settings, aws: &SdkConfig) -> Self {
        let table = format!("{}-notification-analytics", settings.prefix);
        Self {
            dynamodb: aws_sdk_dynamodb::Client::new(aws),
            table,
        }
    }

    /// The deliveries of every item about `fact`: one item, or none yet. Two would be one too many.
    pub(crate) async fn items(&self, fact: &Fact) -> Result<Vec<Vec<Delivery>>> {
        // A scan, because the demo shows what is stored, whatever the indexes; the table of a local stack is small.
        let mut pages = self
            .dynamodb
            .scan()
            .table_name(&self.table)
            .consistent_read(true)
            .filter_expression("orderId = :order")
            .expression_attribute_values(":order", AttributeValue::S(fact.order.clone()))
            .into_paginator()
            .items()
            .send();
        let mut items = Vec::new();
        while let Some(item) = pages.next().await {
            let item = item.with_context(|| format!("could not read {}", self.table))?;
            if is_about(&item, fact) {
                items.push(deliveries(&item));
            }
        }
        Ok(items)
    }
}

impl Delivery {
    /// Whether something is still to happen soon. What waits for its time is not.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.outcome.as_str(), "queued" | "sending" | "in_doubt")
    }

    pub(crate) fn is_sent(&self) -> bool {
        matches!(self.outcome.as_str(), "sent" | "delivered")
    }

    pub(crate) fn is_failure(&self) -> bool {
        matches!(self.outcome.as_str(), "failed" | "parked" | "bounced" | "complained")
    }

    /// The reason in words.
    pub(crate) fn why(&self) -> Option<String> {
        let reason = self.reason.as_deref()?;
        let words = match reason {
            "opted_out" => "off, by choice or by default",
            "not_asked_for" => "the event asks for other channels",
            "no_address" => "no address is known",
            "invalid_address" => "the address is not valid",
            "phone_not_verified" => "the phone is not verified",
            "channel_not_offered" => "the shop does not offer this channel",
            "quiet_hours" => "until the customer's quiet hours are over",
            "too_old" => "the news is too old",
            other => return Some(other.replace('_', " ")),
        };
        Some(words.to_owned())
    }
}

impl fmt::Display for Delivery {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} {}",
            self.channel.replace('_', "-"),
            self.outcome.replace('_', " ")
        )?;
        self.why().map_or(Ok(()), |why| write!(formatter, " ({why})"))
    }
}

type Item = HashMap<String, AttributeValue>;

fn is_about(item: &Item, fact: &Fact) -> bool {
    text(item, "orderId") == Some(&fact.order)
        && text(item, "notificationType") == Some(&fact.notification_type)
        && fact
            .status
            .as_deref()
            .is_none_or(|status| text(item, "status") == Some(status))
}

fn deliveries(item: &Item) -> Vec<Delivery> {
    let results = item.get("results").and_then(|results| results.as_l().ok());
    let delivery = |result: &AttributeValue| {
        let result = result.as_m().ok()?;
        Some(Delivery {
            channel: text(result, "channel")?.to_owned(),
            outcome: text(result, "outcome")?.to_owned(),
            reason: text(result, "reason").map(str::to_owned),
        })
    };
    results
        .map(|results| results.iter().filter_map(delivery).collect())
        .unwrap_or_default()
}

fn text<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name)?.as_s().ok().map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_dynamodb::types::AttributeValue::{L, M, S};

    fn fields<const N: usize>(fields: [(&str, AttributeValue); N]) -> Item {
        fields
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }

    fn shipped() -> Item {
        let skipped = [
            ("channel", "sms"),
            ("outcome", "skipped"),
            ("reason", "invalid_address"),
        ];
        fields([
            ("orderId", S("1001".to_owned())),
            ("notificationType", S("order_status_update".to_owned())),
            ("status", S("shipped".to_owned())),
            (
                "results",
                L(vec![M(fields(
                    skipped.map(|(name, value)| (name, S(value.to_owned()))),
                ))]),
            ),
        ])
    }

    fn fact(status: &str) -> Fact {
        Fact {
            order: "1001".to_owned(),
            notification_type: "order_status_update".to_owned(),
            status: Some(status.to_owned()),
        }
    }

    #[test]
    fn an_item_is_found_by_order_type_and_status() {
        assert!(is_about(&shipped(), &fact("shipped")));
    }

    #[test]
    fn another_status_of_the_order_is_another_item() {
        assert!(!is_about(&shipped(), &fact("delivered")));
    }

    #[test]
    fn a_delivery_tells_its_reason_in_words() {
        assert_eq!(
            deliveries(&shipped())[0].to_string(),
            "sms skipped (the address is not valid)"
        );
    }
}
