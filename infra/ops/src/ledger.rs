//! The ledger as an operator asks it: by order, by customer, and from one end to the other.

use anyhow::Result;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::{Channel, NotificationId, State};
use jiff::Timestamp;
use std::collections::HashMap;

use crate::account::{Account, failed};
use crate::output::Progress;

/// An item, or a map inside one.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// Beyond it lies the claim time of a delivery that nobody may claim.
const NEVER_MS: i64 = 9_999_999_999_999;

/// The notifications of an order, newest first.
pub(crate) async fn ids_of_order(account: &Account, order: &str, limit: usize) -> Result<Vec<NotificationId>> {
    ids(account, "orderId-timestamp-index", "orderId", order, limit).await
}

/// The notifications of a customer, newest first.
pub(crate) async fn ids_of_customer(account: &Account, user: &str, limit: usize) -> Result<Vec<NotificationId>> {
    ids(account, "userId-timestamp-index", "userId", user, limit).await
}

async fn ids(account: &Account, index: &str, key: &str, value: &str, limit: usize) -> Result<Vec<NotificationId>> {
    let mut items = account
        .dynamodb
        .query()
        .table_name(account.names.ledger())
        .index_name(index)
        .key_condition_expression("#key = :value")
        .expression_attribute_names("#key", key)
        .expression_attribute_names("#id", "notificationId")
        .expression_attribute_values(":value", AttributeValue::S(value.to_owned()))
        .projection_expression("#id")
        .scan_index_forward(false)
        .into_paginator()
        .items()
        .send();
    let mut ids = Vec::new();
    while let Some(item) = items.next().await {
        let item = item.map_err(|error| failed(&format!("ask {} by {key}", account.names.ledger()), &error))?;
        ids.extend(text_of(&item, "notificationId").and_then(|id| NotificationId::try_from(id).ok()));
        if ids.len() >= limit {
            break;
        }
    }
    ids.truncate(limit);
    Ok(ids)
}

/// What a balance needs of one item.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) recorded_at: Timestamp,
    pub(crate) entries: Vec<Entry>,
    /// Where `results` and the counts say something else than the deliveries.
    pub(crate) contradiction: Option<String>,
}

/// What a balance needs of one delivery.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) channel: Channel,
    /// Nothing when it cannot be read.
    pub(crate) state: Option<State>,
    pub(crate) reason: Option<String>,
    pub(crate) changed_at: Option<Timestamp>,
    pub(crate) claimable_at: Option<Timestamp>,
    pub(crate) lease_until: Option<Timestamp>,
    pub(crate) is_dead_lettered: bool,
}

impl Entry {
    pub(crate) fn is_open(&self) -> bool {
        self.state.is_some_and(State::is_open)
    }
}

/// Reads the whole ledger, page by page, and hands over every item.
pub(crate) async fn scan(account: &Account, mut each: impl FnMut(Row)) -> Result<u64> {
    let mut count = 0_u64;
    let mut progress = Progress::new(format!("reading {}", account.names.ledger()));
    let names = [
        "notificationId",
        "recordedAt",
        "results",
        "successfulChannels",
        "failedChannels",
    ];
    let names: Vec<&str> = names
        .into_iter()
        .chain(Channel::ALL.iter().map(|channel| channel.name()))
        .collect();
    let mut scan = account
        .dynamodb
        .scan()
        .table_name(account.names.ledger())
        .consistent_read(true)
        .projection_expression(
            (0..names.len())
                .map(|n| format!("#n{n}"))
                .collect::<Vec<_>>()
                .join(", "),
        );
    for (n, name) in names.iter().enumerate() {
        scan = scan.expression_attribute_names(format!("#n{n}"), *name);
    }
    let mut items = scan.into_paginator().items().send();
    while let Some(item) = items.next().await {
        let item = item.map_err(|error| failed(&format!("read {}", account.names.ledger()), &error))?;
        count += 1;
        progress.tick(format!("{count} items"));
        if let Some(row) = row_of(&item) {
            each(row);
        }
    }
    Ok(count)
}

fn row_of(item: &Item) -> Option<Row> {
    let entries: Vec<Entry> = Channel::ALL
        .into_iter()
        .filter_map(|channel| entry_of(item, channel))
        .collect();
    Some(Row {
        id: text_of(item, "notificationId")?.to_owned(),
        recorded_at: moment_of(item, "recordedAt").unwrap_or(Timestamp::UNIX_EPOCH),
        contradiction: contradiction(item, &entries),
        entries,
    })
}

fn entry_of(item: &Item, channel: Channel) -> Option<Entry> {
    let value = item.get(channel.name())?;
    let empty = Item::new();
    let map = value.as_m().unwrap_or(&empty);
    let claimable_at = number_of(map, "claimableAt").filter(|ms| *ms < NEVER_MS);
    Some(Entry {
        channel,
        state: text_of(map, "state").and_then(State::from_name),
        reason: text_of(map, "reason").map(str::to_owned),
        changed_at: moment_of(map, "changedAt"),
        claimable_at: claimable_at.and_then(|ms| Timestamp::from_millisecond(ms).ok()),
        lease_until: moment_of(map, "leaseUntil"),
        is_dead_lettered: map
            .get("deadLettered")
            .is_some_and(|value| value.as_bool() == Ok(&true)),
    })
}

/// What callers read must say the same as the deliveries: the outcome of whatever has ended, and how many went well or not.
fn contradiction(item: &Item, entries: &[Entry]) -> Option<String> {
    let results = item.get("results").and_then(|results| results.as_l().ok());
    for entry in entries.iter().filter(|entry| !entry.is_open()) {
        let told = results
            .and_then(|results| results.get(entry.channel.position()))
            .and_then(|result| result.as_m().ok())
            .and_then(|result| text_of(result, "outcome"));
        let stands = entry.state?;
        if told != Some(stands.name()) {
            let told = told.unwrap_or("nothing");
            return Some(format!(
                "results tell {told} for {}, and its delivery is {stands}",
                entry.channel
            ));
        }
    }
    let count = |is: fn(State) -> bool| {
        i64::try_from(
            entries
                .iter()
                .filter_map(|entry| entry.state)
                .filter(|state| is(*state))
                .count(),
        )
    };
    for (name, expected) in [
        ("successfulChannels", count(State::is_success)),
        ("failedChannels", count(State::is_failure)),
    ] {
        let expected = expected.unwrap_or(0);
        let told = number_of(item, name).unwrap_or(0);
        if told != expected {
            return Some(format!("{name} is {told}, and the deliveries make it {expected}"));
        }
    }
    None
}

pub(crate) fn text_of<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name)?.as_s().ok().map(String::as_str)
}

fn number_of(item: &Item, name: &str) -> Option<i64> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

fn moment_of(item: &Item, name: &str) -> Option<Timestamp> {
    Timestamp::from_millisecond(number_of(item, name)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use AttributeValue::{L, M, N, S};

    fn map<const LENGTH: usize>(fields: [(&str, AttributeValue); LENGTH]) -> Item {
        fields
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }

    fn sent(told: &str, successful: i64) -> Item {
        map([
            ("notificationId", S("n".to_owned())),
            (
                "email",
                M(map([
                    ("state", S("sent".to_owned())),
                    ("claimableAt", N(NEVER_MS.to_string())),
                ])),
            ),
            (
                "results",
                L(vec![M(map([
                    ("channel", S("email".to_owned())),
                    ("outcome", S(told.to_owned())),
                ]))]),
            ),
            ("successfulChannels", N(successful.to_string())),
        ])
    }

    #[test]
    fn an_item_that_agrees_with_itself_has_no_contradiction() {
        let row = row_of(&sent("sent", 1)).unwrap();
        assert_eq!((row.contradiction, row.entries[0].claimable_at), (None, None));
    }

    #[test]
    fn a_result_or_a_count_that_tells_something_else_is_found() {
        assert!(
            row_of(&sent("queued", 1))
                .unwrap()
                .contradiction
                .unwrap()
                .contains("results tell queued")
        );
        assert!(
            row_of(&sent("sent", 0))
                .unwrap()
                .contradiction
                .unwrap()
                .contains("successfulChannels is 0")
        );
    }

    #[test]
    fn a_delivery_that_cannot_be_read_is_one_without_a_state() {
        let mut item = sent("sent", 1);
        item.insert("sms".to_owned(), S("?".to_owned()));
        assert_eq!(row_of(&item).unwrap().entries[1].state, None);
    }
}
