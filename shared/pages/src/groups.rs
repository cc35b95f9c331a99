//! What can be chosen, in the order in which a person thinks of it.

use domain::{NotificationType as Type, OrderStatus as Status, Topic};

/// Topics that belong together, under one heading.
#[derive(Debug)]
pub(crate) struct Group {
    /// The name of its words.
    pub(crate) name: &'static str,
    pub(crate) topics: &'static [Topic],
}

/// What everybody wants to know comes first, and what concerns few comes last.
pub(crate) const GROUPS: [Group; 6] = [
    Group {
        name: "way",
        topics: &[
            Topic::Status(Status::Shipped),
            Topic::Status(Status::OutForDelivery),
            Topic::Status(Status::Delivered),
        ],
    },
    Group {
        name: "change",
        topics: &[
            Topic::Status(Status::Delayed),
            Topic::Status(Status::Exception),
            Topic::Status(Status::Cancelled),
            Topic::Status(Status::Returned),
        ],
    },
    Group {
        name: "payment",
        topics: &[
            Topic::Type(Type::PaymentSucceeded),
            Topic::Type(Type::PaymentRefunded),
            Topic::Type(Type::PaymentProcessing),
        ],
    },
    Group {
        name: "shop",
        topics: &[
            Topic::Type(Type::Promotional),
            Topic::Type(Type::AccountUpdate),
            Topic::Type(Type::SystemMaintenance),
        ],
    },
    Group {
        name: "before",
        topics: &[
            Topic::Status(Status::Pending),
            Topic::Status(Status::Paid),
            Topic::Status(Status::Confirmed),
            Topic::Status(Status::Processing),
            Topic::Status(Status::Picking),
            Topic::Status(Status::Packed),
        ],
    },
    Group {
        name: "trade",
        topics: &[
            Topic::Type(Type::PayoutProcessed),
            Topic::Type(Type::PayoutFailed),
            Topic::Type(Type::LowStock),
        ],
    },
];

/// What must be sent: whoever holds a link may look at these and not change them.
pub(crate) const ALWAYS: [Topic; 2] = [Topic::Type(Type::OrderConfirmation), Topic::Type(Type::PaymentFailed)];

/// What can be chosen by a link, in the order of the page.
pub(crate) fn choosable() -> impl Iterator<Item = Topic> {
    GROUPS.iter().flat_map(|group| group.topics.iter().copied())
}

#[cfg(test)]
pub(crate) fn all() -> impl Iterator<Item = Topic> {
    choosable().chain(ALWAYS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_topic_is_shown_once_and_what_must_be_sent_cannot_be_chosen() {
        let mut shown: Vec<Topic> = all().collect();
        shown.sort();
        let mut known: Vec<Topic> = Topic::all().collect();
        known.sort();
        assert_eq!(shown, known);
        assert!(choosable().all(|topic| !topic.notification_type().is_must_send()));
        assert!(ALWAYS.iter().all(|topic| topic.notification_type().is_must_send()));
    }
}
