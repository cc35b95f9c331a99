//! The tracking APIs of all carriers that are asked, behind one address: what they know was told to them, and they keep their limits.

use carriers::{Limits, poll};
use domain::{Carrier, TrackingNumber};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::{Step, shapes};

/// The beginning of every token that the laboratory gives; the carrier's name follows, so that no token serves for two.
const TOKEN: &str = "laboratory-token-of-";

/// Every carrier, and everything that was asked.
#[derive(Debug, Default)]
pub struct Laboratory {
    is_strict: bool,
    inside: Mutex<Inside>,
}

#[derive(Debug, Default)]
struct Inside {
    parcels: HashMap<(Carrier, TrackingNumber), Vec<Step>>,
    meters: HashMap<Carrier, VecDeque<Timestamp>>,
    calls: Vec<Asked>,
}

/// A call as it came.
#[derive(Debug, Clone, Copy)]
pub struct Call<'c> {
    /// The method, in capital letters.
    pub method: &'c str,
    /// The path.
    pub path: &'c str,
    /// Everything after the question mark.
    pub query: &'c str,
    /// Its headers; names in small letters.
    pub headers: &'c [(String, String)],
    /// Its body.
    pub body: &'c [u8],
}

impl Call<'_> {
    fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    fn parameter(&self, name: &str) -> String {
        let mut values = form_urlencoded::parse(self.query.as_bytes()).filter(|(other, _)| other == name);
        values.next().map(|(_, value)| value.into_owned()).unwrap_or_default()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(self.body).unwrap_or_default()
    }
}

/// What it is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The body, JSON.
    pub body: String,
}

impl Reply {
    fn new(status: u16, body: &Value) -> Self {
        Self {
            status,
            body: body.to_string(),
        }
    }
}

/// What a carrier was asked, and what it answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Which carrier.
    pub carrier: Carrier,
    /// For what.
    pub question: Question,
    /// The status of the answer.
    pub status: u16,
}

/// What carriers are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// A token.
    Token,
    /// Where these parcels are.
    Parcels(Vec<String>),
    /// To call us with the news of these parcels.
    Subscribe(Vec<String>),
    /// Nothing: it is told that we want to be called.
    Confirm {
        /// The subscription.
        subscription: String,
        /// The secret of the handshake.
        secret: String,
    },
}

/// What `POST /laboratory/parcels` takes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Told {
    carrier: Carrier,
    number: TrackingNumber,
    steps: Vec<Step>,
}

impl Laboratory {
    /// A laboratory that enforces the documented limits only where it is strict.
    #[must_use]
    pub fn new(is_strict: bool) -> Self {
        Self {
            is_strict,
            inside: Mutex::default(),
        }
    }

    /// From now on this carrier knows this parcel. Steps of the future are told when their time has come.
    pub fn know(&self, carrier: Carrier, number: TrackingNumber, mut steps: Vec<Step>) {
        steps.sort_by_key(|step| step.at);
        self.inside().parcels.insert((carrier, number), steps);
    }

    /// Everything that was asked so far, the oldest first.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        self.inside().calls.clone()
    }

    /// Answers a call.
    #[must_use]
    pub fn reply(&self, call: &Call<'_>, now: Timestamp) -> Reply {
        if (call.method, call.path) == ("POST", "/laboratory/parcels") {
            return match serde_json::from_slice::<Told>(call.body) {
                Ok(Told { carrier, number, steps }) => {
                    self.know(carrier, number, steps);
                    Reply::new(201, &json!({}))
                }
                Err(error) => Reply::new(
                    400,
                    &json!({ "message": format!("expected carrier, number and steps: {error}") }),
                ),
            };
        }
        let Some((carrier, question)) = question(call) else {
            return Reply::new(404, &json!({ "message": "no carrier has this address" }));
        };
        let reply = self.reply_of(carrier, &question, call, now);
        self.inside().calls.push(Asked {
            carrier,
            question,
            status: reply.status,
        });
        reply
    }

    fn reply_of(&self, carrier: Carrier, question: &Question, call: &Call<'_>, now: Timestamp) -> Reply {
        let limits = poll(carrier).map(carriers::Poll::limits);
        if self.is_strict && limits.is_some_and(|limits| !self.admits(carrier, limits, now)) {
            return Reply::new(429, &json!({ "message": "too many requests" }));
        }
        if let Some(refusal) = refusal(carrier, question, call) {
            return refusal;
        }
        match question {
            Question::Token => token(carrier),
            Question::Confirm { .. } => Reply::new(200, &json!({})),
            Question::Subscribe(numbers) => Reply::new(
                200,
                &json!({ "validTrackingNumbers": numbers, "invalidTrackingNumbers": [] }),
            ),
            Question::Parcels(numbers) if limits.is_some_and(|limits| numbers.len() > limits.parcels_per_call) => {
                Reply::new(400, &json!({ "message": "too many parcels in one call" }))
            }
            Question::Parcels(numbers) => self.tell(carrier, numbers, now),
        }
    }

    /// Whether another call is within all of the carrier's windows; every call counts, refused or not.
    fn admits(&self, carrier: Carrier, limits: Limits, now: Timestamp) -> bool {
        let mut inside = self.inside();
        let meter = inside.meters.entry(carrier).or_default();
        meter.push_back(now);
        let longest = limits.windows.iter().map(|window| window.per).max().unwrap_or_default();
        while meter.front().is_some_and(|at| now.duration_since(*at) >= longest) {
            meter.pop_front();
        }
        limits.windows.iter().all(|window| {
            let lately = meter
                .iter()
                .rev()
                .take_while(|at| now.duration_since(**at) < window.per);
            u32::try_from(lately.count()).is_ok_and(|calls| calls <= window.calls)
        })
    }

    fn tell(&self, carrier: Carrier, numbers: &[String], now: Timestamp) -> Reply {
        let inside = self.inside();
        let known: Vec<(&str, Vec<Step>)> = numbers
            .iter()
            .map(|number| {
                let parcel = TrackingNumber::try_from(number.as_str()).ok();
                let steps = parcel.and_then(|parcel| inside.parcels.get(&(carrier, parcel)));
                let steps = steps
                    .into_iter()
                    .flatten()
                    .filter(|step| step.at <= now)
                    .copied()
                    .collect();
                (number.as_str(), steps)
            })
            .collect();
        let asked: Vec<shapes::Asked<'_>> = known
            .iter()
            .map(|(number, steps)| (*number, steps.as_slice()))
            .collect();
        match shapes::answer(carrier, &asked) {
            Some((status, body)) => Reply { status, body },
            None => Reply::new(404, &json!({})),
        }
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        // Nothing in here is ever half done.
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Which carrier is asked what: their paths have nothing in common.
fn question(call: &Call<'_>) -> Option<(Carrier, Question)> {
    let path: Vec<&str> = call.path.trim_start_matches('/').split('/').collect();
    let found = match (call.method, path.as_slice()) {
        ("POST", ["oauth", "token"]) => (Carrier::Fedex, Question::Token),
        ("POST", ["track", "v1", "trackingnumbers"]) => {
            let body = call.json();
            let asked = body.get("trackingInfo").and_then(Value::as_array).into_iter().flatten();
            let numbers = asked.filter_map(|parcel| parcel.pointer("/trackingNumberInfo/trackingNumber"));
            (Carrier::Fedex, Question::Parcels(texts(numbers)))
        }
        ("POST", ["security", "v1", "oauth", "token"]) => (Carrier::Ups, Question::Token),
        ("GET", ["api", "track", "v1", "details", number]) => (Carrier::Ups, one(number)),
        ("POST", ["api", "track", "v2", "subscription", "standard", "package"]) => {
            let body = call.json();
            let numbers = body
                .get("trackingNumberList")
                .and_then(Value::as_array)
                .into_iter()
                .flatten();
            (Carrier::Ups, Question::Subscribe(texts(numbers)))
        }
        ("GET", ["track", "shipments"]) => (Carrier::Dhl, Question::Parcels(vec![call.parameter("trackingNumber")])),
        ("POST", ["tracking", "push", "v1", "subscription", subscription]) => {
            let secret = call.header("dhl-api-hook-secret").unwrap_or_default().to_owned();
            let subscription = (*subscription).to_owned();
            (Carrier::Dhl, Question::Confirm { subscription, secret })
        }
        ("POST", ["Api", "Authorize", "Token"]) => (Carrier::Correos, Question::Token),
        ("GET", ["support", "trackpub", "api", "v2", "search", numbers]) => (Carrier::Correos, several(numbers)),
        ("POST", ["wspsc", "apiRestSeguimientoEnviosk8s", "json", "seguimientoEnvio"]) => {
            let body = call.json();
            (
                Carrier::CorreosExpress,
                Question::Parcels(texts(body.get("dato").into_iter())),
            )
        }
        ("GET", ["mailpieces", "v2", "summary"]) => (Carrier::RoyalMail, several(&call.parameter("mailPieceId"))),
        ("GET", ["mailpieces", "v2", number, "events"]) => (Carrier::RoyalMail, one(number)),
        ("GET", ["rest", "plc", _language, number]) => (Carrier::Dpd, one(number)),
        _ => return None,
    };
    Some(found)
}

fn texts<'v>(values: impl Iterator<Item = &'v Value>) -> Vec<String> {
    values.filter_map(|value| value.as_str().map(str::to_owned)).collect()
}

fn one(number: &str) -> Question {
    Question::Parcels(vec![number.to_owned()])
}

fn several(numbers: &str) -> Question {
    Question::Parcels(numbers.split(',').map(str::to_owned).collect())
}

/// Why this call is not answered, where it does not carry what the carrier wants of every call.
fn refusal(carrier: Carrier, question: &Question, call: &Call<'_>) -> Option<Reply> {
    let authorization = call.header("authorization").unwrap_or_default();
    let has_token = authorization == format!("Bearer {TOKEN}{carrier}");
    let is_known = match (carrier, question) {
        (Carrier::Ups, Question::Token) | (Carrier::CorreosExpress, _) => authorization.starts_with("Basic "),
        (_, Question::Token) => call.body.starts_with(b"grant_type=client_credentials&client_id="),
        (Carrier::Fedex | Carrier::Ups | Carrier::Correos, _) => has_token,
        (Carrier::Dhl, _) => call.header("dhl-api-key").is_some(),
        (Carrier::RoyalMail, _) => {
            if call.header("x-accept-rmg-terms") != Some("yes") {
                let error = json!({ "errorCode": "E0004", "errorDescription": "Failed header validation for X-Accept-RMG-Terms" });
                let body = json!({ "httpCode": "400", "httpMessage": "Bad Request", "errors": [error] });
                return Some(Reply::new(400, &body));
            }
            call.header("x-ibm-client-id").is_some() && call.header("x-ibm-client-secret").is_some()
        }
        (Carrier::Dpd | Carrier::Easypost | Carrier::Aftership | Carrier::Shippo, _) => true,
    };
    (!is_known).then(|| Reply::new(401, &json!({ "message": "unauthorized" })))
}

/// UPS writes the seconds as a text, Correos names the token as it likes.
fn token(carrier: Carrier) -> Reply {
    let value = format!("{TOKEN}{carrier}");
    let body = match carrier == Carrier::Correos {
        true => json!({ "idToken": value, "expiresIn": 3600 }),
        false => json!({ "access_token": value, "token_type": "bearer", "expires_in": "3600" }),
    };
    Reply::new(200, &body)
}
