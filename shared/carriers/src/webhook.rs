//! The way in for carriers that call us: each proves itself, says what it says, and wants an answer in its own way.

use domain::Carrier;
use jiff::Timestamp;
use serde::Deserialize;
use std::borrow::Cow;
use std::fmt;

use crate::{
    Sighting, Unproven, Unreadable, aftership::Aftership, correos::Correos, dhl::Dhl, dpd::Dpd, easypost::Easypost,
    fedex::Fedex, shippo::Shippo, ups::Ups,
};

/// A call of a carrier as it came, before anything in it is believed.
#[derive(Clone, Copy)]
pub struct Request<'r> {
    /// The method, in capital letters.
    pub method: &'r str,
    /// What stands behind the carrier in the path: the secret of those that cannot sign.
    pub key: Option<&'r str>,
    /// Everything after the question mark, as it came.
    pub query: &'r str,
    /// Its headers; names in any case.
    pub headers: &'r [(String, String)],
    /// Its body, to the byte.
    pub body: &'r [u8],
    /// When it came.
    pub now: Timestamp,
}

impl<'r> Request<'r> {
    /// The value of a header, whatever the case of its name; nothing where it comes twice, because nobody knows which one counts.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'r str> {
        let mut values = self
            .headers
            .iter()
            .filter(|(other, _)| other.eq_ignore_ascii_case(name));
        match (values.next(), values.next()) {
            (Some((_, value)), None) => Some(value.as_str()),
            _ => None,
        }
    }

    /// The value of a parameter of the query; nothing where it comes twice.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<Cow<'r, str>> {
        let mut values = form_urlencoded::parse(self.query.as_bytes()).filter(|(other, _)| other == name);
        match (values.next(), values.next()) {
            (Some((_, value)), None) => Some(value),
            _ => None,
        }
    }
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

/// The live keys of one carrier: more than one while they are changed. What a key is, the carrier's file says.
#[derive(Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct Keys(Vec<String>);

impl Keys {
    /// These.
    #[must_use]
    pub const fn new(keys: Vec<String>) -> Self {
        Self(keys)
    }

    /// Each of them; an empty one is none.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str).filter(|key| !key.is_empty())
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({})", self.0.len())
    }
}

/// What a proven call says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Delivery {
    /// What it tells of parcels; nothing where it is about something else.
    pub sightings: Vec<Sighting>,
    /// What the carrier wants confirmed before it tells anything.
    pub handshake: Option<Handshake>,
}

/// A carrier asks whether we really wanted to be called (DHL): to be confirmed by a call of our own, later.
#[derive(Clone, PartialEq, Eq)]
pub struct Handshake {
    /// The id of the subscription: letters, digits and `-` alone. The address is never taken from the message.
    pub subscription: String,
    /// What the confirming call has to repeat.
    pub secret: String,
}

impl fmt::Debug for Handshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handshake")
            .field("subscription", &self.subscription)
            .finish_non_exhaustive()
    }
}

/// What the carrier is told back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status of HTTP.
    pub status: u16,
    /// The type of the body; none where it is empty.
    pub content_type: Option<&'static str>,
    /// The body.
    pub body: String,
}

impl Answer {
    /// Taken, and nothing more to say.
    #[must_use]
    pub const fn taken() -> Self {
        Self {
            status: 200,
            content_type: None,
            body: String::new(),
        }
    }
}

/// How one carrier calls us.
pub trait Webhook: Sync {
    /// Its methods of HTTP, in capital letters.
    fn methods(&self) -> &'static [&'static str] {
        &["POST"]
    }

    /// Proves, on the bytes as they came, that the call is the carrier's own.
    ///
    /// # Errors
    ///
    /// [`Unproven`], whose cause is for the log alone.
    fn prove(&self, request: &Request<'_>, keys: &Keys) -> Result<(), Unproven>;

    /// Reads a proven call.
    ///
    /// # Errors
    ///
    /// [`Unreadable`] where it is in no shape that we know.
    fn read(&self, request: &Request<'_>) -> Result<Delivery, Unreadable>;

    /// What a proven call is answered, read or not.
    fn answer(&self, _request: &Request<'_>) -> Answer {
        Answer::taken()
    }

    /// What is archived of a proven call: its bytes, without what must not be kept.
    fn archived<'r>(&self, request: &Request<'r>) -> Cow<'r, [u8]> {
        Cow::Borrowed(request.body)
    }

    /// Reads what was archived, at this moment, as if it came again.
    ///
    /// # Errors
    ///
    /// [`Unreadable`] where it is in no shape that we know.
    fn read_archived(&self, archived: &[u8], now: Timestamp) -> Result<Delivery, Unreadable> {
        self.read(&Request {
            method: "POST",
            key: None,
            query: "",
            headers: &[],
            body: archived,
            now,
        })
    }

    /// What a carrier would send besides the body, signed with this key: for tests and for the laboratory.
    fn sign(&self, unsigned: &Unsigned<'_>, key: &str) -> Signed;
}

/// A call that is still to be signed.
#[derive(Debug, Clone, Copy)]
pub struct Unsigned<'u> {
    /// Everything after the question mark.
    pub query: &'u str,
    /// The body.
    pub body: &'u [u8],
    /// When it is sent.
    pub now: Timestamp,
}

/// What a signature adds to a call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Signed {
    /// Headers to add.
    pub headers: Vec<(String, String)>,
    /// What to put behind the carrier in the path.
    pub key: Option<String>,
    /// What to add to the query, percent-encoded.
    pub query: Option<String>,
}

/// How this carrier calls us; nothing for those that do not.
#[must_use]
pub fn webhook(carrier: Carrier) -> Option<&'static dyn Webhook> {
    match carrier {
        Carrier::RoyalMail | Carrier::CorreosExpress => None,
        Carrier::Fedex => Some(&Fedex),
        Carrier::Ups => Some(&Ups),
        Carrier::Dhl => Some(&Dhl),
        Carrier::Easypost => Some(&Easypost),
        Carrier::Correos => Some(&Correos),
        Carrier::Dpd => Some(&Dpd),
        Carrier::Aftership => Some(&Aftership),
        Carrier::Shippo => Some(&Shippo),
    }
}
