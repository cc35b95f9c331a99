//! What callers of the earlier system rely on.

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};

use super::harness::{Stack, eventually, number, outcomes, results, text};

fn confirmation(user: &str, order: &str, email: &str) -> Value {
    json!({
        "userId": user, "notificationType": "order_confirmation", "recipientEmail": email, "language": "en",
        "orderData": {
            "orderId": order, "customerName": "Ana", "totalAmount": 89.99, "currency": "EUR",
            "items": [{"name": "Wireless Mouse", "quantity": 2, "price": 29.99}, {"name": "USB Cable", "quantity": 1, "price": "30.01"}],
        },
    })
}

#[tokio::test]
async fn a_confirmation_without_phone_is_an_email_with_items_and_total() {
    let stack = Stack::connect().await;
    let (order, email) = (stack.unique("order"), stack.address("ana"));
    stack
        .publish(&confirmation(&stack.unique("user"), &order, &email))
        .await;
    let item = stack.settled(&order).await;
    assert_eq!(results(&item)["email"].0, "sent");
    assert_eq!(results(&item)["sms"].0, "skipped");
    let emails = stack.emails_to(&email).await;
    assert_eq!(emails.len(), 1);
    for part in [emails[0].html.as_deref().unwrap(), emails[0].text.as_deref().unwrap()] {
        assert!(
            part.contains("Wireless Mouse") && part.contains("€89.99") && part.contains(&order),
            "{part}"
        );
    }
    assert!(emails[0].subject.contains(&order) && emails[0].from.contains("E-Com67 Platform"));
}

#[tokio::test]
async fn shipped_in_capitals_is_an_email_with_the_carriers_page_and_an_sms() {
    let stack = Stack::connect().await;
    let (order, email, phone) = (stack.unique("order"), stack.address("ana"), stack.phone());
    stack
        .publish(&json!({
            "userId": stack.unique("user"), "notificationType": "order_status_update", "recipientEmail": email, "recipientPhone": phone,
            "orderData": {"orderId": order, "customerName": "Ana", "status": "SHIPPED", "trackingNumber": "1Z999AA10123456784", "carrier": "UPS"},
        }))
        .await;
    let item = stack.settled(&order).await;
    assert_eq!(
        (outcomes(&item)["email"].as_str(), outcomes(&item)["sms"].as_str()),
        ("sent", "sent")
    );
    assert_eq!(
        (
            number(&item, "totalChannels"),
            number(&item, "successfulChannels"),
            number(&item, "failedChannels")
        ),
        (3, 3, 0)
    );
    assert_eq!(text(&item, "status"), "shipped");
    let emails = stack.emails_to(&email).await;
    let html = emails[0].html.as_deref().unwrap();
    assert!(
        html.contains("ups.com/track") && html.contains("1Z999AA10123456784") && html.contains("lang=\"es\""),
        "{html}"
    );
    assert!(emails[0].subject.contains("En camino"), "{}", emails[0].subject);
    let texts = stack.texts_to(&phone).await;
    assert_eq!(texts.len(), 1);
    assert!(
        texts[0].text.contains("en camino") && texts[0].text.contains("1Z999AA10123456784"),
        "{}",
        texts[0].text
    );
}

#[tokio::test]
async fn the_old_guides_sample_number_is_skipped_with_its_reason_and_the_email_goes() {
    let stack = Stack::connect().await;
    let order = stack.unique("order");
    stack
        .publish(&json!({
            "userId": stack.unique("user"), "notificationType": "order_status_update", "recipientEmail": stack.address("ana"),
            "recipientPhone": "+1234567890", "orderData": {"orderId": order, "status": "SHIPPED", "trackingNumber": "1Z999AA10123456784"},
        }))
        .await;
    let results = results(&stack.settled(&order).await);
    assert_eq!(results["email"].0, "sent");
    assert_eq!(results["sms"], ("skipped".to_owned(), "invalid_address".to_owned()));
}

#[tokio::test]
async fn a_customers_records_are_read_through_the_index_newest_first() {
    let stack = Stack::connect().await;
    let user = stack.unique("user");
    for (n, moment) in ["2026-11-18T10:00:00Z", "2026-11-20T10:00:00Z", "2026-11-19T10:00:00Z"]
        .iter()
        .enumerate()
    {
        let order = stack.unique(&format!("order{n}"));
        let mut event = confirmation(&user, &order, &stack.address("ana"));
        event["orderData"]["timestamp"] = (*moment).into();
        stack.publish(&event).await;
        stack.settled(&order).await;
    }
    let output = stack
        .dynamodb
        .query()
        .table_name(stack.ledger())
        .index_name("userId-timestamp-index")
        .key_condition_expression("userId = :user")
        .expression_attribute_values(":user", AttributeValue::S(user))
        .scan_index_forward(false)
        .send()
        .await
        .unwrap();
    let items = output.items();
    let days: Vec<i64> = items.iter().map(|item| number(item, "timestamp") / 86_400).collect();
    assert_eq!(days.len(), 3);
    assert!(days.is_sorted_by(|a, b| a > b), "{days:?}");
    for name in [
        "notificationId",
        "notificationType",
        "channels",
        "results",
        "totalChannels",
        "successfulChannels",
        "failedChannels",
    ] {
        assert!(items[0].contains_key(name), "{name} is not in the index");
    }
}

#[tokio::test]
async fn an_urgent_event_comes_by_both_lanes_and_is_one_email() {
    let stack = Stack::connect().await;
    let (order, email) = (stack.unique("order"), stack.address("ana"));
    stack
        .publish(&confirmation(&stack.unique("user"), &order, &email))
        .await;
    stack.settled(&order).await;
    stack.drained().await;
    assert_eq!(stack.emails_to(&email).await.len(), 1);
}

#[tokio::test]
async fn an_alert_on_the_admin_topic_that_names_nobody_reaches_the_administrator() {
    let stack = Stack::connect().await;
    let (sku, name) = (stack.unique("sku"), stack.unique("Mug"));
    let alert = json!({"type": "low_stock", "idempotencyKey": sku, "product": {"sku": sku, "name": name, "stock": 2}});
    stack.publish_to("admin-notifications", &alert.to_string()).await;
    let item = eventually("the alert in the ledger", async || {
        let output = stack.dynamodb.scan().table_name(stack.ledger()).send().await.unwrap();
        output
            .items()
            .iter()
            .find(|item| text(item, "notificationType") == "low_stock" && outcomes(item)["email"] == "sent")
            .cloned()
    })
    .await;
    assert!(!item.contains_key("userId"));
    let sent = stack.emails_to("admin@example.com").await;
    let told = sent.iter().filter(|email| email.subject.contains(&name));
    assert_eq!(told.count(), 1);
}

#[tokio::test]
async fn a_guest_gets_the_email() {
    let stack = Stack::connect().await;
    let (order, email) = (stack.unique("order"), stack.address("guest"));
    let mut event = confirmation("x", &order, &email);
    event.as_object_mut().unwrap().remove("userId");
    stack.publish(&event).await;
    assert_eq!(outcomes(&stack.settled(&order).await)["email"], "sent");
    assert_eq!(stack.emails_to(&email).await.len(), 1);
}

#[tokio::test]
async fn what_is_scheduled_is_sent_at_its_time_and_not_before() {
    let stack = Stack::connect().await;
    let (order, email) = (stack.unique("order"), stack.address("ana"));
    let then = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(3);
    let mut event = confirmation(&stack.unique("user"), &order, &email);
    event["scheduledFor"] = then.to_string().into();
    stack.publish(&event).await;
    assert_eq!(outcomes(&stack.settled(&order).await)["email"], "sent");
    let calls = stack.proxy.calls("SendEmail", &email).await.unwrap();
    assert_eq!(calls.len(), 1);
    assert!(
        i128::from(calls[0].at_ms) >= i128::from(then.as_millisecond()),
        "{calls:?}"
    );
}

#[tokio::test]
async fn ten_records_with_one_poison_are_nine_emails_and_one_dead_letter() {
    let stack = Stack::connect().await;
    let email = stack.address("ana");
    let mut texts: Vec<String> = (0..9)
        .map(|n| {
            json!({"userId": stack.unique("user"), "type": "order_status_update", "recipientEmail": email,
                   "orderData": {"orderId": stack.unique(&format!("order{n}")), "status": "confirmed"}})
            .to_string()
        })
        .collect();
    let poison = stack.unique("poison");
    texts.insert(
        3,
        json!({"userId": poison, "type": "order_status_update", "orderData": {"status": "lost", "totalAmount": "x"}})
            .to_string(),
    );
    stack.put_on_queue("notifications", &texts).await;
    eventually("nine e-mails", async || {
        (stack.emails_to(&email).await.len() == 9).then_some(())
    })
    .await;
    stack.drained().await;
    let letters = stack.dead_letters("notifications", &poison).await;
    assert_eq!(letters.len(), 1);
    for field in ["orderData.status: ", "orderData.totalAmount: ", "orderData.orderId: "] {
        assert!(letters[0].1.contains(field), "{}", letters[0].1);
    }
    assert_eq!(stack.emails_to(&email).await.len(), 9);
}

#[tokio::test]
async fn an_urgent_poison_comes_by_both_lanes_and_is_one_dead_letter() {
    let stack = Stack::connect().await;
    let poison = stack.unique("poison");
    let before = stack.dead_letter_count().await;
    stack
        .publish(&json!({"userId": poison, "notificationType": "order_confirmation"}))
        .await;
    let found = eventually("the dead letter", async || {
        stack.dead_letters("notifications", &poison).await.pop()
    })
    .await;
    assert!(found.1.contains("orderData.orderId: "), "{}", found.1);
    stack.drained().await;
    assert_eq!(stack.dead_letter_count().await, before + 1);
}

#[tokio::test]
async fn what_is_no_json_reaches_the_dead_letters_through_the_normal_lane() {
    let stack = Stack::connect().await;
    let poison = stack.unique("not json");
    stack.publish_to("order-notifications", &poison).await;
    let found = eventually("the dead letter", async || {
        stack.dead_letters("notifications", &poison).await.pop()
    })
    .await;
    assert!(found.1.starts_with("message: expected JSON"), "{}", found.1);
}
