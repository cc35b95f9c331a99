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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Told;
    use domain::{OrderStatus, TrackingEvent};
    use proptest::prelude::*;

    const NOW: &str = "2026-11-20T10:00:00Z";

    fn number(text: &str) -> TrackingNumber {
        TrackingNumber::try_from(text).unwrap()
    }

    fn prove(headers: &[(&str, &str)]) -> Result<(), Unproven> {
        let headers: Vec<(String, String)> = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let keys = Keys::new(vec![
            "shop:first:part".to_owned(),
            "shop:second".to_owned(),
            "bare".to_owned(),
        ]);
        Correos.prove(&request(&headers, b""), &keys)
    }

    fn request<'r>(headers: &'r [(String, String)], body: &'r [u8]) -> Request<'r> {
        Request {
            method: "POST",
            key: None,
            query: "",
            headers,
            body,
            now: NOW.parse().unwrap(),
        }
    }

    fn asked(status: u16, body: &str) -> Result<Vec<Sighting>, PollError> {
        Poll::read(
            &Correos,
            status,
            body.as_bytes(),
            &[number("PQ1")],
            NOW.parse().unwrap(),
        )
    }

    fn events(events: &str) -> Vec<TrackingEvent> {
        let sightings = asked(200, &format!(r#"[{{"code":"PQ1","events":{events}}}]"#)).unwrap();
        match sightings.into_iter().next().unwrap().told {
            Told::Events(events) => events,
            Told::NotFound => Vec::new(),
        }
    }

    #[test]
    fn both_headers_prove_whatever_the_case_of_their_names() {
        assert_eq!(prove(&[("clientID", "shop"), ("clientSecret", "second")]), Ok(()));
        assert_eq!(prove(&[("clientid", "shop"), ("clientsecret", "first:part")]), Ok(()));
    }

    #[test]
    fn a_half_or_a_doubled_proof_is_refused() {
        assert_eq!(prove(&[("clientSecret", "second")]), Err(Unproven::Missing));
        assert_eq!(prove(&[("clientID", "shop")]), Err(Unproven::Missing));
        let secret = ("clientSecret", "second");
        assert_eq!(prove(&[("clientID", "shop"), secret, secret]), Err(Unproven::Missing));
        assert_eq!(
            prove(&[("clientID", "shop"), ("clientSecret", "second ")]),
            Err(Unproven::Mismatch)
        );
        assert_eq!(
            prove(&[("clientID", "bare"), ("clientSecret", "")]),
            Err(Unproven::Malformed)
        );
    }

    #[test]
    fn the_border_between_id_and_secret_cannot_be_moved() {
        assert_eq!(
            prove(&[("clientID", "shop:first"), ("clientSecret", "part")]),
            Err(Unproven::Malformed)
        );
    }

    #[test]
    fn a_signed_call_is_proven() {
        let unsigned = Unsigned {
            query: "",
            body: b"",
            now: NOW.parse().unwrap(),
        };
        let signed = Correos.sign(&unsigned, "shop:first:part");
        let keys = Keys::new(vec!["shop:first:part".to_owned()]);
        assert_eq!(Correos.prove(&request(&signed.headers, b""), &keys), Ok(()));
    }

    #[test]
    fn a_token_is_asked_for_with_a_form_and_lives_a_minute_less_than_told() {
        let account = Account {
            client_id: "a b".to_owned(),
            client_secret: "s&t".to_owned(),
            ..Account::default()
        };
        let call = Correos.token_call(&account).unwrap();
        assert_eq!(call.url, "https://apioauthcid.correos.es/Api/Authorize/Token");
        assert_eq!(
            call.body.as_deref(),
            Some("grant_type=client_credentials&client_id=a+b&client_secret=s%26t&scope=TPB")
        );
        let minutes = |body: &str| {
            Correos
                .read_token(200, body.as_bytes())
                .map(|token| token.lives_for.as_mins())
        };
        assert_eq!(minutes(r#"{"idToken":"abc"}"#), Ok(29));
        assert_eq!(minutes(r#"{"access_token":"abc","expires_in":3600}"#), Ok(59));
        assert_eq!(minutes(r#"{"access_token":"abc","expires_in":5}"#), Ok(0));
    }

    #[test]
    fn a_token_that_no_header_can_carry_is_none() {
        for body in [r#"{"idToken":"a\nb"}"#, r#"{"idToken":""}"#, "{}", ""] {
            assert!(
                matches!(Correos.read_token(200, body.as_bytes()), Err(PollError::Unreadable(_))),
                "{body}"
            );
        }
        assert_eq!(Correos.read_token(401, b""), Err(PollError::Unauthorised));
    }

    #[test]
    fn every_call_carries_token_and_credentials() {
        let account = Account {
            client_id: "id".to_owned(),
            client_secret: "secret".to_owned(),
            ..Account::default()
        };
        let call = Correos.call(&account, Some("abc"), &[number("PQ1"), number("PQ2")]);
        assert_eq!(
            call.url,
            "https://api1.correos.es/support/trackpub/api/v2/search/PQ1,PQ2"
        );
        for header in [
            ("client_id", "id"),
            ("client_secret", "secret"),
            ("Authorization", "Bearer abc"),
        ] {
            assert!(call.headers.contains(&(header.0, header.1.to_owned())), "{}", header.0);
        }
    }

    #[test]
    fn what_has_no_hour_comes_after_what_is_told_before_it() {
        let events = events(
            r#"[{"eventDate":"04/11/2026","eventHours":"08:31:07","eventCode":"H020000V"},
                {"eventDate":"04/11/2026","eventHours":"","eventCode":"I010000V"},
                {"eventDate":"05/11/2026","eventHours":null,"eventCode":"X"},
                {"eventDate":"soon","eventCode":"Y"}]"#,
        );
        let times: Vec<String> = events.iter().map(|event| event.at.to_string()).collect();
        assert_eq!(
            times,
            [
                "2026-11-04T07:31:07Z",
                "2026-11-04T07:31:07Z",
                "2026-11-04T23:00:00Z",
                "2026-11-04T23:00:00Z"
            ]
        );
        let assumed: Vec<bool> = events.iter().map(|event| event.is_time_assumed).collect();
        assert_eq!(assumed, [false, true, true, true]);
    }

    #[test]
    fn the_parcel_in_which_it_comes_back_is_another() {
        let body = r#"[{"codEnvio":"PQ1","eventos":[{"codEvento":"A010000V","fecEvento":"04/11/2026","horEvento":"10:00"}],
            "enviosAsociados":[{"codEnvio":"DQ1","eventos":[{"codEvento":"I010000V"}]}]}]"#;
        let sightings = asked(200, body).unwrap();
        let [sighting] = sightings.as_slice() else {
            panic!("{sightings:?}")
        };
        let Told::Events(events) = &sighting.told else {
            panic!("{sighting:?}")
        };
        assert_eq!(
            events.iter().map(|event| event.status).collect::<Vec<_>>(),
            [Some(OrderStatus::Shipped)]
        );
    }

    #[test]
    fn an_error_may_be_a_number_a_text_or_an_empty_list() {
        for error in [r#"{"codError":1}"#, r#"{"codError":"3"}"#, "[]", "null"] {
            let body = format!(r#"[{{"code":"PQ1","events":null,"error":{error}}}]"#);
            assert_eq!(
                asked(200, &body),
                Ok(vec![Sighting::not_found(number("PQ1"))]),
                "{error}"
            );
        }
    }

    #[test]
    fn one_unreadable_parcel_does_not_take_the_others_with_it() {
        let body = br##"[{"codEnvio":"#"},{"codEnvio":"PQ1","eventos":[{"codEvento":"I010000V"}]}]"##;
        let delivery = Webhook::read(&Correos, &request(&[], body)).unwrap();
        assert_eq!(delivery.sightings.len(), 1);
        assert!(Webhook::read(&Correos, &request(&[], br##"[{"codEnvio":"#"}]"##)).is_err());
    }

    #[test]
    fn of_too_many_parcels_a_hundred_are_read() {
        let parcels: Vec<String> = (0..150)
            .map(|n| format!(r#"{{"codEnvio":"PQ{n}","eventos":[{{"codEvento":"I010000V"}}]}}"#))
            .collect();
        let body = format!("[{}]", parcels.join(","));
        let delivery = Webhook::read(&Correos, &request(&[], body.as_bytes())).unwrap();
        assert_eq!(delivery.sightings.len(), 100);
    }

    proptest! {
        #[test]
        fn no_character_of_a_secret_may_change(place in any::<prop::sample::Index>(), other in "[ -~]") {
            let place = place.index("second".len());
            let secret = format!("{}{other}{}", &"second"[..place], &"second"[place + 1..]);
            let proven = prove(&[("clientID", "shop"), ("clientSecret", &secret)]);
            prop_assert_eq!(proven.is_ok(), secret == "second");
        }
    }
}
