//! A desk over memory, with whatever is said to it.

use domain::{
    Carrier, Event, Language, OrderId, OrderStatus, ShopDefaults, TrackingDetail, TrackingEvent, TrackingNumber,
};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use pipeline::{Reading, read_event};
use serde_json::{Value, json};
use testkit::{HandClock, MemoryTracking, shop_defaults};
use tracking::{Desk, OrderRecord, Told};

pub(crate) const NUMBER: &str = "1Z204W4R0308071865";

/// 2026-11-20, 10:00 in Madrid, and so many hours.
pub(crate) fn hour(hours: i64) -> Timestamp {
    "2026-11-20T09:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_hours(hours)
}

pub(crate) fn number(text: &str) -> TrackingNumber {
    TrackingNumber::try_from(text).unwrap()
}

pub(crate) fn order(text: &str) -> OrderId {
    OrderId::try_from(text).unwrap()
}

/// What UPS tells of the parcel at that hour.
pub(crate) fn ups(hours: i64, code: &str, status: Option<OrderStatus>) -> TrackingEvent {
    let mut event = TrackingEvent::new(Carrier::Ups, number(NUMBER), hour(hours));
    event.status = status;
    event.code = Some(code.to_owned());
    event
}

pub(crate) fn with_detail(mut event: TrackingEvent, detail: TrackingDetail) -> TrackingEvent {
    event.detail = Some(detail);
    event
}

pub(crate) fn expected_on(mut event: TrackingEvent, day: Date) -> TrackingEvent {
    event.expected = Some(day);
    event
}

/// An event of the pipeline about a status of the order, as JSON; `more` is merged into `orderData`.
pub(crate) fn told(hours: i64, id: &str, status: &str, more: Value) -> Value {
    let mut event = json!({
        "notificationType": "order_status_update",
        "userId": "ana",
        "timestamp": hour(hours).to_string(),
        "orderData": {"orderId": id, "status": status},
    });
    merge(&mut event["orderData"], more);
    event
}

pub(crate) fn merge(into: &mut Value, more: Value) {
    let (Value::Object(into), Value::Object(more)) = (into, more) else {
        return;
    };
    into.extend(more);
}

/// The parcel of the tests in an event of the pipeline.
pub(crate) fn parcel() -> Value {
    json!({"trackingNumber": NUMBER, "carrier": "UPS"})
}

pub(crate) fn reading() -> Reading {
    Reading {
        shop: shop_defaults(),
        admin_topic: None,
        admin_email: None,
    }
}

pub(crate) fn read(text: &str) -> Event {
    read_event(text, hour(0), &reading()).unwrap()
}

/// A desk, its store, its clock.
pub(crate) struct World {
    pub(crate) store: MemoryTracking,
    pub(crate) clock: HandClock,
    pub(crate) shop: ShopDefaults,
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            store: MemoryTracking::default(),
            clock: HandClock::at(hour(0)),
            shop: shop_defaults(),
        }
    }

    /// One in which the pipeline has told of order 1 with the parcel, an hour before anything else.
    pub(crate) async fn with_a_parcel() -> Self {
        let world = Self::new();
        world.tell(&told(-1, "1", "processing", parcel())).await;
        world
    }

    pub(crate) fn desk(&self) -> Desk<'_, MemoryTracking, HandClock> {
        Desk {
            store: &self.store,
            clock: &self.clock,
            zone: &self.shop.zone,
        }
    }

    /// The pipeline publishes this, and the desk hears of it now.
    pub(crate) async fn tell(&self, event: &Value) -> tracking::Seen {
        let told = told_of(event, self.now());
        self.desk().take_told(told).await.unwrap()
    }

    /// A carrier tells this now.
    pub(crate) async fn hear(&self, events: &[TrackingEvent]) -> Vec<tracking::Seen> {
        self.desk().take_tracking(events, self.now()).await.unwrap()
    }

    /// A carrier tells each of these at its own hour.
    pub(crate) async fn hear_in_time(&self, events: &[TrackingEvent]) {
        for event in events {
            self.clock.set(event.at);
            self.hear(std::slice::from_ref(event)).await;
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        use domain::ports::Clock;
        self.clock.now()
    }

    pub(crate) fn order(&self, id: &str) -> OrderRecord {
        self.store.order(&order(id)).unwrap()
    }

    /// The statuses of all news, the oldest first.
    pub(crate) fn told(&self) -> Vec<String> {
        self.events().iter().map(|event| status_of(event).to_owned()).collect()
    }

    /// All news as JSON, the oldest first.
    pub(crate) fn events(&self) -> Vec<Value> {
        let news = self.store.news();
        news.iter()
            .map(|(_, news)| serde_json::from_str(&news.event).unwrap())
            .collect()
    }

    /// All news as the orchestrator reads them.
    pub(crate) fn read_news(&self) -> Vec<Event> {
        self.store.news().iter().map(|(_, news)| read(&news.event)).collect()
    }
}

pub(crate) fn told_of(event: &Value, heard_at: Timestamp) -> Told {
    Told::of(&read(&event.to_string()), domain::OrderType::Standard, heard_at).unwrap()
}

pub(crate) fn status_of(event: &Value) -> &str {
    event["orderData"]["status"].as_str().unwrap()
}

/// What a customer might have typed.
pub(crate) const HOSTILE: [&str; 6] = [
    "Ana\r\nBcc: everybody@example.com",
    "\"}]}; DROP TABLE orders; --",
    "<script>alert(1)</script>{{ 7 * 7 }}",
    "\u{202e}gnp.exe \u{0} \u{fffe}",
    "'; {\"orderId\": \"2\"}\\",
    "שרה 🦊 Ștefănescu",
];

pub(crate) const LANGUAGES: [Language; 4] = [Language::Es, Language::En, Language::Ro, Language::Ru];
