//! DPD: it calls (Tracking Push Service) and is asked (the public life cycle in JSON; the contract's in SOAP is read as well).
//!
//! A push is a GET with everything in the query and no proof at all: the last segment of our own path has to be a live key. It wants an
//! XML answer that repeats its id, also for parcels and codes that nobody knows; otherwise DPD repeats it for two days.

mod life_cycle;
mod soap;

use domain::{Carrier, OrderStatus, TrackingNumber};
use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp};
use std::borrow::Cow;

use crate::code_table::{Meaning, Row, meaning};
use crate::history::{Entry, answered, history, listed};
use crate::moment::Moment;
use crate::proof::fits_any;
use crate::{
    AccessToken, Account, Answer, Call, Delivery, Keys, Limits, Poll, PollError, Request, Sighting, Signed, Unproven,
    Unreadable, Unsigned, Webhook, Window,
};

/// How DPD calls us and is asked.
pub(crate) struct Dpd;

const HOST: &str = "https://tracking.dpd.de";

/// The page is made for people and now and then shuts servers out: no limit is public, this one is ours.
const WINDOWS: &[Window] = &[Window {
    calls: 1,
    per: SignedDuration::from_secs(1),
}];

/// Parameters that must not be kept: who took the parcel, and the proof of it.
const PERSONAL: [&str; 2] = ["receiver", "pod"];

const LONGEST_PUSH_ID: usize = 64;

/// The status of a push (quick start of 04/2023).
const PUSH_STATUSES: &[Row] = &[
    Row(Meaning::of(OrderStatus::Processing), &["start_order"]),
    Row(
        Meaning::of(OrderStatus::Shipped),
        &["pickup_driver", "pickup_depot", "delivery_depot"],
    ),
    Row(Meaning::of(OrderStatus::OutForDelivery), &["delivery_carload"]),
    // In the shop, not with the customer: `pickup_by_consignee` comes when it is fetched.
    Row(Meaning::READY_FOR_PICKUP, &["delivery_shop"]),
    Row(
        Meaning::of(OrderStatus::Delivered),
        &["delivery_customer", "pickup_by_consignee"],
    ),
    Row(
        Meaning::of(OrderStatus::Exception),
        // Of `delivery_nab` DPD only says that it is "a NAB scan".
        &["delivery_notification", "error_pickup", "delivery_nab"],
    ),
    Row(
        Meaning::of(OrderStatus::Returned),
        &["error_return", "no_pickup_by_consignee"],
    ),
];

impl Webhook for Dpd {
    fn methods(&self) -> &'static [&'static str] {
        &["GET"]
    }

    fn prove(&self, request: &Request<'_>, keys: &Keys) -> Result<(), Unproven> {
        let key = request.key.ok_or(Unproven::Missing)?;
        fits_any(keys.iter(), key.as_bytes(), |key| key.as_bytes().to_vec())
    }

    fn read(&self, request: &Request<'_>) -> Result<Delivery, Unreadable> {
        let number = request
            .parameter("pnr")
            .and_then(|number| TrackingNumber::try_from(number.as_ref()).ok())
            .ok_or_else(|| Unreadable::new("one parcel number in pnr"))?;
        let code = request.parameter("status").filter(|code| !code.trim().is_empty());
        let code = code.ok_or_else(|| Unreadable::new("one status"))?.trim().to_owned();
        let shown = request.parameter("statusdate");
        let entry = Entry {
            // Without a readable date it is still news: it came just now.
            moment: shown
                .and_then(|shown| moment(&shown))
                .unwrap_or(Moment::arrival(request.now)),
            meaning: meaning(PUSH_STATUSES, &code),
            code: Some(code),
            text: None,
            place: request.parameter("depot").map(Cow::into_owned),
        };
        Ok(Delivery {
            sightings: history(Carrier::Dpd, number, vec![entry]).into_iter().collect(),
            handshake: None,
        })
    }

    fn answer(&self, request: &Request<'_>) -> Answer {
        let Some(push_id) = request.parameter("pushid").filter(|push_id| is_push_id(push_id)) else {
            return Answer::taken();
        };
        Answer {
            status: 200,
            content_type: Some("application/xml"),
            body: format!("<push><pushid>{push_id}</pushid><status>OK</status></push>"),
        }
    }

    fn archived<'r>(&self, request: &Request<'r>) -> Cow<'r, [u8]> {
        let is_personal = |pair: &&str| {
            form_urlencoded::parse(pair.as_bytes()).any(|(name, _)| {
                PERSONAL
                    .iter()
                    .any(|personal| name.trim().eq_ignore_ascii_case(personal))
            })
        };
        if !request.query.split('&').any(|pair| is_personal(&pair)) {
            return Cow::Borrowed(request.query.as_bytes());
        }
        let kept: Vec<&str> = request.query.split('&').filter(|pair| !is_personal(pair)).collect();
        Cow::Owned(kept.join("&").into_bytes())
    }

    fn read_archived(&self, archived: &[u8], now: Timestamp) -> Result<Delivery, Unreadable> {
        let query = std::str::from_utf8(archived).map_err(|_not_text| Unreadable::new("a query in UTF-8"))?;
        Webhook::read(
            self,
            &Request {
                method: "GET",
                key: None,
                query,
                headers: &[],
                body: &[],
                now,
            },
        )
    }

    fn sign(&self, _unsigned: &Unsigned<'_>, key: &str) -> Signed {
        Signed {
            key: Some(key.to_owned()),
            ..Signed::default()
        }
    }
}

/// What may stand in our answer as it came.
fn is_push_id(text: &str) -> bool {
    (1..=LONGEST_PUSH_ID).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// `ddMMyyyyHHmmss` by a German clock: the push is a service of DPD Germany.
fn moment(text: &str) -> Option<Moment> {
    let is_whole = text.len() == 14 && text.bytes().all(|byte| byte.is_ascii_digit());
    let shown = is_whole.then(|| DateTime::strptime("%d%m%Y%H%M%S", text).ok())??;
    Moment::in_zone(shown, "Europe/Berlin")
}

impl Poll for Dpd {
    fn limits(&self) -> Limits {
        Limits {
            parcels_per_call: 1,
            windows: WINDOWS,
        }
    }

    fn token_call(&self, _account: &Account) -> Option<Call> {
        None
    }

    fn read_token(&self, status: u16, _body: &[u8]) -> Result<AccessToken, PollError> {
        Err(PollError::of_status(status))
    }

    fn call(&self, account: &Account, _token: Option<&str>, numbers: &[TrackingNumber]) -> Call {
        Call {
            method: "GET",
            url: format!("{}/rest/plc/en_US/{}", account.host(HOST), listed(numbers)),
            headers: vec![("Accept", "application/json".to_owned())],
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
        if status != 200 {
            return Err(PollError::of_status(status));
        }
        let is_xml = body.trim_ascii_start().first() == Some(&b'<');
        let sighting = match is_xml {
            true => soap::parcel(body, asked, now),
            false => life_cycle::parcel(body, asked, now),
        };
        let sighting = sighting.map_err(PollError::Unreadable)?;
        Ok(answered(sighting.into_iter().collect(), asked))
    }
}
