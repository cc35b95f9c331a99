//! Correos, the Spanish post: it calls (Track&TracePush) and is asked (trackpub; the public localizador has the same shape in Spanish).
//!
//! Keys are `id:secret` pairs, agreed with Correos, which come in the headers `clientID` and `clientSecret` of each call. Times are
//! Spanish, the oldest event comes first. What is known of the push comes from one public receiver; its body is read like an answer.

mod codes;
mod status;

use domain::{Carrier, TrackingNumber};
use jiff::civil::{Date, DateTime, Time};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::history::{Entry, answered, expecting, history, listed, readable};
use crate::moment::Moment;
use crate::parse::{at, each, each_at, first_text, json, number, text_at};
use crate::proof::fits_any;
use crate::sighting::MOST_PARCELS;
use crate::{
    AccessToken, Account, Call, Delivery, Keys, Limits, Poll, PollError, Request, Sighting, Signed, Unproven,
    Unreadable, Unsigned, Webhook, Window,
};

/// How Correos calls us and is asked.
pub(crate) struct Correos;

const ID: &str = "clientID";
const SECRET: &str = "clientSecret";

const HOST: &str = "https://api1.correos.es";
const TOKEN_HOST: &str = "https://apioauthcid.correos.es";

/// What the token is good for: trackpub.
const SCOPE: &str = "TPB";

/// No limit is public: these are ours.
const PARCELS_PER_CALL: usize = 10;
const WINDOWS: &[Window] = &[
    Window {
        calls: 5,
        per: SignedDuration::from_secs(1),
    },
    Window {
        calls: 50_000,
        per: SignedDuration::from_hours(24),
    },
];

/// How long a token is good where the answer does not say: 30 to 60 minutes were seen.
const TOKEN_LIVES_FOR: SignedDuration = SignedDuration::from_mins(30);
const TOKEN_MARGIN: SignedDuration = SignedDuration::from_mins(1);
const LONGEST_TOKEN: usize = 8192;

impl Webhook for Correos {
    fn prove(&self, request: &Request<'_>, keys: &Keys) -> Result<(), Unproven> {
        let id = request.header(ID).ok_or(Unproven::Missing)?;
        let secret = request.header(SECRET).ok_or(Unproven::Missing)?;
        // With a colon in the id the border between both could be moved.
        if id.is_empty() || id.contains(':') || secret.is_empty() {
            return Err(Unproven::Malformed);
        }
        fits_any(keys.iter(), format!("{id}:{secret}").as_bytes(), |key| {
            key.as_bytes().to_vec()
        })
    }

    fn read(&self, request: &Request<'_>) -> Result<Delivery, Unreadable> {
        let body = json(request.body)?;
        Ok(Delivery {
            sightings: parcels(&body, request.now)?.into_iter().take(MOST_PARCELS).collect(),
            handshake: None,
        })
    }

    fn sign(&self, _unsigned: &Unsigned<'_>, key: &str) -> Signed {
        let (id, secret) = key.split_once(':').unwrap_or((key, ""));
        Signed {
            headers: vec![(ID.to_owned(), id.to_owned()), (SECRET.to_owned(), secret.to_owned())],
            ..Signed::default()
        }
    }
}

impl Poll for Correos {
    fn limits(&self) -> Limits {
        Limits {
            parcels_per_call: PARCELS_PER_CALL,
            windows: WINDOWS,
        }
    }

    fn token_call(&self, account: &Account) -> Option<Call> {
        let form: String = form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "client_credentials")
            .append_pair("client_id", &account.client_id)
            .append_pair("client_secret", &account.client_secret)
            .append_pair("scope", SCOPE)
            .finish();
        Some(Call {
            method: "POST",
            url: format!("{}/Api/Authorize/Token", account.host(TOKEN_HOST)),
            headers: vec![
                ("Accept", "application/json".to_owned()),
                ("Content-Type", "application/x-www-form-urlencoded".to_owned()),
            ],
            body: Some(form),
        })
    }

    fn read_token(&self, status: u16, body: &[u8]) -> Result<AccessToken, PollError> {
        if status != 200 {
            return Err(PollError::of_status(status));
        }
        let body = json(body).map_err(PollError::Unreadable)?;
        let value = first_text(&body, &["idToken", "access_token"])
            .filter(|token| token.len() <= LONGEST_TOKEN && token.bytes().all(|byte| byte.is_ascii_graphic()))
            .ok_or_else(|| PollError::Unreadable(Unreadable::new("a token in idToken or access_token")))?;
        let told = first_text(&body, &["expiresIn", "expires_in"])
            .and_then(|seconds| seconds.parse::<u32>().ok())
            .map(|seconds| SignedDuration::from_secs(i64::from(seconds)));
        let lives_for = (told.unwrap_or(TOKEN_LIVES_FOR) - TOKEN_MARGIN).max(SignedDuration::ZERO);
        Ok(AccessToken { value, lives_for })
    }

    fn call(&self, account: &Account, token: Option<&str>, numbers: &[TrackingNumber]) -> Call {
        let mut headers = vec![
            ("Accept", "application/json".to_owned()),
            ("client_id", account.client_id.clone()),
            ("client_secret", account.client_secret.clone()),
        ];
        headers.extend(token.map(|token| ("Authorization", format!("Bearer {token}"))));
        Call {
            method: "GET",
            url: format!(
                "{}/support/trackpub/api/v2/search/{}",
                account.host(HOST),
                listed(numbers)
            ),
            headers,
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
        let body = json(body).map_err(PollError::Unreadable)?;
        let sightings = parcels(&body, now).map_err(PollError::Unreadable)?;
        Ok(answered(sightings, asked))
    }
}

fn parcels(body: &Value, now: Timestamp) -> Result<Vec<Sighting>, Unreadable> {
    match body.is_array() || body.is_object() {
        true => readable(each(body).map(|told| parcel(told, now))),
        false => Err(Unreadable::new("a parcel, or a list of them")),
    }
}

/// One parcel. What else is in it, like the parcel in which it comes back (`enviosAsociados`, `associatedShipments`), is not this one.
fn parcel(told: &Value, now: Timestamp) -> Result<Option<Sighting>, Unreadable> {
    let number = number(at(told, "code"))
        .or_else(|| number(at(told, "codEnvio")))
        .ok_or_else(|| Unreadable::new("a number in code or codEnvio"))?;
    let mut entries: Vec<Entry> = Vec::new();
    for event in each_at(told, &["events", "eventos"]) {
        let before = entries.last().map(|entry| entry.moment);
        entries.push(entry(event, before, now));
    }
    let error = text_at(told, "error.codError");
    if entries.is_empty() && error.is_some_and(|code| code != "0") {
        return Ok(Some(Sighting::not_found(number)));
    }
    let expected = text_at(told, "dateCalculated").and_then(|text| date(&text));
    Ok(history(Carrier::Correos, number, entries).map(|sighting| expecting(sighting, expected)))
}

fn entry(event: &Value, before: Option<Moment>, now: Timestamp) -> Entry {
    let code = first_text(event, &["eventCode", "codEvento"]);
    let phase = first_text(event, &["phaseDes", "desFase"]);
    let text = first_text(event, &["summaryText", "desTextoResumen", "desEvento"]);
    Entry {
        moment: moment(event, before, now),
        meaning: status::read(code.as_deref(), phase.as_deref(), text.as_deref()),
        code,
        text,
        place: text_at(event, "unit"),
    }
}

/// Date and hour stand apart. What is missing cannot lie before the event that is told before.
fn moment(event: &Value, before: Option<Moment>, now: Timestamp) -> Moment {
    let Some(date) = first_text(event, &["eventDate", "fecEvento"]).and_then(|text| date(&text)) else {
        return Moment::arrival(before.map_or(now, |before| before.at));
    };
    let hour = first_text(event, &["eventHours", "horEvento"]).and_then(|text| hour(&text));
    let shown = DateTime::from_parts(date, hour.unwrap_or(Time::MIN));
    match (Moment::in_zone(shown, "Europe/Madrid"), hour) {
        (Some(told), Some(_)) => told,
        (Some(begins), None) => {
            let ends = begins
                .at
                .checked_add(SignedDuration::from_hours(24))
                .unwrap_or(begins.at);
            let same_day = before.filter(|before| before.at >= begins.at && before.at < ends);
            Moment::arrival(same_day.map_or(begins.at, |before| before.at))
        }
        (None, _) => Moment::arrival(before.map_or(now, |before| before.at)),
    }
}

/// `DD/MM/YYYY`.
fn date(text: &str) -> Option<Date> {
    (text.len() == 10).then_some(())?;
    Date::strptime("%d/%m/%Y", text).ok()
}

/// `HH:MM:SS`; the seconds may be missing.
fn hour(text: &str) -> Option<Time> {
    Time::strptime("%H:%M:%S", text)
        .or_else(|_no_seconds| Time::strptime("%H:%M", text))
        .ok()
}
