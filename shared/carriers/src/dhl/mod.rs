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
    AccessToken, Account, Call, Delivery, Handshake, Keys, Limits, Poll, PollError, Request, Sighting, Signed,
    Unproven, Unreadable, Unsigned, Webhook, Window, archive,
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

    fn token_call(&self, _account: &Account) -> Option<Call> {
        None
    }

    fn read_token(&self, status: u16, _body: &[u8]) -> Result<AccessToken, PollError> {
        Err(PollError::of_status(status))
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
