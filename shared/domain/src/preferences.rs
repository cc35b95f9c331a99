//! What a customer asked for, merged over the defaults: a missing key means the default, a stored key is obeyed.

use std::collections::BTreeMap;

use crate::{Channel, Content, Language, NotificationType, OrderStatus, Zone};

/// What one customer stored. Everything may be missing; [`Preferences::wants`] fills in the defaults.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Preferences {
    /// Choices per channel and type, other than status updates.
    pub choices: BTreeMap<(Channel, NotificationType), bool>,
    /// Choices for status updates per channel.
    pub status_choices: BTreeMap<Channel, StatusChoice>,
    /// The customer's e-mail address as stored.
    pub email: Option<String>,
    /// The customer's phone number as stored.
    pub phone: Option<String>,
    /// Whether the customer has shown that the number is theirs.
    pub phone_verified: bool,
    /// The customer's language.
    pub language: Option<Language>,
    /// The customer's time zone.
    pub zone: Option<Zone>,
}

/// A choice for status updates: one for all, or one per status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StatusChoice {
    /// One answer for every status.
    All(bool),
    /// An answer for the statuses named; the others follow the default.
    PerStatus(BTreeMap<OrderStatus, bool>),
}

impl Preferences {
    /// Whether the customer wants this content by this channel.
    #[must_use]
    pub fn wants(&self, channel: Channel, content: &Content) -> bool {
        let stored = match content.status() {
            None => self.choices.get(&(channel, content.notification_type())).copied(),
            Some(status) => match self.status_choices.get(&channel) {
                Some(StatusChoice::All(choice)) => Some(*choice),
                Some(StatusChoice::PerStatus(choices)) => choices.get(&status).copied(),
                None => None,
            },
        };
        stored.unwrap_or_else(|| default_choice(channel, content))
    }
}

/// The choice of a customer who never chose.
fn default_choice(channel: Channel, content: &Content) -> bool {
    use NotificationType as Type;
    let is = |on: &[Channel]| on.contains(&channel);
    match content.notification_type() {
        Type::OrderConfirmation | Type::PaymentSucceeded | Type::PaymentRefunded => {
            is(&[Channel::Email, Channel::Push, Channel::InApp])
        }
        Type::PaymentFailed => true,
        Type::PaymentProcessing => is(&[Channel::InApp]),
        Type::PayoutProcessed | Type::PayoutFailed | Type::AccountUpdate | Type::LowStock | Type::SystemMaintenance => {
            is(&[Channel::Email, Channel::InApp])
        }
        Type::Promotional => false,
        Type::OrderStatusUpdate => content
            .status()
            .is_some_and(|status| default_for_status(channel, status)),
    }
}

/// The short list of statuses that are worth an SMS keeps the bill low; in-app shows them all.
fn default_for_status(channel: Channel, status: OrderStatus) -> bool {
    use OrderStatus as Status;
    match status {
        Status::Shipped | Status::OutForDelivery | Status::Delivered | Status::Delayed | Status::Exception => true,
        Status::Confirmed | Status::Cancelled | Status::Returned => channel != Channel::Sms,
        Status::Processing => matches!(channel, Channel::Email | Channel::InApp),
        Status::Pending | Status::Paid | Status::Picking | Status::Packed => channel == Channel::InApp,
    }
}
