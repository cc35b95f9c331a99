//! FedEx: one shape for messages and answers (Track API v1).

use serde_json::{Value, json};

use super::{Asked, Push, iso};
use crate::{Milestone, Step};

pub(super) fn push(number: &str, steps: &[Step]) -> Push {
    Push::json(&answer(&[(number, steps)]))
}

pub(super) fn answer(asked: &[Asked<'_>]) -> Value {
    let results: Vec<Value> = asked
        .iter()
        .map(|(number, steps)| json!({ "trackingNumber": number, "trackResults": [result(number, steps)] }))
        .collect();
    json!({ "transactionId": "laboratory", "output": { "completeTrackResults": results } })
}

fn result(number: &str, steps: &[Step]) -> Value {
    let about = json!({ "trackingNumber": number, "carrierCode": "FDXG" });
    let Some(last) = steps.last() else {
        let error =
            json!({ "code": "TRACKING.TRACKINGNUMBER.NOTFOUND", "message": "Tracking number cannot be found." });
        return json!({ "trackingNumberInfo": about, "error": error });
    };
    let scans: Vec<Value> = steps.iter().rev().map(scan).collect();
    let kind = if last.milestone == Milestone::Delivered {
        "ACTUAL_DELIVERY"
    } else {
        "SHIP"
    };
    json!({
        "trackingNumberInfo": about,
        "latestStatusDetail": {
            "code": code(last.milestone),
            "derivedCode": code(last.milestone),
            "statusByLocale": last.milestone.words(),
            "description": last.milestone.words(),
        },
        "dateAndTimes": [{ "type": kind, "dateTime": iso(last.at) }],
        "scanEvents": scans,
    })
}

fn scan(step: &Step) -> Value {
    json!({
        "date": iso(step.at),
        "eventType": code(step.milestone),
        "eventDescription": step.milestone.words(),
        "exceptionCode": if step.milestone == Milestone::AttemptFailed { "08" } else { "" },
        "exceptionDescription": "",
        "scanLocation": { "city": step.milestone.town(), "countryCode": "ES", "residential": false },
        "derivedStatusCode": code(step.milestone),
    })
}

const fn code(milestone: Milestone) -> &'static str {
    match milestone {
        Milestone::Label => "OC",
        Milestone::PickedUp => "PU",
        Milestone::InTransit => "DP",
        Milestone::Customs => "CC",
        Milestone::OutForDelivery => "OD",
        Milestone::AttemptFailed => "DE",
        Milestone::Delivered => "DL",
        Milestone::Returned => "RS",
    }
}
