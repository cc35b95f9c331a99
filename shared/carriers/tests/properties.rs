//! What holds for every carrier, whatever comes: nothing panics, and nothing but a carrier's own message under a live key is believed.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "what fails here fails the test"
)]

use carriers::{Account, Handshake, Keys, Request, Signed, Told, Unproven, Unsigned, Webhook, poll, webhook};
use domain::{Carrier, TrackingNumber};
use jiff::Timestamp;
use proptest::{collection::vec, prelude::*, sample::Index};
use serde_json::{Value, json};
use std::{path::Path, sync::LazyLock};

/// A key of the form that every carrier takes: a client and its secret, or just a text.
const KEY: &str = "shop:0123456789abcdefghijklmnopqrstuvwxyz";

const BODY: &[u8] = br#"{"trackingNumber":"1Z999AA10123456784"}"#;

fn now() -> Timestamp {
    "2026-11-20T10:00:00Z".parse().unwrap()
}

/// The carriers that call us.
fn callers() -> Vec<(Carrier, &'static dyn Webhook)> {
    Carrier::ALL
        .into_iter()
        .filter_map(|carrier| Some((carrier, webhook(carrier)?)))
        .collect()
}

fn signed(caller: &dyn Webhook, body: &[u8], key: &str) -> Signed {
    let unsigned = Unsigned {
        query: "",
        body,
        now: now(),
    };
    caller.sign(&unsigned, key)
}

fn prove(caller: &dyn Webhook, body: &[u8], signed: &Signed, keys: &[&str]) -> Result<(), Unproven> {
    let request = Request {
        method: caller.methods()[0],
        key: signed.key.as_deref(),
        query: signed.query.as_deref().unwrap_or_default(),
        headers: &signed.headers,
        body,
        now: now(),
    };
    caller.prove(&request, &Keys::new(keys.iter().map(|key| (*key).to_owned()).collect()))
}

/// Whether the proof depends on the body.
fn signs_bodies(caller: &dyn Webhook) -> bool {
    signed(caller, b"one", KEY) != signed(caller, b"other", KEY)
}

/// The same proof with each of its texts changed.
fn each_changed(signed: &Signed, change: impl Fn(&str) -> Option<String>) -> Vec<Signed> {
    let mut changed = Vec::new();
    for (place, (name, value)) in signed.headers.iter().enumerate() {
        if let Some(value) = change(value) {
            let mut other = signed.clone();
            other.headers[place] = (name.clone(), value);
            changed.push(other);
        }
    }
    if let Some(key) = signed.key.as_deref().and_then(&change) {
        changed.push(Signed {
            key: Some(key),
            ..signed.clone()
        });
    }
    if let Some(query) = signed.query.as_deref().and_then(&change) {
        changed.push(Signed {
            query: Some(query),
            ..signed.clone()
        });
    }
    changed
}

/// The text with the character at this place replaced by another visible one.
fn flipped(text: &str, at: Index, by: u8) -> Option<String> {
    let mut bytes = text.as_bytes().to_vec();
    let place = at.index(bytes.len().max(1));
    let byte = bytes.get_mut(place)?;
    let other = b'!' + by % 93;
    *byte = if other == *byte { b'~' } else { other };
    Some(String::from_utf8(bytes).unwrap())
}

/// Other spellings of a proof that a lenient reader would take for the same.
fn respelled(text: &str) -> Vec<String> {
    let last = text.trim_end_matches('=').len().saturating_sub(1);
    let next = |c: char| char::from_u32(u32::from(c) + 1).unwrap();
    let mut trailing_bits: Vec<char> = text.chars().collect();
    trailing_bits[last] = next(trailing_bits[last]);
    let percented = |c: char| format!("%{:02X}{}", u32::from(c), text.get(1..).unwrap());
    [
        text.to_uppercase(),
        text.to_lowercase(),
        text.replace('+', "-").replace('/', "_"),
        text.replace('-', "+").replace('_', "/"),
        text.trim_end_matches('=').to_owned(),
        format!("{text}="),
        format!("{text}=="),
        format!(" {text}"),
        format!("{text} "),
        format!("{text}\n"),
        format!("{text}\0"),
        format!("\"{text}\""),
        format!("{text},{text}"),
        percented(text.chars().next().unwrap()),
        trailing_bits.into_iter().collect(),
    ]
    .into_iter()
    .filter(|other| other != text)
    .collect()
}

#[test]
fn every_carrier_believes_its_own_signature_under_each_live_key() {
    for (carrier, caller) in callers() {
        let good = signed(caller, BODY, KEY);
        assert_eq!(prove(caller, BODY, &good, &[KEY]), Ok(()), "{carrier}");
        assert_eq!(
            prove(caller, BODY, &good, &["new:key-of-today-0123456789", KEY]),
            Ok(()),
            "{carrier}"
        );
    }
}

#[test]
fn without_a_live_key_nothing_is_believed() {
    for (carrier, caller) in callers() {
        let good = signed(caller, BODY, KEY);
        assert_eq!(prove(caller, BODY, &good, &[]), Err(Unproven::NoKey), "{carrier}");
        assert_eq!(prove(caller, BODY, &good, &[""]), Err(Unproven::NoKey), "{carrier}");
        assert!(prove(caller, BODY, &Signed::default(), &[KEY]).is_err(), "{carrier}");
        assert!(
            prove(caller, BODY, &signed(caller, BODY, ""), &["", KEY]).is_err(),
            "{carrier}"
        );
    }
}

#[test]
fn a_proof_that_comes_twice_is_refused() {
    for (carrier, caller) in callers() {
        let good = signed(caller, BODY, KEY);
        for header in good.headers.clone() {
            let mut twice = good.clone();
            twice.headers.push((header.0.to_uppercase(), header.1));
            assert!(prove(caller, BODY, &twice, &[KEY]).is_err(), "{carrier}");
        }
    }
}

#[test]
fn a_proof_in_another_spelling_is_refused() {
    for (carrier, caller) in callers() {
        let good = signed(caller, BODY, KEY);
        let texts = good.headers.iter().map(|(_, value)| value);
        for text in texts.chain(&good.key).chain(&good.query) {
            for other in respelled(text) {
                for bad in each_changed(&good, |value| (value == text).then(|| other.clone())) {
                    assert!(prove(caller, BODY, &bad, &[KEY]).is_err(), "{carrier}: {other:?}");
                }
            }
        }
    }
}

#[test]
fn another_carriers_proof_is_refused() {
    for (carrier, caller) in callers() {
        for (other, stranger) in callers().into_iter().filter(|(other, _)| *other != carrier) {
            let foreign = signed(stranger, BODY, KEY);
            assert!(prove(caller, BODY, &foreign, &[KEY]).is_err(), "{other} for {carrier}");
        }
    }
}

#[test]
fn a_thousand_parcels_with_a_thousand_lines_stay_within_bounds() {
    let at = |line: usize| {
        format!(
            "2026-11-{:02}T{:02}:{:02}:00Z",
            1 + line / 600,
            line / 60 % 10,
            line % 60
        )
    };
    let details: Vec<Value> = (0..1000)
        .map(|line| json!({ "status": "in_transit", "datetime": at(line) }))
        .collect();
    let tracker = json!({ "object": "Tracker", "tracking_code": "EZ1", "tracking_details": details });
    let shipments: Vec<Value> = (0..1000)
        .map(|number| {
            let status = json!({ "statusCode": "transit", "timestamp": at(0) });
            json!({ "id": format!("JD{number}"), "status": status })
        })
        .collect();
    let push = json!({ "scope": "subscription.push", "shipments": shipments });
    let read = |carrier: Carrier, body: Value| {
        let body = body.to_string();
        let request = Request {
            method: "POST",
            key: None,
            query: "",
            headers: &[],
            body: body.as_bytes(),
            now: now(),
        };
        webhook(carrier).unwrap().read(&request).unwrap().sightings
    };
    let lines = read(Carrier::Easypost, tracker).remove(0).told;
    let Told::Events(lines) = lines else {
        unreachable!("lines were sent")
    };
    assert_eq!((lines.len(), lines.last().unwrap().at.to_string()), (200, at(999)));
    assert_eq!(read(Carrier::Dhl, push).len(), 100);
}

/// Every sample of `events/carriers/`.
static SAMPLES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/carriers");
    let files = |path: &Path| -> Vec<_> {
        let mut paths: Vec<_> = std::fs::read_dir(path)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        paths.sort();
        paths
    };
    files(&root)
        .iter()
        .filter(|path| path.is_dir())
        .flat_map(|folder| files(folder))
        .map(|file| std::fs::read(file).unwrap())
        .collect()
});

/// Anything that JSON can be, small.
fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[0-9T:Z.+-]{0,30}".prop_map(Value::from),
        "[A-Z0-9]{0,4}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Value::from),
            vec(("[a-zA-Z]{1,10}", inner), 0..3).prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// The value itself, or one within it, replaced by another.
fn replaced(value: &mut Value, path: &[Index], by: Value) {
    let inner: Vec<&mut Value> = match value {
        Value::Array(elements) => elements.iter_mut().collect(),
        Value::Object(fields) => fields.values_mut().collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    };
    match path {
        [first, rest @ ..] if !inner.is_empty() => {
            let place = first.index(inner.len());
            replaced(inner.into_iter().nth(place).unwrap(), rest, by);
        }
        _ => *value = by,
    }
}

/// Messages that carriers might send: theirs with something in them replaced, theirs with a byte changed or cut off, and anything at all.
fn message() -> impl Strategy<Value = Vec<u8>> {
    let sample = any::<Index>().prop_map(|index| index.get(&SAMPLES).clone());
    let replaced = (sample.clone(), vec(any::<Index>(), 1..8), any_value()).prop_map(|(sample, path, by)| {
        let Ok(mut value) = serde_json::from_slice::<Value>(&sample) else {
            return sample;
        };
        replaced(&mut value, &path, by);
        value.to_string().into_bytes()
    });
    let changed = (sample.clone(), any::<Index>(), any::<u8>()).prop_map(|(mut sample, at, by)| {
        let place = at.index(sample.len());
        sample[place] = by;
        sample
    });
    let cut = (sample, any::<Index>()).prop_map(|(mut sample, at)| {
        sample.truncate(at.index(sample.len()));
        sample
    });
    prop_oneof![6 => replaced, 2 => changed, 1 => cut, 1 => any::<Vec<u8>>()]
}

fn texts() -> impl Strategy<Value = Vec<(String, String)>> {
    let name = prop_oneof![
        Just("fdx-signature".to_owned()),
        Just("authorization".to_owned()),
        Just("credential".to_owned()),
        Just("x-dhl-hook-token".to_owned()),
        Just("x-hmac-signature".to_owned()),
        Just("aftership-hmac-sha256".to_owned()),
        Just("shippo-auth-signature".to_owned()),
        Just("clientid".to_owned()),
        Just("clientsecret".to_owned()),
    ];
    let value = prop_oneof![any::<String>(), "(Bearer |hmac-sha256-hex=|t=)[0-9a-zA-Z.,=_/+-]{0,80}",];
    vec((name, value), 0..3)
}

proptest! {
    #[test]
    fn nothing_that_calls_panics(
        message in message(),
        headers in texts(),
        query in any::<String>(),
        key in proptest::option::of(any::<String>()),
        live in vec(any::<String>(), 0..3),
    ) {
        for (_, caller) in callers() {
            let request = Request {
                method: "POST",
                key: key.as_deref(),
                query: &query,
                headers: &headers,
                body: &message,
                now: now(),
            };
            prop_assert!(caller.prove(&request, &Keys::new(live.clone())).is_err());
            if let Ok(delivery) = caller.read(&request) {
                for sighting in &delivery.sightings {
                    prop_assert!(!matches!(&sighting.told, Told::Events(events) if events.is_empty()));
                }
                prop_assert!(delivery.sightings.len() <= 100);
            }
            let archived = caller.archived(&request);
            let _again = caller.read_archived(&archived, now());
            let _answer = caller.answer(&request);
            let _token = carriers::ups_token(&request, &Keys::new(live.clone()));
        }
    }

    #[test]
    fn no_answer_panics(message in message(), status in prop_oneof![8 => Just(200), 2 => 0_u16..600]) {
        let asked = [TrackingNumber::try_from("1Z999AA10123456784").unwrap()];
        for carrier in Carrier::ALL {
            let Some(asking) = poll(carrier) else { continue };
            if let Ok(told) = asking.read(status, &message, &asked, now()) {
                prop_assert!(told.iter().any(|sighting| sighting.number == asked[0]), "{}", carrier);
            }
            let _token = asking.read_token(status, &message);
            let _subscribed = asking.read_subscribed(status, &message, &asked);
        }
    }

    #[test]
    fn a_changed_body_is_refused(body in vec(any::<u8>(), 1..200), at in any::<Index>(), by in 1..=255_u8) {
        let mut other = body.clone();
        let place = at.index(body.len());
        other[place] ^= by;
        for (carrier, caller) in callers() {
            let good = signed(caller, &body, KEY);
            prop_assert_eq!(prove(caller, &body, &good, &[KEY]), Ok(()), "{}", carrier);
            if signs_bodies(caller) {
                prop_assert!(prove(caller, &other, &good, &[KEY]).is_err(), "{}", carrier);
                prop_assert!(prove(caller, &body[1..], &good, &[KEY]).is_err(), "{}", carrier);
            }
        }
    }

    #[test]
    fn a_changed_proof_is_refused(body in any::<Vec<u8>>(), at in any::<Index>(), by in any::<u8>()) {
        for (carrier, caller) in callers() {
            let good = signed(caller, &body, KEY);
            let changed = each_changed(&good, |text| flipped(text, at, by));
            let shorter = each_changed(&good, |text| Some(text.get(..at.index(text.len()))?.to_owned()));
            for bad in changed.into_iter().chain(shorter) {
                prop_assert!(prove(caller, &body, &bad, &[KEY]).is_err(), "{}: {:?}", carrier, bad);
            }
        }
    }

    #[test]
    fn a_proof_under_a_changed_key_is_refused(at in any::<Index>(), by in any::<u8>()) {
        let other = flipped(KEY, at, by).unwrap();
        for (carrier, caller) in callers() {
            let good = signed(caller, BODY, KEY);
            prop_assert!(prove(caller, BODY, &good, &[&other]).is_err(), "{}: {}", carrier, other);
        }
    }

    #[test]
    fn calls_go_nowhere_but_to_the_carrier(
        number in "[0-9A-Za-z][0-9A-Za-z./_-]{0,30}",
        subscription in any::<String>(),
        token in "[ -~]{0,40}",
    ) {
        let numbers = [TrackingNumber::try_from(number.as_str()).unwrap()];
        let account = Account {
            client_id: "id".to_owned(),
            client_secret: "secret".to_owned(),
            customer: Some("customer".to_owned()),
            base_url: Some("https://laboratory.example".to_owned()),
        };
        let mut calls = vec![carriers::dhl_confirm_call(
            &account,
            &Handshake { subscription, secret: "made-up".to_owned() },
        )];
        for asking in Carrier::ALL.into_iter().filter_map(poll) {
            calls.extend(asking.token_call(&account));
            calls.push(asking.call(&account, Some(&token), &numbers));
            calls.extend(asking.subscribe_call(&account, Some(&token), &numbers));
        }
        for call in calls {
            prop_assert!(call.url.starts_with("https://laboratory.example/"), "{}", call.url);
            prop_assert!(call.url.bytes().all(|byte| byte.is_ascii_graphic()), "{}", call.url);
        }
    }
}
