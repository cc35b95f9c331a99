//! Whatever comes, from whatever carrier: nothing panics, nothing is believed without its proof, and what is read stays within bounds.

use domain::{Carrier, TrackingNumber};
use jiff::Timestamp;
use proptest::prelude::*;
use std::fs;
use std::path::PathBuf;

use crate::{Account, Keys, Request, Sighting, Told, poll, webhook};

const KEY: &str = "a-key:that-nobody-guesses";
/// The names in which carriers put their proofs.
const HEADERS: [&str; 8] = [
    "aftership-hmac-sha256",
    "shippo-auth-signature",
    "clientID",
    "clientSecret",
    "fdx-signature",
    "X-Hmac-Signature",
    "credential",
    "Authorization",
];

fn now() -> Timestamp {
    "2026-11-20T10:00:00Z".parse().unwrap()
}

/// The carriers' messages of `events/carriers`, and nothing at all.
fn samples() -> Vec<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../events/carriers");
    let mut samples = vec![Vec::new()];
    for carrier in fs::read_dir(folder).unwrap() {
        for file in fs::read_dir(carrier.unwrap().path()).unwrap() {
            let file = file.unwrap().path();
            if file.file_name().is_some_and(|name| name != "expected.json") {
                samples.push(fs::read(file).unwrap());
            }
        }
    }
    samples.sort();
    samples
}

/// One of the samples with some bytes in the middle put in others' place.
fn almost_a_message() -> impl Strategy<Value = Vec<u8>> {
    let samples = samples();
    let change = (
        any::<prop::sample::Index>(),
        0..40_usize,
        prop::collection::vec(any::<u8>(), 0..40),
    );
    (prop::sample::select(samples), prop::collection::vec(change, 0..4)).prop_map(|(sample, changes)| {
        let mut body = sample;
        for (place, length, bytes) in changes {
            let from = place.index(body.len() + 1);
            let to = body.len().min(from + length);
            body.splice(from..to, bytes);
        }
        body
    })
}

fn any_message() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![prop::collection::vec(any::<u8>(), 0..300), almost_a_message()]
}

fn assert_within_bounds(sightings: &[Sighting]) {
    assert!(sightings.len() <= 100);
    for sighting in sightings {
        if let Told::Events(events) = &sighting.told {
            assert!((1..=200).contains(&events.len()));
            assert!(events.is_sorted_by_key(|event| event.at));
        }
    }
}

#[test]
fn there_are_samples_of_every_carrier() {
    assert!(samples().len() > 80);
}

proptest! {
    #[test]
    fn nothing_is_believed_without_its_proof(
        headers in prop::collection::vec((prop::sample::select(&HEADERS[..]), "[ -~]{0,80}"), 0..4),
        query in "(token=)?[ -~]{0,60}",
        key in prop::option::of("[ -~]{0,30}"),
        body in any_message(),
    ) {
        let headers: Vec<(String, String)> =
            headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let request =
            Request { method: "POST", key: key.as_deref(), query: &query, headers: &headers, body: &body, now: now() };
        for carrier in Carrier::ALL {
            if let Some(webhook) = webhook(carrier) {
                prop_assert!(webhook.prove(&request, &Keys::new(vec![KEY.to_owned()])).is_err(), "{}", carrier);
                prop_assert!(webhook.prove(&request, &Keys::default()).is_err(), "{}", carrier);
            }
        }
    }

    #[test]
    fn whatever_a_carrier_says_is_read_within_bounds(body in any_message(), query in "[ -~]{0,80}") {
        let request = Request { method: "POST", key: None, query: &query, headers: &[], body: &body, now: now() };
        for carrier in Carrier::ALL {
            if let Some(webhook) = webhook(carrier) {
                if let Ok(delivery) = webhook.read(&request) {
                    assert_within_bounds(&delivery.sightings);
                    let archived = webhook.archived(&request);
                    prop_assert_eq!(webhook.read_archived(&archived, now()), Ok(delivery), "{}", carrier);
                }
                webhook.answer(&request);
                let _any = webhook.read_archived(&body, now());
            }
        }
    }

    #[test]
    fn whatever_a_carrier_answers_is_read_within_bounds(
        body in any_message(),
        status in prop::sample::select(vec![200_u16, 200, 200, 0, 202, 207, 400, 404, 429, 500, 65_535]),
        asked in prop::collection::vec("[A-Z0-9]{1,24}", 0..4),
    ) {
        let asked: Vec<TrackingNumber> =
            asked.into_iter().map(|number| TrackingNumber::try_from(number).unwrap()).collect();
        for carrier in Carrier::ALL {
            if let Some(poll) = poll(carrier) {
                if let Ok(sightings) = poll.read(status, &body, &asked, now()) {
                    assert_within_bounds(&sightings);
                    prop_assert!(asked.iter().all(|number| sightings.iter().any(|one| one.number == *number)), "{}", carrier);
                }
                let _any = poll.read_token(status, &body);
                let _any = poll.read_subscribed(status, &body, &asked);
                poll.call(&Account::default(), None, &asked);
            }
        }
    }
}
