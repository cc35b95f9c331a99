//! Royal Mail: one parcel is answered with its events, the newest first, several with the last event of each.

use serde_json::{Value, json};

use super::{Asked, iso};
use crate::{Milestone, Step};

pub(super) fn answer(asked: &[Asked<'_>]) -> (u16, Value) {
    match asked {
        [(number, steps)] => match steps.split_last() {
            None => {
                let errors = json!([error(number)]);
                let answer = json!({ "httpCode": "404", "httpMessage": "Not Found", "errors": errors });
                (404, answer)
            }
            Some((last, _)) => {
                let events: Vec<Value> = steps.iter().rev().map(event).collect();
                let piece = json!({ "mailPieceId": number, "summary": summary(number, last), "events": events });
                (200, json!({ "mailPieces": piece }))
            }
        },
        several => {
            let pieces: Vec<Value> = several
                .iter()
                .map(|(number, steps)| match steps.last() {
                    None => json!({ "mailPieceId": number, "error": error(number) }),
                    Some(last) => json!({ "mailPieceId": number, "summary": summary(number, last) }),
                })
                .collect();
            (
                200,
                json!({ "errors": [], "httpCode": null, "httpMessage": null, "mailPieces": pieces }),
            )
        }
    }
}

fn error(number: &str) -> Value {
    json!({
        "errorCode": "E1142",
        "errorDescription": format!("Barcode reference {number} is not recognised"),
        "errorCause": "A mail item with that barcode cannot be located",
        "errorResolution": "Check barcode and resubmit",
    })
}

fn summary(number: &str, last: &Step) -> Value {
    json!({
        "uniqueItemId": "",
        "oneDBarcode": number,
        "productName": "Tracked 24",
        "lastEventCode": code(last.milestone),
        "lastEventName": last.milestone.words(),
        "lastEventDateTime": iso(last.at),
        "lastEventLocationName": last.milestone.town(),
        "statusCategory": if last.milestone == Milestone::Delivered { "DELIVERED" } else { "IN TRANSIT" },
    })
}

fn event(step: &Step) -> Value {
    json!({
        "eventCode": code(step.milestone),
        "eventName": step.milestone.words(),
        "eventDateTime": iso(step.at),
        "locationName": step.milestone.town(),
    })
}

const fn code(milestone: Milestone) -> &'static str {
    match milestone {
        Milestone::Label => "EVAIP",
        Milestone::PickedUp => "EVBAH",
        Milestone::InTransit => "EVDAC",
        Milestone::Customs => "EVIMC",
        Milestone::OutForDelivery => "EVGPD",
        Milestone::AttemptFailed => "EVKNA",
        Milestone::Delivered => "EVKSP",
        Milestone::Returned => "EVRTS",
    }
}
