//! EasyPost: an event about a tracker, with all its lines.

use serde_json::{Value, json};

use super::{Push, zulu};
use crate::{Milestone, Step};

pub(super) fn push(number: &str, steps: &[Step]) -> Push {
    let last = steps.last();
    let newest = last.map(|step| zulu(step.at));
    let details: Vec<Value> = steps.iter().map(detail).collect();
    Push::json(&json!({
        "id": format!("evt_{number}_{}", details.len()),
        "object": "Event",
        "mode": "production",
        "description": "tracker.updated",
        "status": "pending",
        "previous_attributes": {},
        "created_at": newest,
        "updated_at": newest,
        "result": {
            "id": format!("trk_{number}"),
            "object": "Tracker",
            "mode": "production",
            "tracking_code": number,
            "status": last.map(|step| status(step.milestone)),
            "status_detail": "unknown",
            "created_at": newest,
            "updated_at": newest,
            "signed_by": null,
            "est_delivery_date": null,
            "carrier": "CorreosExpress",
            "tracking_details": details,
            "carrier_detail": null,
            "finalized": false,
            "is_return": false,
        },
    }))
}

fn detail(step: &Step) -> Value {
    json!({
        "object": "TrackingDetail",
        "message": step.milestone.words(),
        "description": "",
        "status": status(step.milestone),
        "status_detail": "unknown",
        "datetime": zulu(step.at),
        "source": "CorreosExpress",
        "carrier_code": null,
        "tracking_location": {
            "object": "TrackingLocation",
            "city": step.milestone.town(),
            "state": null,
            "country": "ES",
            "zip": null,
        },
    })
}

const fn status(milestone: Milestone) -> &'static str {
    match milestone {
        Milestone::Label => "pre_transit",
        Milestone::PickedUp | Milestone::InTransit | Milestone::Customs => "in_transit",
        Milestone::OutForDelivery => "out_for_delivery",
        Milestone::AttemptFailed => "failure",
        Milestone::Delivered => "delivered",
        Milestone::Returned => "return_to_sender",
    }
}
