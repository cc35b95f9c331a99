//! An event of the order pipeline after it was read: everything in it is valid.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Channel, Contact, Content, Language, UserId};

/// Something happened that somebody may want to hear about.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Who is to hear.
    pub recipient: Recipient,
    /// What happened.
    pub content: Content,
    /// When it happened: as the publisher says, else when it was published.
    pub at: Timestamp,
    /// How much of a hurry it is in.
    pub priority: Priority,
    /// The language that the publisher asks for; else the customer's own, else the shop's.
    pub language: Option<Language>,
    /// The channels that the publisher allows; none named means all, but of a test none.
    pub channels: Option<Vec<Channel>>,
    /// Not before this moment.
    pub scheduled_for: Option<Timestamp>,
    /// What makes two events the same, in the publisher's words; replaces the derived fact.
    pub idempotency_key: Option<String>,
    /// The publisher's own id of a status change; takes the place of parcel, status and day in the derived fact.
    pub event_id: Option<String>,
}

/// Who is to hear, as the event says it. Addresses are still as written: whether one is deliverable is for the decision.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Recipient {
    /// The customer.
    pub user: Option<UserId>,
    /// An address that wins over the customer's own.
    pub email: Option<String>,
    /// A phone number that wins over the customer's own.
    pub phone: Option<String>,
}

impl Recipient {
    /// The addresses that the event itself names, those that are valid.
    pub fn contacts(&self) -> impl Iterator<Item = Contact> + Clone {
        let email = self.email.as_ref().and_then(|text| Contact::read(Channel::Email, text));
        let phone = self.phone.as_ref().and_then(|text| Contact::read(Channel::Sms, text));
        email.into_iter().chain(phone)
    }
}

impl std::fmt::Debug for Recipient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recipient")
            .field("user", &self.user)
            .field("email", &self.email.as_ref().map(|_address| "…"))
            .field("phone", &self.phone.as_ref().map(|_number| "…"))
            .finish()
    }
}

/// How much of a hurry a notification is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// Whenever there is room.
    Low,
    /// As usual.
    #[default]
    Normal,
    /// Ahead of the usual; travels in the normal lane.
    High,
    /// At once, in the urgent lane.
    Urgent,
}

impl Priority {
    /// The priority of that name, in any case; `medium` is an older word for `normal`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name.trim().to_ascii_lowercase().as_str() {
            "low" => Some(Self::Low),
            "normal" | "medium" => Some(Self::Normal),
            "high" => Some(Self::High),
            "urgent" => Some(Self::Urgent),
            _ => None,
        }
    }
}

impl Event {
    /// Whether the publisher asks for it by this channel. A test never goes everywhere: its channels have names.
    #[must_use]
    pub fn asks_for(&self, channel: Channel) -> bool {
        match &self.channels {
            Some(named) => named.contains(&channel),
            None => self.content.notification_type().can_be_chosen(),
        }
    }

    /// Whether it travels in the urgent lane: marked urgent, or of a type that must be sent.
    #[must_use]
    pub fn is_urgent(&self) -> bool {
        self.priority == Priority::Urgent || self.content.notification_type().is_must_send()
    }

    /// Whether it rings at night: marked urgent by its publisher. What must be sent may be sent in the morning.
    #[must_use]
    pub fn passes_quiet_hours(&self) -> bool {
        self.priority == Priority::Urgent
    }
}
