//! What a customer can choose to hear of, and what one hears of who never chose.

use std::fmt;

use crate::{Channel, Content, NotificationType, OrderStatus};

/// What a choice is about: a type of notification that [can be chosen](NotificationType::can_be_chosen), or one status of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Topic {
    /// Notifications of this type. Status updates are chosen status by status.
    Type(NotificationType),
    /// Status updates that tell this status.
    Status(OrderStatus),
}

impl Topic {
    /// Everything that can be chosen, status updates after the confirmation of the order.
    pub fn all() -> impl Iterator<Item = Self> {
        let types = NotificationType::ALL.into_iter();
        let types = types.filter(|notification_type| notification_type.can_be_chosen());
        types.flat_map(|notification_type| {
            let is_by_status = notification_type == NotificationType::OrderStatusUpdate;
            let statuses = OrderStatus::ALL.into_iter().filter(move |_| is_by_status);
            let alone = (!is_by_status).then_some(Self::Type(notification_type));
            alone.into_iter().chain(statuses.map(Self::Status))
        })
    }

    /// What this content is about; nothing where nobody chooses.
    #[must_use]
    pub fn of(content: &Content) -> Option<Self> {
        let by_type = Some(content.notification_type()).filter(|notification_type| notification_type.can_be_chosen());
        content.status().map(Self::Status).or(by_type.map(Self::Type))
    }

    /// The type to which it belongs.
    #[must_use]
    pub const fn notification_type(self) -> NotificationType {
        match self {
            Self::Type(notification_type) => notification_type,
            Self::Status(_) => NotificationType::OrderStatusUpdate,
        }
    }

    /// The topic of that name, as [`fmt::Display`] writes it.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::all().find(|topic| topic.to_string() == name)
    }

    /// Whether a customer who never chose hears of it by this channel.
    #[must_use]
    pub fn default_for(self, channel: Channel) -> bool {
        use NotificationType as Type;
        let is = |on: &[Channel]| on.contains(&channel);
        match self {
            Self::Status(status) => default_for_status(channel, status),
            Self::Type(Type::OrderConfirmation | Type::PaymentSucceeded | Type::PaymentRefunded) => {
                is(&[Channel::Email, Channel::Push, Channel::InApp])
            }
            Self::Type(Type::PaymentFailed) => true,
            Self::Type(Type::PaymentProcessing) => is(&[Channel::InApp]),
            Self::Type(
                Type::PayoutProcessed
                | Type::PayoutFailed
                | Type::AccountUpdate
                | Type::LowStock
                | Type::SystemMaintenance,
            ) => is(&[Channel::Email, Channel::InApp]),
            // No status is told by no status update, and a test goes nowhere by itself.
            Self::Type(Type::Promotional | Type::OrderStatusUpdate | Type::Test) => false,
        }
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

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Type(notification_type) => f.write_str(notification_type.name()),
            Self::Status(status) => write!(f, "{}.{}", NotificationType::OrderStatusUpdate.name(), status.name()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_type_and_every_status_can_be_chosen_once_by_its_name() {
        let names: HashSet<String> = Topic::all().map(|topic| topic.to_string()).collect();
        // Without status updates as such, and without tests.
        assert_eq!(names.len(), NotificationType::ALL.len() - 2 + OrderStatus::ALL.len());
        for name in &names {
            assert_eq!(Topic::from_name(name).unwrap().to_string(), *name);
        }
        for nothing in ["order_status_update", "test"] {
            assert_eq!(Topic::from_name(nothing), None);
        }
    }
}
