//! Royal Mail (Tracking API v2): it is asked, it never calls.
//!
//! The account's `client_id` and `client_secret` go with every call. Several parcels are asked for at once and answered with the last
//! event of each; one alone is answered with all its events.

use domain::{Carrier, OrderStatus, TrackingNumber};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::code_table::{Meaning, Row, meaning};
use crate::history::{Entry, answered, entries, expecting, history, listed, readable};
use crate::moment::{Moment, iso_day};
use crate::parse::{self, at, each, json, text_at};
use crate::{Account, Call, Limits, Poll, PollError, Sighting, Unreadable, Window};

/// How Royal Mail is asked.
pub(crate) struct RoyalMail;

const HOST: &str = "https://api.royalmail.net";

/// The start plan: who pays for more may ask more often.
const WINDOWS: &[Window] = &[Window {
    calls: 25,
    per: SignedDuration::from_hours(12),
}];

/// The error for a number that it does not know.
const UNKNOWN_NUMBER: &str = "E1142";

/// Event codes. The category beside them can say "delivered" of a parcel that goes back: the code alone counts.
const CODES: &[Row] = &[
    Row(Meaning::of(OrderStatus::Processing), &["EVAIP", "EVAIE"]),
    Row(
        Meaning::of(OrderStatus::Shipped),
        &["EVBAH", "EVDAC", "EVDAV", "EVIAV", "EVIMC", "EVNMI", "EVGMI", "EVIPI"],
    ),
    Row(Meaning::of(OrderStatus::OutForDelivery), &["EVGPD"]),
    Row(Meaning::READY_FOR_PICKUP, &["EVKLC"]),
    Row(
        Meaning::of(OrderStatus::Delivered),
        &["EVKSP", "EVKOP", "EVKSF", "EVKDN", "EVNOC", "EVPLC"],
    ),
    Row(
        Meaning::of(OrderStatus::Delayed),
        &[
            "EVNAR", "EVNKS", "EVNRT", "ASRXS", "RFRXS", "RNRXS", "RORXS", "RPRXS", "RSRXS",
        ],
    ),
    Row(Meaning::ATTEMPT_FAILED, &["EVKNA", "EVNDA", "EVKAA", "EVNAA"]),
    Row(Meaning::of(OrderStatus::Exception), &["EVNDN", "EVKSU"]),
    Row(
        Meaning::of(OrderStatus::Returned),
        &["EVKAI", "EVKGA", "EVNGA", "EVKRF", "EVNRF", "EVRTS"],
    ),
];

impl Poll for RoyalMail {
    fn limits(&self) -> Limits {
        Limits {
            parcels_per_call: 30,
            windows: WINDOWS,
        }
    }

    fn call(&self, account: &Account, _token: Option<&str>, numbers: &[TrackingNumber]) -> Call {
        let numbers_listed = listed(numbers);
        let path = match numbers {
            [_] => format!("/mailpieces/v2/{numbers_listed}/events"),
            [] | [_, ..] => format!("/mailpieces/v2/summary?mailPieceId={numbers_listed}"),
        };
        Call {
            method: "GET",
            url: format!("{}{path}", account.host(HOST)),
            headers: vec![
                ("Accept", "application/json".to_owned()),
                ("X-Accept-RMG-Terms", "yes".to_owned()),
                ("X-IBM-Client-Id", account.client_id.clone()),
                ("X-IBM-Client-Secret", account.client_secret.clone()),
            ],
            body: None,
        }
    }

    fn read(
        &self,
        status: u16,
        body: &[u8],
        asked: &[TrackingNumber],
        now: Timestamp,
    ) -> Result<Vec<Sighting>, PollError> {
        // What it does not know, the question about one parcel answers with 404 and the error in the body.
        if !matches!(status, 200 | 404) {
            return Err(PollError::of_status(status));
        }
        let body = json(body).map_err(|unreadable| match status {
            200 => PollError::Unreadable(unreadable),
            status => PollError::of_status(status),
        })?;
        let errors: Vec<String> = each(at(&body, "errors"))
            .filter_map(|error| text_at(error, "errorCode"))
            .collect();
        if at(&body, "mailPieces").is_null() {
            return match errors.iter().any(|error| error == UNKNOWN_NUMBER) {
                true => Ok(answered(Vec::new(), asked)),
                false => Err(refusal(status, &body)),
            };
        }
        let pieces = each(at(&body, "mailPieces")).map(|piece| parcel(piece, asked, now));
        let sightings = readable(pieces).map_err(PollError::Unreadable)?;
        Ok(answered(sightings, asked))
    }
}

/// Why there is nothing in the answer: it says so itself, whatever the status it came with.
fn refusal(status: u16, body: &Value) -> PollError {
    let said = text_at(body, "httpCode").and_then(|code| code.parse().ok());
    match said.unwrap_or(status) {
        200 => PollError::Unreadable(Unreadable::new("an object or a list in mailPieces")),
        other => PollError::of_status(other),
    }
}

fn parcel(piece: &Value, asked: &[TrackingNumber], now: Timestamp) -> Result<Option<Sighting>, Unreadable> {
    let has_error = at(piece, "error").is_object();
    let number = number(piece, asked, has_error)?;
    if has_error {
        return Ok(Some(Sighting::not_found(number)));
    }
    // The newest comes first.
    let mut events: Vec<&Value> = each(at(piece, "events")).collect();
    events.reverse();
    let mut entries = entries(events.into_iter(), now, |event| moment(event, "eventDateTime"), entry);
    if let Some(last) = summary(piece, now) {
        // What the list dates after the last event has a wrong date, or comes with the next answer too.
        entries.retain(|entry| last.moment.is_assumed || entry.moment.at <= last.moment.at);
        if !entries
            .iter()
            .any(|entry| entry.code == last.code && entry.moment == last.moment)
        {
            entries.push(last);
        }
    }
    let expected = text_at(piece, "estimatedDelivery.date").and_then(|date| iso_day(&date));
    Ok(history(Carrier::RoyalMail, number, entries).map(|sighting| expecting(sighting, expected)))
}

/// One item has up to three numbers: the one that was asked for counts, otherwise the one on its label.
fn number(piece: &Value, asked: &[TrackingNumber], has_error: bool) -> Result<TrackingNumber, Unreadable> {
    // Beside an error only the number is sure to be that of this item.
    let places: &[&str] = match has_error {
        true => &["mailPieceId"],
        false => &["summary.oneDBarcode", "mailPieceId", "summary.uniqueItemId"],
    };
    let numbers: Vec<TrackingNumber> = places
        .iter()
        .filter_map(|place| parse::number(at(piece, place)))
        .collect();
    let wanted = numbers.iter().find(|number| asked.contains(number));
    wanted
        .or(numbers.first())
        .cloned()
        .ok_or_else(|| Unreadable::new("a number in mailPieces.mailPieceId"))
}

fn entry(event: &Value, moment: Moment) -> Entry {
    let code = text_at(event, "eventCode");
    Entry {
        moment,
        meaning: code.as_deref().and_then(|code| meaning(CODES, code)),
        code,
        text: text_at(event, "eventName"),
        place: text_at(event, "locationName"),
    }
}

fn summary(piece: &Value, now: Timestamp) -> Option<Entry> {
    let code = text_at(piece, "summary.lastEventCode")?;
    Some(Entry {
        moment: moment(piece, "summary.lastEventDateTime").unwrap_or(Moment::arrival(now)),
        meaning: meaning(CODES, &code),
        code: Some(code),
        text: text_at(piece, "summary.lastEventName"),
        place: text_at(piece, "summary.lastEventLocationName"),
    })
}

/// RFC 3339; without an offset, which has not been seen, by a British clock.
fn moment(told: &Value, path: &str) -> Option<Moment> {
    Moment::iso(&text_at(told, path)?, Some("GB"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Told;
    use crate::code_table::doubled;

    const NOW: &str = "2026-11-20T10:00:00Z";

    fn number(text: &str) -> TrackingNumber {
        TrackingNumber::try_from(text).unwrap()
    }

    fn read(status: u16, body: &str, asked: &[TrackingNumber]) -> Result<Vec<Sighting>, PollError> {
        RoyalMail.read(status, body.as_bytes(), asked, NOW.parse().unwrap())
    }

    #[test]
    fn several_parcels_are_asked_for_at_once_and_one_with_its_history() {
        let account = Account {
            client_id: "id".to_owned(),
            client_secret: "secret".to_owned(),
            ..Account::default()
        };
        let several = RoyalMail.call(&account, None, &[number("QK104000725GB"), number("QK104000739GB")]);
        assert_eq!(
            several.url,
            "https://api.royalmail.net/mailpieces/v2/summary?mailPieceId=QK104000725GB,QK104000739GB"
        );
        let one = RoyalMail.call(&account, None, &[number("QK104000725GB")]);
        assert_eq!(one.url, "https://api.royalmail.net/mailpieces/v2/QK104000725GB/events");
        assert!(one.headers.contains(&("X-Accept-RMG-Terms", "yes".to_owned())));
        assert!(one.headers.contains(&("X-IBM-Client-Secret", "secret".to_owned())));
    }

    #[test]
    fn a_parcel_that_is_not_in_the_answer_is_not_found() {
        let body = r#"{"mailPieces":[{"mailPieceId":"QK104000725GB","summary":{"lastEventCode":"EVDAC",
            "lastEventDateTime":"2026-11-03T22:15:00Z"}}]}"#;
        let sightings = read(200, body, &[number("QK104000739GB"), number("QK104000725GB")]).unwrap();
        let told: Vec<_> = sightings
            .iter()
            .map(|one| (one.number.as_str(), one.told == Told::NotFound))
            .collect();
        assert_eq!(told.len(), 2);
        assert!(told.contains(&("QK104000739GB", true)) && told.contains(&("QK104000725GB", false)));
    }

    #[test]
    fn one_number_that_nobody_knows_is_not_found() {
        let body = r#"{"httpCode":"404","errors":[{"errorCode":"E1142"}]}"#;
        let asked = [number("QK104000725GB")];
        assert_eq!(read(404, body, &asked), Ok(vec![Sighting::not_found(asked[0].clone())]));
        assert_eq!(read(404, "<html>", &asked), Err(PollError::Refused(404)));
    }

    #[test]
    fn a_refusal_says_so_whatever_its_status() {
        let body = r#"{"httpCode":"400","errors":[{"errorCode":"E0004"}]}"#;
        assert_eq!(read(200, body, &[]), Err(PollError::Refused(400)));
        assert_eq!(read(401, "", &[]), Err(PollError::Unauthorised));
        assert_eq!(read(429, "", &[]), Err(PollError::Throttled));
        assert_eq!(read(503, "", &[]), Err(PollError::Unavailable(503)));
        assert!(matches!(read(200, "{}", &[]), Err(PollError::Unreadable(_))));
    }

    #[test]
    fn who_signed_for_it_is_nobodys_business() {
        let body = r#"{"mailPieces":{"mailPieceId":"QK104000725GB","signature":{"recipientName":"Sam Example"},
            "events":[{"eventCode":"EVKSP","eventName":"Delivered","eventDateTime":"2026-11-05T09:45:00Z"}]}}"#;
        let sightings = read(200, body, &[number("QK104000725GB")]).unwrap();
        assert!(!format!("{sightings:?}").contains("Example"));
    }

    #[test]
    fn the_last_event_of_the_summary_is_the_last() {
        let body = r#"{"mailPieces":{"mailPieceId":"QK104000725GB",
            "summary":{"lastEventCode":"EVAIP","lastEventDateTime":"2026-11-02T15:00:00Z"},
            "events":[{"eventCode":"EVAIP","eventDateTime":"2026-11-02T15:00:00Z"},
                {"eventCode":"EVDAC","eventDateTime":"2026-11-03T22:15:00Z"}]}}"#;
        let sightings = read(200, body, &[number("QK104000725GB")]).unwrap();
        let Told::Events(events) = &sightings[0].told else {
            panic!("{sightings:?}")
        };
        assert_eq!(events.len(), 1);
        assert_eq!(events[0].status, Some(OrderStatus::Processing));
    }

    #[test]
    fn an_old_event_without_a_readable_time_is_not_the_newest() {
        let body = r#"{"mailPieces":{"mailPieceId":"QK104000725GB","events":[
            {"eventCode":"EVKSP","eventDateTime":"2026-11-05T09:45:00Z"},
            {"eventCode":"EVGPD","eventDateTime":"?"},
            {"eventCode":"EVDAC","eventDateTime":"2026-11-03T22:15:00Z"}]}}"#;
        let sightings = read(200, body, &[number("QK104000725GB")]).unwrap();
        let Told::Events(events) = &sightings[0].told else {
            panic!("{sightings:?}")
        };
        let codes: Vec<_> = events.iter().filter_map(|event| event.code.as_deref()).collect();
        assert_eq!(codes, ["EVDAC", "EVGPD", "EVKSP"]);
        assert!(events[1].is_time_assumed);
    }

    #[test]
    fn each_code_has_one_meaning() {
        assert!(doubled(CODES).is_empty());
    }
}
