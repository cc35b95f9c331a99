//! What the customer hears, and that it is the same fact as if the pipeline had told it.

use domain::{Content, Event, NotificationId, OrderStatus as S, TrackingDetail, TrackingEvent};
use jiff::SignedDuration;
use jiff::civil::date;
use serde_json::{Value, json};

use crate::world::{HOSTILE, NUMBER, World, expected_on, hour, merge, number, parcel, read, told, ups, with_detail};

fn id_of(world: &World, event: &Event) -> NotificationId {
    event.notification_id(&world.shop.zone)
}

/// The carrier is heard first, then the pipeline publishes the same in its own words: one fact, one message.
async fn is_one_fact(registration: Value, carrier: TrackingEvent, pipeline: Value) {
    let world = World::new();
    world.tell(&registration).await;
    world.clock.set(hour(3));
    world.hear(&[carrier]).await;
    let news = world.read_news();
    assert_eq!(news.len(), 1);
    let own = read(&pipeline.to_string());
    assert_eq!(id_of(&world, &news[0]), id_of(&world, &own));
    world.tell(&pipeline).await;
    assert_eq!(
        world.read_news().len(),
        1,
        "what the pipeline tells is told by nobody else"
    );
}

fn as_guest(mut event: Value) -> Value {
    event.as_object_mut().unwrap().remove("userId");
    merge(&mut event, json!({"recipientEmail": "Ben@Example.com"}));
    event
}

#[tokio::test]
async fn shipped_is_one_fact_whoever_tells_it() {
    let spelling = json!({"trackingNumber": "1z 204w 4r03 0807 1865", "carrier": "ups"});
    is_one_fact(
        told(-1, "1", "processing", spelling.clone()),
        ups(2, "picked-up", Some(S::Shipped)),
        told(3, "1", "shipped", spelling),
    )
    .await;
}

#[tokio::test]
async fn delivered_is_one_fact_whoever_tells_it() {
    is_one_fact(
        told(-1, "1", "processing", parcel()),
        ups(2, "delivered", Some(S::Delivered)),
        told(3, "1", "delivered", parcel()),
    )
    .await;
}

#[tokio::test]
async fn out_for_delivery_is_one_fact_on_one_day() {
    is_one_fact(
        told(-1, "1", "processing", parcel()),
        ups(0, "out", Some(S::OutForDelivery)),
        told(3, "1", "out_for_delivery", parcel()),
    )
    .await;
}

#[tokio::test]
async fn delayed_to_one_day_is_one_fact() {
    let mut dated = parcel();
    merge(&mut dated, json!({"estimatedDelivery": "2026-11-25"}));
    is_one_fact(
        told(-1, "1", "processing", parcel()),
        expected_on(ups(2, "late", Some(S::Delayed)), date(2026, 11, 25)),
        told(3, "1", "delayed", dated),
    )
    .await;
}

#[tokio::test]
async fn delayed_to_nobody_knows_when_is_one_fact_even_if_a_day_was_named_before() {
    let mut dated = parcel();
    merge(&mut dated, json!({"estimatedDelivery": "2026-11-21"}));
    is_one_fact(
        told(-1, "1", "processing", dated),
        ups(2, "late", Some(S::Delayed)),
        told(3, "1", "delayed", parcel()),
    )
    .await;
}

#[tokio::test]
async fn for_a_guest_too_it_is_one_fact() {
    is_one_fact(
        as_guest(told(-1, "1", "processing", parcel())),
        ups(2, "picked-up", Some(S::Shipped)),
        as_guest(told(3, "1", "shipped", parcel())),
    )
    .await;
}

#[tokio::test]
async fn nothing_that_the_pipeline_says_makes_news() {
    let world = World::new();
    for (hours, status) in (0..).zip([
        "pending",
        "paid",
        "confirmed",
        "processing",
        "picking",
        "packed",
        "shipped",
        "delayed",
        "exception",
        "out_for_delivery",
        "delivered",
        "returned",
    ]) {
        world.clock.set(hour(hours));
        world.tell(&told(hours, "1", status, parcel())).await;
        assert_eq!(world.order("1").status().name(), status);
    }
    assert_eq!(world.told(), [""; 0]);
}

#[tokio::test]
async fn what_the_pipeline_told_a_carrier_does_not_tell_again() {
    let world = World::with_a_parcel().await;
    world.tell(&told(0, "1", "shipped", parcel())).await;
    world
        .hear_in_time(&[
            ups(1, "picked-up", Some(S::Shipped)),
            ups(2, "sorted", Some(S::Shipped)),
        ])
        .await;
    assert_eq!(world.told(), [""; 0]);
}

#[tokio::test]
async fn what_the_pipeline_told_of_the_whole_order_a_carrier_does_not_tell_again() {
    let world = World::with_a_parcel().await;
    world.tell(&told(0, "1", "shipped", json!({}))).await;
    world.hear_in_time(&[ups(1, "picked-up", Some(S::Shipped))]).await;
    assert_eq!(world.told(), [""; 0]);
}

#[tokio::test]
async fn what_a_carrier_told_before_the_order_was_known_is_told_when_it_is() {
    let world = World::new();
    world.hear(&[ups(-2, "picked-up", Some(S::Shipped))]).await;
    world.clock.advance(SignedDuration::from_hours(24 * 7 - 2));
    world.tell(&told(-1, "1", "processing", parcel())).await;
    assert_eq!(world.told(), ["shipped"]);
}

#[tokio::test]
async fn what_happened_more_than_a_week_ago_is_kept_and_not_told() {
    let world = World::new();
    world.hear(&[ups(-2, "picked-up", Some(S::Shipped))]).await;
    world.clock.advance(SignedDuration::from_hours(24 * 7 - 1));
    world.tell(&told(-1, "1", "processing", parcel())).await;
    assert_eq!(world.told(), [""; 0]);
    assert_eq!(world.order("1").status(), S::Shipped);
}

#[tokio::test]
async fn what_a_carrier_cancels_is_kept_and_not_told() {
    let world = World::with_a_parcel().await;
    world.hear(&[ups(0, "void", Some(S::Cancelled))]).await;
    assert_eq!(world.told(), [""; 0]);
    assert_eq!(world.order("1").status(), S::Cancelled);
}

#[tokio::test]
async fn that_it_can_be_fetched_is_another_fact_than_that_it_was_on_its_way() {
    let world = World::with_a_parcel().await;
    let waits = with_detail(
        ups(4, "in-the-shop", Some(S::OutForDelivery)),
        TrackingDetail::ReadyForPickup,
    );
    world
        .hear_in_time(&[ups(0, "out", Some(S::OutForDelivery)), waits])
        .await;
    let news = world.read_news();
    assert_eq!(news.len(), 2);
    assert_ne!(id_of(&world, &news[0]), id_of(&world, &news[1]));
    assert!(news[1].event_id.as_deref().unwrap().starts_with("ready_for_pickup:"));
}

#[tokio::test]
async fn that_it_still_waits_is_no_news() {
    let world = World::with_a_parcel().await;
    let waits = |hours| {
        let code = format!("waits-{hours}");
        with_detail(
            ups(hours, &code, Some(S::OutForDelivery)),
            TrackingDetail::ReadyForPickup,
        )
    };
    world.hear_in_time(&[waits(0), waits(24), waits(48)]).await;
    world.hear(&[waits(-5)]).await;
    assert_eq!(world.told(), ["out_for_delivery"]);
}

fn attempt(hours: i64) -> TrackingEvent {
    with_detail(ups(hours, "attempt", Some(S::Exception)), TrackingDetail::AttemptFailed)
}

#[tokio::test]
async fn a_second_attempt_on_another_day_is_told_again() {
    let world = World::with_a_parcel().await;
    world.hear_in_time(&[attempt(0), attempt(24)]).await;
    let news = world.read_news();
    assert_eq!(news.len(), 2);
    assert_ne!(id_of(&world, &news[0]), id_of(&world, &news[1]));
    assert_eq!(world.events()[0]["orderData"]["reason"], "recipient_absent");
    assert_eq!(world.order("1").parcels[0].standing.failed_attempts, 2);
}

#[tokio::test]
async fn a_second_attempt_on_the_same_day_is_not() {
    let world = World::with_a_parcel().await;
    world.hear_in_time(&[attempt(0), attempt(4)]).await;
    assert_eq!(world.told(), ["exception"]);
}

#[tokio::test]
async fn a_delay_is_told_again_only_with_another_day() {
    let world = World::with_a_parcel().await;
    let late = |hours, day| expected_on(ups(hours, "late", Some(S::Delayed)), date(2026, 11, day));
    world
        .hear_in_time(&[late(0, 23), late(5, 23), ups(6, "late", Some(S::Delayed)), late(10, 25)])
        .await;
    let days: Vec<Value> = world
        .events()
        .iter()
        .map(|event| event["orderData"]["estimatedDelivery"].clone())
        .collect();
    assert_eq!(days, ["2026-11-23", "2026-11-25"]);
}

#[tokio::test]
async fn another_day_is_told_even_if_it_has_been_late_for_long() {
    let world = World::with_a_parcel().await;
    let late = |hours, day| expected_on(ups(hours, "late", Some(S::Delayed)), date(2026, 11, day));
    world.hear_in_time(&[late(0, 23), late(24 * 9, 30)]).await;
    assert_eq!(world.told(), ["delayed", "delayed"]);
}

#[tokio::test]
async fn another_day_than_the_pipeline_named_is_told() {
    for status in [None, Some(S::Delayed)] {
        let world = World::with_a_parcel().await;
        let mut dated = parcel();
        merge(&mut dated, json!({"estimatedDelivery": "2026-11-23"}));
        world.tell(&told(0, "1", "delayed", dated)).await;
        world
            .hear_in_time(&[expected_on(ups(2, "new-day", status), date(2026, 11, 25))])
            .await;
        assert_eq!(world.told(), ["delayed"]);
    }
}

#[tokio::test]
async fn a_day_of_long_before_it_was_late_is_no_news() {
    let world = World::with_a_parcel().await;
    world.hear_in_time(&[ups(5, "late", Some(S::Delayed))]).await;
    world
        .hear(&[expected_on(ups(1, "sorted", Some(S::Shipped)), date(2026, 11, 21))])
        .await;
    assert_eq!(world.told(), ["delayed"]);
}

#[tokio::test]
async fn of_a_day_that_no_calendar_of_ours_has_all_else_is_told() {
    let world = World::with_a_parcel().await;
    world
        .hear(&[expected_on(ups(0, "late", Some(S::Delayed)), date(9999, 12, 31))])
        .await;
    let Content::OrderStatus(update) = &world.read_news()[0].content else {
        panic!()
    };
    assert_eq!(update.estimated_delivery, None);
}

#[tokio::test]
async fn what_the_customer_told_the_shop_is_in_every_message() {
    let world = World::new();
    let mut event = told(-1, "1", "processing", parcel());
    merge(
        &mut event,
        json!({"recipientEmail": "ana@example.com", "recipientPhone": "+34600123456", "language": "ro"}),
    );
    merge(
        &mut event["orderData"],
        json!({
            "customerName": "Ana",
            "items": [{"name": "Té", "quantity": "2", "price": "3.50"}, {"name": "Taza", "quantity": 1}],
            "totalAmount": "7.00",
            "currency": "RON",
            "shippingAddress": ["Calle Mayor 1", "28013 Madrid"],
            "parcelItems": [{"name": "Té", "quantity": "2", "price": "3.50"}],
            "parcelNumber": 1,
            "parcelCount": 2,
        }),
    );
    world.tell(&event).await;
    world.hear(&[ups(0, "picked-up", Some(S::Shipped))]).await;
    let (own, news) = (read(&event.to_string()), &world.read_news()[0]);
    assert_eq!(news.recipient, own.recipient);
    assert_eq!(news.language, own.language);
    let (Content::OrderStatus(own), Content::OrderStatus(news)) = (&own.content, &news.content) else {
        panic!()
    };
    assert_eq!(news.parcel, own.parcel);
    assert_eq!((news.status, &news.order.items), (S::Shipped, &own.order.items));
    assert_eq!(news.order.customer_name, own.order.customer_name);
    assert_eq!(news.order.total, own.order.total);
    assert_eq!(news.order.shipping_address, own.order.shipping_address);
}

#[tokio::test]
async fn prices_keep_their_currency_without_a_total() {
    let world = World::new();
    let mut event = told(-1, "1", "processing", parcel());
    merge(
        &mut event["orderData"],
        json!({"items": [{"name": "Tea", "quantity": 1, "price": "3.50"}], "currency": "GBP"}),
    );
    world.tell(&event).await;
    world.hear(&[ups(0, "picked-up", Some(S::Shipped))]).await;
    let Content::OrderStatus(update) = &world.read_news()[0].content else {
        panic!()
    };
    assert_eq!(update.order.items[0].price.as_ref().unwrap().currency.code(), "GBP");
}

#[tokio::test]
async fn parcels_that_contradict_each_other_silence_nobody() {
    let world = World::with_a_parcel().await;
    let place = json!({"trackingNumber": NUMBER, "carrier": "UPS", "parcelNumber": 3, "parcelCount": 3});
    world.tell(&told(0, "1", "packed", place)).await;
    let count = json!({"trackingNumber": NUMBER, "parcelCount": 2});
    world.tell(&told(0, "1", "packed", count)).await;
    world.hear(&[ups(0, "picked-up", Some(S::Shipped))]).await;
    let Content::OrderStatus(update) = &world.read_news()[0].content else {
        panic!()
    };
    let parcel = update.parcel.as_ref().unwrap();
    assert_eq!((parcel.number, parcel.count), (Some(3), None));
}

#[tokio::test]
async fn too_much_for_one_event_is_told_without_its_items() {
    let world = World::with_a_parcel().await;
    let items: Vec<Value> = (0..250)
        .map(|nth| json!({"name": format!("{nth}{}", "x".repeat(900)), "quantity": 1}))
        .collect();
    let mut event = told(0, "1", "packed", parcel());
    merge(&mut event["orderData"], json!({"items": items.clone()}));
    world.tell(&event).await;
    let mut event = told(0, "1", "packed", parcel());
    merge(&mut event["orderData"], json!({"parcelItems": items}));
    world.tell(&event).await;
    world.hear(&[ups(0, "picked-up", Some(S::Shipped))]).await;
    let Content::OrderStatus(update) = &world.read_news()[0].content else {
        panic!()
    };
    assert_eq!(
        (update.order.items.len(), update.parcel.as_ref().unwrap().items.len()),
        (0, 250)
    );
}

#[tokio::test]
async fn what_was_typed_to_do_harm_stays_a_text() {
    for hostile in HOSTILE {
        let world = World::new();
        let mut event = told(-1, "1", "processing", parcel());
        merge(
            &mut event["orderData"],
            json!({
                "customerName": hostile,
                "items": [{"name": hostile, "quantity": 1}],
                "shippingAddress": [hostile, hostile],
                "parcelItems": [{"name": hostile, "quantity": 1}],
            }),
        );
        world.tell(&event).await;
        world.hear(&[ups(0, "picked-up", Some(S::Shipped))]).await;
        let (own, news) = (read(&event.to_string()), &world.read_news()[0]);
        let (Content::OrderStatus(own), Content::OrderStatus(news)) = (&own.content, &news.content) else {
            panic!()
        };
        assert_eq!(news.order.customer_name, own.order.customer_name);
        assert_eq!(news.order.items, own.order.items);
        assert_eq!(news.order.id.as_str(), "1");
        assert_eq!(news.parcel, own.parcel);
        let mut fields: Vec<String> = world.events()[0].as_object().unwrap().keys().cloned().collect();
        fields.sort();
        assert_eq!(fields, ["notificationType", "orderData", "timestamp", "userId"]);
    }
}

#[tokio::test]
async fn two_parcels_are_two_facts() {
    let world = World::with_a_parcel().await;
    let other = json!({"trackingNumber": "OTHER1", "carrier": "UPS"});
    world.tell(&told(-1, "1", "processing", other)).await;
    let mut of_other = ups(0, "picked-up", Some(S::Shipped));
    of_other.number = number("OTHER1");
    world.hear(&[ups(0, "picked-up", Some(S::Shipped)), of_other]).await;
    let news = world.read_news();
    assert_eq!(news.len(), 2);
    assert_ne!(id_of(&world, &news[0]), id_of(&world, &news[1]));
}

#[tokio::test]
async fn what_another_carrier_says_of_the_number_is_kept_and_not_told() {
    let world = World::with_a_parcel().await;
    let mut event = ups(0, "delivered", Some(S::Delivered));
    event.carrier = domain::Carrier::Dhl;
    world.hear(&[event]).await;
    assert_eq!(world.told(), [""; 0]);
    assert!(world.order("1").needs_review);
}
