//! Every call of the desk fails once, before and after it had its effect; and others write at the same time.

use domain::ports::Unavailable;
use domain::{OrderStatus as S, TrackingEvent};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use testkit::{Fault, HandClock, MemoryTracking, shop_defaults};
use tracking::ports::{Kept, OrdersKeep, Outbox, OutgoingNews, ParcelsKeep, PatrolLog, Watch, WishesKeep};
use tracking::{ByHand, DeliveryWishes, Desk, OrderRecord, Spent, WatchedParcel};

use crate::world::{NUMBER, World, hour, number, order, parcel, told, told_of, ups};

/// What comes to the desk.
enum Input {
    Pipeline(Value),
    Carrier(Vec<TrackingEvent>),
    Hand(ByHand),
}

fn inputs() -> Vec<(i64, Input)> {
    let other = json!({"trackingNumber": "1Z12345E0205271688", "carrier": "UPS"});
    let of_other = |mut event: TrackingEvent| {
        event.number = number("1Z12345E0205271688");
        event
    };
    let mut guest = told(3, "2", "processing", parcel());
    guest["recipientEmail"] = json!("ben@example.com");
    guest.as_object_mut().unwrap().remove("userId");
    vec![
        (0, Input::Carrier(vec![ups(0, "picked-up", Some(S::Shipped))])),
        (1, Input::Pipeline(told(-1, "1", "processing", parcel()))),
        (2, Input::Pipeline(told(2, "1", "shipped", other))),
        (3, Input::Pipeline(guest)),
        (
            5,
            Input::Carrier(vec![
                ups(4, "out", Some(S::OutForDelivery)),
                of_other(ups(5, "damaged", Some(S::Exception))),
            ]),
        ),
        (
            6,
            Input::Hand(ByHand {
                order: order("1"),
                parcel: Some(number("1Z12345E0205271688")),
                status: S::Cancelled,
                reason: "sent anew".to_owned(),
                who: "admin-1".to_owned(),
            }),
        ),
        (
            7,
            Input::Carrier(vec![of_other(ups(5, "on-its-way", Some(S::Shipped)))]),
        ),
        (9, Input::Carrier(vec![ups(8, "delivered", Some(S::Delivered))])),
    ]
}

async fn take(world: &World, heard_at: Timestamp, input: &Input) -> Result<(), Unavailable> {
    let desk = world.desk();
    match input {
        Input::Pipeline(event) => desk.take_told(told_of(event, heard_at)).await.map(|_seen| ()),
        Input::Carrier(events) => desk.take_tracking(events, heard_at).await.map(|_seen| ()),
        Input::Hand(change) => desk.change_by_hand(change).await.map(|changed| {
            changed.unwrap();
        }),
    }
}

/// Everything that is left behind in the end, but for versions and the moments of writing.
#[derive(Debug, PartialEq)]
struct Left {
    orders: Vec<OrderRecord>,
    news: Vec<(String, OutgoingNews)>,
    watched: Vec<Option<WatchedParcel>>,
}

/// Takes every input until it is taken, as a queue does, this long after each failure.
async fn left_behind(fault: Option<(u64, Fault)>, again_after: SignedDuration) -> (Left, u64) {
    let world = World::new();
    if let Some((nth, fault)) = fault {
        world.store.fail_at(nth, fault);
    }
    for (hours, input) in inputs() {
        world.clock.set(hour(hours));
        let heard_at = world.now();
        while take(&world, heard_at, &input).await.is_err() {
            world.clock.advance(again_after);
        }
    }
    let records = ["1", "2"].map(|id| OrderRecord {
        version: 0,
        created_at: hour(0),
        updated_at: hour(0),
        ..world.order(id)
    });
    let news = world.store.news();
    let left = Left {
        orders: records.into(),
        news: news
            .into_iter()
            .map(|(order, news)| (order.to_string(), news))
            .collect(),
        watched: [NUMBER, "1Z12345E0205271688"]
            .map(|text| world.store.watched(&number(text)))
            .into(),
    };
    (left, world.store.calls())
}

#[tokio::test]
async fn whichever_call_fails_in_the_end_all_is_as_if_none_had() {
    let (expected, calls) = left_behind(None, SignedDuration::ZERO).await;
    assert_eq!(expected.orders[0].status(), S::Delivered);
    assert!(calls > 40, "{calls} calls");
    for nth in 1..=calls {
        for fault in [Fault::Fails, Fault::LosesReply] {
            let (left, _) = left_behind(Some((nth, fault)), SignedDuration::ZERO).await;
            assert_eq!(left, expected, "call {nth} {fault:?}");
        }
    }
}

#[tokio::test]
async fn whichever_call_fails_and_is_repeated_later_the_same_is_told_once() {
    let (expected, calls) = left_behind(None, SignedDuration::ZERO).await;
    let statuses = |left: &Left| -> Vec<(String, Value)> {
        let told = left.news.iter();
        told.map(|(order, news)| {
            let event: Value = serde_json::from_str(&news.event).unwrap();
            let data = &event["orderData"];
            (order.clone(), json!([data["status"], data["trackingNumber"]]))
        })
        .collect()
    };
    for nth in 1..=calls {
        for fault in [Fault::Fails, Fault::LosesReply] {
            let (left, _) = left_behind(Some((nth, fault)), SignedDuration::from_secs(61)).await;
            let now = |left: &Left| -> Vec<S> { left.orders.iter().map(OrderRecord::status).collect() };
            assert_eq!(now(&left), now(&expected), "call {nth} {fault:?}");
            assert_eq!(statuses(&left), statuses(&expected), "call {nth} {fault:?}");
        }
    }
}

#[tokio::test]
async fn no_news_are_written_twice() {
    let (left, _) = left_behind(None, SignedDuration::ZERO).await;
    let keys: BTreeSet<(&str, &str)> = left
        .news
        .iter()
        .map(|(order, news)| (order.as_str(), news.key.as_str()))
        .collect();
    assert_eq!(keys.len(), left.news.len());
}

/// Does all of it now.
fn at_once<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}

fn hear_elsewhere(store: &MemoryTracking, now: Timestamp, event: TrackingEvent) {
    let (clock, shop) = (HandClock::at(now), shop_defaults());
    let desk = Desk {
        store,
        clock: &clock,
        zone: &shop.zone,
    };
    at_once(desk.take_tracking(&[event], now)).unwrap();
}

#[tokio::test]
async fn whoever_writes_between_reading_and_writing_loses_nothing_and_neither_do_we() {
    let world = World::with_a_parcel().await;
    world.clock.set(hour(9));
    world.store.before_the_next_write(|store| {
        hear_elsewhere(store, hour(9), ups(8, "delivered", Some(S::Delivered)));
    });
    world.hear(&[ups(4, "out", Some(S::OutForDelivery))]).await;
    let file = world.store.read_parcel(&number(NUMBER)).await.unwrap();
    assert_eq!(file.sayings.len(), 2);
    assert_eq!(world.order("1").status(), S::Delivered);
    assert_eq!(world.told(), ["delivered"]);
}

#[tokio::test]
async fn what_is_registered_while_somebody_else_writes_is_registered() {
    let world = World::with_a_parcel().await;
    world.store.before_the_next_write(|store| {
        hear_elsewhere(store, hour(0), ups(0, "picked-up", Some(S::Shipped)));
    });
    let other = json!({"trackingNumber": "OTHER1", "carrier": "UPS", "customerName": "Ana"});
    world.tell(&told(-1, "1", "processing", other)).await;
    let registration = world.order("1").registration;
    assert_eq!(registration.parcels.len(), 2);
    assert_eq!(registration.order.customer_name.as_deref(), Some("Ana"));
    assert_eq!(world.told(), ["shipped"]);
}

#[tokio::test]
async fn a_reply_that_is_lost_and_repeated_below_us_looks_like_somebody_elses_and_doubles_nothing() {
    let world = World::with_a_parcel().await;
    world.clock.set(hour(9));
    let event = ups(8, "delivered", Some(S::Delivered));
    let same = event.clone();
    world
        .store
        .before_the_next_write(move |store| hear_elsewhere(store, hour(9), same));
    world.hear(&[event]).await;
    assert_eq!(world.told(), ["delivered"]);
}

#[tokio::test]
async fn desks_at_the_same_time_tell_everything_once() {
    let world = World::with_a_parcel().await;
    world.clock.set(hour(9));
    let events = [
        [ups(4, "out", Some(S::OutForDelivery))],
        [ups(2, "picked-up", Some(S::Shipped))],
        [ups(8, "delivered", Some(S::Delivered))],
        [ups(8, "delivered", Some(S::Delivered))],
    ];
    let desk = world.desk();
    let taken = futures_util::future::join_all(events.iter().map(|events| desk.take_tracking(events, hour(9)))).await;
    assert!(taken.iter().all(Result::is_ok));
    assert_eq!(world.order("1").status(), S::Delivered);
    let delivered = world.told().iter().filter(|status| *status == "delivered").count();
    assert_eq!(delivered, 1);
}

#[tokio::test]
async fn a_parcel_that_is_registered_while_its_carrier_tells_of_it_is_not_forgotten() {
    let world = World::new();
    let desk = world.desk();
    let registered = told_of(&told(-1, "1", "processing", parcel()), hour(0));
    let events = [ups(0, "picked-up", Some(S::Shipped))];
    let (told, heard) = tokio::join!(desk.take_told(registered), desk.take_tracking(&events, hour(0)));
    assert!(told.is_ok() && heard.is_ok());
    assert_eq!(world.order("1").status(), S::Shipped);
    assert_eq!(world.told(), ["shipped"]);
}

#[tokio::test]
async fn the_twin_refuses_whoever_read_an_older_version() {
    let world = World::with_a_parcel().await;
    let (store, old) = (&world.store, world.order("1"));
    let new = OrderRecord {
        version: old.version + 1,
        ..old.clone()
    };
    assert_eq!(store.keep(None, &new, &[]).await.unwrap(), Kept::Stale);
    assert_eq!(store.keep(Some(&old), &new, &[]).await.unwrap(), Kept::Done);
    assert_eq!(store.keep(Some(&old), &new, &[]).await.unwrap(), Kept::Stale);
    let wishes = DeliveryWishes::default();
    assert_eq!(store.wish(&old, &wishes).await.unwrap(), Kept::Stale);
    assert_eq!(store.wish(&new, &wishes).await.unwrap(), Kept::Done);
    let (none, one) = (
        Spent::default(),
        Spent {
            version: 1,
            ..Spent::default()
        },
    );
    let carrier = domain::Carrier::Ups;
    assert_eq!(store.spend(carrier, &none, &one).await.unwrap(), Kept::Done);
    assert_eq!(store.spend(carrier, &none, &one).await.unwrap(), Kept::Stale);
}

#[tokio::test]
async fn wishes_stay_whatever_is_told_afterwards() {
    let world = World::with_a_parcel().await;
    let wishes = DeliveryWishes {
        neighbour: Some(true),
        ..DeliveryWishes::default()
    };
    world.store.wish(&world.order("1"), &wishes).await.unwrap();
    world.hear(&[ups(0, "picked-up", Some(S::Shipped))]).await;
    assert_eq!(world.order("1").wishes, Some(wishes));
}

#[tokio::test]
async fn news_wait_until_they_are_published() {
    let world = World::with_a_parcel().await;
    world.hear(&[ups(0, "picked-up", Some(S::Shipped))]).await;
    let waiting = world.store.waiting(hour(1), 10).await.unwrap();
    assert_eq!(waiting, world.store.news());
    assert_eq!(world.store.waiting(hour(0), 10).await.unwrap(), []);
    world.store.published(&order("1"), &waiting[0].1.key).await.unwrap();
    assert_eq!(world.store.waiting(hour(1), 10).await.unwrap(), []);
}

#[tokio::test]
async fn what_was_looked_after_in_the_meantime_is_not_put_off_again() {
    let world = World::with_a_parcel().await;
    let old = world.store.watched(&number(NUMBER)).unwrap();
    let mut next = old.watching.clone();
    next.due_at = Some(hour(2));
    world.store.reschedule(&old, &next).await.unwrap();
    next.due_at = Some(hour(9));
    world.store.reschedule(&old, &next).await.unwrap();
    assert_eq!(
        world.store.watched(&number(NUMBER)).unwrap().watching.due_at,
        Some(hour(2))
    );
}
