//! Quiet hours: what waits, what goes at once, and that whatever waits arrives once.

use domain::ports::{Clock as _, WakeAll as _};
use domain::{
    Campaign, Channel, Content, Delivery, DeliveryRequest, Event, LONGEST_DELAY, Night, NotificationType, OrderStatus,
    Preferences, Priority, QuietHours, State, StatusChoice, StatusUpdate, UserId, Zone, rings,
};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use testkit::{MemoryQueues, ScriptedCourier, at, confirmation, order, shipped, shop_defaults};

use super::{House, NOW, text_of};
use crate::{Release, Released, SendVerdict};

/// 2026-11-20T23:30 in Madrid.
const NIGHT: &str = "2026-11-20T22:30:00Z";
/// 2026-11-21T08:00 there.
const MORNING: &str = "2026-11-21T07:00:00Z";

fn moment(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn usual() -> Preferences {
    Preferences {
        quiet_hours: Some(QuietHours::USUAL),
        ..Preferences::default()
    }
}

impl House {
    /// A house at night, with one customer who keeps quiet hours.
    fn at_night() -> Self {
        let house = Self::new();
        house.clock.set(moment(NIGHT));
        house.store("ana", usual());
        house
    }

    fn store(&self, user: &str, preferences: Preferences) {
        let user = UserId::try_from(user).unwrap();
        self.customers.stored.borrow_mut().insert(user, preferences);
    }

    async fn release(&self) -> Released {
        let release = Release {
            room: &self.room,
            queues: &self.queues,
            dead_letters: &self.dead_letters,
            clock: &self.clock,
            deadline: self.clock.now() + SignedDuration::from_secs(60),
        };
        release.release().await
    }

    fn sms(&self, request: &DeliveryRequest) -> Delivery {
        self.ledger.delivery(request.id, Channel::Sms).unwrap()
    }

    /// All requests that have been queued for text messages since the last time.
    fn queued_sms(&self) -> Vec<DeliveryRequest> {
        let requests = self.queues.requests.take();
        self.queues.delays.take();
        requests
            .into_iter()
            .filter(|request| request.channel == Channel::Sms)
            .collect()
    }

    /// Waits until the morning, and gives what the room gives then.
    async fn morning(&self) -> Vec<DeliveryRequest> {
        self.clock.set(moment(MORNING));
        self.release().await;
        self.queued_sms()
    }
}

fn sms_courier() -> ScriptedCourier {
    ScriptedCourier::new(Channel::Sms, [])
}

/// News of an order as its publisher writes them, by text message alone.
fn news(status: OrderStatus, seconds: i64) -> String {
    serde_json::json!({
        "userId": "ana", "recipientPhone": "+34600123456", "notificationType": "order_status_update", "channels": ["sms"],
        "orderData": {"orderId": "1", "status": status.name(), "timestamp": (moment(NIGHT) + SignedDuration::from_secs(seconds)).to_string()},
    })
    .to_string()
}

#[tokio::test]
async fn at_night_a_text_message_waits_in_the_room_and_an_e_mail_goes_at_once() {
    let house = House::at_night();
    let report = house.take(&[&text_of(&shipped("ana", "1", moment(NIGHT)))]).await;
    let waiting = house.room.requests();
    assert_eq!(waiting.len(), 1);
    assert_eq!(
        (waiting[0].channel, waiting[0].not_before),
        (Channel::Sms, Some(moment(MORNING)))
    );
    let sms = house.sms(&waiting[0]);
    assert_eq!(
        (sms.state, sms.claimable_at, sms.reason.as_deref()),
        (State::Deferred, Some(moment(MORNING)), Some("quiet_hours"))
    );
    assert_eq!(house.queues.requests.borrow()[0].channel, Channel::Email);
    assert_eq!(house.queues.requests.borrow().len(), 1);
    assert_eq!(report.counts.channels, 2);
}

#[tokio::test]
async fn what_was_deferred_goes_out_once_in_the_morning() {
    let house = House::at_night();
    house.take(&[&news(OrderStatus::Shipped, 0)]).await;
    house.clock.set(moment(MORNING) - SignedDuration::from_secs(121));
    assert_eq!(house.release().await, Released::default());
    house.clock.set(moment(MORNING) - SignedDuration::from_secs(119));
    assert_eq!(house.release().await.released, 1);
    assert_eq!(*house.queues.delays.borrow(), [SignedDuration::from_secs(119)]);
    assert!(house.room.requests().is_empty());
    house.clock.set(moment(MORNING));
    let request = house.queued_sms().remove(0);
    let courier = sms_courier();
    let report = house.send("a", &courier, &[request.clone(), request.clone()]).await;
    assert_eq!((report.counts.accepted, courier.offered.borrow().len()), (1, 1));
    let told: Vec<_> = house
        .sms(&request)
        .trail
        .iter()
        .map(|past| past.reason.clone())
        .collect();
    assert_eq!(told, [Some("quiet_hours".to_owned())]);
}

#[tokio::test]
async fn what_is_marked_urgent_goes_at_once_and_what_merely_must_be_sent_does_not() {
    let house = House::at_night();
    let event = |order: &str, priority: &str| {
        serde_json::json!({
            "userId": "ana", "recipientPhone": "+34600123456", "notificationType": "payment_failed", "priority": priority,
            "channels": ["sms"], "orderData": {"orderId": order},
        })
        .to_string()
    };
    house.take(&[&event("1", "urgent"), &event("2", "high")]).await;
    let urgent = house.queues.requests.borrow()[0].clone();
    assert_eq!(
        (urgent.content.order().unwrap().id.as_str(), urgent.not_before),
        ("1", None)
    );
    assert_eq!(house.room.requests()[0].content.order().unwrap().id.as_str(), "2");
    assert!(house.room.requests()[0].is_urgent, "it keeps its lane");
    let courier = sms_courier();
    assert_eq!(house.send("a", &courier, &[urgent]).await.counts.accepted, 1);
}

#[tokio::test]
async fn the_shops_hours_and_zone_hold_for_guests_and_for_customers_who_chose_none() {
    let mut house = House::new();
    house.reading.shop.quiet_hours = QuietHours::USUAL;
    house.clock.set(moment(NIGHT));
    let guest = r#"{"recipientPhone":"+34600123456","notificationType":"payment_failed","orderId":"1"}"#;
    house.take(&[guest, &news(OrderStatus::Shipped, 0)]).await;
    let waiting: Vec<_> = house.room.requests().iter().map(|request| request.not_before).collect();
    assert_eq!(waiting, [Some(moment(MORNING)); 2]);
}

#[tokio::test]
async fn the_night_is_that_of_the_customers_own_zone() {
    let house = House::at_night();
    let zone = Zone::try_from("America/New_York").unwrap();
    house.store(
        "ana",
        Preferences {
            zone: Some(zone),
            ..usual()
        },
    );
    house.take(&[&news(OrderStatus::Shipped, 0)]).await;
    assert!(house.room.requests().is_empty());
    house.clock.set(moment("2026-11-21T03:00:00Z"));
    house.take(&[&news(OrderStatus::Delivered, 60)]).await;
    assert_eq!(
        house.room.requests()[0].not_before,
        Some(moment("2026-11-21T13:00:00Z"))
    );
}

#[tokio::test]
async fn what_is_scheduled_into_the_night_waits_for_its_end_and_by_e_mail_for_its_moment() {
    let house = House::at_night();
    let event = r#"{"userId":"ana","recipientEmail":"ana@example.com","recipientPhone":"+34600123456","type":"payment_failed","orderId":"1",
        "channels":["email","sms"],"scheduledFor":"2026-11-21T02:00:00Z"}"#;
    house.take(&[event]).await;
    let waiting = house.room.requests();
    let until: Vec<_> = waiting
        .iter()
        .map(|request| (request.channel, request.not_before.unwrap()))
        .collect();
    assert_eq!(
        until,
        [
            (Channel::Email, moment("2026-11-21T02:00:00Z")),
            (Channel::Sms, moment(MORNING))
        ]
    );
    let reasons = waiting
        .iter()
        .map(|request| house.ledger.delivery(request.id, request.channel).unwrap().reason);
    assert_eq!(reasons.collect::<Vec<_>>(), [None, Some("quiet_hours".to_owned())]);
}

#[tokio::test]
async fn a_wait_of_a_quarter_of_an_hour_is_left_to_the_queue() {
    let house = House::at_night();
    house.clock.set(moment(MORNING) - LONGEST_DELAY);
    house.take(&[&news(OrderStatus::Shipped, 0)]).await;
    assert_eq!(*house.queues.delays.borrow(), [LONGEST_DELAY]);
    assert!(house.room.requests().is_empty());
}

#[tokio::test]
async fn an_event_whose_delivery_found_no_place_comes_again_and_finds_it() {
    let house = House::at_night();
    house.room.failing.set(1);
    let event = news(OrderStatus::Shipped, 0);
    let report = house.take(&[&event]).await;
    assert_eq!((report.counts.retried, house.room.requests().len()), (1, 0));
    house.clock.advance(SignedDuration::from_secs(30));
    house.take_by(crate::Lane::Normal, "another", &[&event]).await;
    assert_eq!(house.room.requests().len(), 1);
    // A lost reply: the same place is taken again.
    house.take_by(crate::Lane::Normal, "a third", &[&event]).await;
    assert_eq!(house.room.requests().len(), 1);
}

#[tokio::test]
async fn what_comes_to_a_sender_at_night_goes_back_to_wait_and_uses_up_no_try() {
    let house = House::new();
    house.take(&[&text_of(&shipped("ana", "1", at(NOW)))]).await;
    let request = house.queued_sms().remove(0);
    // Held by the account's trouble until the night, say.
    house.store("ana", usual());
    house.clock.set(moment(NIGHT));
    let courier = sms_courier();
    let report = house.send("a", &courier, std::slice::from_ref(&request)).await;
    assert_eq!(
        report.verdicts[0],
        SendVerdict::Done(request.id, State::Deferred, Some("quiet_hours".to_owned()))
    );
    assert_eq!((report.counts.deferred, courier.offered.borrow().len()), (1, 0));
    let sms = house.sms(&request);
    assert_eq!((sms.claimable_at, sms.failures), (Some(moment(MORNING)), 0));
    let released = house.morning().await;
    assert_eq!(house.send("b", &courier, &released).await.counts.accepted, 1);
}

#[tokio::test]
async fn what_could_still_be_on_its_way_when_quiet_hours_begin_waits_as_well() {
    let house = House::new();
    house.store("ana", usual());
    let begin = moment("2026-11-20T21:00:00Z");
    house.clock.set(begin - SignedDuration::from_secs(29));
    house.take(&[&news(OrderStatus::Shipped, 0)]).await;
    let request = house.queued_sms().remove(0);
    let courier = sms_courier();
    let report = house.send("a", &courier, std::slice::from_ref(&request)).await;
    assert_eq!((report.counts.deferred, courier.offered.borrow().len()), (1, 0));
}

#[tokio::test]
async fn a_sender_whose_room_is_out_of_reach_keeps_the_message_and_sends_nothing() {
    let house = House::new();
    house.take(&[&text_of(&shipped("ana", "1", at(NOW)))]).await;
    let request = house.queued_sms().remove(0);
    house.store("ana", usual());
    house.clock.set(moment(NIGHT));
    house.room.failing.set(1);
    let courier = sms_courier();
    let report = house.send("a", &courier, std::slice::from_ref(&request)).await;
    assert!(matches!(report.verdicts[0], SendVerdict::Again(..)), "{report:?}");
    assert_eq!(
        (house.sms(&request).state, house.sms(&request).failures),
        (State::Queued, 0)
    );
    house.clock.advance(SignedDuration::from_mins(20));
    house.send("b", &courier, std::slice::from_ref(&request)).await;
    assert_eq!((house.room.requests().len(), courier.offered.borrow().len()), (1, 0));
}

#[tokio::test]
async fn a_short_wait_stays_with_the_queue() {
    let house = House::new();
    house.take(&[&text_of(&shipped("ana", "1", at(NOW)))]).await;
    let request = house.queued_sms().remove(0);
    house.store("ana", usual());
    house.clock.set(moment(MORNING) - SignedDuration::from_mins(5));
    let report = house.send("a", &sms_courier(), std::slice::from_ref(&request)).await;
    assert_eq!(
        report.verdicts[0],
        SendVerdict::Again(request.id, moment(MORNING), "quiet_hours".to_owned())
    );
    assert!(house.room.requests().is_empty());
}

#[tokio::test]
async fn quiet_hours_that_were_given_up_hold_nothing_any_more() {
    let house = House::at_night();
    house.take(&[&news(OrderStatus::Shipped, 0)]).await;
    let ana = UserId::try_from("ana").unwrap();
    house.store(
        "ana",
        Preferences {
            quiet_hours: Some(QuietHours::NONE),
            ..Preferences::default()
        },
    );
    assert_eq!(house.room.wake_all_of(&ana, house.clock.now()).await.unwrap(), 1);
    assert_eq!(house.release().await.released, 1);
    assert_eq!(*house.queues.delays.borrow(), [SignedDuration::ZERO]);
    let requests = house.queued_sms();
    let courier = sms_courier();
    assert_eq!(house.send("a", &courier, &requests).await.counts.accepted, 1);
}

#[tokio::test]
async fn what_is_woken_in_vain_waits_on_and_for_another_moment_if_the_hours_changed() {
    let house = House::at_night();
    house.take(&[&news(OrderStatus::Shipped, 0)]).await;
    let ana = UserId::try_from("ana").unwrap();
    let courier = sms_courier();
    for (end, expected) in [
        ("08:00", MORNING),
        ("07:00", "2026-11-21T06:00:00Z"),
        ("09:30", "2026-11-21T08:30:00Z"),
    ] {
        let hours = QuietHours::between("22:00", end).unwrap();
        house.store(
            "ana",
            Preferences {
                quiet_hours: Some(hours),
                ..Preferences::default()
            },
        );
        house.room.wake_all_of(&ana, house.clock.now()).await.unwrap();
        house.release().await;
        let request = house.queued_sms().remove(0);
        let report = house.send("a", &courier, std::slice::from_ref(&request)).await;
        assert!(
            matches!(report.verdicts[0], SendVerdict::Done(_, State::Deferred, _)),
            "{report:?}"
        );
        let waiting = house.room.requests();
        assert_eq!(waiting.len(), 1);
        assert_eq!(waiting[0].not_before, Some(moment(expected)));
        assert_eq!(house.sms(&request).claimable_at, Some(moment(expected)));
    }
    assert_eq!(
        (
            house.sms(&house.room.requests()[0]).attempt,
            courier.offered.borrow().len()
        ),
        (0, 0)
    );
}

#[tokio::test]
async fn the_events_own_moment_holds_although_quiet_hours_were_given_up() {
    let house = House::at_night();
    let event = r#"{"userId":"ana","recipientPhone":"+34600123456","type":"payment_failed","orderId":"1","channels":["sms"],
        "scheduledFor":"2026-11-21T02:00:00Z"}"#;
    house.take(&[event]).await;
    let ana = UserId::try_from("ana").unwrap();
    house.store(
        "ana",
        Preferences {
            quiet_hours: Some(QuietHours::NONE),
            ..Preferences::default()
        },
    );
    house.room.wake_all_of(&ana, house.clock.now()).await.unwrap();
    house.release().await;
    let request = house.queued_sms().remove(0);
    let courier = sms_courier();
    house.send("a", &courier, std::slice::from_ref(&request)).await;
    let sms = house.sms(&request);
    assert_eq!(
        (sms.state, sms.claimable_at, sms.reason),
        (State::Deferred, Some(moment("2026-11-21T02:00:00Z")), None)
    );
    assert!(courier.offered.borrow().is_empty());
}

#[tokio::test]
async fn a_repetition_that_is_marked_urgent_waits_no_longer() {
    let house = House::at_night();
    let event = news(OrderStatus::Exception, 0);
    house.take(&[&event]).await;
    let urgent = event.replacen('{', "{\"priority\":\"urgent\",", 1);
    house.take_by(crate::Lane::Normal, "another", &[&urgent]).await;
    let requests = house.queued_sms();
    let courier = sms_courier();
    assert_eq!(house.send("a", &courier, &requests).await.counts.accepted, 1);
    let late = house.morning().await;
    house.send("b", &courier, &late).await;
    assert_eq!(courier.offered.borrow().len(), 1);
}

#[tokio::test]
async fn a_choice_that_was_made_while_it_waited_is_obeyed() {
    let house = House::at_night();
    house.take(&[&news(OrderStatus::Shipped, 0)]).await;
    let status_choices = [(Channel::Sms, StatusChoice::All(false))].into();
    house.store(
        "ana",
        Preferences {
            status_choices,
            ..usual()
        },
    );
    let requests = house.morning().await;
    let courier = sms_courier();
    let report = house.send("a", &courier, &requests).await;
    assert!(matches!(&report.verdicts[0], SendVerdict::Done(_, State::Skipped, Some(why)) if why == "opted_out"));
    assert!(courier.offered.borrow().is_empty());
}

#[tokio::test]
async fn of_a_nights_updates_of_one_order_the_last_one_goes_out_and_no_other() {
    let house = House::at_night();
    for (status, seconds) in [
        (OrderStatus::Shipped, 0),
        (OrderStatus::OutForDelivery, 60),
        (OrderStatus::Delivered, 120),
    ] {
        house.take(&[&news(status, seconds)]).await;
    }
    let requests = house.morning().await;
    assert_eq!(requests.len(), 3);
    let courier = sms_courier();
    let report = house.send("a", &courier, &requests).await;
    assert_eq!((report.counts.accepted, report.counts.superseded), (1, 2));
    let last = requests
        .iter()
        .find(|request| request.content.status() == Some(OrderStatus::Delivered));
    assert_eq!(*courier.offered.borrow(), [last.unwrap().id]);
}

#[tokio::test]
async fn two_senders_that_share_a_nights_updates_send_one_message() {
    let house = House::at_night();
    for (status, seconds) in [(OrderStatus::Shipped, 0), (OrderStatus::Delivered, 60)] {
        house.take(&[&news(status, seconds)]).await;
    }
    let requests = house.morning().await;
    let (one, other) = (sms_courier(), sms_courier());
    let reports = tokio::join!(
        house.send("a", &one, &requests[..1]),
        house.send("b", &other, &requests[1..])
    );
    assert_eq!(reports.0.counts.accepted + reports.1.counts.accepted, 1);
    assert_eq!(reports.0.counts.superseded + reports.1.counts.superseded, 1);
}

#[tokio::test]
async fn an_update_that_is_not_wanted_by_text_message_silences_the_one_that_waits() {
    let house = House::at_night();
    house.take(&[&news(OrderStatus::Shipped, 0)]).await;
    // By e-mail alone, as customers who chose nothing get it.
    let cancelled = news(OrderStatus::Cancelled, 60).replace("[\"sms\"]", "[\"sms\",\"email\"]");
    house.take(&[&cancelled]).await;
    let requests = house.morning().await;
    assert_eq!(requests.len(), 1);
    let courier = sms_courier();
    let report = house.send("a", &courier, &requests).await;
    assert_eq!((report.counts.superseded, courier.offered.borrow().len()), (1, 0));
}

#[tokio::test]
async fn what_nobody_can_read_is_buried_and_its_neighbours_are_released() {
    let house = House::at_night();
    house.take(&[&news(OrderStatus::Shipped, 0)]).await;
    let place = house.room.waiting.borrow().keys().next().unwrap().clone();
    let broken = domain::Place {
        wake: format!("{}x", place.wake),
        ..place
    };
    house.room.waiting.borrow_mut().insert(broken, (None, "{}".to_owned()));
    house.clock.set(moment(MORNING));
    let told = house.release().await;
    assert_eq!((told.released, told.refused), (1, 1));
    assert!(
        house.dead_letters.letters.borrow()[0]
            .reason
            .starts_with("message: expected a delivery/1")
    );
    assert!(house.room.waiting.borrow().is_empty());
}

#[tokio::test]
async fn what_could_not_be_handed_over_stays_and_tells_how_long_it_is_due() {
    let house = House::at_night();
    house.take(&[&news(OrderStatus::Shipped, 0)]).await;
    house.clock.set(moment(MORNING));
    house.queues.refusing.set(1);
    let told = house.release().await;
    assert_eq!(
        (told.released, told.undone.len(), house.room.requests().len()),
        (0, 1, 1)
    );
    house.clock.advance(SignedDuration::from_mins(7));
    let told = house.release().await;
    assert_eq!((told.released, told.overdue), (1, SignedDuration::from_mins(7)));
}

#[tokio::test]
async fn a_part_of_the_room_that_cannot_be_looked_into_is_told_of_and_the_others_are_released() {
    let house = House::at_night();
    house.clock.set(moment(MORNING) - SignedDuration::from_mins(20));
    house.take(&[&news(OrderStatus::Shipped, 0)]).await;
    house.clock.set(moment(MORNING));
    house.room.failing.set(1);
    let told = house.release().await;
    assert_eq!((told.unseen, told.undone.len()), (1, 1));
    house.release().await;
    assert!(house.room.requests().is_empty());
}

#[tokio::test]
async fn what_could_not_be_forgotten_is_released_twice_and_sent_once() {
    let house = House::at_night();
    house.take(&[&news(OrderStatus::Shipped, 0)]).await;
    house.clock.set(moment(MORNING));
    // Sixteen parts are looked into; then the forgetting fails.
    let place = house.room.waiting.borrow().clone();
    house.release().await;
    house.room.waiting.replace(place);
    house.release().await;
    let requests = house.queued_sms();
    assert_eq!(requests.len(), 2);
    let courier = sms_courier();
    for request in &requests {
        house.send("a", &courier, std::slice::from_ref(request)).await;
    }
    assert_eq!(courier.offered.borrow().len(), 1);
}

#[tokio::test]
async fn thousands_that_wait_for_the_same_moment_are_all_released() {
    let house = House::at_night();
    let event = |order: i32| {
        serde_json::json!({"userId": "ana", "recipientPhone": "+34600123456", "type": "payment_failed", "orderId": order.to_string(), "channels": ["sms"]})
            .to_string()
    };
    let events: Vec<String> = (0..3_000).map(event).collect();
    for batch in events.chunks(10) {
        let batch: Vec<&str> = batch.iter().map(String::as_str).collect();
        house.take(&batch).await;
    }
    house.clock.set(moment(MORNING));
    assert_eq!(house.release().await.released, 3_000);
    assert_eq!(
        (house.room.waiting.borrow().len(), house.queued_sms().len()),
        (0, 3_000)
    );
}

#[tokio::test]
async fn a_request_of_the_time_before_quiet_hours_goes_as_was_promised() {
    let house = House::at_night();
    let written = r#"{"delivery/1":{"id":"b4e2d7a8-0c61-8f93-9d25-17c3a9e64f02","channel":"sms","to":"+34600123456","user":"ana","language":"es",
        "zone":"Europe/Madrid","at":"2026-11-20T20:00:00Z","handed_over_at":"2026-11-20T20:00:00Z","is_urgent":false,
        "not_before":"2026-11-20T23:00:00Z","content":{"order_confirmation":{"id":"1","customer_name":null,"items":[],"total":null,
        "subtotal":null,"tax":null,"shipping_address":[],"at":null}}}}"#;
    let request = DeliveryRequest::from_wire(written).unwrap();
    let wait = |now: &str| request.wait(&usual(), &house.night, SignedDuration::ZERO, moment(now));
    assert_eq!(
        wait("2026-11-20T22:59:00Z").unwrap().until,
        moment("2026-11-20T23:00:00Z")
    );
    assert_eq!(wait("2026-11-20T23:00:00Z"), None);
}

/// A zone, a moment near one of its clock changes, any hours, and events that come then.
#[derive(Debug, Clone)]
struct Case {
    zone: &'static str,
    begins: Timestamp,
    hours: QuietHours,
    events: Vec<Coming>,
}

#[derive(Debug, Clone)]
struct Coming {
    after_minutes: i64,
    is_urgent: bool,
    is_advertising: bool,
    scheduled_after_minutes: Option<i64>,
}

/// Zones of every kind: on half hours and quarters, with half an hour of summer, over the date line, with Ramadan, with none.
const ZONES: [&str; 14] = [
    "Europe/Madrid",
    "Europe/London",
    "America/New_York",
    "America/Sao_Paulo",
    "America/Santiago",
    "America/St_Johns",
    "Africa/Casablanca",
    "Africa/Cairo",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Asia/Gaza",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
];

fn any_case() -> impl Strategy<Value = Case> {
    let time = || (0_u8..24, 0_u8..60).prop_map(|(hour, minute)| format!("{hour:02}:{minute:02}"));
    let coming = (
        0_i64..2_000,
        any::<bool>(),
        any::<bool>(),
        proptest::option::of(0_i64..3_000),
    )
        .prop_map(
            |(after_minutes, is_urgent, is_advertising, scheduled_after_minutes)| Coming {
                after_minutes,
                is_urgent,
                is_advertising,
                scheduled_after_minutes,
            },
        );
    let events = proptest::collection::vec(coming, 1..6);
    (
        proptest::sample::select(&ZONES[..]),
        0_usize..14,
        -1_500_i64..100,
        time(),
        time(),
        events,
    )
        .prop_map(|(zone, nth, minutes, start, end, events)| {
            let tz = jiff::tz::TimeZone::get(zone).unwrap();
            let from: Timestamp = "2024-01-01T00:00:00Z".parse().unwrap();
            let change = tz.following(from).nth(nth).map_or(from, |change| change.timestamp());
            Case {
                zone,
                begins: change + SignedDuration::from_mins(minutes),
                hours: QuietHours::between(&start, &end).unwrap(),
                events,
            }
        })
}

fn event_of(case: &Case, nth: usize) -> Event {
    let coming = &case.events[nth];
    let at = case.begins + SignedDuration::from_mins(coming.after_minutes);
    let mut event = confirmation("ana", &nth.to_string(), at);
    if coming.is_advertising {
        event.content = Content::Promotional(Campaign {
            id: Some(nth.to_string()),
            title: "Sale".to_owned(),
            body: None,
            url: None,
        });
    } else {
        event.content = Content::OrderStatus(StatusUpdate {
            order: order(&nth.to_string()),
            status: OrderStatus::Shipped,
            parcel: None,
            estimated_delivery: None,
            reason: None,
        });
    }
    event.priority = if coming.is_urgent {
        Priority::Urgent
    } else {
        Priority::Normal
    };
    event.scheduled_for = coming
        .scheduled_after_minutes
        .map(|minutes| at + SignedDuration::from_mins(minutes));
    event
}

fn published(event: &Event) -> String {
    let mut text = serde_json::json!({
        "userId": "ana", "recipientEmail": "ana@example.com", "recipientPhone": "+34600123456", "channels": ["email", "sms"],
        "notificationType": event.content.notification_type().name(), "timestamp": event.at.to_string(),
        "priority": if event.passes_quiet_hours() { "urgent" } else { "normal" },
    });
    if let Content::Promotional(campaign) = &event.content {
        text["campaign"] = serde_json::json!({"id": campaign.id, "title": campaign.title});
    } else {
        text["orderData"] =
            serde_json::json!({"orderId": event.content.order().unwrap().id.as_str(), "status": "shipped"});
    }
    if let Some(then) = event.scheduled_for {
        text["scheduledFor"] = then.to_string().into();
    }
    text.to_string()
}

/// Runs a case minute by minute until nothing waits any more; when which notification was offered by which channel.
async fn play(case: &Case) -> Vec<(domain::NotificationId, Channel, Timestamp)> {
    let house = House::new();
    let zone = Zone::try_from(case.zone).unwrap();
    let advertising = [Channel::Email, Channel::Sms].map(|channel| ((channel, NotificationType::Promotional), true));
    house.store(
        "ana",
        Preferences {
            quiet_hours: Some(case.hours),
            zone: Some(zone),
            phone_verified: true,
            choices: advertising.into(),
            ..Preferences::default()
        },
    );
    let mut hidden: Vec<(Timestamp, DeliveryRequest)> = Vec::new();
    let mut offered = Vec::new();
    for minute in 0.. {
        let now = case.begins + SignedDuration::from_mins(minute);
        house.clock.set(now);
        for (nth, coming) in case.events.iter().enumerate() {
            if coming.after_minutes == minute {
                house.take(&[&published(&event_of(case, nth))]).await;
            }
        }
        house.release().await;
        let MemoryQueues { requests, delays, .. } = &house.queues;
        hidden.extend(delays.take().into_iter().map(|delay| now + delay).zip(requests.take()));
        let (due, later): (Vec<_>, Vec<_>) = hidden.into_iter().partition(|(at, _)| *at <= now);
        hidden = later;
        for (_, request) in due {
            let courier = ScriptedCourier::new(request.channel, []);
            let report = house.send("a", &courier, std::slice::from_ref(&request)).await;
            offered.extend(courier.offered.borrow().iter().map(|id| (*id, request.channel, now)));
            if let SendVerdict::Again(_, at, _) = &report.verdicts[0] {
                hidden.push((*at, request));
            }
        }
        let is_over = minute > 2_000 && hidden.is_empty() && house.room.requests().is_empty();
        if is_over {
            break;
        }
    }
    offered
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn nothing_but_the_urgent_rings_in_quiet_hours_and_nothing_is_lost_or_sent_twice(case in any_case()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let offered = runtime.block_on(play(&case));
        let shop = shop_defaults();
        let night = Night { hours: case.hours, zone: Zone::try_from(case.zone).unwrap() };
        let mut expected = 0;
        for nth in 0..case.events.len() {
            let event = event_of(&case, nth);
            let id = event.notification_id(&shop.zone);
            for channel in [Channel::Email, Channel::Sms] {
                let times: Vec<Timestamp> =
                    offered.iter().filter(|(whose, by, _)| (*whose, *by) == (id, channel)).map(|(.., at)| *at).collect();
                prop_assert_eq!(times.len(), 1, "{} of event {}", channel, nth);
                let is_held = rings(channel, event.content.notification_type()) && !event.passes_quiet_hours();
                prop_assert!(!is_held || !night.is_quiet(times[0]), "{} of event {} at {}", channel, nth, times[0]);
                prop_assert!(event.scheduled_for.is_none_or(|then| then <= times[0]));
                // And not later than needed: the minute in which the clock is looked at.
                let earliest = event.scheduled_for.unwrap_or(event.at).max(event.at);
                let first = if is_held { night.leaves(earliest, SignedDuration::from_secs(59)) } else { earliest };
                prop_assert!(times[0] <= first + SignedDuration::from_mins(2), "{} of event {} at {} not {}", channel, nth, times[0], first);
                expected += 1;
            }
        }
        prop_assert_eq!(offered.len(), expected);
    }
}
