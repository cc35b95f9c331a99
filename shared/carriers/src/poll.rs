//! The way out to carriers that are asked: what to call, how often, and what the answer says.

use domain::{Carrier, TrackingNumber};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use std::fmt;

use crate::{
    Sighting, Unreadable, correos::Correos, correos_express::CorreosExpress, dhl::Dhl, dpd::Dpd, fedex::Fedex,
    royal_mail::RoyalMail, ups::Ups,
};

/// Our account with a carrier.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Account {
    /// The client id, the API key or the user's name.
    pub client_id: String,
    /// Its secret; empty where there is none.
    pub client_secret: String,
    /// Our number as the carrier's customer, where calls need one.
    pub customer: Option<String>,
    /// Another address than the carrier's own, `https://host` without a path: its test system, or a laboratory.
    pub base_url: Option<String>,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("base_url", &self.base_url)
            .finish_non_exhaustive()
    }
}

impl Account {
    /// Where this account's calls go: `https://host`.
    pub(crate) fn host<'a>(&'a self, own: &'a str) -> &'a str {
        self.base_url
            .as_deref()
            .map_or(own, |other| other.trim_end_matches('/'))
    }
}

/// A call to a carrier.
#[derive(Clone, PartialEq, Eq)]
pub struct Call {
    /// The method, in capital letters.
    pub method: &'static str,
    /// Its whole address.
    pub url: String,
    /// Its headers.
    pub headers: Vec<(&'static str, String)>,
    /// Its body.
    pub body: Option<String>,
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

/// How much a carrier lets itself be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How many parcels a call may ask for.
    pub parcels_per_call: usize,
    /// How many calls in which time; all of them hold.
    pub windows: &'static [Window],
}

/// So many calls in so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Calls.
    pub calls: u32,
    /// In this time.
    pub per: SignedDuration,
}

/// A token for further calls.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessToken {
    /// The token.
    pub value: String,
    /// How long it is good, a margin taken off.
    pub lives_for: SignedDuration,
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken")
            .field("lives_for", &self.lives_for)
            .finish_non_exhaustive()
    }
}

/// Why a carrier did not answer what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PollError {
    /// We asked too often.
    #[error("the carrier is asked too often")]
    Throttled,
    /// It does not know us, or no longer: the token is spent or the account is wrong.
    #[error("the carrier does not accept our credentials")]
    Unauthorised,
    /// It refuses what we ask, and would again.
    #[error("the carrier refuses the request with status {0}")]
    Refused(u16),
    /// It is in trouble.
    #[error("the carrier is in trouble, status {0}")]
    Unavailable(u16),
    /// Its answer is in no shape that we know.
    #[error("the carrier's answer cannot be read")]
    Unreadable(#[source] Unreadable),
}

impl PollError {
    /// What a status other than success says by itself.
    #[must_use]
    pub const fn of_status(status: u16) -> Self {
        match status {
            401 | 403 => Self::Unauthorised,
            429 => Self::Throttled,
            500.. => Self::Unavailable(status),
            _ => Self::Refused(status),
        }
    }
}

/// A subscription to the news of parcels, where it has to be renewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subscription {
    /// How long it is good.
    pub lives_for: SignedDuration,
    /// How many parcels one call subscribes to.
    pub parcels_per_call: usize,
}

/// How one carrier is asked.
pub trait Poll: Sync {
    /// How much it lets itself be asked.
    fn limits(&self) -> Limits;

    /// The call for a token; nothing where every call carries the credentials itself.
    fn token_call(&self, _account: &Account) -> Option<Call> {
        None
    }

    /// Reads the token from the answer.
    ///
    /// # Errors
    ///
    /// [`PollError`] where there is none.
    fn read_token(&self, status: u16, _body: &[u8]) -> Result<AccessToken, PollError> {
        Err(PollError::of_status(status))
    }

    /// The call that asks for these parcels, no more than [`Limits::parcels_per_call`].
    fn call(&self, account: &Account, token: Option<&str>, numbers: &[TrackingNumber]) -> Call;

    /// Reads the answer. A parcel that was asked for and is not in it is [`crate::Told::NotFound`].
    ///
    /// # Errors
    ///
    /// [`PollError`] where it tells nothing.
    fn read(
        &self,
        status: u16,
        body: &[u8],
        asked: &[TrackingNumber],
        now: Timestamp,
    ) -> Result<Vec<Sighting>, PollError>;

    /// The subscription without which this carrier does not call; nothing where it needs none, or one for ever.
    fn subscription(&self) -> Option<Subscription> {
        None
    }

    /// The call that subscribes to these parcels, for the first time or again.
    fn subscribe_call(&self, _account: &Account, _token: Option<&str>, _numbers: &[TrackingNumber]) -> Option<Call> {
        None
    }

    /// The numbers to which we are now subscribed.
    ///
    /// # Errors
    ///
    /// [`PollError`] where there are none.
    fn read_subscribed(
        &self,
        status: u16,
        _body: &[u8],
        _asked: &[TrackingNumber],
    ) -> Result<Vec<TrackingNumber>, PollError> {
        Err(PollError::of_status(status))
    }
}

/// What the answer tells, and of each parcel that was asked for and is not in it, that it is not found.
pub(crate) fn with_missing(mut told: Vec<Sighting>, asked: &[TrackingNumber]) -> Vec<Sighting> {
    let missing: Vec<Sighting> = asked
        .iter()
        .filter(|number| !told.iter().any(|sighting| sighting.number == **number))
        .cloned()
        .map(Sighting::not_found)
        .collect();
    told.extend(missing);
    told
}

/// How this carrier is asked; nothing for those that only call.
#[must_use]
pub fn poll(carrier: Carrier) -> Option<&'static dyn Poll> {
    match carrier {
        Carrier::Easypost | Carrier::Aftership | Carrier::Shippo => None,
        Carrier::Fedex => Some(&Fedex),
        Carrier::Ups => Some(&Ups),
        Carrier::Dhl => Some(&Dhl),
        Carrier::Correos => Some(&Correos),
        Carrier::CorreosExpress => Some(&CorreosExpress),
        Carrier::RoyalMail => Some(&RoyalMail),
        Carrier::Dpd => Some(&Dpd),
    }
}
