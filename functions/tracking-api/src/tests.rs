//! The routes over orders in memory: what is answered, to whom, and what is read for it.

mod by_hand;
mod customers;
mod hostile;
mod public;
mod wishes;

use axum::Extension;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use domain::ports::Unavailable;
use domain::{
    Carrier, Currency, Item, Language, Money, OrderId, OrderStatus, OrderType, Saying, Teller, TrackingDetail,
    TrackingEvent, TrackingNumber, UserId,
};
use jiff::Timestamp;
use lambda_http::request::RequestContext;
use links::{LinkKeys, Pages};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use testkit::{MemoryTracking, StillClock, at, order, shop_defaults};
use tower::ServiceExt;
use tracking::ports::{
    Kept, OrderFile, OrdersFind, OrdersKeep, OutgoingNews, ParcelFile, ParcelNote, ParcelsKeep, WishesKeep,
};
use tracking::{ByHand, DeliveryWishes, Desk, OrderRecord, RegisteredParcel, Registration, Told};
use web::Identity;

use crate::{Door, PublicTracking, Settings, router};

/// 15 January 2027, 08:00 UTC.
const NOW: i64 = 1_800_000_000;
const DAY: i64 = 86_400;

const KEYS: &str = "k1=0123456789abcdefghijklmnopqrstuv";

/// Ana's order, with two parcels: UPS has the first, nobody knows who has the second.
const ANAS: &str = "canary-1001";
const UPS: &str = "1Z204W4R0308071865";
const SECOND: &str = "CANARY-PARCEL-2";
/// A guest's order.
const GUESTS: &str = "guest-1002";
const DPD: &str = "09980525883208";
/// An order that nobody made.
const NOBODYS: &str = "nobody-1003";

/// Orders in memory that remember what was read of them.
#[derive(Debug, Default)]
struct Shelf {
    twin: MemoryTracking,
    reads: Mutex<Vec<&'static str>>,
}

impl Shelf {
    fn note(&self, read: &'static str) {
        self.reads.lock().unwrap().push(read);
    }

    /// What was read since somebody last asked.
    fn take_reads(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.reads.lock().unwrap())
    }
}

impl OrdersKeep for Shelf {
    async fn read_order(&self, order: &OrderId) -> Result<OrderFile, Unavailable> {
        self.note("order");
        self.twin.read_order(order).await
    }
    async fn say(&self, order: &OrderId, sayings: &[Saying]) -> Result<(), Unavailable> {
        self.twin.say(order, sayings).await
    }
    async fn keep(
        &self,
        before: Option<&OrderRecord>,
        after: &OrderRecord,
        news: &[OutgoingNews],
    ) -> Result<Kept, Unavailable> {
        self.twin.keep(before, after, news).await
    }
}

impl ParcelsKeep for Shelf {
    async fn read_parcel(&self, number: &TrackingNumber) -> Result<ParcelFile, Unavailable> {
        self.note("parcel");
        self.twin.read_parcel(number).await
    }
    async fn hear(&self, number: &TrackingNumber, sayings: &[Saying]) -> Result<(), Unavailable> {
        self.twin.hear(number, sayings).await
    }
    async fn claim(
        &self,
        number: &TrackingNumber,
        order: &OrderId,
        carrier: Option<Carrier>,
        now: Timestamp,
    ) -> Result<(), Unavailable> {
        self.twin.claim(number, order, carrier, now).await
    }
    async fn note(&self, number: &TrackingNumber, note: &ParcelNote) -> Result<(), Unavailable> {
        self.twin.note(number, note).await
    }
}

impl OrdersFind for Shelf {
    async fn latest_of(&self, user: &UserId, most: u16) -> Result<Vec<OrderRecord>, Unavailable> {
        self.note("latest");
        self.twin.latest_of(user, most).await
    }
}

impl WishesKeep for Shelf {
    async fn wish(&self, before: &OrderRecord, wishes: &DeliveryWishes) -> Result<Kept, Unavailable> {
        self.twin.wish(before, wishes).await
    }
}

/// An answer, to the byte.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Answer {
    status: StatusCode,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    fn header(&self, name: &str) -> Option<&str> {
        let header = self.headers.iter().find(|(other, _)| other == name);
        header.map(|(_, value)| value.as_str())
    }

    /// The fields that are wrong.
    fn wrong(&self) -> Vec<String> {
        let errors = self.json()["errors"].as_array().cloned().unwrap_or_default();
        let pointers = errors.iter().map(|error| error["pointer"].as_str().unwrap().to_owned());
        pointers.collect()
    }
}

/// Who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    Nobody,
    Customer(&'static str),
    Admin,
}

const ANA: Who = Who::Customer("canary-ana");
const LUIS: Who = Who::Customer("luis");

/// A shop with its orders.
struct Shop(Arc<Door<Shelf>>);

impl Shop {
    /// Without any order.
    fn empty(public: PublicTracking) -> Self {
        Self(Arc::new(Door {
            store: Shelf::default(),
            settings: Settings {
                keys: LinkKeys::read(KEYS).unwrap(),
                pages: Pages::new("https://shop.example.com").ok(),
                public,
                zone: shop_defaults().zone,
            },
        }))
    }

    /// Ana's order, of which much was said, and a guest's.
    async fn filled(public: PublicTracking) -> Self {
        let shop = Self::empty(public);
        shop.tell(anas(), Some(said(OrderStatus::Confirmed, NOW - 3 * DAY)))
            .await;
        shop.hear(event(Carrier::Ups, UPS, OrderStatus::Shipped, NOW - 2 * DAY))
            .await;
        shop.hear(event(Carrier::Ups, UPS, OrderStatus::Exception, NOW - DAY))
            .await;
        shop.by_hand(ANAS, OrderStatus::Delayed, NOW - 1_000).await;
        shop.tell(guests(), Some(said(OrderStatus::Shipped, NOW - DAY))).await;
        shop.0.store.take_reads();
        shop
    }

    async fn tell(&self, registration: Registration, saying: Option<Saying>) {
        let told = Told { registration, saying };
        self.desk(&StillClock(at(NOW - 500))).take_told(told).await.unwrap();
    }

    async fn hear(&self, event: TrackingEvent) {
        let heard_at = event.at;
        let clock = StillClock(heard_at);
        self.desk(&clock).take_tracking(&[event], heard_at).await.unwrap();
    }

    async fn by_hand(&self, id: &str, status: OrderStatus, second: i64) {
        let change = ByHand {
            order: order_id(id),
            parcel: None,
            status,
            reason: "canary reason".to_owned(),
            who: "canary-admin".to_owned(),
        };
        let clock = StillClock(at(second));
        self.desk(&clock).change_by_hand(&change).await.unwrap().unwrap();
    }

    fn desk<'d>(&'d self, clock: &'d StillClock) -> Desk<'d, Shelf, StillClock> {
        Desk {
            store: &self.0.store,
            clock,
            zone: &self.0.settings.zone,
        }
    }

    fn version_of(&self, id: &str) -> u64 {
        self.0.store.twin.order(&order_id(id)).unwrap().version
    }

    async fn get(&self, who: Who, path: &str) -> Answer {
        self.ask(who, "GET", path, &[], "").await
    }

    async fn post(&self, who: Who, path: &str, body: &Value) -> Answer {
        self.ask(who, "POST", path, &[], &body.to_string()).await
    }

    async fn ask(&self, who: Who, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(Body::from(body.to_owned())).unwrap();
        request.extensions_mut().insert(at(NOW));
        if let Some(context) = context(who) {
            request.extensions_mut().insert(context);
        }
        let router = router(self.0.clone()).layer(Extension(Arc::new(identity())));
        let response = router.oneshot(request).await.unwrap();
        let headers = response.headers().iter();
        let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
        Answer {
            status: response.status(),
            headers: headers.collect(),
            body: to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec(),
        }
    }
}

fn identity() -> Identity {
    Identity {
        issuer: "issuer".to_owned(),
        audience: vec!["shop".to_owned()],
        user_claim: "sub".to_owned(),
        roles_claim: "roles".to_owned(),
        admin_role: "admin".to_owned(),
    }
}

/// What the gateway says of a token that it has checked.
fn context(who: Who) -> Option<RequestContext> {
    let (user, roles) = match who {
        Who::Nobody => return None,
        Who::Customer(user) => (user, "[]"),
        Who::Admin => ("an-admin", "[admin]"),
    };
    let claims = json!({"iss": "issuer", "aud": "shop", "sub": user, "roles": roles, "exp": (NOW + 60).to_string()});
    let context = json!({"http": {"method": "GET", "path": "/"}, "authorizer": {"jwt": {"claims": claims}}});
    serde_json::from_value(context).unwrap()
}

fn order_id(id: &str) -> OrderId {
    OrderId::try_from(id).unwrap()
}

fn number(text: &str) -> TrackingNumber {
    TrackingNumber::try_from(text).unwrap()
}

fn item() -> Item {
    Item {
        name: "Canary cage".to_owned(),
        quantity: 1.into(),
        price: Some(money()),
    }
}

fn money() -> Money {
    Money {
        amount: "77123.45".parse().unwrap(),
        currency: Currency::try_from("EUR").unwrap(),
    }
}

fn parcel(number: &str, carrier: &str) -> RegisteredParcel {
    RegisteredParcel {
        number: self::number(number),
        spelling: number.to_owned(),
        carrier_name: Some(carrier.to_owned()),
        items: vec![item()],
        place: Some(1),
        count: Some(2),
    }
}

/// An order with nothing in it but where it goes.
fn registration(id: &str, user: Option<&str>, address: &str, parcels: Vec<RegisteredParcel>) -> Registration {
    let mut order = order(id);
    order.shipping_address = vec![address.to_owned()];
    Registration {
        user: user.map(|user| UserId::try_from(user).unwrap()),
        email: None,
        phone: None,
        language: None,
        order_type: OrderType::Standard,
        order,
        parcels,
        told_at: at(NOW - 3 * DAY),
    }
}

/// Ana's order, a canary in every field.
fn anas() -> Registration {
    let parcels = vec![parcel(UPS, "UPS"), parcel(SECOND, "Canary Courier")];
    let mut anas = registration(ANAS, Some("canary-ana"), "", parcels);
    anas.email = Some("canary@example.com".to_owned());
    anas.phone = Some("+34600777123".to_owned());
    anas.language = Some(Language::Es);
    anas.order.customer_name = Some("Canary Name".to_owned());
    anas.order.items = vec![item()];
    anas.order.total = Some(money());
    anas.order.subtotal = Some(money());
    anas.order.tax = Some(money());
    anas.order.shipping_address = vec!["Canary Street 12".to_owned(), "28013 Canary Town".to_owned()];
    anas
}

fn guests() -> Registration {
    registration(GUESTS, None, "London SW1A 1AA", vec![parcel(DPD, "DPD")])
}

/// What the pipeline says of a whole order.
fn said(status: OrderStatus, second: i64) -> Saying {
    Saying {
        at: at(second),
        heard_at: at(second),
        parcel: None,
        status: Some(status),
        detail: None,
        expected: None,
        by: Teller::Pipeline {
            reason: Some("canary pipeline".to_owned()),
        },
    }
}

/// What a carrier says of a parcel; the second time somebody was at the door in vain.
fn event(carrier: Carrier, parcel: &str, status: OrderStatus, second: i64) -> TrackingEvent {
    let mut event = TrackingEvent::new(carrier, number(parcel), at(second));
    event.status = Some(status);
    event.detail = (status == OrderStatus::Exception).then_some(TrackingDetail::AttemptFailed);
    event.code = Some(format!("code-{status}"));
    event.text = Some(format!("words for {status}"));
    event.place = Some("Madrid, ES".to_owned());
    event.expected = "2027-01-20".parse().ok();
    event
}
