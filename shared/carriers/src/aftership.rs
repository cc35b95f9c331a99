//! AfterShip, which gathers the news of many carriers (AfterShip Tracking, webhooks).
//!
//! Keys are the webhook's secrets. A message is signed in `aftership-hmac-sha256`: HMAC-SHA256 of the body in base64. Its other products
//! sign in other headers, which do not count here.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::{Carrier, OrderStatus};
use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::Value;

use crate::code_table::{Meaning, Row, meaning};
use crate::history::{Entry, expecting, history};
use crate::moment::{Moment, iso_day};
use crate::parse::{at, each, first_text, json, number, text_at};
use crate::proof::{fits_any, from_base64, hmac_sha256};
use crate::words::place;
use crate::{Delivery, Keys, Request, Sighting, Signed, Unproven, Unreadable, Unsigned, Webhook};

/// How AfterShip calls us.
pub(crate) struct Aftership;

const HEADER: &str = "aftership-hmac-sha256";

/// The first part of a status, which is always there. `Pending` and `Expired` (nothing heard for a month) change nothing.
const TAGS: &[Row] = &[
    Row(Meaning::of(OrderStatus::Processing), &["InfoReceived"]),
    Row(Meaning::of(OrderStatus::Shipped), &["InTransit"]),
    Row(Meaning::of(OrderStatus::OutForDelivery), &["OutForDelivery"]),
    Row(Meaning::READY_FOR_PICKUP, &["AvailableForPickup"]),
    Row(Meaning::of(OrderStatus::Delivered), &["Delivered"]),
    Row(Meaning::ATTEMPT_FAILED, &["AttemptFail"]),
    // The documents call the list of subtags open: what is new under this tag is still "any shipping exception".
    Row(Meaning::of(OrderStatus::Exception), &["Exception"]),
];

/// The second part, where it says something else than the first.
const SUBTAGS: &[Row] = &[
    Row(
        Meaning::of(OrderStatus::Delayed),
        &["Exception_004", "Exception_005", "Exception_016", "Exception_017"],
    ),
    Row(Meaning::of(OrderStatus::Returned), &["Exception_010", "Exception_011"]),
];

/// Words of a parcel that is out for delivery, and yet only as far as a shop.
const PICKUP_WORDS: [&str; 4] = ["pickup", "pick up", "pick-up", "collection"];

impl Webhook for Aftership {
    fn prove(&self, request: &Request<'_>, keys: &Keys) -> Result<(), Unproven> {
        let claimed = from_base64(request.header(HEADER).ok_or(Unproven::Missing)?)?;
        fits_any(keys.iter(), &claimed, |key| {
            hmac_sha256(key.as_bytes(), &[request.body]).to_vec()
        })
    }

    fn read(&self, request: &Request<'_>) -> Result<Delivery, Unreadable> {
        let body = json(request.body)?;
        let event = text_at(&body, "event").ok_or_else(|| Unreadable::new("a text in event"))?;
        if !is_about_a_parcel(&event) {
            return Ok(Delivery::default());
        }
        Ok(Delivery {
            sightings: parcel(&body, request.now)?.into_iter().collect(),
            handshake: None,
        })
    }

    fn sign(&self, unsigned: &Unsigned<'_>, key: &str) -> Signed {
        let signature = hmac_sha256(key.as_bytes(), &[unsigned.body]);
        Signed {
            headers: vec![(HEADER.to_owned(), STANDARD.encode(signature))],
            ..Signed::default()
        }
    }
}

fn is_about_a_parcel(event: &str) -> bool {
    matches!(event, "tracking_update" | "edd_revise" | "tracking_pending_time")
}

fn parcel(body: &Value, now: Timestamp) -> Result<Option<Sighting>, Unreadable> {
    let number = number(at(body, "msg.tracking_number"));
    let number = number.ok_or_else(|| Unreadable::new("a tracking number in msg.tracking_number"))?;
    let sent = text_at(body, "ts")
        .and_then(|seconds| seconds.parse().ok())
        .and_then(|seconds| Timestamp::from_second(seconds).ok());
    let checkpoints = each(at(body, "msg.checkpoints"));
    let mut entries: Vec<Entry> = checkpoints.map(|checkpoint| entry(checkpoint, sent, now)).collect();
    entries.sort_by_key(|entry| entry.moment.at);
    let newest = entries.pop();
    entries.extend(current(body, newest, sent, now));
    let sighting = history(Carrier::Aftership, number, entries);
    Ok(sighting.map(|sighting| expecting(sighting, expected(body))))
}

fn entry(checkpoint: &Value, sent: Option<Timestamp>, now: Timestamp) -> Entry {
    let country = country(checkpoint);
    let moment = match first_text(checkpoint, &["checkpoint_time", "created_at"])
        .and_then(|text| Moment::iso(&text, country.as_deref()))
    {
        // By a clock that runs ahead of UTC it would lie behind what came after it.
        Some(guessed) if guessed.is_assumed => Moment::arrival(sent.map_or(guessed.at, |sent| guessed.at.min(sent))),
        Some(told) => told,
        None => Moment::arrival(sent.unwrap_or(now)),
    };
    let (tag, subtag) = (text_at(checkpoint, "tag"), text_at(checkpoint, "subtag"));
    let text = first_text(checkpoint, &["message", "subtag_message"]);
    Entry {
        moment,
        meaning: read_status(tag.as_deref(), subtag.as_deref(), text.as_deref(), false),
        code: subtag.or(tag),
        text,
        place: place(text_at(checkpoint, "city"), country),
    }
}

/// How the parcel stands: its newest checkpoint, as the message itself puts it.
fn current(body: &Value, newest: Option<Entry>, sent: Option<Timestamp>, now: Timestamp) -> Vec<Entry> {
    let (tag, subtag) = (text_at(body, "msg.tag"), text_at(body, "msg.subtag"));
    let says = text_at(body, "msg.subtag_message");
    let goes_back = at(body, "msg.return_to_sender") == &Value::Bool(true);
    let code = subtag.clone().or_else(|| tag.clone());
    let read = |text: Option<&str>| read_status(tag.as_deref(), subtag.as_deref(), text, goes_back);
    let sent = sent.map_or(Moment::arrival(now), |at| Moment { at, is_assumed: false });
    match newest {
        Some(newest) if code.is_none() || newest.code == code => {
            // The message was sent for this checkpoint: its own clock is the better guess.
            let moment = match newest.moment.is_assumed {
                true => Moment::arrival(sent.at),
                false => newest.moment,
            };
            let meaning = read(newest.text.as_deref()).or(newest.meaning);
            vec![Entry {
                moment,
                meaning,
                ..newest
            }]
        }
        newest => {
            let stands = Entry {
                moment: newest.as_ref().map_or(sent, |newest| Moment {
                    at: newest.moment.at.max(sent.at),
                    ..sent
                }),
                meaning: read(says.as_deref()),
                code,
                text: says,
                place: None,
            };
            newest.into_iter().chain([stands]).collect()
        }
    }
}

fn read_status(tag: Option<&str>, subtag: Option<&str>, text: Option<&str>, goes_back: bool) -> Option<Meaning> {
    if goes_back {
        return Some(Meaning::of(OrderStatus::Returned));
    }
    let read = subtag
        .and_then(|subtag| meaning(SUBTAGS, subtag))
        .or_else(|| meaning(TAGS, tag?))?;
    let text = text.unwrap_or_default().to_lowercase();
    let waits = read.status == Some(OrderStatus::OutForDelivery) && PICKUP_WORDS.iter().any(|word| text.contains(word));
    Some(if waits { Meaning::READY_FOR_PICKUP } else { read })
}

/// Newer versions name the country in another field, and by three letters.
fn country(checkpoint: &Value) -> Option<String> {
    first_text(
        checkpoint,
        &["country_region_name", "country_name", "country_region", "country_iso3"],
    )
}

fn expected(body: &Value) -> Option<Date> {
    let places = [
        "msg.latest_estimated_delivery.datetime",
        "msg.courier_estimated_delivery_date.estimated_delivery_date",
        "msg.expected_delivery",
    ];
    places.iter().find_map(|place| iso_day(&text_at(body, place)?))
}
