//! UPS: Track Alert tells one activity per message, the Tracking API all of them, each under names of its own.

use jiff::civil::DateTime;
use serde_json::{Value, json};

use super::{Asked, Push, on_a_wall};
use crate::{Milestone, Step};

pub(super) fn push(number: &str, step: Step) -> Push {
    let (local, gmt) = clocks(step);
    let (kind, code, description) = codes(step.milestone);
    let mut status = json!({ "type": kind, "code": code, "description": step.milestone.words() });
    if let (Some(description), Value::Object(status)) = (description, &mut status) {
        status.insert("descriptionCode".to_owned(), description.into());
    }
    let delivered = step.milestone == Milestone::Delivered;
    Push::json(&json!({
        "trackingNumber": number,
        "localActivityDate": day(local),
        "localActivityTime": time(local),
        "activityLocation": { "city": step.milestone.town(), "stateProvince": "", "postalCode": "", "country": "ES" },
        "activityStatus": status,
        "scheduledDeliveryDate": "",
        "actualDeliveryDate": if delivered { day(local) } else { String::new() },
        "actualDeliveryTime": if delivered { time(local) } else { String::new() },
        "gmtActivityDate": day(gmt),
        "gmtActivityTime": time(gmt),
        "deliveryStartTime": "",
        "deliveryEndTime": "",
        "deliveryTimeDescription": "",
    }))
}

pub(super) fn answer((number, steps): Asked<'_>) -> Value {
    let Some(last) = steps.last() else {
        let warning = json!({ "code": "TW0001", "message": "Tracking Information Not Found" });
        return json!({ "trackResponse": { "shipment": [{ "warnings": [warning] }] } });
    };
    let activities: Vec<Value> = steps.iter().rev().map(|step| activity(*step)).collect();
    let dates = match last.milestone == Milestone::Delivered {
        true => json!([{ "type": "DEL", "date": day(clocks(*last).0) }]),
        false => json!([]),
    };
    let package = json!({ "trackingNumber": number, "deliveryDate": dates, "activity": activities, "packageCount": 1 });
    json!({ "trackResponse": { "shipment": [{ "inquiryNumber": number, "package": [package] }] } })
}

fn activity(step: Step) -> Value {
    let (local, gmt) = clocks(step);
    let (kind, code, description) = codes(step.milestone);
    let mut status = json!({ "type": kind, "code": code, "description": step.milestone.words() });
    if let (Some(description), Value::Object(status)) = (description, &mut status) {
        status.insert("statusCode".to_owned(), description.into());
    }
    json!({
        "location": { "address": { "city": step.milestone.town(), "country": "ES", "countryCode": "ES" } },
        "status": status,
        "date": day(local),
        "time": time(local),
        "gmtDate": day(gmt),
        "gmtTime": time(gmt),
    })
}

/// Type, code and description code. An exception is told by its two letters where UPS' list has no third.
const fn codes(milestone: Milestone) -> (&'static str, &'static str, Option<&'static str>) {
    match milestone {
        Milestone::Label => ("M", "MP", Some("003")),
        Milestone::PickedUp => ("I", "OR", Some("005")),
        Milestone::InTransit => ("I", "DP", Some("005")),
        Milestone::Customs => ("X", "SR", None),
        Milestone::OutForDelivery => ("I", "OT", Some("021")),
        Milestone::AttemptFailed => ("X", "48", Some("022")),
        Milestone::Delivered => ("D", "FS", Some("011")),
        Milestone::Returned => ("X", "DL", None),
    }
}

fn clocks(step: Step) -> (DateTime, DateTime) {
    (on_a_wall(step.at, "Europe/Madrid"), on_a_wall(step.at, "UTC"))
}

fn day(clock: DateTime) -> String {
    clock.strftime("%Y%m%d").to_string()
}

fn time(clock: DateTime) -> String {
    clock.strftime("%H%M%S").to_string()
}
