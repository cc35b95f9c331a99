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
use crate::history::{Entry, entries, expecting, history};
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
const PICKUP_WORDS: [&str; 3] = ["pickup", "pick up", "pick-up"];

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
    let mut entries = entries(
        checkpoints,
        sent.unwrap_or(now),
        |checkpoint| moment(checkpoint, sent),
        entry,
    );
    entries.sort_by_key(|entry| entry.moment.at);
    let newest = entries.pop();
    entries.extend(current(body, newest, sent, now));
    let sighting = history(Carrier::Aftership, number, entries);
    Ok(sighting.map(|sighting| expecting(sighting, expected(body))))
}

fn moment(checkpoint: &Value, sent: Option<Timestamp>) -> Option<Moment> {
    let text = first_text(checkpoint, &["checkpoint_time", "created_at"])?;
    let told = Moment::iso(&text, country(checkpoint).as_deref())?;
    match (told.is_assumed, sent) {
        // By a clock that runs ahead of UTC it would lie behind what came after it.
        (true, Some(sent)) => Some(Moment::arrival(told.at.min(sent))),
        (true, None) | (false, _) => Some(told),
    }
}

fn entry(checkpoint: &Value, moment: Moment) -> Entry {
    let (tag, subtag) = (text_at(checkpoint, "tag"), text_at(checkpoint, "subtag"));
    let text = first_text(checkpoint, &["message", "subtag_message"]);
    Entry {
        moment,
        meaning: read_status(tag.as_deref(), subtag.as_deref(), text.as_deref(), false),
        code: subtag.or(tag),
        text,
        place: place(text_at(checkpoint, "city"), country(checkpoint)),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Told;
    use crate::code_table::doubled;
    use domain::TrackingEvent;
    use proptest::prelude::*;
    use serde_json::json;

    const BODY: &[u8] = br#"{"event":"tracking_update"}"#;
    const KEY: &str = "laboratory-secret-1";
    /// Made by Python's hmac module of these two.
    const SIGNATURE: &str = "ntj2LGfXpq52dEK2rVlqKbmFieFwzyTUqxWLB5CADBE=";

    fn prove(name: &str, signature: &str, body: &[u8]) -> Result<(), Unproven> {
        let headers = [(name.to_owned(), signature.to_owned())];
        let keys = Keys::new(vec!["another".to_owned(), KEY.to_owned()]);
        Aftership.prove(&request(&headers, body), &keys)
    }

    fn request<'r>(headers: &'r [(String, String)], body: &'r [u8]) -> Request<'r> {
        Request {
            method: "POST",
            key: None,
            query: "",
            headers,
            body,
            now: "2026-11-20T10:00:00Z".parse().unwrap(),
        }
    }

    fn events(body: &Value) -> Vec<TrackingEvent> {
        let delivery = Aftership.read(&request(&[], body.to_string().as_bytes())).unwrap();
        match delivery.sightings.into_iter().next().unwrap().told {
            Told::Events(events) => events,
            Told::NotFound => Vec::new(),
        }
    }

    fn message(checkpoints: Value) -> Value {
        json!({ "event": "tracking_update", "ts": 1_793_872_800, "msg": {
            "tracking_number": "7700045612", "tag": "InTransit", "subtag": "InTransit_003", "checkpoints": checkpoints,
        }})
    }

    #[test]
    fn a_body_signed_with_a_live_key_is_proven() {
        assert_eq!(prove("AfterShip-Hmac-SHA256", SIGNATURE, BODY), Ok(()));
    }

    #[test]
    fn the_headers_of_other_products_prove_nothing() {
        assert_eq!(
            prove("as-signature-hmac-sha256", SIGNATURE, BODY),
            Err(Unproven::Missing)
        );
    }

    #[test]
    fn another_spelling_of_the_same_signature_is_refused() {
        let bare = SIGNATURE.trim_end_matches('=');
        let hex = "d2".repeat(32);
        for spelling in [
            bare,
            &format!("{SIGNATURE} "),
            &format!("{SIGNATURE}\n"),
            &SIGNATURE.replace('+', "-"),
            &hex,
            "",
        ] {
            if spelling != SIGNATURE {
                assert!(prove(HEADER, spelling, BODY).is_err(), "{spelling:?}");
            }
        }
    }

    #[test]
    fn a_signature_that_comes_twice_is_refused() {
        let header = (HEADER.to_owned(), SIGNATURE.to_owned());
        let headers = [header.clone(), header];
        let keys = Keys::new(vec![KEY.to_owned()]);
        assert_eq!(Aftership.prove(&request(&headers, BODY), &keys), Err(Unproven::Missing));
    }

    #[test]
    fn without_a_key_nothing_is_proven() {
        let headers = [(HEADER.to_owned(), SIGNATURE.to_owned())];
        let keys = Keys::new(vec![String::new()]);
        assert_eq!(Aftership.prove(&request(&headers, BODY), &keys), Err(Unproven::NoKey));
    }

    #[test]
    fn every_checkpoint_is_an_event_and_the_message_is_about_the_newest() {
        let events = events(&message(json!([
            { "checkpoint_time": "2026-11-04T08:00:00Z", "tag": "InTransit", "subtag": "InTransit_001" },
            { "checkpoint_time": "2026-11-03T08:00:00Z", "tag": "InfoReceived", "subtag": "InfoReceived_001" },
        ])));
        let codes: Vec<&str> = events.iter().filter_map(|event| event.code.as_deref()).collect();
        assert_eq!(codes, ["InfoReceived_001", "InTransit_001", "InTransit_003"]);
        assert_eq!(events.last().unwrap().at, "2026-11-05T10:00:00Z".parse().unwrap());
    }

    #[test]
    fn a_clock_without_an_offset_is_never_ahead_of_the_message() {
        let events = events(&message(json!([
            { "checkpoint_time": "2026-11-05T23:00:00", "tag": "InfoReceived", "subtag": "InfoReceived_001" },
            { "checkpoint_time": "2026-11-05T23:30:00", "tag": "InTransit", "subtag": "InTransit_003" },
        ])));
        assert!(events.iter().all(|event| event.is_time_assumed));
        assert!(
            events
                .iter()
                .all(|event| event.at == "2026-11-05T10:00:00Z".parse().unwrap())
        );
        assert_eq!(events.last().unwrap().code.as_deref(), Some("InTransit_003"));
    }

    #[test]
    fn a_message_about_something_else_tells_of_no_parcel() {
        let body = json!({ "event": "return_update", "msg": {} }).to_string();
        assert_eq!(Aftership.read(&request(&[], body.as_bytes())), Ok(Delivery::default()));
    }

    #[test]
    fn a_message_without_a_number_is_unreadable() {
        for body in [
            "",
            "[]",
            "{}",
            r#"{"event":"tracking_update","msg":{"tracking_number":"?"}}"#,
        ] {
            assert!(Aftership.read(&request(&[], body.as_bytes())).is_err(), "{body}");
        }
    }

    #[test]
    fn each_code_has_one_meaning() {
        assert!(doubled(TAGS).is_empty());
        assert!(doubled(SUBTAGS).is_empty());
    }

    proptest! {
        #[test]
        fn a_signed_body_is_proven_and_no_byte_of_it_may_change(
            body in prop::collection::vec(any::<u8>(), 1..200),
            place in any::<prop::sample::Index>(),
            change in 1_u8..,
        ) {
            let now = "2026-11-20T10:00:00Z".parse().unwrap();
            let signed = Aftership.sign(&Unsigned { query: "", body: &body, now }, KEY);
            let keys = Keys::new(vec![KEY.to_owned()]);
            prop_assert_eq!(Aftership.prove(&request(&signed.headers, &body), &keys), Ok(()));
            let mut other = body.clone();
            other[place.index(body.len())] ^= change;
            prop_assert!(Aftership.prove(&request(&signed.headers, &other), &keys).is_err());
        }

        #[test]
        fn no_character_of_a_signature_or_a_key_may_change(place in any::<prop::sample::Index>(), other in "[ -~]") {
            let changed = |text: &str| {
                let place = place.index(text.len());
                format!("{}{other}{}", &text[..place], &text[place + 1..])
            };
            let signature = changed(SIGNATURE);
            prop_assert_eq!(prove(HEADER, &signature, BODY).is_ok(), signature == SIGNATURE);
            let headers = [(HEADER.to_owned(), SIGNATURE.to_owned())];
            let key = changed(KEY);
            let is_proven = Aftership.prove(&request(&headers, BODY), &Keys::new(vec![key.clone()])).is_ok();
            prop_assert_eq!(is_proven, key == KEY);
        }
    }
}
