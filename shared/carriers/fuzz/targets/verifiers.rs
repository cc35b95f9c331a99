//! Nobody who does not know the key is ever believed. The first byte picks the carrier; then come lines: the key in the path, the query,
//! one line per header up to an empty one; the rest is the body.
#![no_main]

use carriers::{Keys, Request, webhook};
use domain::Carrier;
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;

/// Each is a key of every carrier: a pair with a colon, as Correos wants it, and texts that no fuzzer guesses.
const KEYS: [&str; 2] = [
    "9d1f6f0b2c7e4a55:e3a1c5d9b7f04826aa10",
    "5b7a2c9e8d314f60b1c2d3e4f5061728",
];

fuzz_target!(|input: &[u8]| {
    let Some((first, rest)) = input.split_first() else {
        return;
    };
    let carrier = Carrier::ALL[usize::from(*first) % Carrier::ALL.len()];
    let Some(webhook) = webhook(carrier) else {
        return;
    };
    let (key, rest) = line(rest);
    let (query, rest) = line(rest);
    let mut headers = Vec::new();
    let mut body = rest;
    loop {
        let (header, rest) = line(body);
        body = rest;
        let Some((name, value)) = header.split_once(": ") else {
            break;
        };
        headers.push((name.to_owned(), value.to_owned()));
    }
    let request = Request {
        method: "POST",
        key: Some(key.as_str()).filter(|key| !key.is_empty()),
        query: &query,
        headers: &headers,
        body,
        now: Timestamp::from_second(1_795_168_800).unwrap(),
    };
    let keys = Keys::new(KEYS.map(str::to_owned).to_vec());
    assert!(webhook.prove(&request, &keys).is_err(), "{carrier} believed a stranger");
    assert!(
        webhook.prove(&request, &Keys::default()).is_err(),
        "{carrier} believed a stranger without a key"
    );
    let answer = webhook.answer(&request);
    assert!(answer.status == 200 && answer.body.len() < 200);
});

fn line(input: &[u8]) -> (String, &[u8]) {
    let end = input.iter().position(|byte| *byte == b'\n');
    let (line, rest) = match end {
        Some(end) => (&input[..end], &input[end + 1..]),
        None => (input, &[][..]),
    };
    (String::from_utf8_lossy(line).into_owned(), rest)
}
