//! What the way of a parcel needs of the outside.

use carriers::Call;
use domain::ports::Unavailable;
use domain::{Carrier, OrderId, Saying, TrackingNumber, UserId};
use jiff::Timestamp;
use std::future::Future;

use crate::{DeliveryWishes, OrderRecord, ParcelRecord, Spent, WatchedParcel, Watching};

/// An order with everything that its pipeline and people said about it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OrderFile {
    /// What was last made of it; nothing before it was first seen.
    pub record: Option<OrderRecord>,
    /// What was said, by the pipeline and by hand.
    pub sayings: Vec<Saying>,
}

/// A parcel with everything that carriers said about it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ParcelFile {
    /// What is known of it; nothing before anybody registered it.
    pub record: Option<ParcelRecord>,
    /// The orders that it belongs to.
    pub orders: Vec<OrderId>,
    /// What carriers said.
    pub sayings: Vec<Saying>,
}

/// How writing an order went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It stands, together with its news.
    Done,
    /// Somebody else has written it since it was read; nothing was written.
    Stale,
}

/// News of an order, on their way out: written together with what made them, published afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingNews {
    /// Tells it from all others of the same order.
    pub key: String,
    /// The event for the topic, as JSON.
    pub event: String,
}

/// Keeps orders. What was written is read at once.
pub trait OrdersKeep {
    /// An order with all that was said.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when that cannot be told.
    fn read_order(&self, order: &OrderId) -> impl Future<Output = Result<OrderFile, Unavailable>> + Send;

    /// Adds what was said of an order, but for what is there already.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when any of it may be missing.
    fn say(&self, order: &OrderId, sayings: &[Saying]) -> impl Future<Output = Result<(), Unavailable>> + Send;

    /// Writes what was made of an order, and its news, in the place of what was read; all or nothing.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when it may or may not have been written.
    fn keep(
        &self,
        before: Option<&OrderRecord>,
        after: &OrderRecord,
        news: &[OutgoingNews],
    ) -> impl Future<Output = Result<Kept, Unavailable>> + Send;
}

/// Keeps parcels. What was written is read at once.
pub trait ParcelsKeep {
    /// A parcel with all that was said.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when that cannot be told.
    fn read_parcel(&self, number: &TrackingNumber) -> impl Future<Output = Result<ParcelFile, Unavailable>> + Send;

    /// Adds what carriers said of a parcel, whether anybody knows it or not, but for what is there already.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when any of it may be missing.
    fn hear(&self, number: &TrackingNumber, sayings: &[Saying])
    -> impl Future<Output = Result<(), Unavailable>> + Send;

    /// Says that a parcel belongs to an order, and has it followed from now on, if it is not yet.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when it may or may not have been written.
    fn claim(
        &self,
        number: &TrackingNumber,
        order: &OrderId,
        carrier: Option<Carrier>,
        now: Timestamp,
    ) -> impl Future<Output = Result<(), Unavailable>> + Send;

    /// Notes where a parcel stands, for whoever follows it.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when it may or may not have been written.
    fn note(&self, number: &TrackingNumber, note: &ParcelNote) -> impl Future<Output = Result<(), Unavailable>> + Send;
}

/// Where a parcel stands, for whoever follows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParcelNote {
    /// When its carrier was last heard of it.
    pub last_heard_at: Option<Timestamp>,
    /// Its way is over: nobody has to ask any more.
    pub has_ended: bool,
}

/// Finds what a customer may see.
pub trait OrdersFind {
    /// The customer's orders that changed last, the newest first, so many at most.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when that cannot be told.
    fn latest_of(&self, user: &UserId, most: u16)
    -> impl Future<Output = Result<Vec<OrderRecord>, Unavailable>> + Send;
}

/// Keeps what a customer wishes for a delivery.
pub trait WishesKeep {
    /// Writes them beside the order, if it still is the one that was read.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when it may or may not have been written.
    fn wish(
        &self,
        before: &OrderRecord,
        wishes: &DeliveryWishes,
    ) -> impl Future<Output = Result<Kept, Unavailable>> + Send;
}

/// Finds parcels that somebody has to look after, and notes when to look again.
pub trait Watch {
    /// The parcels of this carrier whose time has come, the longest due first, so many at most.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when that cannot be told.
    fn due(
        &self,
        carrier: Carrier,
        now: Timestamp,
        most: usize,
    ) -> impl Future<Output = Result<Vec<WatchedParcel>, Unavailable>> + Send;

    /// Notes what was done and when to look again, unless somebody else did in the meantime.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when it may or may not have been written.
    fn reschedule(
        &self,
        parcel: &WatchedParcel,
        next: &Watching,
    ) -> impl Future<Output = Result<(), Unavailable>> + Send;
}

/// What is registered together with an order, for callers that have both.
pub trait Register: OrdersKeep + ParcelsKeep {}
impl<T: OrdersKeep + ParcelsKeep> Register for T {}

/// News that wait to be published.
pub trait Outbox {
    /// News written before this moment that nobody has published, so many at most.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when that cannot be told.
    fn waiting(
        &self,
        before: Timestamp,
        most: u16,
    ) -> impl Future<Output = Result<Vec<(OrderId, OutgoingNews)>, Unavailable>> + Send;

    /// Takes news away that were published.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when they may still be there.
    fn published(&self, order: &OrderId, key: &str) -> impl Future<Output = Result<(), Unavailable>> + Send;
}

/// Remembers, for all processes together, how much each carrier was asked.
pub trait PatrolLog {
    /// What this carrier was asked so far.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when that cannot be told.
    fn spent(&self, carrier: Carrier) -> impl Future<Output = Result<Spent, Unavailable>> + Send;

    /// Writes what it is going to be asked, in the place of what was read.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when it may or may not have been written.
    fn spend(
        &self,
        carrier: Carrier,
        before: &Spent,
        after: &Spent,
    ) -> impl Future<Output = Result<Kept, Unavailable>> + Send;
}

/// Calls carriers.
pub trait CarrierCalls {
    /// The status and the body of the answer.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when there is none.
    fn call(&self, call: &Call) -> impl Future<Output = Result<(u16, Vec<u8>), Unavailable>> + Send;
}
