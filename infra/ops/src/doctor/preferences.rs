//! Preference items that cannot be read as they were meant: whatever cannot is left to the defaults, silently, when a message is
//! decided upon.

use anyhow::Result;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::{Channel, EmailAddress, Language, NotificationType, OrderStatus, PhoneNumber, Zone};

use super::Finding;
use crate::account::{Account, failed};
use crate::ledger::{Item, text_of};
use crate::output::{Progress, counted};

const CHECK: &str = "preferences";

/// So many items are named.
const SHOWN: usize = 50;

pub(super) async fn look(account: &Account) -> Result<Vec<Finding>> {
    let table = account.names.preferences();
    let mut progress = Progress::new(format!("reading {table}"));
    let mut items = account
        .dynamodb
        .scan()
        .table_name(&table)
        .into_paginator()
        .items()
        .send();
    let (mut read, mut wrong) = (0_usize, 0_usize);
    let mut findings = Vec::new();
    while let Some(item) = items.next().await {
        let item = item.map_err(|error| failed(&format!("read {table}"), &error))?;
        read += 1;
        progress.tick(counted(read, "item"));
        let complaints = complaints(&item);
        if complaints.is_empty() {
            continue;
        }
        wrong += 1;
        if wrong <= SHOWN {
            let user = text_of(&item, "userId").unwrap_or("(no userId)");
            findings.push(Finding::problem(
                CHECK,
                format!("the item of {user} cannot be read as meant: {}", complaints.join("; ")),
                "the default counts instead: correct the item, or whoever writes it",
            ));
        }
    }
    if wrong > SHOWN {
        let more = counted(wrong - SHOWN, "more item");
        findings.push(Finding::problem(
            CHECK,
            format!("{more} cannot be read as meant"),
            "correct those above and look again",
        ));
    }
    if wrong == 0 {
        findings.push(Finding::ok(CHECK, format!("{} can be read", counted(read, "item"))));
    }
    Ok(findings)
}

/// What is wrong with an item: field and expectation, never the value, which may be an address.
fn complaints(item: &Item) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut check = |name: &str, is_right: fn(&AttributeValue) -> bool, expected: &str| {
        if let Some(value) = item
            .get(name)
            .filter(|value| !matches!(value, AttributeValue::Null(_)) && !is_right(value))
        {
            complaints.push(format!("{name}: expected {expected}, got {}", kind(value)));
        }
    };
    check(
        "email",
        |value| is_text(value, |text| EmailAddress::try_from(text).is_ok()),
        "an e-mail address",
    );
    check(
        "phoneNumber",
        |value| is_text(value, |text| PhoneNumber::try_from(text).is_ok()),
        "a phone number in E.164",
    );
    check("phoneVerified", is_choice, "true or false");
    check(
        "language",
        |value| is_text(value, |text| Language::closest(text).is_ok()),
        "the tag of a language such as es or es-MX",
    );
    check(
        "timezone",
        |value| is_text(value, |text| Zone::try_from(text).is_ok()),
        "an IANA time zone such as Europe/Madrid",
    );
    match item.get("preferences") {
        None | Some(AttributeValue::Null(_)) => {}
        Some(AttributeValue::M(channels)) => {
            let mut names: Vec<&String> = channels.keys().collect();
            names.sort_unstable();
            for name in names {
                let is_ours = Channel::ALL.iter().any(|channel| channel.name() == name);
                match channels.get(name) {
                    Some(AttributeValue::M(types)) if is_ours => complaints.extend(complaints_of_channel(name, types)),
                    Some(value) if is_ours => {
                        complaints.push(format!(
                            "preferences.{name}: expected a map of types, got {}",
                            kind(value)
                        ));
                    }
                    _ => complaints.push(format!(
                        "preferences.{}: expected email, sms, push or in_app",
                        shown(name)
                    )),
                }
            }
        }
        Some(value) => complaints.push(format!("preferences: expected a map of channels, got {}", kind(value))),
    }
    complaints
}

fn complaints_of_channel(channel: &str, types: &Item) -> Vec<String> {
    let mut names: Vec<(&String, &AttributeValue)> = types.iter().collect();
    names.sort_unstable_by_key(|(name, _)| *name);
    let mut complaints = Vec::new();
    for (name, value) in names {
        let field = format!("preferences.{channel}.{}", shown(name));
        let Some(notification_type) = NotificationType::from_name(name).filter(|known| known.can_be_chosen()) else {
            complaints.push(format!("{field}: expected a notification type"));
            continue;
        };
        match value.as_m() {
            Ok(statuses) if notification_type == NotificationType::OrderStatusUpdate => {
                complaints.extend(complaints_of_statuses(&field, statuses));
            }
            _ if is_choice(value) => {}
            _ => complaints.push(format!("{field}: expected true or false, got {}", kind(value))),
        }
    }
    complaints
}

fn complaints_of_statuses(field: &str, statuses: &Item) -> Vec<String> {
    let mut statuses: Vec<(&String, &AttributeValue)> = statuses.iter().collect();
    statuses.sort_unstable_by_key(|(status, _)| *status);
    let complaints = statuses.into_iter().filter_map(|(status, value)| {
        if OrderStatus::read(status).is_err() {
            Some(format!("{field}.{}: expected an order status", shown(status)))
        } else if !is_choice(value) {
            Some(format!("{field}.{status}: expected true or false, got {}", kind(value)))
        } else {
            None
        }
    });
    complaints.collect()
}

/// A name as it may be shown: not so long that it could be a whole text, and nothing that may be an address or a number.
fn shown(name: &str) -> String {
    let is_private = name.contains('@') || name.chars().filter(char::is_ascii_digit).count() > 5;
    if is_private {
        "…".to_owned()
    } else {
        domain::clean_line(name).chars().take(40).collect()
    }
}

fn is_text(value: &AttributeValue, is_right: fn(&str) -> bool) -> bool {
    // An empty text says nothing, as a missing one does.
    value.as_s().is_ok_and(|text| text.trim().is_empty() || is_right(text))
}

/// As the functions read it: true and false, and the words and numbers that people write for them.
fn is_choice(value: &AttributeValue) -> bool {
    let word = value
        .as_s()
        .or_else(|_not_text| value.as_n())
        .map(|word| word.to_ascii_lowercase());
    value.is_bool() || word.is_ok_and(|word| matches!(word.as_str(), "true" | "false" | "1" | "0"))
}

fn kind(value: &AttributeValue) -> &'static str {
    let kinds = [
        (value.is_s(), "another text"),
        (value.is_n(), "a number"),
        (value.is_bool(), "true or false"),
        (value.is_m(), "a map"),
        (value.is_l(), "a list"),
        (value.is_null(), "null"),
    ];
    kinds
        .into_iter()
        .find(|(is_it, _)| *is_it)
        .map_or("something else", |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use AttributeValue::{Bool, M, N, S};

    fn map<const LENGTH: usize>(fields: [(&str, AttributeValue); LENGTH]) -> AttributeValue {
        M(fields
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect())
    }

    fn text(value: &str) -> AttributeValue {
        S(value.to_owned())
    }

    fn of<const LENGTH: usize>(fields: [(&str, AttributeValue); LENGTH]) -> Vec<String> {
        complaints(map(fields).as_m().unwrap())
    }

    #[test]
    fn an_item_as_it_should_be_is_fine() {
        let statuses = map([("shipped", Bool(true)), ("DISPATCHED", N("0".to_owned()))]);
        let email = map([("promotional", text("true")), ("order_status_update", statuses)]);
        let complaints = of([
            ("userId", text("ana")),
            ("email", text("ana@example.com")),
            ("phoneNumber", text("+34600123456")),
            ("language", text("es-ES")),
            ("timezone", text("Europe/Madrid")),
            (
                "preferences",
                map([("email", email), ("sms", map([("order_status_update", Bool(false))]))]),
            ),
            ("favouriteColour", N("7".to_owned())),
        ]);
        assert!(complaints.is_empty(), "{complaints:?}");
    }

    #[test]
    fn every_wrong_field_is_named_and_no_value_is_shown() {
        let email = map([
            ("shopping", Bool(true)),
            ("test", Bool(false)),
            ("promotional", text("yes")),
            ("order_status_update", map([("lost", Bool(true))])),
        ]);
        let complaints = of([
            ("email", text("secret at example")),
            ("phoneNumber", N("34600123456".to_owned())),
            ("language", text("not a language")),
            ("timezone", text("Mars/Olympus")),
            ("phoneVerified", text("perhaps")),
            (
                "preferences",
                map([("email", email), ("Email", map([])), ("sms", Bool(true))]),
            ),
        ]);
        let text = complaints.join("\n");
        for field in [
            "email: ",
            "phoneNumber: ",
            "language: ",
            "timezone: ",
            "phoneVerified: ",
            "preferences.Email: ",
            "preferences.sms: ",
            "preferences.email.shopping: ",
            "preferences.email.test: ",
            "preferences.email.promotional: ",
            "preferences.email.order_status_update.lost: ",
        ] {
            assert!(
                complaints.iter().any(|complaint| complaint.starts_with(field)),
                "{field} in {text}"
            );
        }
        assert!(!text.contains("secret") && !text.contains("34600123456"), "{text}");
    }
}
