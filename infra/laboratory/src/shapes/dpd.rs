//! DPD: a push is a query by a German clock, an answer the public life cycle: steps without times, and scans with them.

use serde_json::{Value, json};

use super::{Asked, Push, on_a_wall};
use crate::{Milestone, Step};

const CLOCK: &str = "Europe/Berlin";

pub(super) fn push(number: &str, step: Step) -> Push {
    let clock = on_a_wall(step.at, CLOCK);
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("pushid", &step.at.as_second().to_string())
        .append_pair("pnr", number)
        .append_pair("status", status(step.milestone))
        .append_pair("statusdate", &clock.strftime("%d%m%Y%H%M%S").to_string())
        .append_pair("depot", "0151")
        .finish();
    Push {
        method: "GET",
        query,
        body: String::new(),
    }
}

pub(super) fn answer((number, steps): Asked<'_>) -> Value {
    if steps.is_empty() {
        return json!({ "parcellifecycleResponse": { "parcelLifeCycleData": null } });
    }
    let (mut reached, mut stands): (Vec<&str>, _) = (Vec::new(), "");
    for step in steps {
        stands = cycle_step(step.milestone);
        if !reached.contains(&stands) {
            reached.push(stands);
        }
    }
    let steps_told: Vec<Value> = reached
        .iter()
        .map(|name| {
            json!({
                "status": name,
                "label": "Parcel",
                "description": { "content": [name.replace('_', " ")] },
                "statusHasBeenReached": true,
                "isCurrentStatus": *name == stands,
                "normalItems": [],
            })
        })
        .collect();
    let scans: Vec<Value> = steps.iter().filter_map(scan).collect();
    let cycle = json!({
        "shipmentInfo": { "parcelLabelNumber": number },
        "statusInfo": steps_told,
        "contactInfo": [],
        "scanInfo": { "scan": scans },
    });
    json!({ "parcellifecycleResponse": { "parcelLifeCycleData": cycle } })
}

/// The push has no word of its own for customs.
const fn status(milestone: Milestone) -> &'static str {
    match milestone {
        Milestone::Label => "start_order",
        Milestone::PickedUp => "pickup_driver",
        Milestone::InTransit => "pickup_depot",
        Milestone::Customs => "delivery_depot",
        Milestone::OutForDelivery => "delivery_carload",
        Milestone::AttemptFailed => "delivery_notification",
        Milestone::Delivered => "delivery_customer",
        Milestone::Returned => "error_return",
    }
}

const fn cycle_step(milestone: Milestone) -> &'static str {
    match milestone {
        Milestone::Label => "SHIPMENT",
        Milestone::PickedUp => "ACCEPTED",
        Milestone::InTransit => "ON_THE_ROAD",
        Milestone::Customs => "AT_DELIVERY_DEPOT",
        Milestone::OutForDelivery => "OUT_FOR_DELIVERY",
        Milestone::AttemptFailed => "NOT_DELIVERED",
        Milestone::Delivered => "DELIVERED",
        Milestone::Returned => "RETURNED",
    }
}

/// What no scanner sees, the step alone tells.
fn scan(step: &Step) -> Option<Value> {
    let (code, name) = match step.milestone {
        Milestone::Label | Milestone::AttemptFailed | Milestone::Returned => return None,
        Milestone::PickedUp => ("15", "SC_15_PICKUP"),
        Milestone::InTransit => ("1", "SC_1_SORT"),
        Milestone::Customs => ("4", "SC_4_INBOUND"),
        Milestone::OutForDelivery => ("3", "SC_3_IN_DELIVERY"),
        Milestone::Delivered => ("13", "SC_13_DELIVERED"),
    };
    let clock = on_a_wall(step.at, CLOCK);
    Some(json!({
        "date": clock.strftime("%Y-%m-%dT%H:%M:%S").to_string(),
        "scanData": { "scanType": { "code": code, "name": name }, "location": "Aschaffenburg (DE)", "country": "DE" },
        "scanDescription": { "content": [step.milestone.words()] },
        "links": [],
    }))
}
