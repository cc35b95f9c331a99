//! Functions that callers invoke directly.

use serde_json::{Value, json};

use super::harness::{Stack, eventually, outcomes, results};

fn body(answer: &Value) -> Value {
    serde_json::from_str(answer["body"].as_str().unwrap()).unwrap()
}

pub(super) fn shipped(stack: &Stack, order: &str) -> Value {
    json!({"userId": stack.unique("user"), "notificationType": "order_status_update", "recipientEmail": stack.address("ana"), "recipientPhone": stack.phone(),
           "orderData": {"orderId": order, "status": "SHIPPED"}})
}

#[tokio::test]
async fn a_request_and_response_call_answers_with_the_decision_per_channel() {
    let stack = Stack::connect().await;
    let order = stack.unique("order");
    let answer = stack
        .invoke("notification-orchestrator", &shipped(&stack, &order))
        .await;
    assert_eq!(answer["statusCode"], 200);
    let body = body(&answer);
    assert_eq!(
        body["channels"],
        json!([{"channel": "email", "outcome": "queued"}, {"channel": "sms", "outcome": "queued"}, {"channel": "in_app", "outcome": "queued"}])
    );
    let item = stack.settled(&order).await;
    assert_eq!(
        item["notificationId"].as_s().unwrap(),
        body["notificationId"].as_str().unwrap()
    );
    assert_eq!(
        (outcomes(&item)["email"].as_str(), outcomes(&item)["sms"].as_str()),
        ("sent", "sent")
    );
}

#[tokio::test]
async fn an_asynchronous_call_is_sent_too() {
    let stack = Stack::connect().await;
    let order = stack.unique("order");
    let payload = aws_sdk_lambda::primitives::Blob::new(shipped(&stack, &order).to_string());
    let call = stack
        .lambda
        .invoke()
        .function_name(stack.name("notification-orchestrator"));
    call.invocation_type(aws_sdk_lambda::types::InvocationType::Event)
        .payload(payload)
        .send()
        .await
        .unwrap();
    assert_eq!(outcomes(&stack.settled(&order).await)["email"], "sent");
}

#[tokio::test]
async fn the_email_function_decides_for_email_alone_and_the_topic_may_add_the_sms() {
    let stack = Stack::connect().await;
    let order = stack.unique("order");
    let event = shipped(&stack, &order);
    let answer = stack.invoke("email-notification", &event).await;
    assert_eq!(answer["statusCode"], 200);
    let first = results(&stack.settled(&order).await);
    assert_eq!(first["email"].0, "sent");
    assert_eq!(first["sms"], ("skipped".to_owned(), "not_asked_for".to_owned()));
    stack.publish(&event).await;
    eventually("the SMS", async || {
        (outcomes(&stack.settled(&order).await)["sms"] == "sent").then_some(())
    })
    .await;
    assert_eq!(
        stack.emails_to(event["recipientEmail"].as_str().unwrap()).await.len(),
        1
    );
}

#[tokio::test]
async fn an_event_that_cannot_be_read_answers_400_with_every_field_and_leaves_a_copy() {
    let stack = Stack::connect().await;
    for (function, queue) in [
        ("notification-orchestrator", "notifications"),
        ("email-notification", "email"),
    ] {
        let poison = stack.unique(queue);
        let event = json!({"userId": poison, "notificationType": "order_status_update", "priority": "now", "orderData": {"status": "lost"}});
        let answer = stack.invoke(function, &event).await;
        assert_eq!(answer["statusCode"], 400);
        let body = body(&answer);
        let fields: Vec<&str> = body["fields"]
            .as_array()
            .unwrap()
            .iter()
            .map(|field| field["field"].as_str().unwrap())
            .collect();
        assert_eq!(fields, ["priority", "orderData.status", "orderData.orderId"]);
        let letters = stack.dead_letters(queue, &poison).await;
        assert_eq!(letters.len(), 1, "{function}");
        assert!(letters[0].1.contains("orderData.status"), "{}", letters[0].1);
    }
}

#[tokio::test]
async fn nonsense_gets_an_answer_and_never_an_error() {
    let stack = Stack::connect().await;
    let deep = (0..200).fold(json!(1), |inner, _| json!([inner]));
    for payload in [
        json!([]),
        json!(null),
        json!("text"),
        json!({}),
        json!({"Records": []}),
        json!({"Records": [{"a": 1}]}),
        json!({"userId": deep}),
    ] {
        for function in ["notification-orchestrator", "email-notification"] {
            assert_eq!(
                stack.invoke(function, &payload).await["statusCode"],
                400,
                "{function}: {payload}"
            );
        }
    }
}
