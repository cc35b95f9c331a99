//! DHL: a message tells the newest status, an answer the history too; both of DHL Express, whose checkpoints say most.

use serde_json::{Map, Value, json};

use super::{Asked, Push, iso};
use crate::{Milestone, Step};

pub(super) fn push(number: &str, step: Step) -> Push {
    Push::json(&json!({
        "scope": "subscription.push",
        "self": "https://api-eu.dhl.com/tracking/push/v1/subscription/laboratory",
        "shipments": [{ "id": number, "service": "express", "status": line(step) }],
    }))
}

pub(super) fn handshake(host: &str, subscription: &str, secret: &str) -> Push {
    Push::json(&json!({
        "scope": "subscription.validate",
        "self": format!("{host}/tracking/push/v1/subscription/{subscription}"),
        "secret": secret,
    }))
}

pub(super) fn answer((number, steps): Asked<'_>) -> (u16, Value) {
    let Some(last) = steps.last() else {
        let problem = json!({
            "title": "No result found",
            "detail": "No shipment with given tracking number found.",
            "status": 404,
            "instance": format!("/shipment/{number}"),
        });
        return (404, problem);
    };
    let lines: Vec<Value> = steps.iter().rev().map(|step| line(*step)).collect();
    let shipment = json!({ "id": number, "service": "express", "status": line(*last), "events": lines });
    (200, json!({ "shipments": [shipment] }))
}

fn line(step: Step) -> Value {
    let (status_code, checkpoint) = codes(step.milestone);
    let mut line = Map::from_iter([
        ("timestamp".to_owned(), iso(step.at).into()),
        ("statusCode".to_owned(), status_code.into()),
        ("description".to_owned(), step.milestone.words().to_uppercase().into()),
        (
            "location".to_owned(),
            json!({ "address": { "countryCode": "ES", "addressLocality": step.milestone.town() } }),
        ),
    ]);
    line.insert("status".to_owned(), checkpoint.unwrap_or(status_code).into());
    Value::Object(line)
}

/// The code of the unified API, and the checkpoint of DHL Express, which begins when it has the parcel.
const fn codes(milestone: Milestone) -> (&'static str, Option<&'static str>) {
    match milestone {
        Milestone::Label => ("pre-transit", None),
        Milestone::PickedUp => ("transit", Some("PU")),
        Milestone::InTransit => ("transit", Some("DF")),
        Milestone::Customs => ("transit", Some("CR")),
        Milestone::OutForDelivery => ("transit", Some("WC")),
        Milestone::AttemptFailed => ("failure", Some("NH")),
        Milestone::Delivered => ("delivered", Some("OK")),
        Milestone::Returned => ("failure", Some("RT")),
    }
}
