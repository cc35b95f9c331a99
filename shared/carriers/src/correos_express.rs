//! Correos Express, the courier of Correos: another company with another API, which is asked and never calls.
//!
//! The account's `client_id` and `client_secret` are a user and a password (HTTP Basic), `customer` is our number as its customer
//! (`codigoCliente`). Times are Spanish.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::{Carrier, OrderStatus, TrackingNumber};
use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::code_table::{Meaning, Row, meaning};
use crate::history::{Entry, answered, history, same_parcel};
use crate::moment::Moment;
use crate::parse::{self, at, each, text_at};
use crate::{AccessToken, Account, Call, Limits, Poll, PollError, Sighting, Unreadable, Window};

/// How Correos Express is asked.
pub(crate) struct CorreosExpress;

const HOST: &str = "https://www.cexpr.es";
const PATH: &str = "/wspsc/apiRestSeguimientoEnviosk8s/json/seguimientoEnvio";

/// No limit is public: this one is ours.
const WINDOWS: &[Window] = &[Window {
    calls: 5,
    per: SignedDuration::from_secs(1),
}];

/// The codes of states.
const CODES: &[Row] = &[
    Row(Meaning::of(OrderStatus::Processing), &["1"]),
    Row(Meaning::of(OrderStatus::Delivered), &["12"]),
    Row(
        Meaning::of(OrderStatus::Cancelled),
        &["13", "14", "15", "16", "19", "31"],
    ),
    Row(Meaning::of(OrderStatus::Returned), &["17"]),
];

/// Words of states whose codes are not public.
const WORDS: [(&str, OrderStatus); 3] = [
    ("EN REPARTO", OrderStatus::OutForDelivery),
    ("EN TRANSITO", OrderStatus::Shipped),
    ("EN TRÁNSITO", OrderStatus::Shipped),
];

impl Poll for CorreosExpress {
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
        let customer = account.customer.as_deref().unwrap_or_default();
        let number = numbers.first().map_or("", TrackingNumber::as_str);
        let credentials = STANDARD.encode(format!("{}:{}", account.client_id, account.client_secret));
        Call {
            method: "POST",
            url: format!("{}{PATH}", account.host(HOST)),
            headers: vec![
                ("Accept", "application/json".to_owned()),
                ("Authorization", format!("Basic {credentials}")),
                ("Content-Type", "application/json".to_owned()),
            ],
            body: Some(json!({ "codigoCliente": customer, "dato": number, "idioma": "ES" }).to_string()),
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
        let body = parse::json(body).map_err(PollError::Unreadable)?;
        let error = text_at(&body, "error");
        if error.is_some_and(|error| error != "0") {
            return Ok(answered(Vec::new(), asked));
        }
        let sighting = parcel(&body, asked, now).map_err(PollError::Unreadable)?;
        Ok(answered(sighting.into_iter().collect(), asked))
    }
}

fn parcel(body: &Value, asked: &[TrackingNumber], now: Timestamp) -> Result<Option<Sighting>, Unreadable> {
    let number = parse::number(at(body, "numEnvio"))
        .and_then(|told| same_parcel(Some(&told), asked))
        .ok_or_else(|| Unreadable::new("the number that was asked for in numEnvio"))?;
    let mut entries: Vec<Entry> = Vec::new();
    for state in each(at(body, "estadoEnvios")) {
        let before = entries.last().map(|entry| entry.moment);
        entries.extend(entry(state, before, now));
    }
    // How it stands is mostly the last of the states too.
    let before = entries.last().map(|entry| entry.moment);
    if let Some(stands) = entry(body, before, now)
        && entries.last() != Some(&stands)
    {
        entries.push(stands);
    }
    if let Some(newest) = entries.last_mut()
        && newest.meaning == Some(Meaning::of(OrderStatus::Delivered))
        && !is_every_box_delivered(body)
    {
        newest.meaning = None;
    }
    Ok(history(Carrier::CorreosExpress, number, entries))
}

/// A shipment of several boxes is delivered when the last of them is.
fn is_every_box_delivered(body: &Value) -> bool {
    each(at(body, "bultoSeguimiento"))
        .filter_map(|one| text_at(one, "codEstado"))
        .all(|code| meaning(CODES, &code) == Some(Meaning::of(OrderStatus::Delivered)))
}

fn entry(state: &Value, before: Option<Moment>, now: Timestamp) -> Option<Entry> {
    let code = text_at(state, "codEstado");
    let text = text_at(state, "descEstado");
    (code.is_some() || text.is_some()).then_some(())?;
    // An incident is another code beside that of the state.
    let incident = text_at(state, "codIncEstado");
    Some(Entry {
        // What cannot be read happened at the earliest when the state before it did.
        moment: moment(state).unwrap_or(Moment::arrival(before.map_or(now, |before| before.at))),
        meaning: read_status(code.as_deref(), text.as_deref()),
        code: match (code, incident) {
            (Some(code), Some(incident)) => Some(format!("{code}/{incident}")),
            (code, incident) => code.or(incident),
        },
        text,
        place: None,
    })
}

fn read_status(code: Option<&str>, text: Option<&str>) -> Option<Meaning> {
    let by_code = code.and_then(|code| meaning(CODES, code));
    let said = text.unwrap_or_default().to_uppercase();
    by_code.or_else(|| {
        let (_, status) = WORDS.iter().find(|(words, _)| said.starts_with(words))?;
        Some(Meaning::of(*status))
    })
}

/// `DDMMYYYY` and `HHMMSS`, whose first zero may be missing.
fn moment(state: &Value) -> Option<Moment> {
    let date = text_at(state, "fechaEstado").filter(|date| date.len() == 8)?;
    let hour = text_at(state, "horaEstado").filter(|hour| hour.len() <= 6)?;
    let shown = format!("{date}{hour:0>6}");
    let is_digits = shown.bytes().all(|byte| byte.is_ascii_digit());
    let shown = is_digits.then(|| DateTime::strptime("%d%m%Y%H%M%S", &shown).ok())??;
    Moment::in_zone(shown, "Europe/Madrid")
}
