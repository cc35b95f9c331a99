//! The waiting room as an operator asks it: what it holds, and what of that is one customer's.

use anyhow::Result;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::{Channel, UserId};
use std::collections::{BTreeSet, HashMap};

use crate::account::{Account, failed};

/// The deliveries that wait there, by notification and channel. The whole room is read.
pub(crate) async fn held(account: &Account) -> Result<BTreeSet<(String, Channel)>> {
    let table = account.names.deferred_deliveries();
    let mut items = account
        .dynamodb
        .scan()
        .table_name(&table)
        .projection_expression("wake")
        .consistent_read(true)
        .into_paginator()
        .items()
        .send();
    let mut held = BTreeSet::new();
    while let Some(item) = items.next().await {
        let item = item.map_err(|error| failed(&format!("read {table}"), &error))?;
        let wake = item.get("wake").and_then(|wake| wake.as_s().ok());
        held.extend(wake.and_then(|wake| delivery_of(wake)));
    }
    Ok(held)
}

/// `MOMENT#ID#CHANNEL`
fn delivery_of(wake: &str) -> Option<(String, Channel)> {
    let mut parts = wake.split('#').skip(1);
    let id = parts.next()?.to_owned();
    Some((id, Channel::from_name(parts.next()?)?))
}

/// Removes what waits for a customer; how much that is.
pub(crate) async fn forget(account: &Account, customer: &UserId, is_dry_run: bool) -> Result<usize> {
    let table = account.names.deferred_deliveries();
    let mut keys = account
        .dynamodb
        .query()
        .table_name(&table)
        .index_name("userId-index")
        .key_condition_expression("userId = :customer")
        .expression_attribute_values(":customer", AttributeValue::S(customer.as_str().to_owned()))
        .into_paginator()
        .items()
        .send();
    let mut found = 0;
    while let Some(item) = keys.next().await {
        let item = item.map_err(|error| failed(&format!("look into {table}"), &error))?;
        found += 1;
        if is_dry_run {
            continue;
        }
        let key: HashMap<String, AttributeValue> = item
            .into_iter()
            .filter(|(name, _)| name == "shard" || name == "wake")
            .collect();
        let removed = account
            .dynamodb
            .delete_item()
            .table_name(&table)
            .set_key(Some(key))
            .send()
            .await;
        removed.map_err(|error| failed(&format!("remove what waits from {table}"), &error))?;
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_the_room_names_its_delivery() {
        let place = domain::Place::of(
            domain::NotificationId::from_digest([7; 16]),
            Channel::Sms,
            jiff::Timestamp::UNIX_EPOCH,
        );
        let id = domain::NotificationId::from_digest([7; 16]).to_string();
        assert_eq!(delivery_of(&place.wake), Some((id, Channel::Sms)));
        assert_eq!(delivery_of("2026-01-01T00:00:00.000Z"), None);
    }
}
