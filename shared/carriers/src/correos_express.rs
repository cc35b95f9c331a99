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
use crate::{Account, Call, Limits, Poll, PollError, Sighting, Unreadable, Window};

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Told;
    use crate::code_table::doubled;

    fn number(text: &str) -> TrackingNumber {
        TrackingNumber::try_from(text).unwrap()
    }

    fn read(status: u16, body: &str) -> Result<Vec<Sighting>, PollError> {
        let now = "2026-11-20T10:00:00Z".parse().unwrap();
        CorreosExpress.read(status, body.as_bytes(), &[number("3230009876543210")], now)
    }

    #[test]
    fn a_call_names_the_customer_and_the_parcel() {
        let account = Account {
            client_id: "user".to_owned(),
            client_secret: "password".to_owned(),
            customer: Some("P00001".to_owned()),
            base_url: Some("https://laboratory.example.com".to_owned()),
        };
        let call = CorreosExpress.call(&account, None, &[number("3230009876543210")]);
        assert_eq!(call.url, format!("https://laboratory.example.com{PATH}"));
        assert!(
            call.headers
                .contains(&("Authorization", "Basic dXNlcjpwYXNzd29yZA==".to_owned()))
        );
        let body: Value = serde_json::from_str(&call.body.unwrap()).unwrap();
        assert_eq!(
            body,
            json!({ "codigoCliente": "P00001", "dato": "3230009876543210", "idioma": "ES" })
        );
    }

    #[test]
    fn an_error_means_that_the_number_is_not_found() {
        let told = &read(200, r#"{"error":"402","mensajeError":"?"}"#).unwrap()[0].told;
        assert_eq!(*told, Told::NotFound);
    }

    #[test]
    fn an_answer_about_another_parcel_is_not_believed() {
        let answer = read(200, r#"{"error":0,"numEnvio":"1","codEstado":"12"}"#);
        assert!(
            matches!(answer, Ok(ref sightings) if sightings.len() == 1),
            "{answer:?}"
        );
        let answer = read(200, r#"{"error":0,"numEnvio":"77","codEstado":"12"}"#);
        assert!(matches!(answer, Err(PollError::Unreadable(_))), "{answer:?}");
    }

    #[test]
    fn a_state_without_a_time_comes_after_the_one_before() {
        let body = r#"{"error":0,"numEnvio":"3230009876543210","estadoEnvios":[
            {"codEstado":"1","fechaEstado":"02112026","horaEstado":"101500"},{"codEstado":"12","fechaEstado":"?"}]}"#;
        let sightings = read(200, body).unwrap();
        let Told::Events(events) = &sightings[0].told else {
            panic!("{sightings:?}")
        };
        assert_eq!(events[1].at, events[0].at);
        assert_eq!(
            (events[1].status, events[1].is_time_assumed),
            (Some(OrderStatus::Delivered), true)
        );
    }

    #[test]
    fn a_shipment_is_not_delivered_before_its_last_box() {
        let boxes = |other: &str| {
            format!(
                r#"{{"error":0,"numEnvio":"3230009876543210","codEstado":"12","fechaEstado":"04112026","horaEstado":"93000",
                "bultoSeguimiento":[{{"codEstado":"12"}},{{"codEstado":"{other}"}}]}}"#
            )
        };
        let status = |body: &str| match &read(200, body).unwrap()[0].told {
            Told::Events(events) => events[0].status,
            Told::NotFound => None,
        };
        assert_eq!(status(&boxes("12")), Some(OrderStatus::Delivered));
        assert_eq!(status(&boxes("7")), None);
    }

    #[test]
    fn trouble_is_told_by_its_status() {
        assert_eq!(read(401, ""), Err(PollError::Unauthorised));
        assert_eq!(read(500, ""), Err(PollError::Unavailable(500)));
    }

    #[test]
    fn each_code_has_one_meaning() {
        assert!(doubled(CODES).is_empty());
    }
}
