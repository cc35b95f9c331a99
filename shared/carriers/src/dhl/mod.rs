//! DHL: the Unified Push API calls us, after a handshake; the Unified Tracking API is asked
//! (developer.dhl.com, Shipment Tracking – Unified).

mod codes;
mod parcel_de;

use codes::{Said, is_checkpoint};
use domain::{Carrier, OrderStatus, TrackingEvent, TrackingNumber};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::borrow::Cow;

use crate::{
    Account, Call, Delivery, Handshake, Keys, Limits, Poll, PollError, Request, Sighting, Signed, Unproven, Unreadable,
    Unsigned, Webhook, Window, archive,
    moment::{self, Moment},
    parse,
    parse::{at, each, text_at},
    poll::with_missing,
    proof::fits_any,
    sighting::MOST_PARCELS,
    tracking_page::percent_encoded,
    words::{place, words},
};

/// DHL. A key is the token that we gave DHL with the subscription, to be sent in the header [`TOKEN`].
pub(crate) struct Dhl;

/// The header that we asked DHL for (`hook.authentication.header`).
const TOKEN: &str = "X-DHL-Hook-Token";

/// Where calls go.
const HOST: &str = "https://api-eu.dhl.com";

/// What a new key may ask.
const LIMITS: Limits = Limits {
    parcels_per_call: 1,
    windows: &[
        Window {
            calls: 1,
            per: SignedDuration::from_secs(5),
        },
        Window {
            calls: 250,
            per: SignedDuration::from_hours(24),
        },
    ],
};

/// The scope of a message about parcels, and of the first half of the handshake. All others tell how the subscription is.
const PUSH: &str = "subscription.push";
const VALIDATE: &str = "subscription.validate";

/// What must not be kept: the secret of the handshake, and people.
const NOT_KEPT: [&str; 5] = ["secret", "proofOfDelivery", "receiver", "sender", "streetAddress"];

impl Webhook for Dhl {
    fn prove(&self, request: &Request<'_>, keys: &Keys) -> Result<(), Unproven> {
        let claimed = request.header(TOKEN).ok_or(Unproven::Missing)?;
        fits_any(keys.iter(), claimed.as_bytes(), |key| key.as_bytes().to_vec())
    }

    fn read(&self, request: &Request<'_>) -> Result<Delivery, Unreadable> {
        let body = parse::json(request.body)?;
        match text_at(&body, "scope").as_deref() {
            // Without a scope: the answer of the tracking API, as the Americas send it.
            Some(PUSH) | None => Ok(Delivery {
                sightings: sightings(&body, request.now)?,
                handshake: None,
            }),
            Some(VALIDATE) => Ok(Delivery {
                sightings: Vec::new(),
                handshake: Some(handshake(&body)?),
            }),
            Some(_) => Ok(Delivery::default()),
        }
    }

    fn archived<'r>(&self, request: &Request<'r>) -> Cow<'r, [u8]> {
        archive::without(request.body, &NOT_KEPT)
    }

    /// A handshake is over when it was archived, and its secret is gone.
    fn read_archived(&self, archived: &[u8], now: Timestamp) -> Result<Delivery, Unreadable> {
        let body = parse::json(archived)?;
        match text_at(&body, "scope").as_deref() {
            Some(VALIDATE) => Ok(Delivery::default()),
            _ => Webhook::read(
                self,
                &Request {
                    method: "POST",
                    key: None,
                    query: "",
                    headers: &[],
                    body: archived,
                    now,
                },
            ),
        }
    }

    fn sign(&self, _unsigned: &Unsigned<'_>, key: &str) -> Signed {
        Signed {
            headers: vec![(TOKEN.to_owned(), key.to_owned())],
            ..Signed::default()
        }
    }
}

/// The call that answers DHL's handshake. Nothing of its address comes from the message but the id.
#[must_use]
pub fn confirm_call(account: &Account, handshake: &Handshake) -> Call {
    Call {
        method: "POST",
        url: format!(
            "{}/tracking/push/v1/subscription/{}",
            account.host(HOST),
            percent_encoded(&handshake.subscription)
        ),
        headers: vec![
            ("dhl-api-key", account.client_id.clone()),
            ("dhl-api-hook-secret", handshake.secret.clone()),
        ],
        body: None,
    }
}

fn handshake(body: &Value) -> Result<Handshake, Unreadable> {
    let path = text_at(body, "self").unwrap_or_default();
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let subscription = path.rsplit('/').next().unwrap_or_default();
    let is_id = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if !(1..=64).contains(&subscription.len()) || !subscription.chars().all(is_id) {
        return Err(Unreadable::new("a subscription's id at the end of self"));
    }
    // It goes back in a header.
    let secret = text_at(body, "secret").unwrap_or_default();
    if !(1..=512).contains(&secret.len()) || !secret.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Unreadable::new("a secret of up to 512 visible characters"));
    }
    Ok(Handshake {
        subscription: subscription.to_owned(),
        secret,
    })
}

impl Poll for Dhl {
    fn limits(&self) -> Limits {
        LIMITS
    }

    fn call(&self, account: &Account, _token: Option<&str>, numbers: &[TrackingNumber]) -> Call {
        let number = numbers.first().map_or("", TrackingNumber::as_str);
        Call {
            method: "GET",
            url: format!(
                "{}/track/shipments?trackingNumber={}&language=en",
                account.host(HOST),
                percent_encoded(number)
            ),
            headers: vec![
                ("dhl-api-key", account.client_id.clone()),
                ("accept", "application/json".to_owned()),
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
        match status {
            404 => return Ok(with_missing(Vec::new(), asked)),
            200..300 => {}
            _ => return Err(PollError::of_status(status)),
        }
        let told = match body.trim_ascii_start().first() {
            Some(b'<') => parcel_de::sightings(body, now),
            _ => parse::json(body).and_then(|body| answered(&body, now)),
        };
        Ok(with_missing(told.map_err(PollError::Unreadable)?, asked))
    }
}

/// An answer of the tracking API: parcels, or the problem that there are none (RFC 9457), whatever the status of HTTP.
fn answered(body: &Value, now: Timestamp) -> Result<Vec<Sighting>, Unreadable> {
    match text_at(body, "status").as_deref() {
        Some("404") => Ok(Vec::new()),
        _ => sightings(body, now),
    }
}

fn sightings(body: &Value, now: Timestamp) -> Result<Vec<Sighting>, Unreadable> {
    let shipments = at(body, "shipments");
    if !shipments.is_array() {
        return Err(Unreadable::new("a list of shipments"));
    }
    let told: Vec<Sighting> = each(shipments)
        .take(MOST_PARCELS)
        .filter_map(|shipment| {
            let number = parse::number(at(shipment, "id"))?;
            Sighting::of(number.clone(), events(shipment, &number, now))
        })
        .collect();
    let has_any = each(shipments).next().is_some();
    match told.is_empty() && has_any {
        true => Err(Unreadable::new("an id and a status in a shipment")),
        false => Ok(told),
    }
}

/// A shipment's events, the oldest first; DHL lists the newest first, and tells the newest again as `status`.
fn events(shipment: &Value, number: &TrackingNumber, now: Timestamp) -> Vec<TrackingEvent> {
    let service = text_at(shipment, "service");
    let mut lines: Vec<(&Value, Said)> = each(at(shipment, "events"))
        .filter_map(|line| Some((line, said(line, service.as_deref())?)))
        .collect();
    lines.reverse();
    let status = at(shipment, "status");
    let key = |line: &Value, said: &Said| (text_at(line, "timestamp"), said.code().map(str::to_owned));
    let is_news = |overall: &Said| !lines.iter().any(|(line, said)| key(line, said) == key(status, overall));
    let overall = said(status, service.as_deref()).filter(is_news);
    lines.extend(overall.map(|said| (status, said)));
    let mut country = text_at(shipment, "origin.address.countryCode");
    let moments = lines
        .iter()
        .map(|(line, _)| {
            // A line without a place is of the place before it.
            country = text_at(line, COUNTRY).or(country.take());
            Moment::iso(&text_at(line, "timestamp")?, country.as_deref())
        })
        .collect();
    let moments = moment::in_order(moments, now);
    let mut events: Vec<TrackingEvent> = lines
        .iter()
        .zip(moments)
        .map(|((line, said), moment)| event(line, said, moment, number))
        .collect();
    events.sort_by_key(|event| event.at);
    if let Some(newest) = events.last_mut() {
        newest.expected = expected(shipment, newest);
    }
    events
}

const COUNTRY: &str = "location.address.countryCode";

/// What a line says; nothing where it has no code at all.
fn said(line: &Value, service: Option<&str>) -> Option<Said> {
    let status = text_at(line, "status").unwrap_or_default();
    let words: Vec<String> = ["status", "description", "remark"]
        .into_iter()
        .filter_map(|name| text_at(line, name))
        .collect();
    let said = Said {
        status_code: text_at(line, "statusCode").map(|code| code.to_ascii_lowercase()),
        checkpoint: is_checkpoint(&status, service).then_some(status),
        words: words.join(" "),
    };
    said.code().is_some().then_some(said)
}

fn event(line: &Value, said: &Said, moment: Moment, number: &TrackingNumber) -> TrackingEvent {
    let meaning = said.meaning();
    let mut event = TrackingEvent::new(Carrier::Dhl, number.clone(), moment.at);
    event.is_time_assumed = moment.is_assumed;
    event.status = meaning.and_then(|meaning| meaning.status);
    event.detail = meaning.and_then(|meaning| meaning.detail);
    event.is_code_known = meaning.is_some();
    event.code = said.code().and_then(TrackingEvent::words);
    let text = text_at(line, "description").or_else(|| text_at(line, "status"));
    event.text = text.as_deref().and_then(words);
    event.place = place(
        text_at(line, "location.address.addressLocality"),
        text_at(line, COUNTRY),
    );
    event
}

/// The day on which DHL expects to deliver what still may come. An unknown code decides nothing, not even that.
fn expected(shipment: &Value, newest: &TrackingEvent) -> Option<jiff::civil::Date> {
    let is_final = matches!(
        newest.status?,
        OrderStatus::Delivered | OrderStatus::Returned | OrderStatus::Cancelled
    );
    let day = ["estimatedTimeOfDelivery", "estimatedDeliveryTimeFrame.estimatedThrough"]
        .into_iter()
        .find_map(|name| moment::iso_day(&text_at(shipment, name)?));
    day.filter(|_| !is_final)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Told;
    use serde_json::json;

    fn now() -> Timestamp {
        "2026-11-20T10:00:00Z".parse().unwrap()
    }

    fn request(body: &[u8]) -> Request<'_> {
        Request {
            method: "POST",
            key: None,
            query: "",
            headers: &[],
            body,
            now: now(),
        }
    }

    fn read(body: &Value) -> Result<Delivery, Unreadable> {
        Webhook::read(&Dhl, &request(body.to_string().as_bytes()))
    }

    fn events_of(shipment: Value) -> Vec<TrackingEvent> {
        let mut shipment = shipment;
        shipment["id"] = json!("9876543210");
        let told = sightings(&json!({ "shipments": [shipment] }), now())
            .unwrap()
            .remove(0)
            .told;
        match told {
            Told::Events(events) => events,
            Told::NotFound => Vec::new(),
        }
    }

    fn validate(own: &str, secret: &str) -> Value {
        json!({ "scope": "subscription.validate", "self": own, "secret": secret })
    }

    #[test]
    fn a_handshake_is_confirmed_at_dhl_whatever_address_it_names() {
        let delivery = read(&validate("https://evil.example/x/5d0f6f3a-1c3b?y=1#z", "made-up")).unwrap();
        assert_eq!(delivery.sightings, []);
        let account = Account {
            client_id: "the-key".to_owned(),
            ..Account::default()
        };
        let call = confirm_call(&account, &delivery.handshake.unwrap());
        assert_eq!((call.method, call.body), ("POST", None));
        assert_eq!(
            call.url,
            "https://api-eu.dhl.com/tracking/push/v1/subscription/5d0f6f3a-1c3b"
        );
        assert_eq!(
            call.headers,
            [
                ("dhl-api-key", "the-key".to_owned()),
                ("dhl-api-hook-secret", "made-up".to_owned())
            ]
        );
    }

    #[test]
    fn a_handshake_without_an_id_or_with_a_secret_of_two_lines_is_not_read() {
        let long = format!("https://api-eu.dhl.com/{}", "a".repeat(65));
        for own in [
            "",
            "https://api-eu.dhl.com/",
            "https://api-eu.dhl.com/a%2Fb",
            "a b",
            "/ñ",
            &long,
        ] {
            assert!(read(&validate(own, "made-up")).is_err(), "{own}");
        }
        for secret in ["", "a\r\nX-Other: b", "a b", "ñ", &"a".repeat(513)] {
            assert!(read(&validate("/id", secret)).is_err(), "{secret}");
        }
    }

    #[test]
    fn the_secret_of_a_handshake_is_not_archived_and_is_not_confirmed_again() {
        let body = validate("/id", "made-up").to_string();
        let archived = Dhl.archived(&request(body.as_bytes())).into_owned();
        assert!(!String::from_utf8(archived.clone()).unwrap().contains("made-up"));
        assert_eq!(Dhl.read_archived(&archived, now()), Ok(Delivery::default()));
    }

    #[test]
    fn how_a_subscription_is_tells_nothing_of_parcels() {
        for scope in [
            "subscription.ready",
            "subscription.activate",
            "subscription.delete",
            "subscription.failure",
        ] {
            assert_eq!(read(&json!({ "scope": scope })), Ok(Delivery::default()), "{scope}");
        }
        assert!(read(&json!({ "scope": PUSH })).is_err());
        assert!(read(&json!([])).is_err());
    }

    #[test]
    fn a_shipment_that_cannot_be_read_does_not_lose_its_neighbours() {
        let good = json!({ "id": "9876543210", "status": { "statusCode": "transit" } });
        let body = |shipments: Value| json!({ "scope": PUSH, "shipments": shipments });
        assert_eq!(read(&body(json!([{ "id": 1.5 }, good, 7]))).unwrap().sightings.len(), 1);
        assert!(read(&body(json!([{ "id": "9876543210" }]))).is_err());
        assert_eq!(read(&body(json!([]))), Ok(Delivery::default()));
    }

    #[test]
    fn a_history_is_told_once_and_in_order() {
        let line = |hour: u8, status: &str| json!({ "timestamp": format!("2026-11-03T{hour:02}:00:00Z"), "statusCode": "transit", "status": status });
        let history = json!({ "status": line(9, "WC"), "events": [line(9, "WC"), line(8, "AR"), line(7, "PU")] });
        let codes: Vec<Option<String>> = events_of(history).into_iter().map(|event| event.code).collect();
        assert_eq!(codes, ["PU", "AR", "WC"].map(|code| Some(code.to_owned())));
        let newer = json!({ "status": line(10, "CC"), "events": [line(9, "WC")] });
        assert_eq!(events_of(newer).len(), 2);
    }

    #[test]
    fn a_line_without_a_place_is_of_the_place_before_it() {
        let line = |time: &str| json!({ "timestamp": time, "statusCode": "transit" });
        let mut first = line("2026-11-03T08:00:00");
        first["location"] = json!({ "address": { "countryCode": "ES", "streetAddress": "Calle Mayor 1" } });
        let events = events_of(json!({ "events": [line("2026-11-03T08:30:00"), first] }));
        let times: Vec<String> = events.iter().map(|event| event.at.to_string()).collect();
        assert_eq!(times, ["2026-11-03T07:00:00Z", "2026-11-03T07:30:00Z"]);
        assert!(events.iter().all(|event| event.is_time_assumed));
        assert_eq!(events[0].place.as_deref(), Some("ES"));
    }

    #[test]
    fn who_signed_is_not_told() {
        let status = json!({ "statusCode": "delivered", "description": "Delivered - Signed for by: A SAMPLE" });
        let event = events_of(json!({ "status": status })).remove(0);
        assert_eq!(event.text.as_deref(), Some("Delivered"));
    }

    #[test]
    fn the_expected_day_stands_with_the_newest_news() {
        let shipment =
            |code: &str| json!({ "status": { "statusCode": code }, "estimatedTimeOfDelivery": "2026-11-05T12:00:00" });
        let day = |code| events_of(shipment(code)).remove(0).expected.map(|day| day.to_string());
        assert_eq!(day("transit").as_deref(), Some("2026-11-05"));
        assert_eq!(day("delivered"), None);
        assert_eq!(day("teleported"), None);
    }

    #[test]
    fn an_unknown_number_is_not_found_and_a_spent_day_is_no_answer() {
        let asked = [TrackingNumber::try_from("9876543298").unwrap()];
        let read = |status, body: &str| Poll::read(&Dhl, status, body.as_bytes(), &asked, now());
        let problem = r#"{"title":"No result found","status":404}"#;
        assert_eq!(read(404, problem), Ok(vec![Sighting::not_found(asked[0].clone())]));
        assert_eq!(read(200, problem), read(404, problem));
        assert_eq!(read(429, ""), Err(PollError::Throttled));
        assert!(matches!(read(200, "<html></html>"), Err(PollError::Unreadable(_))));
        assert!(matches!(read(200, ""), Err(PollError::Unreadable(_))));
    }

    #[test]
    fn a_call_carries_the_key_and_needs_no_token() {
        let account = Account {
            client_id: "the-key".to_owned(),
            ..Account::default()
        };
        assert_eq!(Dhl.token_call(&account), None);
        let call = Dhl.call(&account, None, &[TrackingNumber::try_from("A/B").unwrap()]);
        assert_eq!(
            call.url,
            "https://api-eu.dhl.com/track/shipments?trackingNumber=A%2FB&language=en"
        );
        assert!(call.headers.contains(&("dhl-api-key", "the-key".to_owned())));
    }
}
