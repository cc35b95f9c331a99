//! News that were overtaken, and wishes that changed, while a message waited.

use fault_proxy::{Fault, Rule, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::fact::{Fact, outcome};
use super::harness::{Stack, eventually, number};

/// Publishes a fact whose first tries SES refuses, and waits until it was refused once.
async fn publish_refused(fact: &Fact<'_>) {
    let refusal = Fault::answer(StatusCode::CONFLICT, "ConflictException", "try again");
    fact.fault(Rule::on("SendEmail", refusal).times(3)).await;
    fact.publish().await;
    eventually("a refusal to be written down", async || {
        let delivery = fact.delivery("email").await?;
        (outcome(&delivery).0 == "queued" && number(&delivery, "attempt") > 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn news_that_waited_while_newer_ones_came_are_superseded() {
    let stack = Stack::connect().await;
    let shipped = Fact::new(&stack, "ana");
    publish_refused(&shipped).await;
    let delivered = shipped.at_status("delivered");
    delivered.publish().await;
    assert_eq!(outcome(&delivered.ended("email").await).0, "sent");
    assert_eq!(outcome(&shipped.ended("email").await), ("superseded", "superseded"));
    assert_eq!((shipped.emails().await, delivered.emails().await), (0, 1));
    stack.drained().await;
}

#[tokio::test]
async fn news_that_are_published_after_newer_ones_are_superseded() {
    let stack = Stack::connect().await;
    let delivered = Fact::new(&stack, "ana").at_status("delivered");
    delivered.publish().await;
    delivered.until("email", "sent").await;
    let earlier = Timestamp::now() - SignedDuration::from_mins(5);
    let shipped = delivered.with(&json!({"orderData": {"status": "shipped", "timestamp": earlier.to_string()}}));
    shipped.publish().await;
    assert_eq!(outcome(&shipped.ended("email").await), ("superseded", "superseded"));
    assert_eq!(shipped.offers().await.len(), 0);
}

#[tokio::test]
async fn a_customer_who_unsubscribes_while_a_message_waits_does_not_get_it() {
    let stack = Stack::connect().await;
    let fact = Fact::new(&stack, "ana");
    publish_refused(&fact).await;
    stack
        .store_preferences(&json!({"userId": fact.user, "preferences": {"email": {"order_status_update": false}}}))
        .await;
    assert_eq!(outcome(&fact.ended("email").await), ("skipped", "opted_out"));
    stack.drained().await;
    assert_eq!(fact.emails().await, 0);
}

#[tokio::test]
async fn an_address_that_bounces_while_a_message_waits_does_not_get_it() {
    let stack = Stack::connect().await;
    let fact = Fact::new(&stack, "ana");
    publish_refused(&fact).await;
    let bounce = json!({"notificationType": "Bounce", "mail": {"messageId": stack.unique("another")},
        "bounce": {"bounceType": "Permanent", "bounceSubType": "NoEmail", "timestamp": Timestamp::now().to_string(),
            "bouncedRecipients": [{"emailAddress": fact.email}]}});
    stack.put_on_queue("delivery-events", &[bounce.to_string()]).await;
    assert_eq!(outcome(&fact.ended("email").await), ("suppressed", "hard_bounce"));
    stack.drained().await;
    assert_eq!(fact.emails().await, 0);
}
