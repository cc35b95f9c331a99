//! The table of orders and parcels: its keys, and what both sides write into it alike.
//!
//! Key: `about` (`order#ID` or `parcel#NUMBER`) and `item`. Under an order: `order`, what was last made of it; `said#…`, each thing that
//! was said of it by its pipeline or by hand; `outbox#…`, news on their way out. Under a parcel: `parcel`, who carries it and when to look
//! after it; `said#…`, each thing that a carrier said; `order#…`, each order that it belongs to. What is big is JSON.

mod erasure;
mod orders;
mod parcels;
mod review;
mod stream_news;
#[cfg(test)]
mod tests;

pub use stream_news::news_of_stream;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::ports::Unavailable;
use domain::{OrderId, Saying, TrackingNumber};
use futures_util::future::try_join_all;
use jiff::{SignedDuration, Timestamp};
use std::collections::HashSet;

use crate::answer::{in_few_words, was_written};
use crate::item::{Item, number, text, text_of};

/// The partition of an order.
const ORDER: &str = "order#";
/// The partition of a parcel; under a parcel, an order that it belongs to.
const PARCEL: &str = "parcel#";
/// What was said.
const SAID: &str = "said#";

/// How many sayings are written at a time.
const AT_ONCE: usize = 8;

/// The table of orders and parcels.
#[derive(Debug, Clone)]
pub struct DynamoTracking {
    client: Client,
    table: String,
    retention: SignedDuration,
}

impl DynamoTracking {
    /// The table of that name; what is written is forgotten after so many days.
    #[must_use]
    pub fn new(client: Client, table: String, retention_days: i64) -> Self {
        Self {
            client,
            table,
            retention: SignedDuration::from_hours(24_i64.saturating_mul(retention_days)),
        }
    }

    /// When what is written at this moment is forgotten, in seconds since 1970.
    fn expires_at(&self, now: Timestamp) -> AttributeValue {
        let expires_at = now.saturating_add(self.retention).unwrap_or(Timestamp::MAX);
        number(expires_at.as_second())
    }

    /// Everything under a partition, as it is now.
    async fn all_about(&self, about: &str, doing: &'static str) -> Result<Vec<Item>, Unavailable> {
        let mut pages = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("about = :about")
            .expression_attribute_values(":about", text(about))
            .into_paginator()
            .items()
            .send();
        let mut items = Vec::new();
        while let Some(item) = pages.next().await {
            items.push(item.map_err(|error| Unavailable::new(doing, in_few_words(&error)))?);
        }
        Ok(items)
    }

    /// Writes what was said, but for what is there already; what nobody could read then, and somebody can now, is written again.
    async fn say(&self, about: &str, sayings: &[Saying], doing: &'static str) -> Result<(), Unavailable> {
        let known = match sayings.len() {
            // A carrier's whole history comes again and again: one look saves a write for each.
            4.. => self.known_readable(about, doing).await?,
            _ => HashSet::new(),
        };
        let mut new = Vec::with_capacity(sayings.len());
        for saying in sayings {
            if !known.contains(&sort_key_of(saying)) {
                new.push(saying);
            }
        }
        for some in new.chunks(AT_ONCE) {
            try_join_all(some.iter().map(|saying| self.say_once(about, saying, doing))).await?;
        }
        Ok(())
    }

    async fn known_readable(&self, about: &str, doing: &'static str) -> Result<HashSet<String>, Unavailable> {
        let items = self.all_about(about, doing).await?;
        let readable = items.into_iter().filter(|item| !item.contains_key("unread"));
        Ok(readable
            .filter_map(|item| text_of(&item, "item").map(str::to_owned))
            .collect())
    }

    async fn say_once(&self, about: &str, saying: &Saying, doing: &'static str) -> Result<(), Unavailable> {
        let json = serde_json::to_string(saying).map_err(|error| Unavailable::new(doing, error))?;
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .item("about", text(about))
            .item("item", text(sort_key_of(saying)))
            .item("saying", text(json))
            .item("expiresAt", self.expires_at(saying.heard_at));
        let put = match saying.status {
            Some(_) => put.condition_expression("attribute_not_exists(about) OR attribute_exists(unread)"),
            None => put
                .item("unread", AttributeValue::Bool(true))
                .condition_expression("attribute_not_exists(about)"),
        };
        let answer = put.send().await;
        was_written(answer, PutItemError::is_conditional_check_failed_exception, doing).map(|_was_new| ())
    }
}

fn about_order(order: &OrderId) -> String {
    format!("{ORDER}{order}")
}

fn about_parcel(number: &TrackingNumber) -> String {
    format!("{PARCEL}{number}")
}

/// The order that an item under a parcel names.
fn claimed_order(item: &Item) -> Option<OrderId> {
    let order = text_of(item, "item")?.strip_prefix(ORDER)?;
    OrderId::try_from(order).ok()
}

/// What an item says, if it is something that was said.
fn saying_of(item: &Item) -> Option<Result<Saying, serde_json::Error>> {
    let is_saying = text_of(item, "item").is_some_and(|key| key.starts_with(SAID));
    let saying = text_of(item, "saying").filter(|_| is_saying)?;
    Some(serde_json::from_str(saying))
}

/// Everything that was said among these items.
fn sayings_of(items: &[Item], doing: &'static str) -> Result<Vec<Saying>, Unavailable> {
    // What cannot be read must not be passed over: the status would be another one.
    let sayings = items.iter().filter_map(saying_of);
    sayings
        .map(|saying| saying.map_err(|error| Unavailable::new(doing, place_of(&error))))
        .collect()
}

/// Where a stored text is not what was expected; the parser's own words would quote it.
fn place_of(error: &serde_json::Error) -> String {
    format!(
        "line {} column {} is not what is kept there",
        error.line(),
        error.column()
    )
}

fn sort_key_of(saying: &Saying) -> String {
    format!("{SAID}{}", saying.id().as_str())
}
