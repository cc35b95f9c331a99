//! What the functions write: counts for dashboards, sentences for people, nothing about customers.

use serde_json::{Value, json};
use std::path::PathBuf;

use super::harness::{Stack, eventually};

/// The lines that the functions wrote, out of the emulator's log.
pub(super) fn function_lines() -> Vec<Value> {
    let stack = std::env::var("E_COM67_STACK").expect("E_COM67_STACK is not set: run `make test`");
    let log = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../.local")
        .join(stack)
        .join("emulator.log");
    let log = std::fs::read(log).unwrap();
    String::from_utf8_lossy(&log)
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(Value::is_object)
        .collect()
}

#[tokio::test]
async fn no_address_number_name_or_body_is_logged() {
    let stack = Stack::connect().await;
    let (order, email, phone, name) = (
        stack.unique("order"),
        stack.address("canary"),
        stack.phone(),
        stack.unique("Canary Name"),
    );
    let event = json!({"userId": stack.unique("user"), "type": "order_status_update", "recipientEmail": email, "recipientPhone": phone,
        "orderData": {"orderId": order, "customerName": name, "status": "exception", "reason": format!("{name} was out"), "shippingAddress": format!("{name} Street 5")}});
    stack.publish(&event).await;
    let item = stack.settled(&order).await;
    // A refused event, with the same canaries in wrong places.
    stack.publish(&json!({"userId": {"name": name}, "type": name, "recipientEmail": [email], "recipientPhone": phone, "orderData": name})).await;
    stack
        .publish_to("order-notifications", &format!("{{\"broken\": {email}"))
        .await;
    stack.drained().await;
    let id = item["notificationId"].as_s().unwrap().clone();
    let lines = eventually("the log lines of the delivery", async || {
        let lines = function_lines();
        let told = lines
            .iter()
            .filter(|line| line["outcomes"].as_str().is_some_and(|outcomes| outcomes.contains(&id)))
            .count();
        (told >= 3).then_some(lines)
    })
    .await;
    for line in lines {
        let line = line.to_string();
        for canary in [email.as_str(), phone.trim_start_matches('+'), name.as_str()] {
            assert!(!line.contains(canary), "{canary} is in the log: {line}");
        }
    }
}

#[tokio::test]
async fn metrics_are_lines_in_the_embedded_metric_format_without_dimensions() {
    let stack = Stack::connect().await;
    let order = stack.unique("order");
    stack
        .publish(&json!({"userId": stack.unique("user"), "type": "order_status_update", "recipientEmail": stack.address("ana"), "recipientPhone": stack.phone(),
            "orderData": {"orderId": order, "status": "shipped"}}))
        .await;
    stack.settled(&order).await;
    for (function, metric) in [
        ("notification-orchestrator", "NotificationSent"),
        ("notification-orchestrator", "ChannelsUsed"),
        ("email-sender", "EmailNotificationSuccess"),
        ("email-sender", "EmailNotificationLatency"),
        ("sms-sender", "SmsNotificationSuccess"),
        ("in-app-sender", "InAppNotificationSuccess"),
    ] {
        let line = eventually(metric, async || {
            function_lines()
                .into_iter()
                .find(|line| line["function"] == function && !line[metric].is_null())
        })
        .await;
        let declared = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(
            (declared["Namespace"].as_str(), &declared["Dimensions"]),
            (Some("E-Com67"), &json!([[]]))
        );
        let names: Vec<&str> = declared["Metrics"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|metric| metric["Name"].as_str())
            .collect();
        assert!(names.contains(&metric), "{names:?}");
    }
}
