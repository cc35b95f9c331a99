//! Shippo: a message tells how the parcel stands, and its history.

use serde_json::{Value, json};

use super::{Push, zulu};
use crate::{Milestone, Step};

pub(super) fn push(number: &str, steps: &[Step]) -> Push {
    let history: Vec<Value> = steps.iter().map(status).collect();
    Push::json(&json!({
        "event": "track_updated",
        "test": false,
        "data": {
            "carrier": "shippo",
            "tracking_number": number,
            "eta": null,
            "servicelevel": { "name": "Example Mail", "token": "example" },
            "metadata": "",
            "tracking_status": history.last(),
            "tracking_history": history,
            "transaction": null,
            "messages": [],
        },
    }))
}

fn status(step: &Step) -> Value {
    let (status, substatus) = says(step.milestone);
    let at = zulu(step.at);
    json!({
        "object_created": at,
        "object_updated": at,
        "object_id": format!("laboratory-{}", step.at.as_second()),
        "status": status,
        "status_details": step.milestone.words(),
        "status_date": at,
        "location": { "city": step.milestone.town(), "state": "", "zip": "", "country": "ES" },
        "substatus": { "code": substatus, "text": step.milestone.words(), "action_required": false },
    })
}

const fn says(milestone: Milestone) -> (&'static str, &'static str) {
    match milestone {
        Milestone::Label => ("PRE_TRANSIT", "information_received"),
        Milestone::PickedUp => ("TRANSIT", "package_accepted"),
        Milestone::InTransit => ("TRANSIT", "package_departed"),
        Milestone::Customs => ("TRANSIT", "package_processed"),
        Milestone::OutForDelivery => ("TRANSIT", "out_for_delivery"),
        Milestone::AttemptFailed => ("FAILURE", "delivery_attempted"),
        Milestone::Delivered => ("DELIVERED", "delivered"),
        Milestone::Returned => ("RETURNED", "return_to_sender"),
    }
}
