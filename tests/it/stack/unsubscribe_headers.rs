//! What mail programs read beside the message: where it can be unsubscribed. The emulator keeps no headers; the proxy sees them.

use std::collections::BTreeMap;

use domain::{Channel, NotificationType};
use links::{LinkKeys, Purpose};
use serde_json::{Value, json};

use super::harness::Stack;

/// The headers of the one e-mail about an order.
async fn headers_of(stack: &Stack, order: &str, event: &Value) -> BTreeMap<String, String> {
    stack.publish(event).await;
    stack.settled(order).await;
    let calls = stack.proxy.calls("SendEmail", order).await.unwrap();
    assert_eq!(calls.len(), 1, "{calls:?}");
    let email = calls.into_iter().find_map(|call| call.email);
    email.unwrap().headers
}

/// The keys with which the deployed function signs.
async fn keys(stack: &Stack) -> LinkKeys {
    let function = stack.name("email-notification");
    let configuration = stack
        .lambda
        .get_function_configuration()
        .function_name(function)
        .send()
        .await
        .unwrap();
    let variables = configuration.environment.unwrap().variables.unwrap();
    LinkKeys::read(variables.get("LINK_KEYS").unwrap()).unwrap()
}

fn event(stack: &Stack, kind: &str, order: &str) -> Value {
    json!({
        "userId": stack.unique("user"), "notificationType": kind, "recipientEmail": stack.address("ana"),
        "orderData": {"orderId": order, "status": "SHIPPED", "totalAmount": 10, "items": [{"name": "Mouse"}]},
    })
}

#[tokio::test]
async fn news_of_an_order_says_where_it_is_unsubscribed_by_a_link_that_opens_for_its_reader() {
    let stack = Stack::connect().await;
    let order = stack.unique("order");
    let headers = headers_of(&stack, &order, &event(&stack, "order_status_update", &order)).await;
    assert_eq!(headers["List-Unsubscribe-Post"], "List-Unsubscribe=One-Click");
    let link = headers["List-Unsubscribe"]
        .strip_prefix("<https://pages.example.com/unsubscribe/")
        .and_then(|rest| rest.strip_suffix('>'))
        .unwrap();
    let token = keys(&stack).await.verify(link, jiff::Timestamp::now()).unwrap();
    let purpose = Purpose::Unsubscribe {
        channel: Channel::Email,
        notification_type: NotificationType::OrderStatusUpdate,
    };
    assert_eq!(
        (token.purpose, token.user.as_str()),
        (purpose, stack.unique("user").as_str())
    );
}

#[tokio::test]
async fn what_must_be_sent_and_what_goes_to_a_guest_says_nothing_of_unsubscribing() {
    let stack = Stack::connect().await;
    let (confirmed, shipped) = (stack.unique("confirmed"), stack.unique("shipped"));
    let mut for_guest = event(&stack, "order_status_update", &shipped);
    for_guest.as_object_mut().unwrap().remove("userId");
    for (order, event) in [
        (&confirmed, event(&stack, "order_confirmation", &confirmed)),
        (&shipped, for_guest),
    ] {
        let headers = headers_of(&stack, order, &event).await;
        let names: Vec<&String> = headers.keys().collect();
        assert_eq!(names, ["X-Notification-Id"], "{order}");
    }
}
