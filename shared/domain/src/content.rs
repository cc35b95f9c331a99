//! What a message tells: one shape per type of notification, with everything that its template needs.

use jiff::{Timestamp, civil::Date};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::fmt;

use crate::{Money, OrderId, OrderStatus, ParcelMark};

/// The type of a notification, as publishers and preferences name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotificationType {
    /// The order was placed.
    OrderConfirmation,
    /// The order, or one of its parcels, has a new status.
    OrderStatusUpdate,
    /// The payment went through.
    PaymentSucceeded,
    /// The payment did not go through.
    PaymentFailed,
    /// The money went back.
    PaymentRefunded,
    /// The payment is under way.
    PaymentProcessing,
    /// A seller was paid.
    PayoutProcessed,
    /// A seller could not be paid.
    PayoutFailed,
    /// Something about the account changed.
    AccountUpdate,
    /// A product runs out (for administrators).
    LowStock,
    /// Advertising.
    Promotional,
    /// The shop will be closed for maintenance.
    SystemMaintenance,
    /// The customer tries whether a channel reaches them.
    Test,
}

impl NotificationType {
    /// Every type.
    pub const ALL: [Self; 13] = [
        Self::OrderConfirmation,
        Self::OrderStatusUpdate,
        Self::PaymentSucceeded,
        Self::PaymentFailed,
        Self::PaymentRefunded,
        Self::PaymentProcessing,
        Self::PayoutProcessed,
        Self::PayoutFailed,
        Self::AccountUpdate,
        Self::LowStock,
        Self::Promotional,
        Self::SystemMaintenance,
        Self::Test,
    ];

    /// The name in events, tables, metrics and preferences.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OrderConfirmation => "order_confirmation",
            Self::OrderStatusUpdate => "order_status_update",
            Self::PaymentSucceeded => "payment_succeeded",
            Self::PaymentFailed => "payment_failed",
            Self::PaymentRefunded => "payment_refunded",
            Self::PaymentProcessing => "payment_processing",
            Self::PayoutProcessed => "payout_processed",
            Self::PayoutFailed => "payout_failed",
            Self::AccountUpdate => "account_update",
            Self::LowStock => "low_stock",
            Self::Promotional => "promotional",
            Self::SystemMaintenance => "system_maintenance",
            Self::Test => "test",
        }
    }

    /// The type of that name, in any case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name().eq_ignore_ascii_case(name.trim()))
    }

    /// What text messages of this type are to their networks.
    #[must_use]
    pub const fn sms_class(self) -> SmsClass {
        match self {
            Self::Promotional => SmsClass::Promotional,
            Self::OrderConfirmation
            | Self::OrderStatusUpdate
            | Self::PaymentSucceeded
            | Self::PaymentFailed
            | Self::PaymentRefunded
            | Self::PaymentProcessing
            | Self::PayoutProcessed
            | Self::PayoutFailed
            | Self::AccountUpdate
            | Self::LowStock
            | Self::SystemMaintenance
            | Self::Test => SmsClass::Transactional,
        }
    }

    /// Whether this type always travels in the urgent lane.
    #[must_use]
    pub const fn is_must_send(self) -> bool {
        matches!(self, Self::OrderConfirmation | Self::PaymentFailed)
    }

    /// Whether customers choose if they hear of this type. A test they ask for, each time and by name of the channel.
    #[must_use]
    pub const fn can_be_chosen(self) -> bool {
        !matches!(self, Self::Test)
    }

    /// Whether a link in a message stops others of this type.
    #[must_use]
    pub const fn can_be_stopped(self) -> bool {
        self.can_be_chosen() && !self.is_must_send()
    }

    /// Whether text messages of this type go to numbers only that the customer has shown to be theirs.
    #[must_use]
    pub const fn needs_verified_phone(self) -> bool {
        matches!(self, Self::Promotional | Self::Test)
    }
}

/// What a text message is to its network: some countries carry the two by different routes, and one of them not at night.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmsClass {
    /// The customer waits for it.
    Transactional,
    /// Advertising.
    Promotional,
}

impl SmsClass {
    /// The name by which SNS knows it (SNS Developer Guide, `AWS.SNS.SMS.SMSType`).
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Transactional => "Transactional",
            Self::Promotional => "Promotional",
        }
    }
}

impl fmt::Display for NotificationType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a message tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// The order was placed.
    OrderConfirmation(Order),
    /// The order, or one of its parcels, has a new status.
    OrderStatus(StatusUpdate),
    /// Something happened to a payment.
    Payment(Payment),
    /// Something happened to a seller's payout.
    Payout(Payout),
    /// Advertising.
    Promotional(Campaign),
    /// Maintenance ahead.
    Maintenance(Maintenance),
    /// The account changed.
    Account(AccountChange),
    /// A product runs out.
    LowStock(Product),
    /// That this channel works: the message is its own proof, and tells nothing besides.
    Test,
}

/// An order as far as the event tells it. Every text is one clean line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// The order's own number.
    pub id: OrderId,
    /// The customer's name as they gave it.
    pub customer_name: Option<String>,
    /// What was ordered; empty when the event does not say.
    #[serde(default)]
    pub items: Vec<Item>,
    /// What the customer pays in all.
    pub total: Option<Money>,
    /// Before tax.
    pub subtotal: Option<Money>,
    /// The tax in it.
    pub tax: Option<Money>,
    /// Where it goes: one element a line.
    #[serde(default)]
    pub shipping_address: Vec<String>,
    /// When it was placed or changed.
    pub at: Option<Timestamp>,
}

/// One line of an order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// What it is called.
    pub name: String,
    /// How many; whole for pieces, a fraction for what is weighed.
    pub quantity: Decimal,
    /// The price of one.
    pub price: Option<Money>,
}

/// A new status of an order or of one of its parcels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StatusUpdate {
    /// The order.
    pub order: Order,
    /// Its new status.
    pub status: OrderStatus,
    /// The parcel that the news is about, when the event names one.
    pub parcel: Option<Parcel>,
    /// The day on which the parcel is expected.
    pub estimated_delivery: Option<Date>,
    /// Why (delayed, exception, cancelled), in the words of the publisher.
    pub reason: Option<String>,
}

/// One parcel of an order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Parcel {
    /// The carrier's number for it.
    pub tracking_number: Option<String>,
    /// The carrier, as the publisher names it.
    pub carrier: Option<String>,
    /// What is in it.
    #[serde(default)]
    pub items: Vec<Item>,
    /// Which parcel of the order this is, from 1.
    pub number: Option<u32>,
    /// How many parcels the order has.
    pub count: Option<u32>,
}

/// News about a payment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Payment {
    /// What happened.
    pub outcome: PaymentOutcome,
    /// The order that is paid for.
    pub order: Order,
    /// The payment's own id.
    pub payment_id: Option<String>,
    /// How it was paid.
    pub method: Option<String>,
    /// Where to try again.
    pub retry_url: Option<String>,
    /// What went back.
    pub refund: Option<Money>,
    /// Why it failed.
    pub reason: Option<String>,
}

/// What happened to a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentOutcome {
    /// It went through.
    Succeeded,
    /// It did not.
    Failed,
    /// The money went back.
    Refunded,
    /// It is under way.
    Processing,
}

/// News about a seller's payout.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Payout {
    /// What happened.
    pub outcome: PayoutOutcome,
    /// The payout's own id.
    pub id: String,
    /// How much.
    pub amount: Option<Money>,
    /// For which period, in the publisher's words.
    pub period: Option<String>,
}

/// What happened to a payout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PayoutOutcome {
    /// Paid.
    Processed,
    /// Not paid.
    Failed,
}

/// Advertising.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Campaign {
    /// The campaign's own id.
    pub id: Option<String>,
    /// Its title.
    pub title: String,
    /// Its text.
    pub body: Option<String>,
    /// Where it leads.
    pub url: Option<String>,
}

/// Maintenance ahead.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Maintenance {
    /// From when.
    pub start: Option<Timestamp>,
    /// Until when.
    pub end: Option<Timestamp>,
    /// What is done, in the publisher's words.
    pub body: Option<String>,
}

/// A change of the customer's account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AccountChange {
    /// What changed.
    pub change: String,
    /// Where to look.
    pub url: Option<String>,
}

/// A product that runs out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Product {
    /// The product's stock-keeping unit.
    pub sku: String,
    /// Its name.
    pub name: Option<String>,
    /// How many are left.
    pub stock: Option<Decimal>,
    /// From how many on this alert is sent.
    pub threshold: Option<Decimal>,
}

impl Content {
    /// The type under which preferences and templates know this content.
    #[must_use]
    pub const fn notification_type(&self) -> NotificationType {
        match self {
            Self::OrderConfirmation(_) => NotificationType::OrderConfirmation,
            Self::OrderStatus(_) => NotificationType::OrderStatusUpdate,
            Self::Payment(payment) => match payment.outcome {
                PaymentOutcome::Succeeded => NotificationType::PaymentSucceeded,
                PaymentOutcome::Failed => NotificationType::PaymentFailed,
                PaymentOutcome::Refunded => NotificationType::PaymentRefunded,
                PaymentOutcome::Processing => NotificationType::PaymentProcessing,
            },
            Self::Payout(payout) => match payout.outcome {
                PayoutOutcome::Processed => NotificationType::PayoutProcessed,
                PayoutOutcome::Failed => NotificationType::PayoutFailed,
            },
            Self::Promotional(_) => NotificationType::Promotional,
            Self::Maintenance(_) => NotificationType::SystemMaintenance,
            Self::Account(_) => NotificationType::AccountUpdate,
            Self::LowStock(_) => NotificationType::LowStock,
            Self::Test => NotificationType::Test,
        }
    }

    /// The order it is about, if it is about one.
    #[must_use]
    pub const fn order(&self) -> Option<&Order> {
        match self {
            Self::OrderConfirmation(order) => Some(order),
            Self::OrderStatus(update) => Some(&update.order),
            Self::Payment(payment) => Some(&payment.order),
            Self::Payout(_)
            | Self::Promotional(_)
            | Self::Maintenance(_)
            | Self::Account(_)
            | Self::LowStock(_)
            | Self::Test => None,
        }
    }

    /// The new status it tells, if it tells one.
    #[must_use]
    pub const fn status(&self) -> Option<OrderStatus> {
        match self {
            Self::OrderStatus(update) => Some(update.status),
            Self::OrderConfirmation(_)
            | Self::Payment(_)
            | Self::Payout(_)
            | Self::Promotional(_)
            | Self::Maintenance(_)
            | Self::Account(_)
            | Self::LowStock(_)
            | Self::Test => None,
        }
    }

    /// Which parcel its new status is about, if it is about one.
    #[must_use]
    pub fn parcel_mark(&self) -> Option<ParcelMark> {
        match self {
            Self::OrderStatus(update) => {
                let number = update.parcel.as_ref()?.tracking_number.as_deref()?;
                Some(ParcelMark::of(number))
            }
            Self::OrderConfirmation(_)
            | Self::Payment(_)
            | Self::Payout(_)
            | Self::Promotional(_)
            | Self::Maintenance(_)
            | Self::Account(_)
            | Self::LowStock(_)
            | Self::Test => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_advertising_is_promotional() {
        for kind in NotificationType::ALL {
            let expected = match kind.name() {
                "promotional" => "Promotional",
                _ => "Transactional",
            };
            assert_eq!(kind.sms_class().name(), expected, "{kind}");
        }
    }

    #[test]
    fn a_test_travels_as_its_name_alone() {
        // Requests in this form wait in queues while versions change.
        let written = serde_json::to_string(&Content::Test).unwrap();
        assert_eq!(written, "\"test\"");
        assert_eq!(serde_json::from_str::<Content>(&written).unwrap(), Content::Test);
    }

    #[test]
    fn every_type_can_be_stopped_but_what_must_be_sent_and_a_test() {
        let lasting = NotificationType::ALL.into_iter().filter(|kind| !kind.can_be_stopped());
        let lasting: Vec<&str> = lasting.map(NotificationType::name).collect();
        assert_eq!(lasting, ["order_confirmation", "payment_failed", "test"]);
    }
}
