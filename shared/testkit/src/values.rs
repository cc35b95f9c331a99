//! Ready-made values.

use domain::{
    Channel, Content, Countries, Currency, DeliveryRequest, Event, Language, Note, NotificationId, NotificationType,
    Order, OrderId, OrderStatus, Priority, QuietHours, Recipient, ShopDefaults, StatusUpdate, UserId, Zone,
};
use jiff::Timestamp;

/// A moment in seconds since 1970.
///
/// # Panics
///
/// When there is no such moment.
#[must_use]
#[expect(clippy::expect_used, reason = "a test that names an impossible moment is wrong")]
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).expect("a moment that exists")
}

/// What the shop of the tests assumes: Spanish, Madrid, euros, and no quiet hours.
///
/// # Panics
///
/// Never.
#[must_use]
#[expect(clippy::expect_used, reason = "constants that are known to be right")]
pub fn shop_defaults() -> ShopDefaults {
    ShopDefaults {
        language: Language::Es,
        zone: Zone::try_from("Europe/Madrid").expect("a zone that exists"),
        currency: Currency::try_from("EUR").expect("a currency that exists"),
        sms_countries: Countries::default(),
        quiet_hours: QuietHours::NONE,
    }
}

/// An order that is nothing but its number.
///
/// # Panics
///
/// When the number is no order id.
#[must_use]
#[expect(clippy::expect_used, reason = "a test that names an impossible order is wrong")]
pub fn order(id: &str) -> Order {
    Order {
        id: OrderId::try_from(id).expect("an order id"),
        customer_name: None,
        items: Vec::new(),
        total: None,
        subtotal: None,
        tax: None,
        shipping_address: Vec::new(),
        at: None,
    }
}

fn event(user: &str, content: Content, at: Timestamp) -> Event {
    Event {
        recipient: Recipient {
            user: UserId::try_from(user).ok(),
            email: Some(format!("{user}@example.com")),
            phone: Some("+34600123456".to_owned()),
        },
        content,
        at,
        priority: Priority::Normal,
        language: None,
        channels: None,
        scheduled_for: None,
        idempotency_key: None,
        event_id: None,
    }
}

/// A customer's order was placed.
#[must_use]
pub fn confirmation(user: &str, id: &str, at: Timestamp) -> Event {
    event(user, Content::OrderConfirmation(order(id)), at)
}

/// A customer's order was shipped.
#[must_use]
pub fn shipped(user: &str, id: &str, at: Timestamp) -> Event {
    let update = StatusUpdate {
        order: order(id),
        status: OrderStatus::Shipped,
        parcel: None,
        estimated_delivery: None,
        reason: None,
    };
    event(user, Content::OrderStatus(update), at)
}

/// An unread note of this number, which came at this moment.
#[must_use]
pub fn note(nth: u8, at: Timestamp) -> Note {
    Note {
        id: NotificationId::from_digest([nth; 16]),
        title: format!("Title {nth}"),
        body: format!("Body {nth}"),
        link: None,
        notification_type: NotificationType::OrderConfirmation,
        order: Some(order("1").id),
        status: None,
        language: Language::Es,
        created_at: at,
        read_at: None,
    }
}

/// The request to e-mail that this event leads to.
#[must_use]
pub fn email_request(event: &Event) -> DeliveryRequest {
    let shop = shop_defaults();
    DeliveryRequest {
        id: event.notification_id(&shop.zone),
        channel: Channel::Email,
        to: event.recipient.email.clone().unwrap_or_default(),
        user: event.recipient.user.clone(),
        language: Language::Es,
        zone: shop.zone,
        at: event.at,
        handed_over_at: event.at,
        is_urgent: event.is_urgent(),
        not_before: None,
        scheduled_for: event.scheduled_for,
        passes_quiet_hours: event.passes_quiet_hours(),
        content: event.content.clone(),
        trace: None,
    }
}
