//! Every carrier's messages are read as expected: the samples of `events/carriers/`, and those of another folder of the same form, which
//! `E_COM67_CARRIER_PAYLOADS` names.
//!
//! Such a folder has one folder per carrier with an `expected.json`, which says for each file which parcels it tells of and what it tells,
//! and perhaps a `signatures.json` with messages that are proven and messages that are not.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what fails here fails the test")]

use carriers::{Answer, Keys, Request, Sighting, Told, Unproven, Unreadable, poll, webhook};
use domain::{Carrier, OrderStatus, TrackingEvent, TrackingNumber};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::{Path, PathBuf},
};

/// A number to ask for where the expected one is `*`.
const ANY_NUMBER: &str = "09981100009999";

/// One deviation in so many cases may pass, where `also_acceptable` names it.
const CASES_PER_DEVIATION: usize = 10;

#[derive(Deserialize)]
struct Expected {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    file: String,
    direction: Direction,
    #[serde(default = "ok")]
    http_status: u16,
    results: Vec<Parcel>,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Direction {
    Push,
    Pull,
}

#[derive(Deserialize)]
struct Parcel {
    tracking_number: Option<String>,
    expected_status: String,
    carrier_code: Option<String>,
    event_time_utc: Option<Timestamp>,
    detail: Option<String>,
    #[serde(default)]
    also_acceptable: Vec<String>,
}

#[derive(Deserialize)]
struct Vectors {
    cases: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    file: String,
    secret: Option<String>,
    #[serde(default)]
    config: BTreeMap<String, String>,
    headers: BTreeMap<String, String>,
    now: Option<i64>,
    valid: bool,
    #[serde(default)]
    either_answer_ok: bool,
}

const fn ok() -> u16 {
    200
}

/// A folder of a carrier that this crate can read.
struct Folder {
    name: String,
    path: PathBuf,
}

/// What came of all cases.
#[derive(Default)]
struct Outcome {
    cases: usize,
    wrong: Vec<String>,
    deviations: Vec<String>,
    unread: BTreeSet<String>,
}

/// What is wrong with a case: nothing that may pass, or an answer that `also_acceptable` names.
enum Fault {
    Wrong(String),
    Deviation(String),
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} cases", self.cases)?;
        for wrong in &self.wrong {
            writeln!(f, "wrong: {wrong}")?;
        }
        for deviation in &self.deviations {
            writeln!(f, "another answer that is acceptable: {deviation}")?;
        }
        for folder in &self.unread {
            writeln!(f, "no reader: {folder}")?;
        }
        Ok(())
    }
}

fn own_samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/carriers")
}

fn other_payloads() -> Option<PathBuf> {
    std::env::var_os("E_COM67_CARRIER_PAYLOADS").map(PathBuf::from)
}

/// The folders that have an `expected.json`, by name.
fn folders(root: &Path) -> Vec<Folder> {
    let mut folders: Vec<Folder> = std::fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| Folder {
            name: entry.file_name().into_string().unwrap(),
            path: entry.path(),
        })
        .filter(|folder| folder.path.join("expected.json").is_file())
        .collect();
    folders.sort_by(|one, other| one.name.cmp(&other.name));
    folders
}

impl Folder {
    /// Whose message this file is. A folder may spell a carrier without its hyphen, and hold messages of a sister beside its own.
    fn carrier(&self, file: &str) -> Carrier {
        let plain = |text: &str| text.replace(['-', '_'], "");
        let sister = Carrier::ALL
            .into_iter()
            .filter(|carrier| carrier.name().contains('-'))
            .find(|carrier| plain(file).contains(&plain(carrier.name())));
        sister
            .or_else(|| {
                Carrier::ALL
                    .into_iter()
                    .find(|carrier| plain(carrier.name()) == plain(&self.name))
            })
            .unwrap_or_else(|| panic!("{} is no carrier", self.name))
    }

    fn bytes(&self, file: &str) -> Vec<u8> {
        std::fs::read(self.path.join(file)).unwrap_or_else(|error| panic!("{}/{file}: {error}", self.name))
    }

    fn read<T: for<'de> Deserialize<'de>>(&self, file: &str) -> T {
        serde_json::from_slice(&self.bytes(file)).unwrap_or_else(|error| panic!("{}/{file}: {error}", self.name))
    }
}

fn now() -> Timestamp {
    "2026-11-20T10:00:00Z".parse().unwrap()
}

/// A call as its sender makes it: the file is its body, unless it says that all of it is in the query.
fn with_request<T>(body: &[u8], run: impl FnOnce(&Request<'_>, Option<&Value>) -> T) -> T {
    let parsed: Value = serde_json::from_slice(body).unwrap_or_default();
    let query = parsed.get("query_string").and_then(Value::as_str);
    let request = Request {
        method: if query.is_some() { "GET" } else { "POST" },
        key: None,
        query: query.unwrap_or_default(),
        headers: &[],
        body: if query.is_some() { b"" } else { body },
        now: now(),
    };
    run(&request, parsed.get("expected_reply"))
}

/// What the carrier's reader says of a file; nothing where it has none.
fn told(carrier: Carrier, case: &Case, body: &[u8]) -> Option<Result<Vec<Sighting>, String>> {
    let pull = poll(carrier).filter(|_| case.direction == Direction::Pull);
    if let Some(pull) = pull {
        let asked: Vec<TrackingNumber> = case.results.iter().filter_map(Parcel::number).collect();
        let told = pull.read(case.http_status, body, &asked, now());
        return Some(told.map_err(|error| domain::chain(&error)));
    }
    let push = webhook(carrier)?;
    Some(with_request(body, |request, expected_reply| {
        if let Some(expected) = expected_reply {
            check_reply(&push.answer(request), expected)?;
        }
        let chain = |error: Unreadable| domain::chain(&error);
        let told = push.read(request).map_err(chain)?;
        let again = push
            .read_archived(&push.archived(request), request.now)
            .map_err(chain)?;
        match again.sightings == told.sightings {
            true => Ok(told.sightings),
            false => Err("the archived message tells something else".to_owned()),
        }
    }))
}

fn check_reply(answer: &Answer, expected: &Value) -> Result<(), String> {
    let is_expected = expected["status"] == answer.status
        && expected["content_type"].as_str() == answer.content_type
        && expected["body"] == *answer.body;
    match is_expected {
        true => Ok(()),
        false => Err(format!("the answer is {answer:?}")),
    }
}

impl Parcel {
    fn number(&self) -> Option<TrackingNumber> {
        let number = self.tracking_number.as_deref()?;
        let number = if number == "*" { ANY_NUMBER } else { number };
        Some(TrackingNumber::try_from(number).unwrap())
    }

    /// Compares with what was told of this parcel.
    fn check(&self, told: &[Sighting]) -> Result<(), Fault> {
        let number = self.number();
        let of_it: Vec<&Told> = told
            .iter()
            .filter(|sighting| Some(&sighting.number) == number.as_ref())
            .map(|sighting| &sighting.told)
            .collect();
        let newest = of_it
            .iter()
            .flat_map(|told| events(told))
            .max_by_key(|event| place(event));
        let status = match (newest, of_it.is_empty()) {
            (Some(event), _) => event.status.map_or("no_change", OrderStatus::name),
            (None, false) => "not_found",
            (None, true) => "control",
        };
        if status != self.expected_status {
            let fault = format!("{status} instead of {}", self.expected_status);
            return Err(match self.also_acceptable.iter().any(|also| also == status) {
                true => Fault::Deviation(fault),
                false => Fault::Wrong(fault),
            });
        }
        let Some(event) = newest else { return Ok(()) };
        let detail = event.detail.map(domain::TrackingDetail::name);
        if self.carrier_code.is_some() && self.carrier_code != event.code {
            return Err(Fault::Wrong(format!(
                "code {:?} instead of {:?}",
                event.code, self.carrier_code
            )));
        }
        if self.event_time_utc.is_some_and(|expected| expected != event.at) {
            return Err(Fault::Wrong(format!(
                "at {} instead of {:?}",
                event.at, self.event_time_utc
            )));
        }
        match detail == self.detail.as_deref() {
            true => Ok(()),
            false => Err(Fault::Wrong(format!("detail {detail:?} instead of {:?}", self.detail))),
        }
    }
}

fn events(told: &Told) -> &[TrackingEvent] {
    match told {
        Told::Events(events) => events,
        Told::NotFound => &[],
    }
}

/// Where an event stands among those of its parcel: by its time, and at one time by its weight.
fn place(event: &TrackingEvent) -> (Timestamp, usize) {
    const LIGHTEST_FIRST: [OrderStatus; 8] = [
        OrderStatus::Processing,
        OrderStatus::Shipped,
        OrderStatus::OutForDelivery,
        OrderStatus::Delayed,
        OrderStatus::Exception,
        OrderStatus::Delivered,
        OrderStatus::Cancelled,
        OrderStatus::Returned,
    ];
    let weight = event
        .status
        .and_then(|status| LIGHTEST_FIRST.iter().position(|other| *other == status))
        .map_or(0, |place| place + 1);
    (event.at, weight)
}

fn check(carrier: Carrier, case: &Case, body: &[u8]) -> Option<Vec<Fault>> {
    let told = match told(carrier, case, body)? {
        Ok(told) => told,
        // An answer that tells of no parcel may be refused as well.
        Err(_) if case.direction == Direction::Pull && case.results.iter().all(|parcel| parcel.number().is_none()) => {
            Vec::new()
        }
        Err(error) => return Some(vec![Fault::Wrong(error)]),
    };
    let expected: Vec<TrackingNumber> = case.results.iter().filter_map(Parcel::number).collect();
    let others = told
        .iter()
        .filter(|sighting| !expected.contains(&sighting.number))
        .map(|sighting| Fault::Wrong(format!("tells of {} too", sighting.number)));
    let faults = case.results.iter().filter_map(|parcel| parcel.check(&told).err());
    Some(faults.chain(others).collect())
}

/// Reads every case of every folder.
fn read_all(root: &Path) -> Outcome {
    let mut outcome = Outcome::default();
    for folder in folders(root) {
        for case in folder.read::<Expected>("expected.json").cases {
            let place = format!("{}/{}", folder.name, case.file);
            let Some(faults) = check(folder.carrier(&case.file), &case, &folder.bytes(&case.file)) else {
                outcome.unread.insert(folder.name.clone());
                continue;
            };
            outcome.cases += 1;
            for fault in faults {
                match fault {
                    Fault::Wrong(what) => outcome.wrong.push(format!("{place}: {what}")),
                    Fault::Deviation(what) => outcome.deviations.push(format!("{place}: {what}")),
                }
            }
        }
    }
    outcome
}

/// Vectors of others that are marked as good and do not come from the secret that stands beside them, by `openssl dgst -hmac` either.
const DOUBTED: [(&str, usize); 2] = [("aftership", 1), ("shippo", 1)];

/// Whether each message with its signature is believed as the vectors say.
fn prove_all(root: &Path) -> Outcome {
    let mut outcome = Outcome::default();
    for folder in folders(root) {
        if !folder.path.join("signatures.json").is_file() {
            continue;
        }
        for (place, vector) in (1_usize..).zip(folder.read::<Vectors>("signatures.json").cases) {
            let carrier = folder.carrier(&vector.file);
            let Some(push) = webhook(carrier) else {
                outcome.unread.insert(folder.name.clone());
                continue;
            };
            let headers: Vec<(String, String)> = vector.headers.clone().into_iter().collect();
            let body = folder.bytes(&vector.file);
            let request = Request {
                method: "POST",
                key: None,
                query: "",
                headers: &headers,
                body: &body,
                now: vector
                    .now
                    .map_or_else(now, |second| Timestamp::from_second(second).unwrap()),
            };
            let proven = push.prove(&request, &Keys::new(vec![vector.key(carrier)]));
            outcome.cases += 1;
            let is_doubted = DOUBTED.contains(&(folder.name.as_str(), place)) && proven == Err(Unproven::Mismatch);
            if proven.is_ok() != vector.valid && !vector.either_answer_ok && !is_doubted {
                outcome
                    .wrong
                    .push(format!("{}, signature {place}: {proven:?}", folder.name));
            }
        }
    }
    outcome
}

impl Vector {
    /// The key in our form: what is set up at the carrier, joined by colons where it is two.
    fn key(&self, carrier: Carrier) -> String {
        match (carrier, &self.secret) {
            (Carrier::Ups, Some(secret)) => format!("any-client:{secret}"),
            (_, Some(secret)) => secret.clone(),
            (_, None) => {
                let setting = |name: &str| self.config.get(name).cloned();
                let pair: Vec<String> = setting("clientID").into_iter().chain(setting("clientSecret")).collect();
                setting("token").unwrap_or_else(|| pair.join(":"))
            }
        }
    }
}

#[test]
fn own_samples_are_read_as_expected() {
    let outcome = read_all(&own_samples());
    println!("{outcome}");
    assert!(outcome.cases > 0 && outcome.wrong.is_empty(), "{outcome}");
    assert!(outcome.deviations.is_empty() && outcome.unread.is_empty(), "{outcome}");
}

#[test]
fn every_sample_stands_in_its_carriers_table() {
    for folder in folders(&own_samples()) {
        let mut files: BTreeSet<String> = std::fs::read_dir(&folder.path)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        files.remove("expected.json");
        let cases = folder.read::<Expected>("expected.json").cases;
        let expected: BTreeSet<String> = cases.into_iter().map(|case| case.file).collect();
        assert_eq!(files, expected, "{}", folder.name);
        assert!(Carrier::from_name(&folder.name).is_some(), "{}", folder.name);
    }
}

#[test]
fn other_payloads_are_read_as_expected() {
    let Some(root) = other_payloads() else {
        println!("nothing to read: E_COM67_CARRIER_PAYLOADS names no folder");
        return;
    };
    let outcome = read_all(&root);
    println!("{outcome}");
    assert!(outcome.cases > 0 && outcome.wrong.is_empty(), "{outcome}");
    assert!(
        outcome.deviations.len() * CASES_PER_DEVIATION <= outcome.cases,
        "{outcome}"
    );
}

#[test]
fn other_signatures_are_believed_as_expected() {
    let Some(root) = other_payloads() else {
        println!("nothing to read: E_COM67_CARRIER_PAYLOADS names no folder");
        return;
    };
    let outcome = prove_all(&root);
    println!("{outcome}");
    assert!(outcome.cases > 0 && outcome.wrong.is_empty(), "{outcome}");
}
