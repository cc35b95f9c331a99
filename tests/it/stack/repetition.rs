//! The same fact again and again: one message per channel.

use serde_json::{Value, json};

use super::harness::{Stack, results};

fn shipped(stack: &Stack, order: &str, email: &str, phone: &str) -> Value {
    json!({"userId": stack.unique("user"), "type": "order_status_update", "recipientEmail": email, "recipientPhone": phone,
           "orderData": {"orderId": order, "status": "shipped", "trackingNumber": "1Z999AA10123456784"}})
}

async fn assert_one_of_each(stack: &Stack, order: &str, email: &str, phone: &str) {
    stack.settled(order).await;
    stack.drained().await;
    assert_eq!(stack.items_about(order).await.len(), 1);
    assert_eq!(
        (stack.emails_to(email).await.len(), stack.texts_to(phone).await.len()),
        (1, 1)
    );
}

#[tokio::test]
async fn five_times_one_after_the_other_with_other_timestamps() {
    let stack = Stack::connect().await;
    let (order, email, phone) = (stack.unique("order"), stack.address("ana"), stack.phone());
    for minute in 0..5 {
        let mut event = shipped(&stack, &order, &email, &phone);
        event["orderData"]["timestamp"] = format!("2026-11-20T10:0{minute}:00Z").into();
        stack.publish(&event).await;
        stack.settled(&order).await;
    }
    assert_one_of_each(&stack, &order, &email, &phone).await;
}

#[tokio::test]
async fn five_times_in_one_batch() {
    let stack = Stack::connect().await;
    let (order, email, phone) = (stack.unique("order"), stack.address("ana"), stack.phone());
    let text = shipped(&stack, &order, &email, &phone).to_string();
    stack.put_on_queue("notifications", &vec![text; 5]).await;
    assert_one_of_each(&stack, &order, &email, &phone).await;
}

#[tokio::test]
async fn five_at_once() {
    let stack = Stack::connect().await;
    let (order, email, phone) = (stack.unique("order"), stack.address("ana"), stack.phone());
    let mut event = shipped(&stack, &order, &email, &phone);
    event["priority"] = "urgent".into();
    tokio::join!(
        stack.publish(&event),
        stack.publish(&event),
        stack.publish(&event),
        stack.publish(&event),
        stack.publish(&event)
    );
    assert_one_of_each(&stack, &order, &email, &phone).await;
}

#[tokio::test]
async fn the_same_key_with_another_content_is_refused_and_buried() {
    let stack = Stack::connect().await;
    let (order, email, key) = (stack.unique("order"), stack.address("ana"), stack.unique("key"));
    let event = |total: &str| {
        json!({"userId": stack.unique("user"), "type": "order_confirmation", "recipientEmail": email, "idempotencyKey": key,
               "orderData": {"orderId": order, "totalAmount": total}})
    };
    stack.publish(&event("10.00")).await;
    stack.settled(&order).await;
    stack.publish(&event("11.00")).await;
    stack.drained().await;
    let letters = stack.dead_letters("notifications", &key).await;
    assert_eq!(letters.len(), 1);
    assert!(letters[0].1.starts_with("idempotencyKey: "), "{}", letters[0].1);
    assert_eq!(stack.emails_to(&email).await.len(), 1);
    assert_eq!(results(&stack.settled(&order).await)["email"].0, "sent");
}
