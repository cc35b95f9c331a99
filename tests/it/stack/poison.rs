//! Records that nobody can work on, next to good ones, and records that are as large as they may be.

use serde_json::{Value, json};

use super::fact::{Fact, outcome};
use super::harness::Stack;

/// The largest message that SNS takes.
const MAX_BYTES: usize = 256 * 1024;

/// An event that is exactly so many bytes long, by a note that the publisher added.
fn padded(fact: &Fact<'_>, bytes: usize) -> String {
    let text = fact.event.to_string();
    let open = text.strip_suffix('}').unwrap();
    let note = |letters: &str| format!(r#"{open},"note":"{letters}"}}"#);
    note(&"x".repeat(bytes - note("").len()))
}

#[tokio::test]
async fn poison_of_every_kind_is_buried_with_its_reason_and_its_good_neighbours_are_sent() {
    let stack = Stack::connect().await;
    let good = [
        Fact::new(&stack, "ana"),
        Fact::new(&stack, "luis").with(&json!({"orderData": {"customerName": "Lu\u{fffe}is\u{ffff}\u{202e}"}})),
    ];
    let mark = stack.unique("poison");
    let event = |order_data: &str| {
        format!(
            r#"{{"userId": "{mark}", "type": "order_confirmation", "recipientEmail": "{mark}@example.com", "orderData": {order_data}}}"#
        )
    };
    let deep = format!(
        r#"{{"orderId": "o", "items": {}{}}}"#,
        "[".repeat(10_000),
        "]".repeat(10_000)
    );
    let poison = [
        format!(r#"{{"userId": "{mark}", "#),
        event(r#"[1, 2]"#),
        event(&deep),
        event(r#"{"orderId": "o", "totalAmount": 1e999999999}"#),
        event(&format!(r#"{{"orderId": "o", "totalAmount": {}}}"#, "9".repeat(5_000))),
        event(r#"{"orderId": {"o": null}, "customerName": 7, "items": "none"}"#),
        format!(r#"{{"userId": "{mark}", "userId": ["{mark}"], "type": null}}"#),
    ];
    let mut texts: Vec<String> = poison.to_vec();
    texts.insert(2, good[0].event.to_string());
    texts.insert(5, escaped(&good[1].event));
    stack.put_on_queue("notifications", &texts).await;
    for fact in &good {
        assert_eq!(outcome(&fact.ended("email").await), ("sent", ""));
    }
    stack.drained().await;
    let letters = stack.dead_letters("notifications", &mark).await;
    let reasons: Vec<&str> = letters.iter().map(|(_, reason)| reason.as_str()).collect();
    assert_eq!(reasons.len(), poison.len(), "{reasons:?}");
    assert!(reasons.iter().all(|reason| reason.contains("expected")), "{reasons:?}");
}

/// JSON in which everything beyond ASCII is escaped: SQS refuses some of it as it is.
fn escaped(event: &Value) -> String {
    let letters = event.to_string();
    let units = letters.chars().map(|letter| match letter {
        letter if letter.is_ascii() => letter.to_string(),
        letter => format!("\\u{:04x}", u32::from(letter)),
    });
    units.collect()
}

#[tokio::test]
async fn an_event_as_large_as_sns_takes_it_is_sent() {
    let stack = Stack::connect().await;
    let fact = Fact::new(&stack, "ana");
    stack.publish_to("order-notifications", &padded(&fact, MAX_BYTES)).await;
    assert_eq!(outcome(&fact.ended("email").await), ("sent", ""));
    assert_eq!(fact.emails().await, 1);
}

#[tokio::test]
async fn an_order_with_as_many_items_as_there_may_be_is_sent() {
    let stack = Stack::connect().await;
    let item = json!({"name": "\u{e9}".repeat(200), "quantity": 1, "price": "1.00"});
    let items = vec![item; 500];
    let fact = Fact::new(&stack, "ana").with(&json!({"type": "order_confirmation", "orderData": {"items": items}}));
    assert!(fact.event.to_string().len() < MAX_BYTES);
    stack.publish_to("order-notifications", &fact.event.to_string()).await;
    assert_eq!(outcome(&fact.ended("email").await), ("sent", ""));
}

#[tokio::test]
async fn an_event_that_is_too_large_is_buried_with_its_reason() {
    let stack = Stack::connect().await;
    let fact = Fact::new(&stack, "ana");
    stack
        .put_on_queue("notifications", &[padded(&fact, MAX_BYTES + 1)])
        .await;
    stack.drained().await;
    let letters = stack.dead_letters("notifications", &fact.user).await;
    assert_eq!(letters.len(), 1);
    assert!(
        letters[0].1.starts_with("message: expected at most 262144 bytes"),
        "{}",
        letters[0].1
    );
    assert!(fact.item().await.is_none());
}
