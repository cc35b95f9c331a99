//! What SES and SNS report of messages that they took.

use base64::Engine as _;
use fault_proxy::{Feedback, FeedbackEvent};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use std::io::Write;

use super::fact::{Fact, outcome};
use super::harness::{Stack, eventually, number, text};

/// An e-mail of which SES says this.
async fn reported<'s>(stack: &'s Stack, name: &str, feedback: Feedback) -> Fact<'s> {
    let fact = Fact::new(stack, name);
    fact.feedback(feedback).await;
    fact.publish().await;
    fact
}

/// Waits until everything that was published about this e-mail is taken in.
async fn taken_in(stack: &Stack, fact: &Fact<'_>, events: u64) {
    eventually("the events about an e-mail", async || {
        let calls = fact.offers().await;
        let told: u64 = calls
            .iter()
            .filter_map(|call| call.email.as_ref())
            .flat_map(|email| email.events.values())
            .sum();
        (told == events).then_some(())
    })
    .await;
    stack.reports_taken_in().await;
}

/// What CloudWatch Logs hands over: Base64 of gzip of JSON.
fn awslogs(entries: &[Value]) -> Value {
    let events: Vec<Value> = entries
        .iter()
        .enumerate()
        .map(
            |(n, entry)| json!({"id": n.to_string(), "timestamp": 1_795_000_000_000_i64, "message": entry.to_string()}),
        )
        .collect();
    let logs = json!({"messageType": "DATA_MESSAGE", "owner": "000000000000", "logGroup": "sns/eu-west-1/000000000000/DirectPublishToPhoneNumber",
        "logStream": "s", "subscriptionFilters": ["f"], "logEvents": events});
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(logs.to_string().as_bytes()).unwrap();
    let packed = base64::engine::general_purpose::STANDARD.encode(gzip.finish().unwrap());
    json!({"awslogs": {"data": packed}})
}

/// An entry of the delivery log about a text message.
fn log_entry(message_id: &str, phone: &str, status: &str, response: &str) -> Value {
    json!({"notification": {"messageId": message_id, "timestamp": "2026-11-20 12:00:00.000"},
        "delivery": {"phoneCarrier": "A Carrier", "destination": phone, "priceInUSD": 0.06, "smsType": "Transactional",
            "providerResponse": response, "dwellTimeMs": 500},
        "status": status})
}

#[tokio::test]
async fn a_delivered_email_is_delivered_however_often_and_in_whatever_order_it_is_told() {
    let stack = Stack::connect().await;
    let events = [
        FeedbackEvent::Delivery,
        FeedbackEvent::DeliveryDelay,
        FeedbackEvent::Send,
    ];
    let fact = reported(&stack, "ana", Feedback::of(events).times(2)).await;
    taken_in(&stack, &fact, 6).await;
    fact.until("email", "delivered").await;
    let item = fact.item().await.unwrap();
    assert_eq!(
        (number(&item, "successfulChannels"), number(&item, "failedChannels")),
        (1, 0)
    );
    stack.drained().await;
    assert_eq!(fact.emails().await, 1);
    stack.proxy.clear_feedback().await.unwrap();
}

#[tokio::test]
async fn an_email_that_is_late_stays_sent() {
    let stack = Stack::connect().await;
    let fact = reported(&stack, "ana", Feedback::of([FeedbackEvent::DeliveryDelay])).await;
    taken_in(&stack, &fact, 1).await;
    assert_eq!(outcome(&fact.ended("email").await), ("sent", ""));
    stack.proxy.clear_feedback().await.unwrap();
}

#[tokio::test]
async fn after_a_hard_bounce_nothing_is_sent_to_the_address_not_even_a_confirmation() {
    let stack = Stack::connect().await;
    let fact = reported(&stack, "ana", Feedback::of([FeedbackEvent::hard_bounce()])).await;
    assert_eq!(outcome(&fact.until("email", "bounced").await).1, "hard_bounce: General");
    let next = [
        fact.at_status("delivered"),
        fact.with(&json!({"type": "order_confirmation"})),
    ];
    for next in next {
        next.publish().await;
        assert_eq!(
            outcome(&next.ended("email").await),
            ("suppressed", "hard_bounce"),
            "{}",
            next.event
        );
        assert_eq!(next.offers().await.len(), 0);
    }
    stack.proxy.clear_feedback().await.unwrap();
}

#[tokio::test]
async fn after_a_complaint_nothing_is_sent_to_the_address() {
    let stack = Stack::connect().await;
    let events = [FeedbackEvent::Complaint, FeedbackEvent::Delivery];
    let fact = reported(&stack, "ana", Feedback::of(events)).await;
    taken_in(&stack, &fact, 2).await;
    assert_eq!(outcome(&fact.ended("email").await), ("complained", "complaint"));
    let next = fact.at_status("delivered");
    next.publish().await;
    assert_eq!(outcome(&next.ended("email").await), ("suppressed", "complaint"));
    stack.proxy.clear_feedback().await.unwrap();
}

#[tokio::test]
async fn an_email_in_which_ses_finds_a_virus_is_a_recorded_failure() {
    let stack = Stack::connect().await;
    let events = [FeedbackEvent::Send, FeedbackEvent::Reject];
    let fact = reported(&stack, "ana", Feedback::of(events)).await;
    let delivery = fact.until("email", "bounced").await;
    assert_eq!(outcome(&delivery).1, "rejected_after_acceptance");
    assert_eq!(number(&fact.item().await.unwrap(), "failedChannels"), 1);
    stack.proxy.clear_feedback().await.unwrap();
}

#[tokio::test]
async fn a_bounce_as_an_identity_tells_it_suppresses_the_address() {
    let stack = Stack::connect().await;
    let feedback = Feedback::of([FeedbackEvent::hard_bounce()]).in_identity_form();
    let fact = reported(&stack, "ana", feedback).await;
    taken_in(&stack, &fact, 1).await;
    let next = fact.at_status("delivered");
    next.publish().await;
    assert_eq!(outcome(&next.ended("email").await), ("suppressed", "hard_bounce"));
    stack.proxy.clear_feedback().await.unwrap();
}

#[tokio::test]
async fn a_report_about_nobody_is_done_with_and_one_that_is_none_is_buried_with_its_reason() {
    let stack = Stack::connect().await;
    let (nobody, poison) = (stack.unique("nobody"), stack.unique("poison"));
    let known = Fact::new(&stack, "ana");
    known.publish().await;
    known.until("email", "sent").await;
    let about = |id: &str| json!({"eventType": "Delivery", "mail": {"messageId": nobody, "tags": {"notification-id": [id]}}, "delivery": {}});
    let texts = [
        about("00000000-0000-8000-8000-000000000000").to_string(),
        about("no id at all").to_string(),
        poison.clone(),
        json!({"eventType": poison, "mail": {"messageId": poison}}).to_string(),
        about(&known.id).to_string(),
    ];
    stack.put_on_queue("delivery-events", &texts).await;
    known.until("email", "delivered").await;
    stack.reports_taken_in().await;
    let letters = stack.dead_letters("delivery-events", &poison).await;
    let mut reasons: Vec<&str> = letters.iter().map(|(_, reason)| reason.as_str()).collect();
    reasons.sort_unstable();
    assert_eq!(reasons.len(), 2);
    assert!(
        reasons[0].starts_with("eventType: ") && reasons[1].starts_with("message: "),
        "{reasons:?}"
    );
    assert!(stack.dead_letters("delivery-events", &nobody).await.is_empty());
}

#[tokio::test]
async fn the_delivery_log_of_sns_tells_of_text_messages() {
    let stack = Stack::connect().await;
    let fact = Fact::by(&stack, "ana", &["sms"]);
    fact.publish().await;
    let sent = fact.until("sms", "sent").await;
    let entry = log_entry(
        text(&sent, "messageId"),
        &fact.phone,
        "SUCCESS",
        "Message has been accepted by phone",
    );
    let strange = log_entry(&stack.unique("nobody"), "+34600000000", "SUCCESS", "");
    stack.invoke("delivery-events", &awslogs(&[strange, entry])).await;
    fact.until("sms", "delivered").await;
    stack.reports_taken_in().await;
    assert_eq!(fact.texts().await, 1);
}

#[tokio::test]
async fn after_an_opt_out_nothing_is_sent_to_the_number() {
    let stack = Stack::connect().await;
    let fact = Fact::by(&stack, "ana", &["sms"]);
    fact.publish().await;
    let sent = fact.until("sms", "sent").await;
    let entry = log_entry(
        text(&sent, "messageId"),
        &fact.phone,
        "FAILURE",
        "Phone number is opted out",
    );
    stack.invoke("delivery-events", &awslogs(&[entry])).await;
    assert_eq!(outcome(&fact.until("sms", "bounced").await).1, "sms_opted_out");
    let next = fact.at_status("delivered");
    next.publish().await;
    assert_eq!(outcome(&next.ended("sms").await), ("suppressed", "sms_opted_out"));
    assert_eq!(fact.texts().await, 1);
}
