//! Changes by hand.

use domain::{Effect, OrderStatus as S, OrderType};
use serde_json::json;
use tracking::ports::{OrdersKeep, ParcelsKeep};
use tracking::{ByHand, CannotChange, Entry, Seen, Told, timeline};

use crate::world::{NUMBER, World, expected_on, hour, number, order, parcel, read, told, ups};

fn change(status: S) -> ByHand {
    ByHand {
        order: order("1"),
        parcel: None,
        status,
        reason: "the customer called".to_owned(),
        who: "admin-1".to_owned(),
    }
}

async fn by_hand(world: &World, change: &ByHand) -> Result<Seen, CannotChange> {
    world.desk().change_by_hand(change).await.unwrap()
}

async fn entries(world: &World) -> Vec<Entry> {
    let file = world.store.read_order(&order("1")).await.unwrap();
    timeline(&file, &[world.store.read_parcel(&number(NUMBER)).await.unwrap()])
}

#[tokio::test]
async fn a_change_needs_a_reason_of_1_to_500_characters() {
    let world = World::with_a_parcel().await;
    for reason in ["", " \n\t ", "\u{0}\u{7}", &"x".repeat(501)] {
        let change = ByHand {
            reason: reason.to_owned(),
            ..change(S::Delivered)
        };
        assert_eq!(
            by_hand(&world, &change).await,
            Err(CannotChange::NoReason),
            "{reason:?}"
        );
    }
    let longest = ByHand {
        reason: format!(" {} ", "ñ".repeat(500)),
        ..change(S::Delivered)
    };
    assert!(by_hand(&world, &longest).await.is_ok());
}

#[tokio::test]
async fn what_nobody_knows_is_not_changed() {
    let world = World::with_a_parcel().await;
    let no_order = ByHand {
        order: order("2"),
        ..change(S::Delivered)
    };
    assert_eq!(by_hand(&world, &no_order).await, Err(CannotChange::NoOrder));
    let no_parcel = ByHand {
        parcel: Some(number("ANOTHER1")),
        ..change(S::Delivered)
    };
    assert_eq!(by_hand(&world, &no_parcel).await, Err(CannotChange::NoParcel));
    assert!(!world.order("1").needs_review);
}

#[tokio::test]
async fn what_nobody_carries_is_not_shipped() {
    let world = World::new();
    let event = read(&told(-1, "1", "paid", json!({})).to_string());
    let told = Told::of(&event, OrderType::Digital, hour(0)).unwrap();
    world.desk().take_told(told).await.unwrap();
    let refused = by_hand(&world, &change(S::Shipped)).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "expected one of pending, paid, confirmed, processing, delivered, delayed, exception, cancelled, returned"
    );
    assert!(by_hand(&world, &change(S::Delivered)).await.is_ok());
}

#[tokio::test]
async fn a_change_wins_is_flagged_and_told() {
    let world = World::with_a_parcel().await;
    world.hear_in_time(&[ups(0, "delivered", Some(S::Delivered))]).await;
    world.clock.set(hour(2));
    let seen = by_hand(&world, &change(S::Exception)).await.unwrap();
    assert_eq!(
        (seen.status, seen.news, seen.is_newly_under_review),
        (S::Exception, 1, true)
    );
    assert!(world.order("1").needs_review);
    assert_eq!(world.told(), ["delivered", "exception"]);
    assert!(!world.events()[1].to_string().contains("the customer called"));
}

#[tokio::test]
async fn a_change_of_one_parcel_leaves_the_others_alone() {
    let world = World::with_a_parcel().await;
    world
        .tell(&told(
            -1,
            "1",
            "processing",
            json!({"trackingNumber": "OTHER1", "carrier": "UPS"}),
        ))
        .await;
    let of_one = ByHand {
        parcel: Some(number(NUMBER)),
        ..change(S::Delivered)
    };
    assert_eq!(by_hand(&world, &of_one).await.unwrap().status, S::Processing);
    assert_eq!(world.events()[0]["orderData"]["trackingNumber"], NUMBER);
}

#[tokio::test]
async fn of_an_order_with_two_parcels_a_change_is_told_once() {
    let world = World::with_a_parcel().await;
    world
        .tell(&told(
            -1,
            "1",
            "processing",
            json!({"trackingNumber": "OTHER1", "carrier": "UPS"}),
        ))
        .await;
    // Of one of them a day is known.
    let day = jiff::civil::date(2026, 11, 27);
    world.hear(&[expected_on(ups(-1, "date", None), day)]).await;
    by_hand(&world, &change(S::Cancelled)).await.unwrap();
    assert_eq!(world.told(), ["cancelled"]);
    assert!(world.events()[0]["orderData"].get("trackingNumber").is_none());
}

#[tokio::test]
async fn a_parcel_that_comes_after_the_change_does_not_tell_it_again() {
    let world = World::new();
    world.tell(&told(-1, "1", "processing", json!({}))).await;
    by_hand(&world, &change(S::Delayed)).await.unwrap();
    world.clock.set(hour(1));
    world.tell(&told(-1, "1", "processing", parcel())).await;
    world
        .tell(&told(
            -1,
            "1",
            "processing",
            json!({"trackingNumber": "OTHER1", "carrier": "UPS"}),
        ))
        .await;
    assert_eq!(world.told(), ["delayed"]);
}

#[tokio::test]
async fn what_a_carrier_tells_late_of_before_the_change_is_kept_and_not_applied() {
    let world = World::with_a_parcel().await;
    world.clock.set(hour(5));
    by_hand(&world, &change(S::OutForDelivery)).await.unwrap();
    world.clock.set(hour(6));
    let seen = world.hear(&[ups(4, "exception", Some(S::Exception))]).await;
    assert_eq!((seen[0].status, seen[0].news), (S::OutForDelivery, 0));
    assert_eq!(world.told(), ["out_for_delivery"]);
    assert!(world.order("1").needs_review);
    let entries = entries(&world).await;
    let late = entries.iter().find(|entry| entry.saying.at == hour(4)).unwrap();
    assert_eq!(late.effect, Effect::OverruledByHand);
}

#[tokio::test]
async fn not_even_the_date_of_what_is_overruled_counts() {
    let world = World::with_a_parcel().await;
    world.hear(&[ups(0, "late", Some(S::Delayed))]).await;
    world.clock.set(hour(5));
    by_hand(&world, &change(S::Delayed)).await.unwrap();
    world.clock.set(hour(6));
    let mut late = ups(4, "late-again", Some(S::Delayed));
    late.expected = Some(jiff::civil::date(2026, 11, 25));
    world.hear(&[late]).await;
    assert_eq!(world.told(), ["delayed"]);
}

#[tokio::test]
async fn what_a_carrier_tells_of_after_the_change_is_applied_and_told() {
    let world = World::with_a_parcel().await;
    by_hand(&world, &change(S::Exception)).await.unwrap();
    world.hear_in_time(&[ups(3, "delivered", Some(S::Delivered))]).await;
    assert_eq!(world.told(), ["exception", "delivered"]);
    assert_eq!(entries(&world).await[0].effect, Effect::Applied);
}

#[tokio::test]
async fn a_parcel_that_ended_and_did_not_is_looked_after_again() {
    let world = World::with_a_parcel().await;
    world.hear_in_time(&[ups(0, "delivered", Some(S::Delivered))]).await;
    assert_eq!(world.store.watched(&number(NUMBER)), None);
    world.clock.set(hour(1));
    by_hand(&world, &change(S::Shipped)).await.unwrap();
    assert!(world.store.watched(&number(NUMBER)).is_some());
}
