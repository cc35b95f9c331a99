//! What every resource is called: one table, from the prefix to the names.

use domain::{Channel, DeliveryRequest};

/// The names of one installation.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    prefix: String,
}

/// The queues, each with dead letters of its own, in the order in which an event travels.
pub(crate) const QUEUES: [&str; 13] = [
    NOTIFICATIONS,
    "notifications-urgent",
    "email",
    "email-urgent",
    SMS,
    "sms-urgent",
    "in-app",
    "in-app-urgent",
    DELIVERY_EVENTS,
    ACCOUNT_TROUBLE,
    ORDER_EVENTS,
    CARRIER_EVENTS,
    CARRIER_HANDSHAKES,
];

/// Where events wait that are to be decided upon. The urgent lane takes nothing but what the topics send.
pub(crate) const NOTIFICATIONS: &str = "notifications";

/// Where text messages wait for their sender. Among its dead letters lie Lambda's reports about deferred deliveries as well.
pub(crate) const SMS: &str = "sms";

/// Where reports of the providers wait.
pub(crate) const DELIVERY_EVENTS: &str = "delivery-events";

/// Where senders ring for the account monitor.
pub(crate) const ACCOUNT_TROUBLE: &str = "account-trouble";

/// Where the pipeline's events wait for the status of orders.
pub(crate) const ORDER_EVENTS: &str = "order-events";

/// Where waits what carriers said of parcels.
pub(crate) const CARRIER_EVENTS: &str = "carrier-events";

/// Where waits what carriers want confirmed.
pub(crate) const CARRIER_HANDSHAKES: &str = "carrier-handshakes";

/// What the topics could not deliver into a queue: dead letters without a queue before them.
pub(crate) const SUBSCRIPTIONS: &str = "subscriptions";

/// Lets canaries fly, and asks everything how it is.
pub(crate) const CANARY: &str = "canary";

/// The functions that a queue or a stream calls.
pub(crate) const CALLED_BY_QUEUES: [&str; 9] = [
    "notification-orchestrator",
    "email-notification",
    "sms-notification",
    "in-app-notification",
    "delivery-events",
    "account-monitor",
    "order-status",
    "order-outbox",
    "carrier-poller",
];

/// Everything that has dead letters, by the name before `-dead-letters`.
pub(crate) fn with_dead_letters() -> impl Iterator<Item = &'static str> {
    QUEUES.into_iter().chain([SUBSCRIPTIONS])
}

/// The two lanes of a channel: the normal one first.
pub(crate) const fn lanes(channel: Channel) -> &'static [&'static str] {
    match channel {
        Channel::Email => &["email", "email-urgent"],
        Channel::Sms => &[SMS, "sms-urgent"],
        Channel::InApp => &["in-app", "in-app-urgent"],
        Channel::Push => &[],
    }
}

/// The function that sends by a channel.
pub(crate) const fn sender(channel: Channel) -> &'static str {
    match channel {
        Channel::Email => "email-notification",
        Channel::Sms => "sms-notification",
        Channel::InApp => "in-app-notification",
        Channel::Push => "",
    }
}

/// The queue to which this delivery belongs.
pub(crate) fn lane_of(request: &DeliveryRequest) -> Option<&'static str> {
    lanes(request.channel).get(usize::from(request.is_urgent)).copied()
}

impl Names {
    pub(crate) const fn new(prefix: String) -> Self {
        Self { prefix }
    }

    pub(crate) fn preferences(&self) -> String {
        self.of("notification-preferences")
    }

    pub(crate) fn consent_log(&self) -> String {
        self.of("consent-log")
    }

    pub(crate) fn phone_verifications(&self) -> String {
        self.of("phone-verifications")
    }

    pub(crate) fn ledger(&self) -> String {
        self.of("notification-analytics")
    }

    pub(crate) fn inbox(&self) -> String {
        self.of("inbox")
    }

    pub(crate) fn suppressions(&self) -> String {
        self.of("suppressions")
    }

    pub(crate) fn templates(&self) -> String {
        self.of("notification-templates")
    }

    pub(crate) fn deferred_deliveries(&self) -> String {
        self.of("deferred-deliveries")
    }

    pub(crate) fn order_status(&self) -> String {
        self.of("order-status")
    }

    pub(crate) fn system_state(&self) -> String {
        self.of("system-state")
    }

    pub(crate) fn contact_hash_key(&self) -> String {
        format!("{}/contact-hash-key", self.prefix)
    }

    pub(crate) fn link_keys(&self) -> String {
        format!("{}/link-keys", self.prefix)
    }

    pub(crate) fn carriers(&self) -> String {
        format!("{}/carriers", self.prefix)
    }

    /// A queue or a function.
    pub(crate) fn of(&self, resource: &str) -> String {
        format!("{}-{resource}", self.prefix)
    }

    /// The dead letters of a queue.
    pub(crate) fn dead_letters(&self, queue: &str) -> String {
        format!("{}-{queue}-dead-letters", self.prefix)
    }

    /// The queue as an operator may name it: in full, with or without prefix and `-dead-letters`.
    pub(crate) fn read_queue(&self, text: &str) -> Option<&'static str> {
        let bare = text
            .strip_prefix(self.prefix.as_str())
            .and_then(|rest| rest.strip_prefix('-'));
        let bare = bare.unwrap_or(text);
        let bare = bare.strip_suffix("-dead-letters").unwrap_or(bare);
        with_dead_letters().find(|queue| *queue == bare)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_is_known_by_all_its_names() {
        let names = Names::new("shop".to_owned());
        for text in ["email", "shop-email", "email-dead-letters", "shop-email-dead-letters"] {
            assert_eq!(names.read_queue(text), Some("email"), "{text}");
        }
        assert_eq!(names.read_queue("shop-subscriptions-dead-letters"), Some(SUBSCRIPTIONS));
        assert_eq!(names.read_queue("mail"), None);
    }

    #[test]
    fn every_lane_is_a_queue_of_its_own() {
        let lanes: Vec<&str> = Channel::OFFERED
            .iter()
            .flat_map(|channel| lanes(*channel))
            .copied()
            .collect();
        assert!(lanes.len() == 6 && lanes.iter().all(|lane| QUEUES.contains(lane)));
    }
}
