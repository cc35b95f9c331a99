//! Shippo, which gathers the news of many carriers (webhook `track_updated`).
//!
//! Keys are texts of our own choice. By default they are the `token` in the address that Shippo calls; where Shippo has agreed to sign,
//! `Shippo-Auth-Signature: t=SECONDS,v1=HEX` carries HMAC-SHA256 of `SECONDS.BODY` and alone decides.

use domain::{Carrier, OrderStatus};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::code_table::{Meaning, Row, meaning};
use crate::history::{Entry, entries, expecting, history};
use crate::moment::{Moment, iso_day};
use crate::parse::{at, each, first_text, json, number, text_at};
use crate::proof::{fits_any, from_hex, hmac_sha256};
use crate::words::place;
use crate::{Delivery, Keys, Request, Sighting, Signed, Unproven, Unreadable, Unsigned, Webhook};

/// How Shippo calls us.
pub(crate) struct Shippo;

const HEADER: &str = "Shippo-Auth-Signature";
const TOKEN: &str = "token";

/// How old a signature may be. Shippo names no tolerance and repeats for a while what was not taken: three days, and some hours.
const GOOD_FOR: SignedDuration = SignedDuration::from_hours(76);

/// The status. `UNKNOWN` changes nothing.
const STATUSES: &[Row] = &[
    Row(Meaning::of(OrderStatus::Processing), &["PRE_TRANSIT"]),
    Row(Meaning::of(OrderStatus::Shipped), &["TRANSIT"]),
    Row(Meaning::of(OrderStatus::Delivered), &["DELIVERED"]),
    Row(Meaning::of(OrderStatus::Exception), &["FAILURE"]),
    Row(Meaning::of(OrderStatus::Returned), &["RETURNED"]),
];

/// What the substatus says of a parcel in `TRANSIT`, where it says more.
const SUBSTATUSES: &[Row] = &[
    Row(Meaning::of(OrderStatus::OutForDelivery), &["out_for_delivery"]),
    Row(Meaning::READY_FOR_PICKUP, &["pickup_available"]),
    Row(Meaning::of(OrderStatus::Delayed), &["delayed", "delivery_rescheduled"]),
];

impl Webhook for Shippo {
    fn prove(&self, request: &Request<'_>, keys: &Keys) -> Result<(), Unproven> {
        let is_signed = request
            .headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case(HEADER));
        match is_signed {
            true => prove_signature(request, keys),
            false => prove_token(request, keys),
        }
    }

    fn read(&self, request: &Request<'_>) -> Result<Delivery, Unreadable> {
        let body = json(request.body)?;
        let event = text_at(&body, "event").ok_or_else(|| Unreadable::new("a text in event"))?;
        if !matches!(event.as_str(), "track_updated" | "track_created") {
            return Ok(Delivery::default());
        }
        Ok(Delivery {
            sightings: parcel(&body, request.now)?.into_iter().collect(),
            handshake: None,
        })
    }

    fn sign(&self, unsigned: &Unsigned<'_>, key: &str) -> Signed {
        let seconds = unsigned.now.as_second().to_string();
        let signature = hmac_sha256(key.as_bytes(), &[seconds.as_bytes(), b".", unsigned.body]);
        let hex: String = signature.iter().map(|byte| format!("{byte:02x}")).collect();
        Signed {
            headers: vec![(HEADER.to_owned(), format!("t={seconds},v1={hex}"))],
            ..Signed::default()
        }
    }
}

fn prove_signature(request: &Request<'_>, keys: &Keys) -> Result<(), Unproven> {
    let value = request.header(HEADER).ok_or(Unproven::Malformed)?;
    let (seconds, hex) = value
        .strip_prefix("t=")
        .and_then(|rest| rest.split_once(",v1="))
        .ok_or(Unproven::Malformed)?;
    let sent = seconds_to_the_letter(seconds).ok_or(Unproven::Malformed)?;
    let claimed = from_hex(hex)?;
    fits_any(keys.iter(), &claimed, |key| {
        hmac_sha256(key.as_bytes(), &[seconds.as_bytes(), b".", request.body]).to_vec()
    })?;
    match sent.duration_since(request.now).abs() <= GOOD_FOR {
        true => Ok(()),
        false => Err(Unproven::Expired),
    }
}

/// Seconds since 1970 as Shippo writes them: neither sign nor zeros in front.
fn seconds_to_the_letter(text: &str) -> Option<Timestamp> {
    let seconds: i64 = text.parse().ok()?;
    (seconds.to_string() == text).then_some(())?;
    Timestamp::from_second(seconds).ok()
}

/// The token as we put it into the address, to the letter: with another spelling of the same characters it is not ours.
fn prove_token(request: &Request<'_>, keys: &Keys) -> Result<(), Unproven> {
    request.parameter(TOKEN).ok_or(Unproven::Missing)?;
    let claimed = request
        .query
        .split('&')
        .find_map(|pair| pair.strip_prefix("token="))
        .ok_or(Unproven::Malformed)?;
    fits_any(keys.iter(), claimed.as_bytes(), |key| {
        let spelled: String = form_urlencoded::byte_serialize(key.as_bytes()).collect();
        spelled.into_bytes()
    })
}

fn parcel(body: &Value, now: Timestamp) -> Result<Option<Sighting>, Unreadable> {
    let number = number(at(body, "data.tracking_number"));
    let number = number.ok_or_else(|| Unreadable::new("a tracking number in data.tracking_number"))?;
    let mut entries = entries(each(at(body, "data.tracking_history")), now, moment, entry);
    if let Some(current) = each(at(body, "data.tracking_status")).next() {
        // It stands in the history too, mostly; here it is the one that counts.
        let current = entry(current, moment(current).unwrap_or(Moment::arrival(now)));
        entries.retain(|entry| *entry != current);
        entries.push(current);
    }
    if entries.is_empty() {
        entries.push(Entry::at(Moment::arrival(now)));
    }
    let expected = text_at(body, "data.eta").and_then(|eta| iso_day(&eta));
    Ok(history(Carrier::Shippo, number, entries).map(|sighting| expecting(sighting, expected)))
}

/// UTC, always with its `Z`; were it missing, the clock of the country would count.
fn moment(told: &Value) -> Option<Moment> {
    let text = first_text(told, &["status_date", "object_updated", "object_created"])?;
    Moment::iso(&text, text_at(told, "location.country").as_deref())
}

fn entry(told: &Value, moment: Moment) -> Entry {
    let country = text_at(told, "location.country");
    let status = text_at(told, "status");
    let substatus = text_at(told, "substatus.code");
    let is_urgent = at(told, "substatus.action_required") == &Value::Bool(true);
    Entry {
        moment,
        meaning: read_status(status.as_deref(), substatus.as_deref(), is_urgent),
        code: match (status, substatus) {
            (Some(status), Some(substatus)) if status == "TRANSIT" => Some(format!("{status}/{substatus}")),
            (status, _) => status,
        },
        text: first_text(told, &["status_details", "substatus.text"]),
        place: place(text_at(told, "location.city"), country),
    }
}

/// That somebody has to act makes an exception of a parcel on its way, unless all there is to do is to fetch it.
fn read_status(status: Option<&str>, substatus: Option<&str>, is_urgent: bool) -> Option<Meaning> {
    let read = meaning(STATUSES, status?)?;
    let more = match read.status == Some(OrderStatus::Shipped) {
        true => substatus.and_then(|code| meaning(SUBSTATUSES, code)).unwrap_or(read),
        false => read,
    };
    let is_over = matches!(more.status, Some(OrderStatus::Delivered | OrderStatus::Returned));
    match is_urgent && !is_over && more != Meaning::READY_FOR_PICKUP {
        true => Some(Meaning::of(OrderStatus::Exception)),
        false => Some(more),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code_table::doubled;
    use crate::{Answer, Told};
    use proptest::prelude::*;
    use serde_json::json;

    const BODY: &[u8] = br#"{"event":"tracking_update"}"#;
    const KEY: &str = "laboratory-secret-1";
    const SENT: &str = "2026-11-20T10:00:00Z";
    /// Made by Python's hmac module of the three.
    const SIGNATURE: &str = "t=1795168800,v1=c093d0d449ee0753aa6e9014deec06b97eabdaa8183fb56e7cf0afaed9d7e695";

    fn request<'r>(query: &'r str, headers: &'r [(String, String)], body: &'r [u8], now: &str) -> Request<'r> {
        Request {
            method: "POST",
            key: None,
            query,
            headers,
            body,
            now: now.parse().unwrap(),
        }
    }

    fn keys() -> Keys {
        Keys::new(vec!["another".to_owned(), KEY.to_owned()])
    }

    fn prove(query: &str, signatures: &[&str], now: &str) -> Result<(), Unproven> {
        let headers: Vec<(String, String)> = signatures
            .iter()
            .map(|signature| ("shippo-auth-signature".to_owned(), (*signature).to_owned()))
            .collect();
        Shippo.prove(&request(query, &headers, BODY, now), &keys())
    }

    #[test]
    fn a_token_in_the_address_proves() {
        assert_eq!(prove("token=laboratory-secret-1", &[], SENT), Ok(()));
        assert_eq!(prove("a=b&token=another", &[], SENT), Ok(()));
    }

    #[test]
    fn another_spelling_of_the_same_token_is_refused() {
        for query in [
            "",
            "token=",
            "token=laboratory-secret-%31",
            "to%6ben=laboratory-secret-1",
            "token=laboratory-secret-1+",
            "token=laboratory-secret-1&token=laboratory-secret-1",
            "token=laboratory-secret-1&to%6ben=x",
            "TOKEN=laboratory-secret-1",
        ] {
            assert!(prove(query, &[], SENT).is_err(), "{query}");
        }
    }

    #[test]
    fn a_signature_proves_and_alone_decides() {
        assert_eq!(prove("", &[SIGNATURE], SENT), Ok(()));
        let wrong = SIGNATURE.replace("v1=", "v1=0");
        assert_eq!(
            prove("token=laboratory-secret-1", &[&wrong], SENT),
            Err(Unproven::Malformed)
        );
        assert_eq!(
            prove("token=laboratory-secret-1", &[SIGNATURE, SIGNATURE], SENT),
            Err(Unproven::Malformed)
        );
    }

    #[test]
    fn another_spelling_of_the_same_signature_is_refused() {
        for signature in [
            SIGNATURE.to_uppercase(),
            SIGNATURE.replace("t=", "t=+"),
            SIGNATURE.replace("t=", "t=0"),
            SIGNATURE.replace(",v1", ", v1"),
            format!("{SIGNATURE},v1=00"),
            format!(" {SIGNATURE}"),
            format!("{SIGNATURE} "),
        ] {
            assert!(prove("", &[&signature], SENT).is_err(), "{signature}");
        }
    }

    #[test]
    fn an_old_signature_has_expired_and_so_has_one_from_the_future() {
        assert_eq!(prove("", &[SIGNATURE], "2026-11-23T14:00:00Z"), Ok(()));
        assert_eq!(prove("", &[SIGNATURE], "2026-11-23T14:00:01Z"), Err(Unproven::Expired));
        assert_eq!(prove("", &[SIGNATURE], "2026-11-17T05:59:59Z"), Err(Unproven::Expired));
    }

    #[test]
    fn what_stands_in_the_history_is_told_once() {
        let first = json!({ "status": "PRE_TRANSIT", "status_date": "2026-11-02T10:00:00Z" });
        let current = json!({ "status": "TRANSIT", "status_date": "2026-11-03T10:00:00Z" });
        let body = json!({ "event": "track_updated", "data": {
            "tracking_number": "9205", "eta": "2026-11-06T00:00:00Z", "tracking_status": current,
            "tracking_history": [current, first],
        }});
        let delivery = Shippo
            .read(&request("", &[], body.to_string().as_bytes(), SENT))
            .unwrap();
        let [sighting] = delivery.sightings.as_slice() else {
            panic!("{delivery:?}")
        };
        let Told::Events(events) = &sighting.told else {
            panic!("{sighting:?}")
        };
        let statuses: Vec<_> = events.iter().map(|event| event.status).collect();
        assert_eq!(statuses, [Some(OrderStatus::Processing), Some(OrderStatus::Shipped)]);
        assert_eq!(events[1].expected, Some(jiff::civil::date(2026, 11, 6)));
        assert_eq!(events[0].expected, None);
    }

    #[test]
    fn a_parcel_without_a_status_is_seen_and_nothing_more() {
        let body = br#"{"event":"track_updated","data":{"tracking_number":"9205","tracking_status":null}}"#;
        let delivery = Shippo.read(&request("", &[], body, SENT)).unwrap();
        let Told::Events(events) = &delivery.sightings[0].told else {
            panic!("{delivery:?}")
        };
        assert_eq!(
            (events.len(), events[0].status, events[0].is_time_assumed),
            (1, None, true)
        );
    }

    #[test]
    fn a_call_is_answered_with_nothing_but_success() {
        assert_eq!(Shippo.answer(&request("", &[], BODY, SENT)), Answer::taken());
    }

    #[test]
    fn each_code_has_one_meaning() {
        assert!(doubled(STATUSES).is_empty());
        assert!(doubled(SUBSTATUSES).is_empty());
    }

    proptest! {
        #[test]
        fn a_signed_body_is_proven_and_no_byte_of_it_may_change(
            body in prop::collection::vec(any::<u8>(), 1..200),
            place in any::<prop::sample::Index>(),
            change in 1_u8..,
        ) {
            let now: Timestamp = SENT.parse().unwrap();
            let signed = Shippo.sign(&Unsigned { query: "", body: &body, now }, KEY);
            prop_assert_eq!(Shippo.prove(&request("", &signed.headers, &body, SENT), &keys()), Ok(()));
            let mut other = body.clone();
            other[place.index(body.len())] ^= change;
            prop_assert!(Shippo.prove(&request("", &signed.headers, &other, SENT), &keys()).is_err());
        }

        #[test]
        fn no_character_of_a_signature_or_a_token_may_change(place in any::<prop::sample::Index>(), other in "[ -~]") {
            let changed = |text: &str| {
                let place = place.index(text.len());
                format!("{}{other}{}", &text[..place], &text[place + 1..])
            };
            let signature = changed(SIGNATURE);
            prop_assert_eq!(prove("", &[&signature], SENT).is_ok(), signature == SIGNATURE);
            let query = changed("token=laboratory-secret-1");
            prop_assert_eq!(prove(&query, &[], SENT).is_ok(), query == "token=laboratory-secret-1");
        }
    }
}
