//! EasyPost, a gatherer, calls us with events about its trackers (EasyPost/examples, docs.easypost.com).

use domain::{Carrier, OrderStatus, TrackingEvent};
use jiff::Timestamp;
use serde_json::Value;
use std::borrow::Cow;
use unicode_normalization::UnicodeNormalization as _;

use crate::{
    Delivery, Keys, Request, Sighting, Signed, Unproven, Unreadable, Unsigned, Webhook, archive,
    code_table::{Meaning, Row, meaning},
    moment::{self, Moment},
    parse,
    parse::{at, each, text_at},
    proof::{fits_any, from_hex, hmac_sha256},
    words::{place, words},
};

/// EasyPost. A key is the webhook's secret.
pub(crate) struct Easypost;

/// `hmac-sha256-hex=` and HMAC-SHA256 over the body, under the secret in Unicode's form NFKD.
const SIGNATURE: &str = "X-Hmac-Signature";
const SCHEME: &str = "hmac-sha256-hex=";

/// A tracker's statuses.
const STATUSES: &[Row] = &[
    Row(Meaning::of(OrderStatus::Processing), &["pre_transit"]),
    Row(Meaning::of(OrderStatus::Shipped), &["in_transit"]),
    Row(Meaning::of(OrderStatus::OutForDelivery), &["out_for_delivery"]),
    Row(Meaning::READY_FOR_PICKUP, &["available_for_pickup"]),
    Row(Meaning::of(OrderStatus::Delivered), &["delivered"]),
    Row(Meaning::of(OrderStatus::Exception), &["failure"]),
    Row(Meaning::of(OrderStatus::Returned), &["return_to_sender"]),
    Row(Meaning::of(OrderStatus::Cancelled), &["cancelled"]),
    Row(Meaning::NO_CHANGE, &["unknown", "error"]),
];

impl Webhook for Easypost {
    fn prove(&self, request: &Request<'_>, keys: &Keys) -> Result<(), Unproven> {
        let header = request.header(SIGNATURE).ok_or(Unproven::Missing)?;
        let claimed = from_hex(header.strip_prefix(SCHEME).ok_or(Unproven::Malformed)?)?;
        fits_any(keys.iter(), &claimed, |key| mac(key, request.body).to_vec())
    }

    /// Reads an event, or a tracker alone, as EasyPost answers with it.
    fn read(&self, request: &Request<'_>) -> Result<Delivery, Unreadable> {
        let body = parse::json(request.body)?;
        let tracker = match text_at(&body, "object").as_deref() {
            Some("Tracker") => &body,
            Some("Event") if text_at(&body, "result.object").as_deref() == Some("Tracker") => at(&body, "result"),
            // Of batches, refunds and whatever else EasyPost does.
            Some("Event") => return Ok(Delivery::default()),
            _ => return Err(Unreadable::new("object Event or Tracker")),
        };
        let sighting = sighting(tracker, request.now);
        let sighting = sighting.ok_or_else(|| Unreadable::new("a tracker's tracking_code and status"))?;
        Ok(Delivery {
            sightings: vec![sighting],
            handshake: None,
        })
    }

    fn archived<'r>(&self, request: &Request<'r>) -> Cow<'r, [u8]> {
        archive::without(request.body, &["signed_by"])
    }

    fn sign(&self, unsigned: &Unsigned<'_>, key: &str) -> Signed {
        let digits: String = mac(key, unsigned.body)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Signed {
            headers: vec![(SIGNATURE.to_owned(), format!("{SCHEME}{digits}"))],
            ..Signed::default()
        }
    }
}

fn mac(key: &str, body: &[u8]) -> [u8; 32] {
    let key: String = key.nfkd().collect();
    hmac_sha256(key.as_bytes(), &[body])
}

fn sighting(tracker: &Value, now: Timestamp) -> Option<Sighting> {
    let number = parse::number(at(tracker, "tracking_code"))?;
    let event = |status: &str, moment: Moment| {
        let found = meaning(STATUSES, &status.to_ascii_lowercase());
        let mut event = TrackingEvent::new(Carrier::Easypost, number.clone(), moment.at);
        event.is_time_assumed = moment.is_assumed;
        event.status = found.and_then(|found| found.status);
        event.detail = found.and_then(|found| found.detail);
        event.is_code_known = found.is_some();
        event.code = TrackingEvent::words(status);
        event
    };
    let details: Vec<(&Value, String)> = each(at(tracker, "tracking_details"))
        .filter_map(|detail| Some((detail, text_at(detail, "status")?)))
        .collect();
    let moments = details
        .iter()
        .map(|(detail, _)| Moment::iso(&text_at(detail, "datetime")?, None))
        .collect();
    let mut events: Vec<TrackingEvent> = details
        .iter()
        .zip(moment::in_order(moments, now))
        .map(|((detail, status), moment)| {
            let mut event = event(status, moment);
            let text = text_at(detail, "message").or_else(|| text_at(detail, "description"));
            event.text = text.as_deref().and_then(words);
            event.place = place(
                text_at(detail, "tracking_location.city"),
                text_at(detail, "tracking_location.country"),
            );
            event
        })
        .collect();
    events.sort_by_key(|event| event.at);
    // The tracker can know more than its lines.
    let newest = events.last().map(|event| (event.at, event.status));
    if let Some(status) = text_at(tracker, "status") {
        let updated = text_at(tracker, "updated_at").and_then(|text| Moment::iso(&text, None));
        let overall = event(
            &status,
            updated.unwrap_or(Moment::arrival(newest.map_or(now, |(at, _)| at))),
        );
        let is_news = newest.is_none_or(|(_, told)| overall.status.is_some() && overall.status != told);
        events.extend(is_news.then_some(overall));
    }
    if let Some(newest) = events.last_mut() {
        newest.expected = expected(tracker, newest);
    }
    Sighting::of(number.clone(), events)
}

/// The day on which the carrier expects to deliver what still may come, as it stands on the wall there. An unknown status decides
/// nothing, not even that.
fn expected(tracker: &Value, newest: &TrackingEvent) -> Option<jiff::civil::Date> {
    let is_final = matches!(
        newest.status?,
        OrderStatus::Delivered | OrderStatus::Returned | OrderStatus::Cancelled
    );
    let day = ["carrier_detail.est_delivery_date_local", "est_delivery_date"]
        .into_iter()
        .find_map(|name| moment::iso_day(&text_at(tracker, name)?));
    day.filter(|_| !is_final)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Told, code_table::doubled};
    use serde_json::json;

    fn now() -> Timestamp {
        "2026-11-20T10:00:00Z".parse().unwrap()
    }

    fn request<'r>(body: &'r [u8], headers: &'r [(String, String)]) -> Request<'r> {
        Request {
            method: "POST",
            key: None,
            query: "",
            headers,
            body,
            now: now(),
        }
    }

    fn events(tracker: Value) -> Vec<TrackingEvent> {
        let mut tracker = tracker;
        tracker["tracking_code"] = json!("EZ4000000004");
        match sighting(&tracker, now()).unwrap().told {
            Told::Events(events) => events,
            Told::NotFound => Vec::new(),
        }
    }

    #[test]
    fn no_status_stands_in_two_rows() {
        assert_eq!(doubled(STATUSES), Vec::<&str>::new());
    }

    #[test]
    fn a_secret_counts_in_its_decomposed_form() {
        let unsigned = Unsigned {
            query: "",
            body: b"{}",
            now: now(),
        };
        let signed = Easypost.sign(&unsigned, "s\u{e9}cret");
        // HMAC-SHA256 of `{}` under `se\u{301}cret`, made with another tool.
        assert_eq!(
            signed.headers,
            [(
                "X-Hmac-Signature".to_owned(),
                "hmac-sha256-hex=2b77ab9f4435a56a39713f2fa735e3ece5b5ec64f109503233e17033efc7f486".to_owned()
            )]
        );
        let keys = Keys::new(vec!["se\u{301}cret".to_owned()]);
        assert_eq!(Easypost.prove(&request(b"{}", &signed.headers), &keys), Ok(()));
    }

    #[test]
    fn a_signature_without_its_scheme_is_refused() {
        let keys = Keys::new(vec!["secret".to_owned()]);
        let digits: String = mac("secret", b"{}").iter().map(|byte| format!("{byte:02x}")).collect();
        for value in [
            digits.clone(),
            format!("sha256={digits}"),
            format!("hmac-sha256-hex={digits}00"),
        ] {
            let headers = [("x-hmac-signature".to_owned(), value)];
            assert!(Easypost.prove(&request(b"{}", &headers), &keys).is_err());
        }
    }

    #[test]
    fn a_tracker_that_knows_more_than_its_lines_adds_an_event() {
        let line = json!({ "status": "in_transit", "datetime": "2026-11-02T16:40:00Z" });
        let tracker = |status: &str| json!({ "status": status, "updated_at": "2026-11-04T10:00:00Z", "tracking_details": [line] });
        let newest = events(tracker("delivered")).remove(1);
        assert_eq!(newest.status, Some(OrderStatus::Delivered));
        assert_eq!(newest.at.to_string(), "2026-11-04T10:00:00Z");
        assert_eq!(events(tracker("in_transit")).len(), 1);
        assert_eq!(events(tracker("unknown")).len(), 1);
    }

    #[test]
    fn a_tracker_without_lines_has_its_own_status() {
        let event = events(json!({ "status": "teleported", "updated_at": "2026-11-04T10:00:00Z" })).remove(0);
        assert_eq!((event.status, event.code.as_deref()), (None, Some("teleported")));
        assert!(event.is_unread());
    }

    #[test]
    fn the_expected_day_is_the_local_one() {
        let event = events(json!({
            "status": "in_transit",
            "est_delivery_date": "2026-11-05T00:00:00Z",
            "carrier_detail": { "est_delivery_date_local": "2026-11-04" },
        }))
        .remove(0);
        assert_eq!(event.expected.map(|day| day.to_string()).as_deref(), Some("2026-11-04"));
    }

    #[test]
    fn what_is_no_event_is_not_read_and_other_events_tell_nothing() {
        let read = |body: &str| Easypost.read(&request(body.as_bytes(), &[]));
        for body in [
            "",
            "{}",
            "[]",
            r#"{"object":"Tracker"}"#,
            r#"{"object":"Tracker","tracking_code":"1"}"#,
        ] {
            assert!(read(body).is_err(), "{body}");
        }
        for body in [
            r#"{"object":"Event"}"#,
            r#"{"object":"Event","result":{"object":"Batch"}}"#,
        ] {
            assert_eq!(read(body), Ok(Delivery::default()), "{body}");
        }
    }

    #[test]
    fn who_signed_is_not_archived() {
        let body = br#"{"object":"Tracker","signed_by":"ANA"}"#;
        let archived = Easypost.archived(&request(body, &[])).into_owned();
        assert!(!String::from_utf8(archived).unwrap().contains("ANA"));
    }
}
