//! What the inside needs of the outside: small traits, spoken to AWS by one crate and to memory by another.
//!
//! A batch goes through a port as a whole. Answers come in the order of the questions, one for each.

use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::future::Future;

use crate::{
    Asked, Breaker, Channel, Consent, ConsentSource, Contact, Delivery, DeliveryRequest, Guard, InForce, InboxPage,
    InboxPlace, MarkedAll, News, Notification, NotificationId, OrderId, PhoneVerification, Place, Preferences, Reason,
    Slowed, Suppression, TemplateVersion, Traffic, Unread, UserId, Window, Written,
};

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

/// Reads what customers asked for, and what speaks against their addresses.
pub trait CustomersLoad {
    /// The preferences of these customers and the suppressions of these contacts, as they are now. Who stored nothing, and
    /// what nothing is known against, is missing from the answer.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when the answer for any of them is not known.
    fn load(&self, users: &[UserId], contacts: &[Contact]) -> impl Future<Output = Result<Customers, Unavailable>>;
}

/// What is known of the customers of a batch.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Customers {
    /// What they asked for.
    pub preferences: HashMap<UserId, Preferences>,
    /// What speaks against their addresses.
    pub suppressions: HashMap<Contact, Suppression>,
}

/// What a customer stored, as it was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept {
    /// What they asked for.
    pub preferences: Preferences,
    /// Tells this value from every other: letters and digits, another after each change, whoever made it.
    pub revision: String,
    /// When it was last changed, where that is known.
    pub updated_at: Option<Timestamp>,
}

/// How a change of preferences went.
#[derive(Debug, Clone, PartialEq)]
pub enum Changed {
    /// It stands, and is logged: this is what is there now. Where nothing was to change, nothing was written.
    Done(Kept),
    /// Somebody else has changed them since they were looked up; nothing was written.
    Stale,
}

/// Keeps what customers asked for. What is stored besides, under names that we do not know, stays as it is.
pub trait PreferencesKeep {
    /// What this customer stored; nothing but defaults for who never did.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when that cannot be told.
    fn look_up(&self, user: &UserId) -> impl Future<Output = Result<Kept, Unavailable>> + Send;

    /// Puts other preferences in the place of what was found, together with the entry in the log of consent: both or neither.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when it may or may not have been written.
    fn change(
        &self,
        user: &UserId,
        from: &Kept,
        to: &Preferences,
        by: &ConsentSource,
        now: Timestamp,
    ) -> impl Future<Output = Result<Changed, Unavailable>> + Send;
}

/// Tells who changed what a customer hears of.
pub trait ConsentsLoad {
    /// The latest changes of this customer's preferences, the newest first, so many at most.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when that cannot be told.
    fn latest(&self, user: &UserId, most: u16) -> impl Future<Output = Result<Vec<Consent>, Unavailable>> + Send;
}

/// Keeps phone numbers that wait for their code.
pub trait PhoneVerificationsKeep {
    /// The customer's verification, if one was begun in the last day.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when that cannot be told.
    fn look_up(&self, user: &UserId) -> impl Future<Output = Result<Option<PhoneVerification>, Unavailable>> + Send;

    /// Writes the next value, if the one before it still stands; whether it did.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when it may or may not have been written.
    fn keep(
        &self,
        user: &UserId,
        before: Option<&PhoneVerification>,
        next: &PhoneVerification,
    ) -> impl Future<Output = Result<bool, Unavailable>> + Send;
}

/// Tells what became of a customer's notifications.
pub trait HistoryLoad {
    /// A page of this customer's notifications, the newest first, after that place.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when that cannot be told.
    fn page(
        &self,
        user: &UserId,
        limit: u16,
        after: Option<&HistoryPlace>,
    ) -> impl Future<Output = Result<HistoryPage, Unavailable>> + Send;
}

/// A place in a customer's history: after this notification.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct HistoryPlace {
    /// Its id.
    pub id: String,
    /// Its moment, in seconds since 1970.
    pub seconds: i64,
}

/// A page of a customer's history.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HistoryPage {
    /// The newest first.
    pub notifications: Vec<PastNotification>,
    /// Where it goes on; nothing at the end.
    pub next: Option<HistoryPlace>,
}

/// A notification as the ledger tells it. Records of an earlier system are told as well, with what they have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastNotification {
    /// Its id.
    pub id: String,
    /// Its type.
    pub notification_type: String,
    /// The order it is about.
    pub order: Option<String>,
    /// The status it tells.
    pub status: Option<String>,
    /// When the fact happened, to the second.
    pub at: Timestamp,
    /// How each channel fared.
    pub results: Vec<PastResult>,
}

/// How one channel of a past notification fared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastResult {
    /// The channel.
    pub channel: String,
    /// The state of the delivery.
    pub outcome: String,
    /// Why, where there is a why.
    pub reason: Option<String>,
}

/// Keeps what speaks against addresses.
pub trait SuppressionsKeep {
    /// What is known against this contact.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when that cannot be told.
    fn look_up(&self, contact: &Contact) -> impl Future<Output = Result<Option<Suppression>, Unavailable>>;

    /// Writes the next value, if the one before it (one `version` lower; none before the first) still stands; whether it did.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when it may or may not have been written.
    fn keep(&self, contact: &Contact, next: &Suppression) -> impl Future<Output = Result<bool, Unavailable>>;
}

/// Reads the words that a shop puts in the place of built-in ones.
pub trait TemplatesLoad {
    /// What is in force now.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when that cannot be told.
    fn in_force(&self) -> impl Future<Output = Result<InForce, Unavailable>>;

    /// These versions, by template and number; what is not there, or is no version, is missing from the answer.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when the answer for any of them is not known.
    fn load(&self, versions: &[(String, u32)]) -> impl Future<Output = Result<Vec<TemplateVersion>, Unavailable>>;
}

/// Reads notifications.
pub trait LedgerLoad {
    /// These notifications as they stand now; what the ledger does not know is missing from the answer.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when the answer for any of them is not known.
    fn load(
        &self,
        ids: &[NotificationId],
    ) -> impl Future<Output = Result<HashMap<NotificationId, Notification>, Unavailable>>;
}

/// Asks for newer news of orders.
pub trait OrderNews {
    /// The status news of these orders that are as old as, or younger than, the moment given with each; may lag behind by a
    /// moment.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when the answer for any of them is not known.
    fn since(
        &self,
        orders: &[(OrderId, Timestamp)],
    ) -> impl Future<Output = Result<HashMap<OrderId, Vec<News>>, Unavailable>>;
}

/// Finds deliveries by the id that a provider gave their message, for providers whose reports name nothing else.
pub trait MessageLookUp {
    /// The deliveries of these messages; unknown ones are missing from the answer.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when the answer for any of them is not known.
    fn find(
        &self,
        message_ids: &[String],
    ) -> impl Future<Output = Result<HashMap<String, (NotificationId, Channel)>, Unavailable>>;
}

/// What an account may send, shared by all senders.
///
/// An answer may be some seconds old, but never older than what this process itself wrote.
pub trait TrafficShare {
    /// What the account may send by this channel.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when nobody knows.
    fn look(&self, channel: Channel) -> impl Future<Output = Result<Traffic, Unavailable>>;

    /// Asks for permits of a window: what all have asked for by now, these included.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when it is not known whether they were counted.
    fn ask(
        &self,
        channel: Channel,
        window: &Window,
        is_urgent: bool,
        count: u32,
    ) -> impl Future<Output = Result<Asked, Unavailable>>;

    /// Tells the others that the provider asked for patience.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when it may or may not have been written.
    fn slow_down(&self, channel: Channel, slowed: Slowed) -> impl Future<Output = Result<(), Unavailable>>;

    /// Tells the others that the account is in trouble, or that it is over, and the keeper of the queues that it should act.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when it may or may not have been written.
    fn set_breaker(&self, channel: Channel, breaker: &Breaker) -> impl Future<Output = Result<(), Unavailable>>;
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

/// Asks a provider what the account may do.
pub trait AccountFacts {
    /// What the account may do by this channel.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when the provider does not say.
    fn ask(&self, channel: Channel) -> impl Future<Output = Result<Account, Unavailable>>;
}

/// What a provider says of the account.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    /// Messages per second that it may send.
    pub limit: f64,
    /// Why it may not send at all, where it may not; a short code or sentence.
    pub trouble: Option<String>,
}

/// Keeps what is known of the traffic.
pub trait TrafficKeep: TrafficShare {
    /// Writes down how many messages per second the account may send.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when it may or may not have been written.
    fn set_limit(&self, channel: Channel, limit: f64) -> impl Future<Output = Result<(), Unavailable>>;
}

/// Holds the queues of a channel, or lets them flow.
pub trait Valves {
    /// Opens or shuts the way from the queues of this channel to its sender. Doing it again does nothing.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when one of its lanes may be in the other position.
    fn set(&self, channel: Channel, is_flowing: bool) -> impl Future<Output = Result<(), Unavailable>>;
}

/// Lets a sender try one of the messages that are held.
pub trait Trial {
    /// Takes one waiting message to the sender of this channel; whether there was one.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when it is not known how that went. The message is not lost.
    fn run(&self, channel: Channel) -> impl Future<Output = Result<bool, Unavailable>>;
}

/// The provider's list of numbers that want nothing.
pub trait OptOutList {
    /// Everybody on it.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when the list cannot be read to its end.
    fn read(&self) -> impl Future<Output = Result<Vec<Contact>, Unavailable>>;
}

/// Puts texts on one queue.
pub trait Enqueue {
    /// Puts each text there.
    fn enqueue(&self, texts: &[String]) -> impl Future<Output = Vec<Result<(), Unavailable>>>;
}

/// Holds messages of a queue back.
pub trait HoldBack {
    /// Hides each message, by its receipt, for so many seconds. Best effort: one that is not hidden comes back at its queue's
    /// own time, and finds that it is not its turn.
    fn hold_back(&self, queue_url: &str, waits: &[(String, i64)]) -> impl Future<Output = ()>;
}

/// Hands deliveries over to their senders.
pub trait HandOver {
    /// Puts each request where its sender finds it after so long: on the queue of its channel and lane, hidden for at most
    /// [`crate::LONGEST_DELAY`].
    fn hand_over(
        &self,
        requests: &[(DeliveryRequest, SignedDuration)],
    ) -> impl Future<Output = Vec<Result<(), Unavailable>>>;
}

impl<Q: HandOver> HandOver for &Q {
    async fn hand_over(&self, requests: &[(DeliveryRequest, SignedDuration)]) -> Vec<Result<(), Unavailable>> {
        (**self).hand_over(requests).await
    }
}

/// Lets deliveries wait, for longer than a queue can.
pub trait Defer {
    /// Keeps each request until its `not_before`. Keeping it again until the same moment changes nothing.
    fn defer(&self, requests: &[DeliveryRequest]) -> impl Future<Output = Vec<Result<(), Unavailable>>>;
}

impl<W: Defer> Defer for &W {
    async fn defer(&self, requests: &[DeliveryRequest]) -> Vec<Result<(), Unavailable>> {
        (**self).defer(requests).await
    }
}

/// The room in which deliveries wait, to whoever wakes them.
pub trait WaitingRoom {
    /// Those of one part that wait until this moment at most, the earliest first: some of them, from behind this place on. None
    /// means that there are no more.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when that cannot be told.
    fn due(
        &self,
        shard: &str,
        by: Timestamp,
        behind: Option<&Place>,
    ) -> impl Future<Output = Result<Vec<Deferred>, Unavailable>>;

    /// Forgets what waits at these places. Forgetting it again changes nothing.
    fn forget(&self, places: &[Place]) -> impl Future<Output = Vec<Result<(), Unavailable>>>;
}

/// A delivery that waits.
#[derive(Clone, PartialEq, Eq)]
pub struct Deferred {
    /// Where.
    pub place: Place,
    /// Its request in its wire form.
    pub text: String,
}

impl std::fmt::Debug for Deferred {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Deferred")
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

/// Wakes what waits for one customer.
pub trait WakeAll {
    /// Makes everything due now that waits for this customer; how much that is. The sender decides again about each, so that waking
    /// too much does no harm: call it whenever a customer's quiet hours or zone have changed.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when something may wait on. Do it again.
    fn wake_all_of(&self, user: &UserId, now: Timestamp) -> impl Future<Output = Result<u64, Unavailable>>;
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
    /// Surely not accepted: a resource of the account is used up. Uses up no try; somebody has to act.
    Limited {
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
    /// The same, in words that a provider also uses when it is the account: several in a row speak of that.
    Rejected {
        /// The provider's code.
        reason: String,
    },
    /// Surely not accepted: the recipient has told the provider that nothing is wanted. No failure.
    OptedOut {
        /// The provider's code.
        reason: String,
    },
    /// Perhaps accepted, and no harm done by offering it again: there it is the same message. Uses up no try.
    Repeatable {
        /// What went wrong.
        reason: String,
    },
    /// Perhaps accepted: no answer, or one that does not say.
    Unknown {
        /// What went wrong.
        reason: String,
    },
}

/// A finished message, and what the ledger keeps of it once it is offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft<M> {
    /// The message.
    pub message: M,
    /// What is kept of it.
    pub written: Written,
}

/// Why there is no message to offer. Holds no personal data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotWritten {
    /// No message of this kind can be written: the delivery has failed.
    Unwritable(String),
    /// It is not to be sent, now or ever: the delivery ends for this reason, which is no failure.
    Unwanted(Reason),
    /// Whether it may be sent cannot be told now: it comes again, and no try is used up.
    NotNow(String),
}

/// Counts text messages: how many a number gets in a day, and how many segments all of them take in a month. Days and months
/// are those of UTC.
pub trait SmsAllowance {
    /// Counts this notification among those that the contact gets on the day of this moment, unless there are `limit` others
    /// or more; whether it is among them. Doing it again counts nothing.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when it is not known whether it was counted.
    fn count(
        &self,
        contact: &Contact,
        id: NotificationId,
        limit: u32,
        now: Timestamp,
    ) -> impl Future<Output = Result<bool, Unavailable>>;

    /// Counts the segments of this notification's message among those of the month of this moment, unless there would be more
    /// than `limit`. What was granted once is granted again, and not counted again.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when it is not known whether they were counted.
    fn reserve(
        &self,
        id: NotificationId,
        segments: u8,
        limit: u64,
        now: Timestamp,
    ) -> impl Future<Output = Result<Reserved, Unavailable>>;
}

/// How counting the segments of a message went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reserved {
    /// Whether they are counted, so that the message may go out.
    pub is_granted: bool,
    /// How many segments the month has now, these included if they are granted; nothing where nobody had to count.
    pub used: Option<u64>,
}

/// Writes the message of a delivery and takes it to its provider.
pub trait Courier {
    /// The finished message.
    type Message;

    /// The channel it serves.
    fn channel(&self) -> Channel;

    /// Writes the message, and makes sure that it may be offered.
    ///
    /// # Errors
    ///
    /// [`NotWritten`] when there is nothing to offer, for now or for ever.
    fn write(&self, request: &DeliveryRequest) -> impl Future<Output = Result<Draft<Self::Message>, NotWritten>>;

    /// Offers the message to the provider exactly once.
    fn send(&self, request: &DeliveryRequest, message: &Self::Message) -> impl Future<Output = SendAnswer>;
}

/// Reads customers' inboxes. What was marked before is seen as marked.
pub trait InboxLoad {
    /// A page of this customer's inbox, newest first: at most `limit` notes and at most [`InboxPage::LONGEST`], from this place
    /// on or from the newest one, all of them or only those that are unread.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when that cannot be told.
    fn page(
        &self,
        user: &UserId,
        from: Option<InboxPlace>,
        limit: u32,
        unread_only: bool,
    ) -> impl Future<Output = Result<InboxPage, Unavailable>> + Send;

    /// How many notes are unread.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when that cannot be told.
    fn unread(&self, user: &UserId) -> impl Future<Output = Result<Unread, Unavailable>> + Send;
}

/// Marks notes as read.
pub trait InboxMark {
    /// Marks one note as read, now, unless it was read before; whether this customer has it.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when it may or may not be marked. Doing it again does no harm.
    fn mark(
        &self,
        user: &UserId,
        id: NotificationId,
        now: Timestamp,
    ) -> impl Future<Output = Result<bool, Unavailable>> + Send;

    /// Marks as read what has come until now, as much as one call may do.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when some may be marked and others not. Doing it again goes on where it stopped.
    fn mark_all(&self, user: &UserId, now: Timestamp) -> impl Future<Output = Result<MarkedAll, Unavailable>> + Send;
}

impl std::fmt::Debug for DeadLetter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DeadLetter")
            .field("reason", &self.reason)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
