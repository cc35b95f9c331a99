//! What each carrier says of a parcel, in the shape that its documents give: one file per carrier, of our own making.

mod aftership;
mod correos;
mod correos_express;
mod dhl;
mod dpd;
mod easypost;
mod fedex;
mod royal_mail;
mod shippo;
mod ups;

use domain::Carrier;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::Step;

/// A message to our webhook, still to be signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Push {
    /// The method.
    pub method: &'static str,
    /// Everything after the question mark.
    pub query: String,
    /// The body.
    pub body: String,
}

impl Push {
    fn json(body: &serde_json::Value) -> Self {
        Self {
            method: "POST",
            query: String::new(),
            body: body.to_string(),
        }
    }
}

/// A parcel that is asked for, and what is to be told of it, the oldest first; nothing of one that nobody knows.
pub(crate) type Asked<'a> = (&'a str, &'a [Step]);

/// The message in which this carrier tells these steps, the oldest first, of which the last is the news. Nothing from carriers that never
/// call, or where there is no step.
#[must_use]
pub fn push(carrier: Carrier, number: &str, steps: &[Step]) -> Option<Push> {
    let (last, _) = steps.split_last()?;
    match carrier {
        Carrier::RoyalMail | Carrier::CorreosExpress => None,
        Carrier::Fedex => Some(fedex::push(number, steps)),
        Carrier::Ups => Some(ups::push(number, *last)),
        Carrier::Dhl => Some(dhl::push(number, *last)),
        Carrier::Correos => Some(correos::push(number, steps)),
        Carrier::Dpd => Some(dpd::push(number, *last)),
        Carrier::Easypost => Some(easypost::push(number, steps)),
        Carrier::Aftership => Some(aftership::push(number, steps)),
        Carrier::Shippo => Some(shippo::push(number, steps)),
    }
}

/// Whether its messages carry the whole history.
#[must_use]
pub const fn tells_histories(carrier: Carrier) -> bool {
    matches!(
        carrier,
        Carrier::Fedex | Carrier::Correos | Carrier::Easypost | Carrier::Aftership | Carrier::Shippo
    )
}

/// DHL asks whether we wanted to be called by this subscription.
#[must_use]
pub fn dhl_handshake(host: &str, subscription: &str, secret: &str) -> Push {
    dhl::handshake(host, subscription, secret)
}

/// The status and the body with which this carrier answers a question about these parcels. Nothing from carriers that are never asked.
pub(crate) fn answer(carrier: Carrier, asked: &[Asked<'_>]) -> Option<(u16, String)> {
    let first = asked.first().copied().unwrap_or(("", &[]));
    let (status, body) = match carrier {
        Carrier::Easypost | Carrier::Aftership | Carrier::Shippo => return None,
        Carrier::Fedex => (200, fedex::answer(asked)),
        Carrier::Ups => (200, ups::answer(first)),
        Carrier::Dhl => dhl::answer(first),
        Carrier::Correos => (200, correos::answer(asked)),
        Carrier::CorreosExpress => (200, correos_express::answer(first)),
        Carrier::RoyalMail => royal_mail::answer(asked),
        Carrier::Dpd => (200, dpd::answer(first)),
    };
    Some((status, body.to_string()))
}

/// What a clock on a wall shows at that moment.
fn on_a_wall(at: Timestamp, zone: &str) -> DateTime {
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    at.to_zoned(zone).datetime()
}

/// `2026-11-20T10:00:00+00:00`.
fn iso(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC)
        .strftime("%Y-%m-%dT%H:%M:%S+00:00")
        .to_string()
}

/// `2026-11-20T10:00:00Z`.
fn zulu(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
