//! What the inside needs of the outside: small traits, spoken to AWS by one crate and to memory by another.
//!
//! A batch goes through a port as a whole. Answers come in the order of the questions, one for each.

use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::future::Future;

use crate::{Channel, Delivery, DeliveryRequest, Guard, Notification, NotificationId, Preferences, UserId};

/// A cause, whatever its type.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// A port that could not be used. What was asked of it may or may not have happened.
#[derive(Debug, thiserror::Error)]
#[error("could not {doing}")]
pub struct Unavailable {
    /// What we were doing.
    pub doing: &'static str,
    /// Why it did not work.
    #[source]
    pub cause: Cause,
}

impl Unavailable {
    /// A port that could not be used for this, because of that.
    pub fn new(doing: &'static str, cause: impl Into<Cause>) -> Self {
        Self {
            doing,
            cause: cause.into(),
        }
    }
}

/// The time.
pub trait Clock {
    /// Now, to the millisecond: what the ledger keeps.
    fn now(&self) -> Timestamp;
    /// A number in `0.0..1.0`, to spread what would otherwise happen at once.
    fn chance(&self) -> f64;
    /// Waits, for so long.
    fn pause(&self, duration: SignedDuration) -> impl Future<Output = ()>;
}

/// Reads what customers asked for.
pub trait PreferencesLoad {
    /// The preferences of these customers; who stored none is missing from the answer.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when the answer for any of them is not known.
    fn load(&self, users: &[UserId]) -> impl Future<Output = Result<HashMap<UserId, Preferences>, Unavailable>>;
}

/// Opens notifications in the ledger.
pub trait LedgerRecord {
    /// Writes each notification unless one of that id is there. Two of one id do not belong into one call.
    fn record(&self, notifications: &[Notification]) -> impl Future<Output = Vec<Result<Recorded, Unavailable>>>;
}

/// Moves deliveries along their arrows.
pub trait LedgerAdvance {
    /// Writes each step's next value if its guard admits the current one. Two of one delivery do not belong into one call.
    fn advance(&self, steps: &[Step]) -> impl Future<Output = Vec<Result<Advanced, Unavailable>>>;
}

/// How opening a notification went.
#[derive(Debug, Clone, PartialEq)]
pub enum Recorded {
    /// It is new.
    Created,
    /// It was there.
    AlreadyThere(Box<Notification>),
}

/// A move of one delivery.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The notification.
    pub id: NotificationId,
    /// The channel.
    pub channel: Channel,
    /// The condition.
    pub guard: Guard,
    /// What is believed to be there.
    pub from: Delivery,
    /// What is to be there.
    pub next: Delivery,
    /// All channels now handed over, where the step adds one to them.
    pub channels: Option<Vec<Channel>>,
}

impl Step {
    /// The move of the delivery that this request asks for.
    #[must_use]
    pub fn of(request: &DeliveryRequest, guard: Guard, from: Delivery, next: Delivery) -> Self {
        Self {
            id: request.id,
            channel: request.channel,
            guard,
            from,
            next,
            channels: None,
        }
    }
}

/// How a move went.
#[derive(Debug, Clone, PartialEq)]
pub enum Advanced {
    /// The next value stands.
    Done,
    /// The guard did not admit what stands there: this.
    Refused(Box<Delivery>),
    /// The ledger knows no such delivery.
    Unknown,
}

/// Hands deliveries over to their senders' queues.
pub trait HandOver {
    /// Puts each request on the queue of its channel and lane.
    fn hand_over(&self, requests: &[DeliveryRequest]) -> impl Future<Output = Vec<Result<(), Unavailable>>>;
}

/// Keeps what cannot be worked on, with the reason, for an operator.
pub trait Bury {
    /// Puts each letter into the dead letter queue.
    fn bury(&self, letters: &[DeadLetter]) -> impl Future<Output = Vec<Result<(), Unavailable>>>;
}

/// A message that cannot be worked on.
#[derive(Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// The message as it came.
    pub body: String,
    /// Why it is here. Names fields and codes, never contents.
    pub reason: String,
    /// The notification it belongs to, once it has one.
    pub id: Option<NotificationId>,
    /// Whether it came by the urgent lane.
    pub is_urgent: bool,
}

/// What a provider's answer to one message means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendAnswer {
    /// Accepted.
    Accepted {
        /// The provider's id for it.
        message_id: String,
    },
    /// Surely not accepted: too fast. Uses up no try.
    Throttled {
        /// The provider's code.
        reason: String,
    },
    /// Surely not accepted: the account may not send now, whatever the message. Uses up no try.
    AccountTrouble {
        /// The provider's code.
        reason: String,
    },
    /// Surely not accepted, and worth another try.
    NotTaken {
        /// What went wrong.
        reason: String,
    },
    /// Surely not accepted, now and for ever: this message is bad.
    Refused {
        /// The provider's code.
        reason: String,
    },
    /// Perhaps accepted: no answer, or one that does not say.
    Unknown {
        /// What went wrong.
        reason: String,
    },
}

/// Writes the message of a delivery and takes it to its provider.
pub trait Courier {
    /// The finished message.
    type Message;

    /// The channel it serves.
    fn channel(&self) -> Channel;

    /// Writes the message.
    ///
    /// # Errors
    ///
    /// A reason, without personal data, why no message of this kind can be written: final.
    fn write(&self, request: &DeliveryRequest) -> Result<Self::Message, String>;

    /// Offers the message to the provider exactly once.
    fn send(&self, request: &DeliveryRequest, message: &Self::Message) -> impl Future<Output = SendAnswer>;
}

impl std::fmt::Debug for DeadLetter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DeadLetter")
            .field("reason", &self.reason)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
