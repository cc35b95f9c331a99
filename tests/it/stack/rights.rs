//! What is seldom done, and has to be allowed all the same: waiting for a table that fails, burying in the urgent lanes, trying each
//! lane of a channel that is held.

use aws::DynamoWaitingRoom;
use domain::ports::WakeAll as _;
use domain::{Carrier, Channel, OrderStatus, TrackingNumber, UserId};
use fault_proxy::{Access, Call, Fault, FeedbackEvent, Rule, StatusCode};
use jiff::{SignedDuration, Timestamp};
use links::{Purpose, Token};
use serde_json::{Value, json};

use super::api::Customer;
use super::direct::shipped;
use super::fact::{Fact, outcome};
use super::harness::{Stack, eventually, outcomes};
use super::laboratory::begin_anew;
use super::pages::{get, keys, post};
use super::quiet_hours::{in_hours, quiet_until, waiting};
use super::templates::{done, saved};

/// An answer that the SDK does not ask for again.
fn broken() -> Fault {
    Fault::answer(StatusCode::BAD_REQUEST, "ValidationException", "not now")
}

/// Waits until a function has held messages of this queue back.
async fn held_back(stack: &Stack, function: &str, queue: &str) {
    let (function, queue) = (stack.name(function), stack.name(queue));
    eventually(&format!("{function} to hold messages of {queue} back"), async || {
        let calls = stack.proxy.calls("ChangeMessageVisibilityBatch", &queue).await.unwrap();
        let is_it = |call: &Call| call.resource.as_ref() == Some(&queue) && call.caller.as_ref() == Some(&function);
        calls.iter().any(is_it).then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_event_whose_customer_cannot_be_looked_up_waits_in_either_lane() {
    let stack = Stack::connect().await;
    let fact = Fact::new(&stack, "ana").with(&json!({"priority": "urgent"}));
    let rule = Rule::on("BatchGetItem", broken()).called_by("notification-orchestrator");
    let rule = fact.fault(rule).await;
    fact.publish().await;
    for lane in ["notifications", "notifications-urgent"] {
        held_back(&stack, "notification-orchestrator", lane).await;
    }
    stack.proxy.remove_rule(rule).await.unwrap();
    assert_eq!(outcome(&fact.ended("email").await), ("sent", ""));
    stack.drained().await;
    assert_eq!(fact.emails().await, 1);
}

#[tokio::test]
async fn an_urgent_text_that_is_throttled_waits_and_is_sent_once() {
    let stack = Stack::connect().await;
    let fact = Fact::by(&stack, "ana", &["sms"]).with(&json!({"priority": "urgent"}));
    let throttled = Fault::answer(StatusCode::BAD_REQUEST, "Throttled", "Rate exceeded");
    let rule = fact.once("Publish", throttled).await;
    fact.publish().await;
    fact.applied(rule).await;
    held_back(&stack, "sms-notification", "sms-urgent").await;
    assert_eq!(outcome(&fact.ended("sms").await), ("sent", ""));
    assert_eq!(fact.texts().await, 1);
}

#[tokio::test]
async fn an_order_that_cannot_be_read_is_worked_on_later() {
    let stack = Stack::connect().await;
    let fact = Fact::new(&stack, "ana");
    let rule = Rule::on("Query", broken())
        .called_by("order-status")
        .containing(&fact.order);
    let rule = stack.proxy.add_rule(&rule.times(1)).await.unwrap();
    fact.publish().await;
    stack.applied(rule).await;
    held_back(&stack, "order-status", "order-events").await;
    eventually("the order events", async || {
        (stack.depth("order-events").await == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn news_of_a_parcel_that_cannot_be_looked_up_are_worked_on_later() {
    let stack = Stack::connect().await;
    let number = TrackingNumber::try_from(stack.unique("1z").to_uppercase()).unwrap();
    let mut event = domain::TrackingEvent::new(Carrier::Dpd, number.clone(), Timestamp::now());
    event.status = Some(OrderStatus::OutForDelivery);
    let rule = Rule::on("Query", broken())
        .called_by("order-status")
        .containing(number.as_str());
    let rule = stack.proxy.add_rule(&rule.times(1)).await.unwrap();
    stack
        .put_on_queue(
            "carrier-events",
            &tracking::CarrierNews::messages(&[event], Timestamp::now()),
        )
        .await;
    stack.applied(rule).await;
    held_back(&stack, "order-status", "carrier-events").await;
    eventually("the carriers' news", async || {
        (stack.depth("carrier-events").await == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_report_whose_delivery_cannot_be_read_is_taken_in_later() {
    let stack = Stack::connect().await;
    let fact = Fact::new(&stack, "ana");
    fact.publish().await;
    fact.until("email", "sent").await;
    let rule = Rule::on("BatchGetItem", broken())
        .called_by("delivery-events")
        .containing(&fact.id);
    let rule = stack.proxy.add_rule(&rule.times(1)).await.unwrap();
    stack.proxy.emit(&fact.id, &FeedbackEvent::Delivery, 1).await.unwrap();
    stack.applied(rule).await;
    held_back(&stack, "delivery-events", "delivery-events").await;
    fact.until("email", "delivered").await;
    stack.reports_taken_in().await;
}

#[tokio::test]
async fn what_nobody_can_read_in_an_urgent_lane_is_buried_there() {
    let stack = Stack::connect().await;
    for lane in ["email-urgent", "sms-urgent", "in-app-urgent"] {
        let poison = stack.unique(lane);
        stack.put_on_queue(lane, &[json!({"poison": poison}).to_string()]).await;
        eventually("a dead letter", async || stack.dead_letters(lane, &poison).await.pop()).await;
    }
}

#[tokio::test]
async fn an_urgent_event_given_to_the_email_function_takes_the_urgent_lane() {
    let stack = Stack::connect().await;
    let order = stack.unique("order");
    let mut event = shipped(&stack, &order);
    event["priority"] = "urgent".into();
    assert_eq!(stack.invoke("email-notification", &event).await["statusCode"], 200);
    assert_eq!(outcomes(&stack.settled(&order).await)["email"], "sent");
    let queue = stack.name("email-urgent");
    let calls = stack.proxy.calls("SendMessageBatch", &queue).await.unwrap();
    let by_sender = |call: &&Call| call.caller == Some(stack.name("email-notification"));
    assert!(calls.iter().any(|call| by_sender(&call)), "{calls:?}");
}

/// The account refuses one message, and another one is waiting when it is tried again.
async fn a_lane_is_tried(channel: &str, priority: Option<&str>, operation: &str, refusal: Fault) {
    let stack = Stack::connect().await;
    stack.recover_pace().await;
    stack.minute().await;
    let fact = |name: &str| {
        let fact = Fact::by(&stack, name, &[channel]);
        priority.map_or_else(
            || fact.with(&json!({})),
            |priority| fact.with(&json!({"priority": priority})),
        )
    };
    let (first, second) = (fact("first"), fact("second"));
    let rule = first.fault(Rule::on(operation, refusal)).await;
    first.publish().await;
    eventually("the breaker to open", async || {
        stack.traffic(channel).await?.contains_key("breaker").then_some(())
    })
    .await;
    stack.proxy.remove_rule(rule).await.unwrap();
    // Its own lane is held by the time that it gets there, so that the trial finds it.
    stack.minute().await;
    second.publish().await;
    eventually("a trial to go through", async || {
        stack.minute().await;
        (!stack.traffic(channel).await?.contains_key("breaker")).then_some(())
    })
    .await;
    for fact in [&first, &second] {
        assert_eq!(outcome(&fact.ended(channel).await), ("sent", ""));
    }
    stack.drained().await;
}

#[tokio::test]
async fn a_held_urgent_email_is_tried() {
    let paused = Fault::answer(StatusCode::BAD_REQUEST, "SendingPausedException", "Sending is paused.");
    a_lane_is_tried("email", Some("urgent"), "SendEmail", paused).await;
}

#[tokio::test]
async fn a_held_text_is_tried_in_either_lane() {
    for priority in [None, Some("urgent")] {
        let forbidden = Fault::answer(StatusCode::FORBIDDEN, "AuthorizationError", "not allowed");
        a_lane_is_tried("sms", priority, "Publish", forbidden).await;
    }
}

#[tokio::test]
async fn a_number_on_the_providers_list_of_opt_outs_gets_no_text() {
    let stack = Stack::connect().await;
    let fact = Fact::by(&stack, "ana", &["sms"]);
    let list = format!(
        "<ListPhoneNumbersOptedOutResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><ListPhoneNumbersOptedOutResult>\
         <phoneNumbers><member>{}</member></phoneNumbers></ListPhoneNumbersOptedOutResult></ListPhoneNumbersOptedOutResponse>",
        fact.phone
    );
    // The emulator keeps no such list.
    let listed = Fault::AnswerWith {
        status: StatusCode::OK,
        body: Value::String(list),
    };
    let rule = Rule::on("ListPhoneNumbersOptedOut", listed).times(1);
    stack.proxy.add_rule(&rule).await.unwrap();
    stack.invoke("account-monitor", &json!({"task": "opt-outs"})).await;
    fact.publish().await;
    assert_eq!(outcomes(&stack.settled(&fact.order).await)["sms"], "suppressed");
    assert_eq!(fact.texts().await, 0);
}

#[tokio::test]
async fn a_confirmation_waits_for_the_carriers_keys() {
    let stack = Stack::connect().await;
    let rule = Rule::on("GetSecretValue", broken()).called_by("carrier-poller");
    let rule = stack.proxy.add_rule(&rule).await.unwrap();
    // Keys are remembered: only a version that begins now has to ask for them.
    begin_anew(&stack).await;
    let mark = stack.unique("subscription");
    let handshake = carriers::Handshake {
        subscription: mark.clone(),
        secret: "secret".to_owned(),
    };
    let text = tracking::PendingHandshake::of(Carrier::Dhl, &handshake).to_wire();
    stack.put_on_queue("carrier-handshakes", &[text]).await;
    held_back(&stack, "carrier-poller", "carrier-handshakes").await;
    stack.proxy.remove_rule(rule).await.unwrap();
    let (_, reason) = eventually("a dead letter", async || {
        stack.dead_letters("carrier-handshakes", &mark).await.pop()
    })
    .await;
    assert!(reason.contains("expected an account with"), "{reason}");
}

#[tokio::test]
async fn what_is_scheduled_goes_to_the_lane_of_its_channel_and_waits_again_when_it_comes_too_early() {
    let stack = Stack::connect().await;
    let later = in_hours(24).to_string();
    for priority in ["normal", "urgent"] {
        let fact = Fact::by(&stack, priority, &["email", "sms", "in_app"]);
        let fact = fact.with(&json!({"priority": priority, "scheduledFor": later}));
        fact.publish().await;
        for channel in Channel::OFFERED {
            fact.until(channel.name(), "deferred").await;
        }
        let room = DynamoWaitingRoom::new(stack.dynamodb.clone(), stack.name("deferred-deliveries"));
        let user = UserId::try_from(fact.user.as_str()).unwrap();
        assert_eq!(room.wake_all_of(&user, Timestamp::now()).await.unwrap(), 3);
        stack.invoke("deferred-deliveries", &json!({"task": "minute"})).await;
        eventually("all to wait again", async || {
            (waiting(&stack, &fact).await.len() == 3).then_some(())
        })
        .await;
        assert_eq!((fact.emails().await, fact.texts().await), (0, 0));
    }
    stack.drained().await;
}

/// A text that waits for the morning.
async fn waits_for_the_morning<'s>(stack: &'s Stack, name: &str) -> Fact<'s> {
    let fact = Fact::by(stack, name, &["sms"]);
    quiet_until(stack, &fact.user, in_hours(3)).await;
    fact.publish().await;
    fact.until("sms", "deferred").await;
    fact
}

async fn is_sent_at_the_next_minute(stack: &Stack, fact: &Fact<'_>) {
    stack.invoke("deferred-deliveries", &json!({"task": "minute"})).await;
    assert_eq!(outcome(&fact.ended("sms").await), ("sent", ""));
    assert_eq!(fact.texts().await, 1);
}

#[tokio::test]
async fn a_customer_who_ends_the_quiet_hours_gets_what_waits() {
    let stack = Stack::connect().await;
    let fact = waits_for_the_morning(&stack, "api").await;
    let customer = Customer::log_in(&fact.user).await;
    let never = json!({"quietHours": {"start": "00:00", "end": "00:00"}});
    let answer = customer.change(&customer.tag().await, &never).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    is_sent_at_the_next_minute(&stack, &fact).await;
}

#[tokio::test]
async fn whoever_ends_the_quiet_hours_on_the_page_gets_what_waits() {
    let stack = Stack::connect().await;
    let fact = waits_for_the_morning(&stack, "page").await;
    let token = Token {
        purpose: Purpose::Preferences,
        user: UserId::try_from(fact.user.as_str()).unwrap(),
        expires_at: Timestamp::now() + SignedDuration::from_hours(1),
    };
    let link = format!("/preferences/{}", keys(&stack).await.sign(&token));
    let html = String::from_utf8(get(&link).await.body.to_vec()).unwrap();
    let (_, rest) = html.split_once("name=\"revision\" value=\"").unwrap();
    let (revision, _) = rest.split_once('"').unwrap();
    let saved = post(&link, &format!("revision={revision}&quiet=off")).await;
    assert_eq!(saved.status, 200, "{saved:?}");
    is_sent_at_the_next_minute(&stack, &fact).await;
}

#[tokio::test]
async fn a_text_and_a_note_are_written_in_the_shops_own_words() {
    let stack = Stack::connect().await;
    for (channel, function, words) in [
        (
            "sms",
            "sms-notification",
            "sms = {{ shop.name }}: el pedido {{ order.id }} vuelve a casa.\n",
        ),
        (
            "in_app",
            "in-app-notification",
            "title = Vuelve\nin_app = Pedido {{ order.id }}: vuelve a casa.\n",
        ),
    ] {
        // No other journey sends this message by these channels.
        let template = format!("order_status_update.returned/{channel}/es");
        let version = saved(&stack, &template, words).await;
        done(&["publish", &template, "--version", &version]).await;
        let function = stack.name(function);
        let fetched = Access {
            action: "dynamodb:BatchGetItem".to_owned(),
            resource: format!("table/{}", stack.name("notification-templates")),
        };
        eventually("the words to be fetched", async || {
            // Names are unique by connection.
            let fresh = Stack::connect().await;
            let fact = Fact::by(&fresh, "ana", &[channel]);
            let fact = fact.with(&json!({"language": "es", "priority": "urgent", "orderData": {"status": "returned"}}));
            let wants = json!({"userId": fact.user, "preferences": {channel: {"order_status_update": true}}});
            stack.store_preferences(&wants).await;
            fact.publish().await;
            assert_eq!(outcome(&fact.ended(channel).await), ("sent", ""));
            let exercised = stack.proxy.exercised().await.unwrap();
            let mut by_sender = exercised.values().filter(|done| done.callers.contains(&function));
            by_sender.any(|done| done.accesses.contains(&fetched)).then_some(())
        })
        .await;
        done(&["roll-back", &template]).await;
    }
}
