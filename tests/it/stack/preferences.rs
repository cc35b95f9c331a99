//! Customers' choices, written straight into the table.

use serde_json::json;

use super::harness::{Stack, results};

#[tokio::test]
async fn a_half_filled_item_leaves_the_rest_to_the_defaults() {
    let stack = Stack::connect().await;
    let (user, order) = (stack.unique("user"), stack.unique("order"));
    stack.store_preferences(&json!({"userId": user, "preferences": {"email": {"promotional": true}, "sms": {"order_status_update": {"delivered": false}}}, "language": "en"})).await;
    let publish = async |status: &str| {
        let order = format!("{order}-{status}");
        stack
            .publish(&json!({"userId": user, "type": "order_status_update", "recipientEmail": stack.address("ana"), "recipientPhone": stack.phone(),
                             "orderData": {"orderId": order, "status": status}}))
            .await;
        results(&stack.settled(&order).await)
    };
    let shipped = publish("shipped").await;
    assert_eq!(
        (shipped["email"].0.as_str(), shipped["sms"].0.as_str()),
        ("sent", "sent")
    );
    let delivered = publish("delivered").await;
    assert_eq!(delivered["email"].0, "sent");
    assert_eq!(delivered["sms"], ("skipped".to_owned(), "opted_out".to_owned()));
}

#[tokio::test]
async fn opted_out_of_everything_is_a_recorded_reason_and_nothing_else() {
    let stack = Stack::connect().await;
    let (user, order, email) = (stack.unique("user"), stack.unique("order"), stack.address("ana"));
    let nothing = json!({"order_confirmation": false, "order_status_update": false, "promotional": false, "system_maintenance": false});
    stack
        .store_preferences(
            &json!({"userId": user, "preferences": {"email": nothing, "sms": nothing, "in_app": nothing}}),
        )
        .await;
    let before = stack.dead_letter_count().await;
    stack
        .publish(&json!({"userId": user, "type": "order_status_update", "recipientEmail": email, "recipientPhone": stack.phone(),
                         "orderData": {"orderId": order, "status": "shipped"}}))
        .await;
    let results = results(&stack.settled(&order).await);
    assert!(
        results
            .values()
            .all(|(outcome, reason)| outcome == "skipped" && reason == "opted_out"),
        "{results:?}"
    );
    stack.drained().await;
    assert_eq!(stack.dead_letter_count().await, before);
    assert!(stack.emails_to(&email).await.is_empty());
}

#[tokio::test]
async fn the_customers_own_phone_and_language_are_used_when_the_event_names_none() {
    let stack = Stack::connect().await;
    let (user, order, phone) = (stack.unique("user"), stack.unique("order"), stack.phone());
    stack
        .store_preferences(&json!({"userId": user, "phoneNumber": phone, "language": "en"}))
        .await;
    stack.publish(&json!({"userId": user, "type": "order_status_update", "orderData": {"orderId": order, "status": "shipped"}})).await;
    let results = results(&stack.settled(&order).await);
    assert_eq!(results["email"], ("skipped".to_owned(), "no_address".to_owned()));
    assert_eq!(results["sms"].0, "sent");
    assert!(
        stack.texts_to(&phone).await[0].text.contains("on its way"),
        "{:?}",
        stack.texts_to(&phone).await
    );
}
