//! What the preferences API needs of the outside, in one place: the ports of [`domain::ports`], and two of its own.

use domain::ports::{HistoryLoad, PhoneVerificationsKeep, PreferencesKeep, Unavailable};
use domain::{Language, PhoneNumber, Reason, ShopDefaults, UserId};
use jiff::Timestamp;
use std::future::Future;

/// Everything that the routes need.
pub trait Ports: Send + Sync + 'static {
    /// Where preferences are kept.
    fn preferences(&self) -> &(impl PreferencesKeep + Sync);
    /// Where phone verifications are kept.
    fn verifications(&self) -> &(impl PhoneVerificationsKeep + Sync);
    /// Where the history is read.
    fn history(&self) -> &(impl HistoryLoad + Sync);
    /// What sends codes to phones.
    fn codes(&self) -> &(impl CodeSend + Sync);
    /// What takes events.
    fn events(&self) -> &(impl EventPut + Sync);
    /// What the shop assumes where a customer says nothing.
    fn shop(&self) -> &ShopDefaults;
}

/// Sends codes to phones.
pub trait CodeSend {
    /// A new code, and the hash under which it is kept for this customer and number.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when this machine has no chance to give.
    fn draw(&self, user: &UserId, phone: &PhoneNumber) -> Result<(String, Vec<u8>), Unavailable>;

    /// Whether this is the code of that hash.
    fn is_code(&self, user: &UserId, phone: &PhoneNumber, code: &str, mac: &[u8]) -> bool;

    /// Sends a code, once.
    ///
    /// # Errors
    ///
    /// [`NotSent`] when it was surely not sent, or nobody knows.
    fn send(
        &self,
        phone: &PhoneNumber,
        code: &str,
        language: Language,
        now: Timestamp,
    ) -> impl Future<Output = Result<(), NotSent>> + Send;
}

/// Why a code was not sent.
#[derive(Debug)]
pub enum NotSent {
    /// No text message goes to this number, for this reason.
    Unwanted(Reason),
    /// It may go later.
    NotNow(Unavailable),
}

/// Puts events where those of the order pipeline arrive.
pub trait EventPut {
    /// Puts one there.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when it may or may not be there.
    fn put(&self, event: String) -> impl Future<Output = Result<(), Unavailable>> + Send;
}
