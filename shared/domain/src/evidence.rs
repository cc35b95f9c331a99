//! What a provider reports about a message after it took it.

use jiff::Timestamp;

use crate::{Channel, Contact, NotificationId, State, Strike};

/// What a report says. Every one of them proves that the message was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Evidence {
    /// The provider took it.
    Accepted,
    /// It is on its way, and late.
    Delayed,
    /// The recipient's server, or phone, has it.
    Delivered,
    /// The recipient opened it; a machine does so on arrival, on behalf of some mail services.
    Opened {
        /// Whether a mail service fetched the picture by itself.
        by_machine: bool,
    },
    /// The recipient followed a link in it.
    Clicked,
    /// It came back, or was never handed out.
    Bounced {
        /// A short code without personal data.
        reason: String,
    },
    /// The provider took it and found it bad afterwards.
    Rejected,
    /// The recipient called it unwanted.
    Complained,
}

/// One report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The provider's id for the message.
    pub message_id: String,
    /// The delivery, where the report names it.
    pub delivery: Option<(NotificationId, Channel)>,
    /// What it says.
    pub evidence: Evidence,
    /// When that happened.
    pub at: Timestamp,
    /// What it means for the addresses that it names.
    pub strikes: Vec<(Contact, Strike)>,
}

impl Evidence {
    /// The state of a delivery of which no more is known than this.
    #[must_use]
    pub const fn state(&self) -> State {
        match self {
            Self::Accepted | Self::Delayed => State::Sent,
            Self::Delivered | Self::Opened { .. } | Self::Clicked => State::Delivered,
            Self::Bounced { .. } | Self::Rejected => State::Bounced,
            Self::Complained => State::Complained,
        }
    }

    /// Why it is in that state, where there is a why.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Bounced { reason } => Some(reason),
            Self::Rejected => Some("rejected_after_acceptance"),
            Self::Complained => Some("complaint"),
            Self::Accepted | Self::Delayed | Self::Delivered | Self::Opened { .. } | Self::Clicked => None,
        }
    }
}
