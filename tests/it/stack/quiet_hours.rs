//! Quiet hours: what waits and for how long, what does not, and who wakes it. Every customer here stores a window of their own around
//! the hour at which the test happens to run.

use aws::DynamoWaitingRoom;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::UserId;
use domain::ports::WakeAll as _;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::fact::{Fact, outcome};
use super::harness::{Item, Stack, eventually, number, text};

/// Far from the test's own: the window is the customer's.
const ZONE: &str = "Asia/Kathmandu";

fn shown(at: Timestamp) -> String {
    let time: Time = TimeZone::get(ZONE).unwrap().to_datetime(at).time();
    format!("{:02}:{:02}", time.hour(), time.minute())
}

/// What a customer stores who is not to be disturbed from an hour ago until then.
pub(super) async fn quiet_until(stack: &Stack, user: &str, end: Timestamp) {
    let hours = json!({"start": shown(Timestamp::now() - SignedDuration::from_hours(1)), "end": shown(end)});
    store(stack, user, &json!({"quietHours": hours})).await;
}

async fn store(stack: &Stack, user: &str, more: &Value) {
    let mut item = json!({"userId": user, "timezone": ZONE});
    let more = more.as_object().unwrap().clone();
    item.as_object_mut().unwrap().extend(more);
    stack.store_preferences(&item).await;
}

/// The end of a minute, at least ten seconds ahead and at most a minute.
async fn end_of_a_minute() -> Timestamp {
    let end_of = |now: Timestamp| Timestamp::from_second((now.as_second() / 60 + 1) * 60).unwrap();
    let first = end_of(Timestamp::now());
    eventually("enough of a minute", async || {
        let now = Timestamp::now();
        let end = end_of(now);
        (end > first || end.duration_since(now) > SignedDuration::from_secs(10)).then_some(end)
    })
    .await
}

pub(super) fn in_hours(hours: i64) -> Timestamp {
    Timestamp::now() + SignedDuration::from_hours(hours)
}

/// What the waiting room holds about a fact.
pub(super) async fn waiting(stack: &Stack, fact: &Fact<'_>) -> Vec<Item> {
    let items = stack
        .dynamodb
        .scan()
        .table_name(stack.name("deferred-deliveries"))
        .consistent_read(true)
        .into_paginator()
        .items()
        .send()
        .collect::<Result<Vec<Item>, _>>()
        .await
        .unwrap();
    items
        .into_iter()
        .filter(|item| text(item, "wake").contains(&fact.id))
        .collect()
}

/// What is done by whoever changes a customer's quiet hours, and what the schedule does a minute later at most.
async fn wake(stack: &Stack, fact: &Fact<'_>) {
    let room = DynamoWaitingRoom::new(stack.dynamodb.clone(), stack.name("deferred-deliveries"));
    let user = UserId::try_from(fact.user.as_str()).unwrap();
    let woken = room.wake_all_of(&user, Timestamp::now()).await.unwrap();
    assert_eq!(woken, 1);
    stack.invoke("deferred-deliveries", &json!({"task": "minute"})).await;
}

#[tokio::test]
async fn several_updates_of_one_order_are_one_text_message_at_the_end_of_the_window() {
    let stack = Stack::connect().await;
    let shipped = Fact::by(&stack, "night", &["sms"]);
    let end = end_of_a_minute().await;
    quiet_until(&stack, &shipped.user, end).await;
    let happened = |seconds: i64| (Timestamp::now() - SignedDuration::from_secs(seconds)).to_string();
    let news = |status: &str, seconds| shipped.at_status(status).with(&json!({"timestamp": happened(seconds)}));
    let updates = [news("shipped", 40), news("out_for_delivery", 30), news("delivered", 20)];
    for update in &updates {
        update.publish().await;
    }
    for update in &updates {
        let waits = update.until("sms", "deferred").await;
        assert_eq!(
            (text(&waits, "reason"), number(&waits, "claimableAt")),
            ("quiet_hours", end.as_millisecond())
        );
    }
    assert!(Timestamp::now() < end, "nothing was sent before the end");
    assert_eq!(shipped.texts().await, 0);

    let [shipped, out_for_delivery, delivered] = &updates;
    eventually("the end of the window", async || {
        (Timestamp::now() >= end).then_some(())
    })
    .await;
    assert_eq!(outcome(&delivered.ended("sms").await).0, "sent");
    for silenced in [shipped, out_for_delivery] {
        assert_eq!(outcome(&silenced.ended("sms").await), ("superseded", "superseded"));
    }
    let calls = stack
        .proxy
        .calls("Publish", delivered.phone.trim_start_matches('+'))
        .await
        .unwrap();
    assert_eq!(calls.len(), 1);
    assert!(
        i128::from(calls[0].at_ms) >= i128::from(end.as_millisecond()),
        "{calls:?}"
    );
}

#[tokio::test]
async fn in_quiet_hours_an_e_mail_and_an_urgent_text_message_go_at_once() {
    let stack = Stack::connect().await;
    let usual = Fact::by(&stack, "both", &["email", "sms"]);
    quiet_until(&stack, &usual.user, in_hours(5)).await;
    usual.publish().await;
    assert_eq!(outcome(&usual.ended("email").await).0, "sent");
    assert_eq!(outcome(&usual.until("sms", "deferred").await).1, "quiet_hours");
    let urgent = usual.at_status("exception").with(&json!({"priority": "urgent"}));
    urgent.publish().await;
    assert_eq!(outcome(&urgent.ended("sms").await).0, "sent");
    assert_eq!(usual.texts().await, 1);
}

#[tokio::test]
async fn what_waits_for_hours_is_in_the_room_and_goes_out_when_quiet_hours_are_given_up() {
    let stack = Stack::connect().await;
    let fact = Fact::by(&stack, "given-up", &["sms"]);
    quiet_until(&stack, &fact.user, in_hours(5)).await;
    fact.publish().await;
    let items = eventually("its place in the room", async || {
        Some(waiting(&stack, &fact).await).filter(|items| !items.is_empty())
    })
    .await;
    assert_eq!((items.len(), text(&items[0], "userId")), (1, fact.user.as_str()));
    assert!(text(&items[0], "request").contains("delivery/1"));
    store(
        &stack,
        &fact.user,
        &json!({"quietHours": {"start": "00:00", "end": "00:00"}}),
    )
    .await;
    wake(&stack, &fact).await;
    assert_eq!(outcome(&fact.ended("sms").await).0, "sent");
    assert_eq!((fact.texts().await, waiting(&stack, &fact).await.len()), (1, 0));
}

#[tokio::test]
async fn what_is_woken_in_vain_goes_back_to_wait_for_the_new_end() {
    let stack = Stack::connect().await;
    let fact = Fact::by(&stack, "in-vain", &["sms"]);
    quiet_until(&stack, &fact.user, in_hours(5)).await;
    fact.publish().await;
    let first = fact.until("sms", "deferred").await;
    eventually("its place in the room", async || waiting(&stack, &fact).await.pop()).await;
    quiet_until(&stack, &fact.user, in_hours(7)).await;
    wake(&stack, &fact).await;
    let later = eventually("another end", async || {
        let delivery = fact.delivery("sms").await?;
        (number(&delivery, "claimableAt") > number(&first, "claimableAt")).then_some(delivery)
    })
    .await;
    assert_eq!(outcome(&later), ("deferred", "quiet_hours"));
    let items = eventually("its new place alone", async || {
        Some(waiting(&stack, &fact).await).filter(|items| items.len() == 1)
    })
    .await;
    let until: Timestamp = text(&items[0], "wake").split('#').next().unwrap().parse().unwrap();
    assert_eq!(until.as_millisecond(), number(&later, "claimableAt"));
    assert_eq!(fact.texts().await, 0);
}

#[tokio::test]
async fn a_choice_that_was_made_while_it_waited_is_obeyed() {
    let stack = Stack::connect().await;
    let fact = Fact::by(&stack, "choice", &["sms"]);
    quiet_until(&stack, &fact.user, in_hours(5)).await;
    fact.publish().await;
    eventually("its place in the room", async || waiting(&stack, &fact).await.pop()).await;
    let choices = json!({"preferences": {"sms": {"order_status_update": false}}, "quietHours": {"start": "00:00", "end": "00:00"}});
    store(&stack, &fact.user, &choices).await;
    wake(&stack, &fact).await;
    assert_eq!(outcome(&fact.ended("sms").await), ("skipped", "opted_out"));
    assert_eq!(fact.texts().await, 0);
}

#[tokio::test]
async fn what_is_scheduled_for_tomorrow_is_in_the_room_and_waking_it_does_not_send_it() {
    let stack = Stack::connect().await;
    let then = in_hours(24);
    let fact = Fact::new(&stack, "tomorrow").with(&json!({"scheduledFor": then.to_string()}));
    fact.publish().await;
    eventually("its place in the room", async || waiting(&stack, &fact).await.pop()).await;
    wake(&stack, &fact).await;
    let items = eventually("its place again", async || {
        let items = waiting(&stack, &fact).await;
        let is_back = |item: &Item| text(item, "wake").starts_with(&format!("{then:.3}"));
        (items.len() == 1 && is_back(&items[0])).then_some(items)
    })
    .await;
    assert_eq!(text(&items[0], "userId"), fact.user);
    assert_eq!(
        (fact.emails().await, outcome(&fact.until("email", "deferred").await).1),
        (0, "")
    );
}

#[tokio::test]
async fn what_nobody_can_read_in_the_room_is_a_dead_letter_with_its_reason() {
    let stack = Stack::connect().await;
    let mark = stack.unique("unreadable");
    let key = |value: &str| AttributeValue::S(value.to_owned());
    stack
        .dynamodb
        .put_item()
        .table_name(stack.name("deferred-deliveries"))
        .item("shard", key("7"))
        .item("wake", key(&format!("2026-01-01T00:00:00.000Z#{mark}#sms")))
        .item("request", key(&json!({"mark": mark}).to_string()))
        .send()
        .await
        .unwrap();
    stack.invoke("deferred-deliveries", &json!({"task": "minute"})).await;
    let letter = eventually("the dead letter", async || stack.dead_letters("sms", &mark).await.pop()).await;
    assert!(
        letter.1.starts_with("message: expected a delivery/1 request"),
        "{}",
        letter.1
    );
}
