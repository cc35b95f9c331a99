//! What is kept of an order, whoever tells of it and in which order.

use domain::{Content, OrderType};
use domain::{
    Currency, Event, Item, Language, Money, Order, OrderId, OrderStatus, Parcel, Priority, Recipient, StatusUpdate,
    UserId, clean_line,
};
use proptest::prelude::*;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use tracking::{MOST_PARCELS, Registration, Told};

use crate::world::{HOSTILE, LANGUAGES, NUMBER, World, hour, merge, number, parcel, read, told, told_of, ups};

fn registered(event: &Value) -> Registration {
    told_of(event, hour(0)).registration
}

fn with(mut event: Value, more: Value) -> Value {
    merge(&mut event, more);
    event
}

fn merged(events: &[Value]) -> Registration {
    let mut all = events.iter().map(registered);
    let mut first = all.next().unwrap();
    all.for_each(|next| first.merge(next));
    first
}

#[test]
fn what_is_told_later_wins_in_any_order_of_arrival() {
    let old = with(
        told(0, "1", "paid", json!({"customerName": "Ana"})),
        json!({"recipientEmail": "old@example.com", "language": "es"}),
    );
    let new = with(
        told(1, "1", "packed", json!({"customerName": "Ana María"})),
        json!({"recipientEmail": "new@example.com", "language": "ru"}),
    );
    for events in [[old.clone(), new.clone()], [new, old]] {
        let kept = merged(&events);
        assert_eq!(kept.email.as_deref(), Some("new@example.com"));
        assert_eq!(kept.language, Some(Language::Ru));
        assert_eq!(kept.order.customer_name.as_deref(), Some("Ana María"));
    }
}

#[test]
fn what_is_left_out_stays() {
    let full = with(
        told(
            0,
            "1",
            "paid",
            json!({
                "customerName": "Ana", "totalAmount": "7.00", "shippingAddress": ["Calle Mayor 1"],
                "items": [{"name": "Té", "quantity": 2}],
            }),
        ),
        json!({"recipientEmail": "ana@example.com", "recipientPhone": "+34600123456", "language": "en"}),
    );
    let kept = merged(&[full.clone(), told(1, "1", "packed", json!({}))]);
    let expected = Registration {
        told_at: hour(1),
        ..registered(&full)
    };
    assert_eq!(kept, expected);
}

#[test]
fn a_stranger_moves_neither_owner_nor_contact() {
    let owner = with(
        told(0, "1", "paid", json!({})),
        json!({"recipientEmail": "ana@example.com", "recipientPhone": "+34600123456", "language": "es"}),
    );
    let theirs = json!({"recipientEmail": "eve@example.com", "recipientPhone": "+34600999999", "language": "en"});
    let stranger = with(
        with(told(1, "1", "packed", json!({})), theirs.clone()),
        json!({"userId": "eve"}),
    );
    let mut guest = with(told(1, "1", "packed", json!({})), theirs);
    guest.as_object_mut().unwrap().remove("userId");
    for stranger in [stranger, guest] {
        let kept = merged(&[owner.clone(), stranger]);
        assert_eq!(kept.user, Some(UserId::try_from("ana").unwrap()));
        assert_eq!(kept.email.as_deref(), Some("ana@example.com"));
        assert_eq!(kept.phone.as_deref(), Some("+34600123456"));
        assert_eq!(kept.language, Some(Language::Es));
    }
}

fn as_guest(hours: i64, email: &str, more: Value) -> Value {
    let mut event = with(told(hours, "1", "paid", json!({})), json!({"recipientEmail": email}));
    event.as_object_mut().unwrap().remove("userId");
    with(event, more)
}

#[test]
fn a_guest_is_known_by_the_address() {
    let guest = as_guest(0, "ben@example.com", json!({}));
    let same = as_guest(1, "Ben@Example.com", json!({"recipientPhone": "+34600123456"}));
    assert_eq!(merged(&[guest.clone(), same]).phone.as_deref(), Some("+34600123456"));
    let seller = as_guest(1, "seller@example.com", json!({"userId": "seller"}));
    let kept = merged(&[guest.clone(), seller]);
    assert_eq!((kept.user, kept.email.as_deref()), (None, Some("ben@example.com")));
    let account = as_guest(1, "ben@example.com", json!({"userId": "ben"}));
    assert_eq!(merged(&[guest, account]).user, Some(UserId::try_from("ben").unwrap()));
}

#[test]
fn of_a_parcel_too_what_is_told_later_wins_and_what_is_left_out_stays() {
    let place = json!({"trackingNumber": NUMBER, "carrier": "DHL", "parcelNumber": 1, "parcelCount": 2});
    let again = json!({"trackingNumber": "1z 204w 4r03 0807 1865", "carrier": "UPS"});
    let kept = merged(&[told(0, "1", "packed", place), told(1, "1", "shipped", again)]);
    let parcel = kept.parcel(&number(NUMBER)).unwrap();
    assert_eq!(kept.parcels.len(), 1);
    assert_eq!(parcel.carrier_name.as_deref(), Some("UPS"));
    assert_eq!(
        (parcel.place, parcel.count, parcel.spelling.as_str()),
        (Some(1), Some(2), NUMBER)
    );
}

#[test]
fn more_parcels_than_anybody_sends_are_not_followed() {
    let events: Vec<Value> = (0..=MOST_PARCELS)
        .map(|nth| told(0, "1", "packed", json!({"trackingNumber": format!("PARCEL{nth}")})))
        .collect();
    assert_eq!(merged(&events).parcels.len(), MOST_PARCELS);
}

#[test]
fn what_is_about_no_order_registers_none() {
    let event = json!({"notificationType": "promotional", "userId": "ana", "campaign": {"title": "Tea"}});
    assert_eq!(Told::of(&read(&event.to_string()), OrderType::Standard, hour(0)), None);
}

#[tokio::test]
async fn an_order_is_known_from_the_first_event_about_it() {
    let world = World::new();
    let confirmation = json!({
        "notificationType": "order_confirmation", "userId": "ana", "timestamp": hour(-2).to_string(),
        "orderData": {"orderId": "1"},
    });
    world.tell(&confirmation).await;
    assert_eq!(world.order("1").status(), OrderStatus::Confirmed);
    let refund = json!({
        "notificationType": "payment_refunded", "userId": "ana", "orderData": {"orderId": "2", "paymentId": "p"},
    });
    world.tell(&refund).await;
    assert_eq!(world.order("2").status(), OrderStatus::Pending);
    assert_eq!(world.order("2").standing.status, None);
}

#[tokio::test]
async fn a_parcel_is_looked_after_from_registration_to_its_end() {
    let world = World::new();
    world.tell(&told(0, "1", "processing", parcel())).await;
    assert_eq!(world.store.watched(&number(NUMBER)).unwrap().registered_at, hour(0));
    world
        .hear_in_time(&[ups(1, "delivered", Some(OrderStatus::Delivered))])
        .await;
    assert_eq!(world.store.watched(&number(NUMBER)), None);
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        prop::sample::select(HOSTILE.to_vec()).prop_map(str::to_owned),
        "[\\PC]{1,300}",
    ]
    .prop_map(|text| clean_line(&text))
}

fn some_text() -> impl Strategy<Value = Option<String>> {
    prop::option::of(text().prop_filter("no empty text leaves the front door", |text| !text.is_empty()))
}

fn items() -> impl Strategy<Value = Vec<Item>> {
    let item = (
        text().prop_filter("no empty text leaves the front door", |text| !text.is_empty()),
        1_i64..100_000,
        0_u32..4,
        prop::option::of(0_i64..10_000_000),
    );
    let item = item.prop_map(|(name, quantity, scale, cents)| Item {
        name,
        quantity: Decimal::new(quantity, scale),
        price: cents.map(|cents| Money {
            amount: Decimal::new(cents, 2),
            currency: Currency::try_from("USD").unwrap(),
        }),
    });
    prop::collection::vec(item, 0..5)
}

prop_compose! {
    /// Any event about an order with a parcel that the front door lets in.
    fn any_told()(
        user in prop::option::of("[a-z0-9 ]{1,20}".prop_filter("blank", |text| !text.trim().is_empty())),
        email in some_text(), phone in some_text(), customer in some_text(), carrier in some_text(),
        language in prop::option::of(prop::sample::select(LANGUAGES.to_vec())),
        id in "[ -~]{1,128}".prop_filter("blank", |text| !text.trim().is_empty()),
        address in prop::collection::vec(text().prop_filter("empty", |text| !text.is_empty()), 0..4),
        (items, parcel_items) in (items(), items()),
        total in prop::option::of(0_i64..10_000_000),
        (place, count) in (prop::option::of(1_u32..9), prop::option::of(1_u32..9)),
        hours in -48_i64..0,
    ) -> Event {
        let money = |cents| Money { amount: Decimal::new(cents, 2), currency: Currency::try_from("USD").unwrap() };
        let order = Order {
            id: OrderId::try_from(id.as_str()).unwrap(),
            customer_name: customer,
            items,
            total: total.map(money),
            subtotal: None,
            tax: None,
            shipping_address: address,
            at: None,
        };
        let parcel = Parcel {
            tracking_number: Some("1z 204w 4r03 0807 1865".to_owned()),
            carrier,
            items: parcel_items,
            number: place,
            count,
        };
        let is_nobody = user.is_none() && email.is_none() && phone.is_none();
        Event {
            recipient: Recipient {
                user: user.or(is_nobody.then(|| "ana".to_owned())).map(|id| UserId::try_from(id).unwrap()),
                email,
                phone,
            },
            content: Content::OrderStatus(StatusUpdate {
                order,
                status: OrderStatus::Processing,
                parcel: Some(parcel),
                estimated_delivery: None,
                reason: None,
            }),
            at: hour(hours),
            priority: Priority::Normal,
            language,
            channels: None,
            scheduled_for: None,
            idempotency_key: None,
            event_id: None,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// Whatever was registered, by one event or two: the front door lets the news in, for the same recipient.
    #[test]
    fn news_are_read_whatever_was_registered(event in any_told(), other in any_told(), day in prop::option::of(-400_i64..4_000_000)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let world = World::new();
        runtime.block_on(async {
            let mut other = other;
            if let (Content::OrderStatus(update), Content::OrderStatus(first)) = (&mut other.content, &event.content) {
                update.order.id = first.order.id.clone();
            }
            for event in [event, other] {
                let mut told = Told::of(&event, OrderType::Standard, hour(0)).unwrap();
                // Its carrier may have any name: here it is nobody that we know.
                for parcel in &mut told.registration.parcels {
                    parcel.carrier_name = parcel.carrier_name.take().map(|name| format!("{name} & Sons"));
                }
                world.desk().take_told(told).await.unwrap();
            }
            let mut late = ups(0, "late", Some(OrderStatus::Delayed));
            late.expected = day.and_then(|day| hour(0).to_zoned(jiff::tz::TimeZone::UTC).date().checked_add(jiff::Span::new().days(day)).ok());
            world.hear(&[late]).await;
        });
        let news = world.read_news();
        prop_assert_eq!(news.len(), 1);
        let Content::OrderStatus(update) = &news[0].content else { panic!() };
        prop_assert_eq!(update.status, OrderStatus::Delayed);
    }
}
