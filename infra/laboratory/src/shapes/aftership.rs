//! AfterShip: a message tells the checkpoints, and how the parcel stands by its newest one.

use serde_json::{Value, json};

use super::{Push, iso};
use crate::{Milestone, Step};

pub(super) fn push(number: &str, steps: &[Step]) -> Push {
    let checkpoints: Vec<Value> = steps.iter().map(checkpoint).collect();
    let last = steps.last().map(|step| step.milestone);
    let (tag, subtag) = last.map(tags).unwrap_or_default();
    Push::json(&json!({
        "event": "tracking_update",
        "event_id": format!("{number}-{}", checkpoints.len()),
        "is_tracking_first_tag": true,
        "msg": {
            "id": "laboratory",
            "tracking_number": number,
            "slug": "example-post",
            "tag": tag,
            "subtag": subtag,
            "subtag_message": last.map(Milestone::words),
            "title": number,
            "signed_by": null,
            "checkpoints": checkpoints,
            "return_to_sender": last == Some(Milestone::Returned),
        },
        "ts": steps.last().map(|step| step.at.as_second()),
    }))
}

fn checkpoint(step: &Step) -> Value {
    let (tag, subtag) = tags(step.milestone);
    json!({
        "checkpoint_time": iso(step.at),
        "message": step.milestone.words(),
        "slug": "example-post",
        "city": step.milestone.town(),
        "country_region_name": "Spain",
        "tag": tag,
        "subtag": subtag,
    })
}

const fn tags(milestone: Milestone) -> (&'static str, &'static str) {
    match milestone {
        Milestone::Label => ("InfoReceived", "InfoReceived_001"),
        Milestone::PickedUp => ("InTransit", "InTransit_002"),
        Milestone::InTransit => ("InTransit", "InTransit_007"),
        Milestone::Customs => ("InTransit", "InTransit_004"),
        Milestone::OutForDelivery => ("OutForDelivery", "OutForDelivery_001"),
        Milestone::AttemptFailed => ("AttemptFail", "AttemptFail_001"),
        Milestone::Delivered => ("Delivered", "Delivered_001"),
        Milestone::Returned => ("Exception", "Exception_011"),
    }
}
