//! Names that were made to do harm arrive as text.

use serde_json::json;

use super::harness::Stack;

#[tokio::test]
async fn hostile_names_arrive_as_text_and_do_no_harm() {
    let stack = Stack::connect().await;
    let names = [
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("{{7*7}}", "{{7*7}}"),
        ("Ana\r\nBcc: x@example.com", "Ana Bcc: x@example.com"),
        ("🦊 Ana", "🦊 Ana"),
        ("שרה כהן", "שרה כהן"),
    ];
    for (n, (name, shown)) in names.iter().enumerate() {
        let (order, email) = (stack.unique(&format!("order{n}")), stack.address(&format!("ana{n}")));
        stack
            .publish(&json!({"userId": stack.unique("user"), "type": "order_confirmation", "recipientEmail": email, "language": "en",
                "orderData": {"orderId": order, "customerName": name, "items": [{"name": name, "quantity": 1, "price": "1.00"}], "shippingAddress": name}}))
            .await;
        stack.settled(&order).await;
        let emails = stack.emails_to(&email).await;
        assert_eq!(emails.len(), 1, "{name}");
        let (html, text) = (emails[0].html.as_deref().unwrap(), emails[0].text.as_deref().unwrap());
        assert!(text.contains(shown), "{text}");
        assert!(
            !html.contains("<script>alert") && html.replace("&#x2f;", "/").contains(&escaped(shown)),
            "{html}"
        );
        assert!(
            !emails[0].subject.contains(['\r', '\n']) && emails[0].to == [email.clone()],
            "{name}"
        );
    }
    assert!(stack.emails_to("x@example.com").await.is_empty());
}

/// A text as HTML shows it.
fn escaped(text: &str) -> String {
    text.replace('<', "&lt;").replace('>', "&gt;")
}
