//! Delivery requests as they travel: twice, at once, in one batch, and from another version of the system.

use fault_proxy::{Fault, Rule, StatusCode};
use futures_util::future::join_all;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::fact::{Fact, outcome};
use super::harness::{Stack, eventually};

/// Lets a fact be recorded and not handed over; the request that its sender would have got.
async fn recorded(fact: &Fact<'_>) -> Value {
    let swallowed = Fault::AnswerWith {
        status: StatusCode::OK,
        body: json!({"Successful": [{"Id": "0", "MessageId": "swallowed", "MD5OfMessageBody": ""}], "Failed": []}),
    };
    let rule = fact.fault(Rule::on("SendMessageBatch", swallowed).times(1)).await;
    fact.publish().await;
    fact.applied(rule).await;
    let now = Timestamp::now();
    json!({"delivery/1": {"id": fact.id, "channel": "email", "to": fact.email, "user": fact.user, "language": "en", "zone": "Europe/Madrid",
        "at": now, "handed_over_at": now, "is_urgent": false, "not_before": null, "content": fact.content()}})
}

#[tokio::test]
async fn a_request_that_comes_ten_times_in_one_batch_is_sent_once() {
    let stack = Stack::connect().await;
    let fact = Fact::new(&stack, "ana");
    let request = recorded(&fact).await.to_string();
    stack.put_on_queue("email", &vec![request; 10]).await;
    assert_eq!(outcome(&fact.ended("email").await), ("sent", ""));
    stack.drained().await;
    assert_eq!(fact.offers().await.len(), 1);
}

#[tokio::test]
async fn a_request_that_comes_ten_times_at_once_by_both_lanes_is_sent_once() {
    let stack = Stack::connect().await;
    let fact = Fact::new(&stack, "ana");
    let request = [recorded(&fact).await.to_string()];
    // SES takes its time, so that all of them meet.
    fact.once("SendEmail", Fault::DelayAfterMs(1_000)).await;
    let lanes = ["email", "email-urgent"].repeat(5);
    join_all(lanes.iter().map(|lane| stack.put_on_queue(lane, &request))).await;
    assert_eq!(outcome(&fact.ended("email").await), ("sent", ""));
    stack.drained().await;
    assert_eq!(fact.offers().await.len(), 1);
}

#[tokio::test]
async fn a_request_of_a_newer_version_with_fields_that_nobody_knows_is_sent() {
    let stack = Stack::connect().await;
    let fact = Fact::new(&stack, "ana");
    let mut request = recorded(&fact).await;
    request["delivery/1"]["mood"] = "cheerful".into();
    request["delivery/1"]["content"]["order_status"]["weather"] = json!({"sun": true});
    stack.put_on_queue("email", &[request.to_string()]).await;
    assert_eq!(outcome(&fact.ended("email").await), ("sent", ""));
    assert_eq!(fact.emails().await, 1);
}

#[tokio::test]
async fn a_request_in_a_form_of_the_future_is_set_aside_with_its_reason_and_its_delivery_stays_open() {
    let stack = Stack::connect().await;
    let fact = Fact::new(&stack, "ana");
    let request = recorded(&fact).await["delivery/1"].clone();
    stack
        .put_on_queue("email", &[json!({"delivery/2": request}).to_string()])
        .await;
    let (_, reason) = eventually("the dead letter", async || {
        stack.dead_letters("email", &fact.id).await.pop()
    })
    .await;
    assert!(reason.starts_with("message: expected a delivery/1 request"), "{reason}");
    // Published again, it is handed over again.
    fact.publish().await;
    assert_eq!(outcome(&fact.ended("email").await), ("sent", ""));
    stack.drained().await;
    assert_eq!(fact.emails().await, 1);
}

#[tokio::test]
async fn a_record_of_an_older_version_is_sent_and_learns_what_came_after() {
    let stack = Stack::connect().await;
    let fact = Fact::new(&stack, "ana");
    let request = recorded(&fact).await;
    fact.forget(&[
        "parcel",
        "recordedBy",
        "email.trail",
        "email.failures",
        "email.generation",
    ])
    .await;
    stack.put_on_queue("email", &[request.to_string()]).await;
    fact.until("email", "sent").await;
    let report = json!({"eventType": "Delivery", "mail": {"messageId": "m", "tags": {"notification-id": [fact.id]}}, "delivery": {}});
    stack.put_on_queue("delivery-events", &[report.to_string()]).await;
    fact.until("email", "delivered").await;
    assert_eq!(fact.emails().await, 1);
}

#[tokio::test]
async fn a_request_that_the_ledger_does_not_know_is_buried() {
    let stack = Stack::connect().await;
    let fact = Fact::new(&stack, "ana");
    let now = Timestamp::now();
    let request = json!({"delivery/1": {"id": fact.id, "channel": "email", "to": fact.email, "user": fact.user, "language": "en", "zone": "Europe/Madrid",
        "at": now, "handed_over_at": now, "is_urgent": false, "not_before": null, "content": fact.content()}});
    stack.put_on_queue("email", &[request.to_string()]).await;
    let (_, reason) = eventually("the dead letter", async || {
        stack.dead_letters("email", &fact.id).await.pop()
    })
    .await;
    assert_eq!((reason.as_str(), fact.offers().await.len()), ("not in the ledger", 0));
}
