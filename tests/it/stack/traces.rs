//! One order's trace, through SNS and SQS, as the functions tell it.

use aws_sdk_sns::types::MessageAttributeValue;
use domain::TraceContext;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::path::PathBuf;
use traces::{Span, spans_of};

use super::harness::{Stack, eventually};

/// A publisher's own span.
const PUBLISHER: u64 = 0x53995c3f42cd8ad8;

/// A trace that begins at the publisher.
fn begun() -> TraceContext {
    TraceContext::begun(Timestamp::now(), fastrand::u128(..)).behind(PUBLISHER)
}

async fn publish(stack: &Stack, event: &Value, trace: TraceContext) {
    let attribute = MessageAttributeValue::builder()
        .data_type("String")
        .string_value(trace.traceparent())
        .build()
        .unwrap();
    let arn = format!(
        "arn:aws:sns:eu-west-1:000000000000:{}",
        stack.name("order-notifications")
    );
    stack
        .sns
        .publish()
        .topic_arn(arn)
        .message(event.to_string())
        .message_attributes("traceparent", attribute)
        .send()
        .await
        .unwrap();
}

fn told(trace: TraceContext) -> Vec<Span> {
    let file = PathBuf::from(std::env::var("E_COM67_TRACES").expect("E_COM67_TRACES is not set: run `make test`"));
    spans_of(&file, &trace.trace_id()).unwrap()
}

/// The spans of the trace, once each of these is told.
async fn once_told(trace: TraceContext, names: &[String]) -> Vec<Span> {
    eventually("the spans of the trace", async || {
        let spans = told(trace);
        let is_told = |name: &String| spans.iter().any(|span| span.name == *name);
        names.iter().all(is_told).then_some(spans)
    })
    .await
}

/// The names on the way back from a span to its publisher.
fn way_to(spans: &[Span], name: &str) -> Vec<String> {
    let mut at = spans.iter().find(|span| span.name == name);
    let mut way = Vec::new();
    while let Some(span) = at {
        way.push(span.name.clone());
        if span.parent.as_deref() == Some(&format!("{PUBLISHER:016x}")) {
            way.push("publisher".to_owned());
        }
        at = spans.iter().find(|other| Some(&other.id) == span.parent.as_ref());
    }
    way
}

#[tokio::test]
async fn one_trace_leads_from_the_publisher_by_every_queue_to_every_message() {
    let stack = Stack::connect().await;
    let trace = begun();
    let order = stack.unique("order");
    let event = json!({"userId": stack.unique("user"), "type": "order_status_update", "recipientEmail": stack.address("ana"),
        "recipientPhone": stack.phone(), "orderData": {"orderId": order, "status": "shipped"}});
    publish(&stack, &event, trace).await;
    let item = stack.settled(&order).await;
    let channels = [
        ("email", "email-notification", "send the e-mail"),
        ("sms", "sms-notification", "send the text message"),
        ("in-app", "in-app-notification", "put the note into the inbox"),
    ];
    let mut names: Vec<String> = channels.map(|(_, function, _)| stack.name(function)).to_vec();
    names.push(stack.name("order-status"));
    let spans = once_told(trace, &names).await;
    for (queue, function, deed) in channels {
        let function = stack.name(function);
        let way = [
            &function,
            &stack.name(queue),
            &stack.name("notification-orchestrator"),
            &stack.name("notifications"),
            "publisher",
        ];
        assert_eq!(way_to(&spans, &function), way);
        let at_work = spans.iter().find(|span| span.name == function).unwrap();
        assert_eq!(at_work.attributes["outcome"], "sent");
        assert_eq!(
            at_work.attributes["notification"],
            *item["notificationId"].as_s().unwrap()
        );
        let calls = spans.iter().filter(|span| span.parent.as_ref() == Some(&at_work.id));
        let sends = calls.filter(|call| call.attributes.get("deed").is_some_and(|told| told == deed));
        assert_eq!(sends.count(), 1, "{function}");
    }
    let status = stack.name("order-status");
    assert_eq!(
        way_to(&spans, &status),
        [&status, &stack.name("order-events"), "publisher"]
    );
}

#[tokio::test]
async fn the_waits_in_queues_are_told_and_nothing_ends_before_it_begins() {
    let stack = Stack::connect().await;
    let trace = begun();
    let order = stack.unique("order");
    let event = json!({"userId": stack.unique("user"), "type": "order_status_update", "channels": ["email"],
        "recipientEmail": stack.address("ana"), "orderData": {"orderId": order, "status": "shipped"}});
    publish(&stack, &event, trace).await;
    stack.settled(&order).await;
    let spans = once_told(trace, &[stack.name("email-notification")]).await;
    assert!(spans.iter().all(|span| span.begun_us <= span.ended_us));
    for queue in ["notifications", "email"] {
        let name = stack.name(queue);
        let waited = spans.iter().find(|span| span.name == name).unwrap();
        assert_eq!(waited.attributes["received"], "1", "{queue}");
        let worked = spans
            .iter()
            .find(|span| span.parent.as_ref() == Some(&waited.id))
            .unwrap();
        assert_eq!(waited.ended_us, worked.begun_us, "{queue}");
    }
}

#[tokio::test]
async fn what_waits_for_later_goes_on_in_its_trace() {
    let stack = Stack::connect().await;
    let trace = begun();
    let order = stack.unique("order");
    // Soon enough for the queue to wait with it.
    let then = Timestamp::now() + jiff::SignedDuration::from_secs(3);
    let event = json!({"userId": stack.unique("user"), "type": "order_confirmation", "channels": ["email"],
        "recipientEmail": stack.address("ana"), "scheduledFor": then.to_string(), "orderData": {"orderId": order}});
    publish(&stack, &event, trace).await;
    stack.settled(&order).await;
    let sender = stack.name("email-notification");
    let spans = once_told(trace, std::slice::from_ref(&sender)).await;
    let worked = spans.iter().find(|span| span.name == sender).unwrap();
    assert!(worked.begun_us >= then.as_microsecond());
    assert_eq!(way_to(&spans, &sender).last().map(String::as_str), Some("publisher"));
}
