//! What is looked at again before a message goes out: suppression, and whether it is still true.

use domain::{Channel, Contact, OrderStatus, State, Strike, Suppression, SuppressionPolicy, SuppressionReason};
use jiff::SignedDuration;
use testkit::{ScriptedCourier, at, confirmation, shipped};

use super::{House, NOW, text_of};
use crate::SendVerdict;

fn hold(house: &House, channel: Channel, address: &str, reason: SuppressionReason) {
    let strike = Strike {
        reason,
        at: at(NOW - 60),
        source: "m-0".to_owned(),
    };
    let suppression = Suppression::default()
        .after(&strike, &SuppressionPolicy::default())
        .unwrap();
    house
        .customers
        .suppressions
        .borrow_mut()
        .insert(Contact::of(channel, address), suppression);
}

/// News of an order, as its publisher writes them.
fn news(status: OrderStatus, tracking: Option<&str>, seconds: i64) -> String {
    serde_json::json!({
        "userId": "ana", "recipientEmail": "ana@example.com", "notificationType": "order_status_update", "channels": ["email"],
        "orderData": {"orderId": "1", "status": status.name(), "trackingNumber": tracking, "timestamp": at(NOW + seconds).to_string()},
    })
    .to_string()
}

#[tokio::test]
async fn a_suppressed_address_gets_nothing_whatever_the_type() {
    let house = House::new();
    hold(&house, Channel::Email, "ana@example.com", SuppressionReason::HardBounce);
    house.take(&[&text_of(&confirmation("ana", "1", at(NOW)))]).await;
    let email = house.ledger.all()[0].deliveries[&Channel::Email].clone();
    assert_eq!(
        (email.state, email.reason.as_deref()),
        (State::Suppressed, Some("hard_bounce"))
    );
    assert!(house.queues.requests.borrow().is_empty());
}

#[tokio::test]
async fn an_address_that_only_the_preferences_know_is_looked_up_too() {
    let house = House::new();
    let preferences = domain::Preferences {
        email: Some("Ana@Home.example.com".to_owned()),
        ..domain::Preferences::default()
    };
    let user = domain::UserId::try_from("ana").unwrap();
    house.customers.stored.borrow_mut().insert(user, preferences);
    hold(
        &house,
        Channel::Email,
        "ana@home.example.com",
        SuppressionReason::Complaint,
    );
    let event = r#"{"userId":"ana","type":"order_confirmation","orderData":{"orderId":"1"}}"#;
    house.take(&[event]).await;
    assert_eq!(
        house.ledger.all()[0].deliveries[&Channel::Email].reason.as_deref(),
        Some("complaint")
    );
}

#[tokio::test]
async fn an_address_that_bounced_meanwhile_gets_nothing() {
    let house = House::new();
    let request = house.queued(&confirmation("ana", "1", at(NOW))).await;
    hold(&house, Channel::Email, "ana@example.com", SuppressionReason::HardBounce);
    let courier = ScriptedCourier::new(Channel::Email, []);
    let report = house.send("a", &courier, std::slice::from_ref(&request)).await;
    assert_eq!(
        report.verdicts[0],
        SendVerdict::Done(request.id, State::Suppressed, Some("hard_bounce".to_owned()))
    );
    assert_eq!(
        (
            report.counts.suppressed,
            report.counts.failed,
            courier.offered.borrow().len()
        ),
        (1, 0, 0)
    );
}

#[tokio::test]
async fn news_that_waited_while_newer_came_end_as_superseded() {
    let house = House::new();
    house.take(&[&news(OrderStatus::Shipped, None, 0)]).await;
    let late = house.queues.requests.borrow()[0].clone();
    house.clock.advance(SignedDuration::from_secs(120));
    house.take(&[&news(OrderStatus::Delivered, None, 100)]).await;
    let newer = house.queues.requests.borrow()[1].clone();
    let courier = ScriptedCourier::new(Channel::Email, []);
    let report = house.send("a", &courier, &[late.clone(), newer.clone()]).await;
    assert_eq!(
        report.verdicts[0],
        SendVerdict::Done(late.id, State::Superseded, Some("superseded".to_owned()))
    );
    assert_eq!(*courier.offered.borrow(), [newer.id]);
    assert_eq!((report.counts.superseded, report.counts.failed), (1, 0));
}

#[tokio::test]
async fn news_of_another_parcel_supersede_nothing() {
    let house = House::new();
    house.take(&[&news(OrderStatus::Shipped, Some("A"), 0)]).await;
    let late = house.queues.requests.borrow()[0].clone();
    house.clock.advance(SignedDuration::from_secs(120));
    house.take(&[&news(OrderStatus::Delivered, Some("B"), 100)]).await;
    let courier = ScriptedCourier::new(Channel::Email, []);
    house.send("a", &courier, std::slice::from_ref(&late)).await;
    assert_eq!(*courier.offered.borrow(), [late.id]);
}

#[tokio::test]
async fn a_publisher_that_is_late_does_not_turn_time_back() {
    let house = House::new();
    house.take(&[&news(OrderStatus::Delivered, None, 0)]).await;
    let delivered = house.queues.requests.borrow()[0].clone();
    house.clock.advance(SignedDuration::from_secs(120));
    house.take(&[&news(OrderStatus::Confirmed, None, 100)]).await;
    let courier = ScriptedCourier::new(Channel::Email, []);
    house.send("a", &courier, std::slice::from_ref(&delivered)).await;
    assert_eq!(*courier.offered.borrow(), [delivered.id]);
}

#[tokio::test]
async fn fresh_news_are_not_asked_about() {
    let house = House::new();
    house.take(&[&news(OrderStatus::Shipped, None, 0)]).await;
    let request = house.queues.requests.borrow()[0].clone();
    assert!(!request.may_be_overtaken(&house.email(&request), at(NOW + 1)));
    assert!(request.may_be_overtaken(&house.email(&request), at(NOW + 61)));
}

#[tokio::test]
async fn without_an_answer_about_the_order_nothing_goes_out_and_nothing_is_lost() {
    let house = House::new();
    let request = house.queued(&shipped("ana", "1", at(NOW))).await;
    house.clock.advance(SignedDuration::from_secs(120));
    let courier = ScriptedCourier::new(Channel::Email, []);
    house.customers.is_out_of_reach.set(true);
    let report = house.send("a", &courier, std::slice::from_ref(&request)).await;
    assert!(matches!(report.verdicts[0], SendVerdict::Again(..)));
    assert_eq!(
        (house.email(&request).state, house.email(&request).failures),
        (State::Queued, 0)
    );
}
