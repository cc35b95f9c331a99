//! Customers who have chosen: one said half of what could be said, one wants nothing at all, one is asleep, and the others may be
//! disturbed at any hour, so that the demo shows the same by day and by night.

use std::collections::HashMap;

use anyhow::{Context, Result};
use aws_config::SdkConfig;
use aws_sdk_dynamodb::types::AttributeValue::{self, Bool, M, S};

use crate::settings::Settings;

const CHANNELS: [&str; 4] = ["email", "sms", "push", "in_app"];
const TYPES: [&str; 12] = [
    "order_confirmation",
    "order_status_update",
    "payment_succeeded",
    "payment_failed",
    "payment_refunded",
    "payment_processing",
    "payout_processed",
    "payout_failed",
    "account_update",
    "low_stock",
    "promotional",
    "system_maintenance",
];

/// The others of the demo, whom a text message does not disturb at night either.
const AT_ANY_HOUR: [&str; 6] = [
    "user-ana",
    "user-emma",
    "user-ioana",
    "user-mallory",
    "user-nora",
    "user-olga",
];

/// Writes their preferences straight into the table, as callers do.
pub(crate) async fn store(settings: &Settings, aws: &SdkConfig) -> Result<()> {
    let dynamodb = aws_sdk_dynamodb::Client::new(aws);
    let table = format!("{}-notification-preferences", settings.prefix);
    let at_any_hour = AT_ANY_HOUR.map(|user| item(user, map([]), [("quietHours", hours("00:00", "00:00"))]));
    for item in [luis(), oliver(), nina()].into_iter().chain(at_any_hour) {
        let stored = dynamodb.put_item().table_name(&table).set_item(Some(item)).send().await;
        stored.with_context(|| format!("could not store preferences in {table} (run `make up` first)"))?;
    }
    println!("Preferences: user-luis wants no SMS once a parcel is delivered; the rest he left open.");
    println!("             user-oliver wants nothing at all.");
    println!("             user-nina is not to be disturbed: her SMS waits, her e-mail does not.");
    Ok(())
}

/// Says something about one status by SMS. Every key that is missing means the default.
fn luis() -> HashMap<String, AttributeValue> {
    item(
        "user-luis",
        map([("sms", map([("order_status_update", map([("delivered", Bool(false))]))]))]),
        [("language", text("es")), ("quietHours", hours("00:00", "00:00"))],
    )
}

/// Asleep all day, but for the last minute of it.
fn nina() -> HashMap<String, AttributeValue> {
    item("user-nina", map([]), [("quietHours", hours("00:00", "23:59"))])
}

/// The same end twice means that there are none.
fn hours(start: &str, end: &str) -> AttributeValue {
    map([("start", text(start)), ("end", text(end))])
}

fn oliver() -> HashMap<String, AttributeValue> {
    let nothing = || map(TYPES.map(|notification_type| (notification_type, Bool(false))));
    item(
        "user-oliver",
        map(CHANNELS.map(|channel| (channel, nothing()))),
        [("language", text("en"))],
    )
}

fn item<const N: usize>(
    user: &str,
    preferences: AttributeValue,
    more: [(&str, AttributeValue); N],
) -> HashMap<String, AttributeValue> {
    let always = [
        ("userId", text(user)),
        ("preferences", preferences),
        ("updatedAt", text("2026-11-01T18:00:00Z")),
    ];
    always
        .into_iter()
        .chain(more)
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

fn map<const N: usize>(fields: [(&str, AttributeValue); N]) -> AttributeValue {
    M(fields
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect())
}

fn text(value: &str) -> AttributeValue {
    S(value.to_owned())
}
