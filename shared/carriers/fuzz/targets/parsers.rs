//! Whatever a carrier sends or answers is read or refused, within bounds and without a panic. The first byte picks the carrier, the rest
//! is the body, and the query of those that put everything there.
#![no_main]

use carriers::{Account, Request, Sighting, Told, poll, webhook};
use domain::{Carrier, TrackingNumber};
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;

const STATUSES: [u16; 8] = [0, 200, 207, 400, 404, 429, 500, u16::MAX];

/// A number of each length and kind, some of which stand in the samples.
const ASKED: [&str; 4] = [
    "09440000567812",
    "PQ7SHOP4100000120228001",
    "QK104000725GB",
    "1Z204W4R0308071865",
];

fuzz_target!(|input: &[u8]| {
    let Some((first, body)) = input.split_first() else {
        return;
    };
    let carrier = Carrier::ALL[usize::from(*first) % Carrier::ALL.len()];
    let now = Timestamp::from_second(1_795_168_800).unwrap();
    let asked = ASKED.map(|number| TrackingNumber::try_from(number).unwrap());
    if let Some(webhook) = webhook(carrier) {
        let query = String::from_utf8_lossy(body);
        let request = Request {
            method: "POST",
            key: None,
            query: &query,
            headers: &[],
            body,
            now,
        };
        if let Ok(delivery) = webhook.read(&request) {
            check(carrier, &delivery.sightings);
            let archived = webhook.archived(&request);
            let again = webhook.read_archived(&archived, now);
            assert_eq!(again, Ok(delivery), "{carrier}: the archive tells another story");
        }
        if let Ok(delivery) = webhook.read_archived(body, now) {
            check(carrier, &delivery.sightings);
        }
        webhook.answer(&request);
    }
    let Some(poll) = poll(carrier) else {
        return;
    };
    let limit = poll.limits().parcels_per_call;
    for status in STATUSES {
        for asked in [&asked[..limit.min(asked.len())], &asked[..1], &[]] {
            if let Ok(sightings) = poll.read(status, body, asked, now) {
                check(carrier, &sightings);
                for number in asked {
                    assert!(
                        sightings.iter().any(|one| one.number == *number),
                        "{carrier} forgot a parcel"
                    );
                }
            }
        }
        if let Ok(token) = poll.read_token(status, body) {
            let call = poll.call(&Account::default(), Some(&token.value), &asked[..1]);
            assert!(call.url.starts_with("https://"));
            assert!(!token.lives_for.is_negative());
        }
        let _subscribed = poll.read_subscribed(status, body, &asked);
    }
});

fn check(carrier: Carrier, sightings: &[Sighting]) {
    assert!(sightings.len() <= 100, "{carrier} told of {} parcels", sightings.len());
    for sighting in sightings {
        let Told::Events(events) = &sighting.told else {
            continue;
        };
        assert!(
            (1..=200).contains(&events.len()),
            "{carrier} told of {} events",
            events.len()
        );
        assert!(
            events.is_sorted_by_key(|event| event.at),
            "{carrier} told it out of order"
        );
        for event in events {
            assert_eq!(event.carrier, carrier);
            assert_eq!(event.number, sighting.number);
            for text in [&event.code, &event.text, &event.place].into_iter().flatten() {
                assert!(text.chars().count() <= 200, "{carrier} kept a long text");
                assert!(
                    !text.chars().any(char::is_control),
                    "{carrier} kept a control character"
                );
            }
        }
    }
}
