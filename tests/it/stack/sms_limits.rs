//! What text messages are held to: countries, the day of a number, and what the ledger keeps of each.

use aws_sdk_dynamodb::types::AttributeValue;
use fault_proxy::{Fault, StatusCode};
use serde_json::json;

use super::fact::{Fact, outcome};
use super::harness::{Item, Stack, text};

/// What the test stack is deployed with.
const PER_DAY: usize = 10;

#[tokio::test]
async fn a_number_of_a_country_that_is_not_served_is_skipped_with_its_reason() {
    let stack = Stack::connect().await;
    let fact = Fact::by(&stack, "abroad", &["sms"]).with(&json!({"recipientPhone": "+15208782491"}));
    fact.publish().await;
    assert_eq!(outcome(&fact.ended("sms").await), ("skipped", "country_not_served"));
    assert!(stack.texts_to("+15208782491").await.is_empty());
}

#[tokio::test]
async fn the_ledger_keeps_language_template_and_segments_of_a_message() {
    let stack = Stack::connect().await;
    let fact = Fact::by(&stack, "written", &["email", "sms"]).with(&json!({"language": "en"}));
    fact.publish().await;
    let (email, sms) = (fact.ended("email").await, fact.ended("sms").await);
    assert_eq!((outcome(&email).0, outcome(&sms).0), ("sent", "sent"));
    let (email, sms) = (text(&email, "written"), text(&sms, "written"));
    assert!(email.starts_with("en - built-in-"), "{email}");
    assert!(sms.starts_with("en gsm7/1 built-in-"), "{sms}");
}

#[tokio::test]
async fn the_message_after_the_last_of_a_numbers_day_is_skipped_and_an_urgent_one_goes_out() {
    let stack = Stack::connect().await;
    let first = Fact::by(&stack, "full-day", &["sms"]);
    let of_order = |nth: usize| first.with(&json!({"orderData": {"orderId": format!("{}-{nth}", first.order)}}));
    // One after the other, so that it is known which is the last.
    for nth in 1..=PER_DAY {
        let fact = of_order(nth);
        fact.publish().await;
        assert_eq!(outcome(&fact.ended("sms").await).0, "sent", "number {nth}");
    }
    let one_too_many = of_order(PER_DAY + 1);
    one_too_many.publish().await;
    let skipped = one_too_many.ended("sms").await;
    assert_eq!(outcome(&skipped), ("skipped", "sms_number_limit"));
    assert!(!skipped.contains_key("written"));

    let urgent = of_order(PER_DAY + 2).with(&json!({"priority": "urgent"}));
    urgent.publish().await;
    assert_eq!(outcome(&urgent.ended("sms").await).0, "sent");
    assert_eq!(stack.texts_to(&first.phone).await.len(), PER_DAY + 1);
}

#[tokio::test]
async fn the_counters_name_no_number_and_a_message_that_is_tried_again_counts_once() {
    let stack = Stack::connect().await;
    let fact = Fact::by(&stack, "counted", &["sms"]);
    let not_taken = Fault::answer(StatusCode::BAD_REQUEST, "KMSDisabled", "the key is disabled");
    let rule = fact.once("Publish", not_taken).await;
    fact.publish().await;
    fact.applied(rule).await;
    assert_eq!(outcome(&fact.ended("sms").await).0, "sent");
    let items = stack
        .dynamodb
        .scan()
        .table_name(stack.name("system-state"))
        .consistent_read(true)
        .into_paginator()
        .items()
        .send()
        .collect::<Result<Vec<Item>, _>>()
        .await
        .unwrap();
    let is_about = |item: &&Item| format!("{item:?}").contains(&fact.id);
    let about: Vec<&Item> = items.iter().filter(is_about).collect();
    // The day of its number, and the mark that its segments are counted.
    let mut names: Vec<&str> = about.iter().map(|item| text(item, "name")).collect();
    names.sort_unstable();
    assert!(
        names.len() == 2 && names[0].starts_with("sms#") && names[1].starts_with("sms-counted#"),
        "{names:?}"
    );
    let day = about.iter().find_map(|item| item.get("ids")).unwrap();
    assert_eq!(day, &AttributeValue::Ss(vec![fact.id.clone()]));
    let number = fact.phone.trim_start_matches('+');
    assert!(!format!("{items:?}").contains(number));
}
