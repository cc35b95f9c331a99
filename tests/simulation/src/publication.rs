//! What publishers say, as text, with what the scenario knows of it without asking the engine.

use domain::{Channel, NotificationType, OrderId, OrderStatus, ShopDefaults, UserId};
use pipeline::Reading;
use serde_json::{Value, json};

use crate::world::{BEGINNING, timestamp};

/// What a publisher says.
#[derive(Clone, Debug)]
pub struct Publication {
    /// Its words.
    pub text: String,
    /// The fact that it is about; nothing when nobody can read it.
    pub fact: Option<u32>,
    /// Whether the filter of the urgent lane lets it through.
    pub is_urgent: bool,
}

impl Publication {
    /// Whether its publisher calls it urgent, in so many words: bare, or in the envelope of SNS.
    pub(crate) fn passes_quiet_hours(&self) -> bool {
        let is_marked = |text: &str| {
            let event: Option<Value> = serde_json::from_str(text).ok();
            event.is_some_and(|event| event.get("priority").and_then(Value::as_str) == Some("urgent"))
        };
        let inside: Option<Value> = serde_json::from_str(&self.text).ok();
        let inside = inside.and_then(|envelope| envelope.get("Message")?.as_str().map(str::to_owned));
        is_marked(&self.text) || inside.is_some_and(|text| is_marked(&text))
    }
}

/// A customer of the simulation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Customer(pub u32);

impl Customer {
    /// The name in events and tables.
    #[must_use]
    pub fn name(self) -> String {
        format!("customer-{}", self.0)
    }

    /// The address.
    #[must_use]
    pub fn email(self) -> String {
        format!("customer-{}@example.com", self.0)
    }

    /// The number.
    #[must_use]
    pub fn phone(self) -> String {
        format!("+346001{:05}", self.0 % 100_000)
    }

    pub(crate) fn user(self) -> Option<UserId> {
        UserId::try_from(self.name()).ok()
    }
}

/// A business fact.
#[derive(Clone, Debug)]
pub struct Fact {
    /// Its number.
    pub number: u32,
    /// Who is to hear.
    pub customer: Customer,
    /// What happened.
    pub notification_type: NotificationType,
    /// The order's new status.
    pub status: Option<OrderStatus>,
    /// The order.
    pub order: String,
    /// When, in milliseconds since the beginning.
    pub at_ms: i64,
    /// The channels that its publisher allows.
    pub channels: &'static [Channel],
}

/// By e-mail and SMS: behind both stands a provider whose answers may be lost.
const BY_PROVIDERS: &[Channel] = &Channel::METERED;

impl Fact {
    /// The same, by these channels.
    #[must_use]
    pub fn by(self, channels: &'static [Channel]) -> Self {
        Self { channels, ..self }
    }

    /// The order of this number was placed.
    #[must_use]
    pub fn confirmation(number: u32, customer: Customer, order: &str, at_ms: i64) -> Self {
        Self {
            number,
            customer,
            notification_type: NotificationType::OrderConfirmation,
            status: None,
            order: order.to_owned(),
            at_ms,
            channels: BY_PROVIDERS,
        }
    }

    /// It came to this status.
    #[must_use]
    pub fn status(number: u32, customer: Customer, order: &str, status: OrderStatus, at_ms: i64) -> Self {
        Self {
            number,
            customer,
            notification_type: NotificationType::OrderStatusUpdate,
            status: Some(status),
            order: order.to_owned(),
            at_ms,
            channels: BY_PROVIDERS,
        }
    }

    /// The event as its publisher writes it.
    #[must_use]
    pub fn event(&self) -> Value {
        let mut event = json!({
            "notificationType": self.notification_type.name(),
            "userId": self.customer.name(),
            "recipientEmail": self.customer.email(),
            "recipientPhone": self.customer.phone(),
            "timestamp": timestamp(BEGINNING + self.at_ms).to_string(),
            "channels": self.channels,
            "orderData": {"orderId": self.order, "totalAmount": 19.99},
        });
        if let (Some(status), Some(order)) = (self.status, event.get_mut("orderData")) {
            set(order, "status", json!(status.name()));
        }
        if self.notification_type == NotificationType::Promotional {
            let campaign = json!({"id": self.order, "title": "Everything must go"});
            set(&mut event, "campaign", campaign);
        }
        event
    }

    /// The plain publication of it.
    #[must_use]
    pub fn publication(&self) -> Publication {
        self.published_as(&self.event())
    }

    /// This text about it.
    #[must_use]
    pub fn published_as(&self, event: &Value) -> Publication {
        let is_type = |name: &str| event.get("notificationType").and_then(Value::as_str) == Some(name);
        let is_urgent = event.get("priority").and_then(Value::as_str) == Some("urgent")
            || is_type("order_confirmation")
            || is_type("payment_failed");
        Publication {
            text: event.to_string(),
            fact: Some(self.number),
            is_urgent,
        }
    }

    pub(crate) fn key(&self) -> String {
        let order = OrderId::try_from(self.order.as_str()).ok();
        let has_order = self.notification_type != NotificationType::Promotional;
        fact_key(
            self.customer.user().as_ref(),
            self.notification_type,
            order.as_ref().filter(|_| has_order),
            self.status,
        )
    }
}

/// Gives an object a field.
pub(crate) fn set(object: &mut Value, name: &str, value: Value) {
    if let Some(fields) = object.as_object_mut() {
        fields.insert(name.to_owned(), value);
    }
}

/// The business fields by which the scenario knows a notification again, whatever its id.
pub(crate) fn fact_key(
    user: Option<&UserId>,
    notification_type: NotificationType,
    order: Option<&OrderId>,
    status: Option<OrderStatus>,
) -> String {
    format!(
        "{}|{}|{}|{}",
        user.map_or("", UserId::as_str),
        notification_type.name(),
        order.map_or("", OrderId::as_str),
        status.map_or("", OrderStatus::name)
    )
}

/// How the shop of the simulation reads.
pub(crate) fn reading() -> Reading {
    thread_local! {
        static SHOP: ShopDefaults = testkit::shop_defaults();
    }
    Reading {
        shop: SHOP.with(Clone::clone),
        admin_topic: None,
        admin_email: None,
    }
}
