//! The life cycle of a DPD parcel in JSON: steps without times, of which some lie ahead, and scans with times.

use domain::{Carrier, OrderStatus, TrackingNumber};
use jiff::Timestamp;
use serde_json::Value;

use crate::code_table::{Meaning, Row, meaning};
use crate::history::{Entry, entries, history, same_parcel};
use crate::moment::Moment;
use crate::parse::{at, each, first_text, json, number, text, text_at};
use crate::{Sighting, Unreadable};

/// Steps, in JSON and in SOAP. Neither a delay nor a cancelling is known.
pub(super) const STEPS: &[Row] = &[
    Row(
        Meaning::of(OrderStatus::Processing),
        &["SHIPMENT", "ORDER_INFORMATION_TRANSMITTED"],
    ),
    Row(
        Meaning::of(OrderStatus::Shipped),
        &[
            "PickedUp",
            "ACCEPTED",
            "BetweenDepots",
            "ON_THE_ROAD",
            "Depot",
            "AT_DELIVERY_DEPOT",
            "Customs",
            "Warehouse",
            "Consolidation",
        ],
    ),
    Row(
        Meaning::of(OrderStatus::OutForDelivery),
        &["Courier", "OUT_FOR_DELIVERY"],
    ),
    Row(Meaning::READY_FOR_PICKUP, &["ParcelShop"]),
    Row(
        Meaning::of(OrderStatus::Delivered),
        &["Delivered", "DELIVERED", "PICKED_UP_BY_CONSIGNEE"],
    ),
    Row(
        Meaning::of(OrderStatus::Exception),
        // `ReturningFromDelivery` is back at the depot, not with the sender.
        &["DeliveryFailure", "ReturningFromDelivery", "NOT_DELIVERED"],
    ),
    Row(Meaning::of(OrderStatus::Returned), &["RETURNED"]),
];

/// Scans that say something by their name alone. The last one is told by the step.
const SCANS: &[Row] = &[
    Row(
        Meaning::of(OrderStatus::Shipped),
        &["SC_15_PICKUP", "SC_1_SORT", "SC_4_INBOUND"],
    ),
    Row(Meaning::of(OrderStatus::OutForDelivery), &["SC_3_IN_DELIVERY"]),
    Row(Meaning::READY_FOR_PICKUP, &["SC_23_STORE_DROPOFF"]),
];

/// Whose clock shows the time where no country is named: that of DPD Germany, whose page it is.
pub(super) const HOME: &str = "DE";

/// Where no step was reached yet.
pub(super) const NOT_YET: Meaning = Meaning::of(OrderStatus::Processing);

/// The parcel that was asked for; nothing where DPD does not know it.
pub(super) fn parcel(body: &[u8], asked: &[TrackingNumber], now: Timestamp) -> Result<Option<Sighting>, Unreadable> {
    let body = json(body)?;
    let response = at(&body, "parcellifecycleResponse");
    if !response.is_object() {
        return Err(Unreadable::new("an object in parcellifecycleResponse"));
    }
    let cycle = at(response, "parcelLifeCycleData");
    if cycle.is_null() {
        return Ok(None);
    }
    let told = number(at(cycle, "shipmentInfo.parcelLabelNumber"));
    let number = same_parcel(told.as_ref(), asked)
        .ok_or_else(|| Unreadable::new("the number that was asked for in parcelLabelNumber"))?;
    let mut entries = entries(each(at(cycle, "scanInfo.scan")), now, moment, entry);
    entries.sort_by_key(|entry| entry.moment.at);
    let last = entries.pop();
    entries.push(stand(cycle, last, now));
    Ok(history(Carrier::Dpd, number, entries))
}

fn moment(scan: &Value) -> Option<Moment> {
    let place = text_at(scan, "scanData.location");
    let named = place.as_deref().and_then(country_of).map(str::to_owned);
    let country = named.or_else(|| text_at(scan, "scanData.country"));
    Moment::iso(&text_at(scan, "date")?, Some(country.as_deref().unwrap_or(HOME)))
}

fn entry(scan: &Value, moment: Moment) -> Entry {
    let code = first_text(scan, &["scanData.scanType.name", "scanData.scanType.code"]);
    Entry {
        moment,
        meaning: code.as_deref().and_then(|code| meaning(SCANS, code)),
        code,
        text: first_content(scan, "scanDescription.content"),
        place: text_at(scan, "scanData.location"),
    }
}

/// The country that stands in brackets behind the town, as in `Mechelen (BE)`.
pub(super) fn country_of(place: &str) -> Option<&str> {
    let (_, country) = place.trim().strip_suffix(')')?.rsplit_once('(')?;
    Some(country)
}

fn first_content(value: &Value, path: &str) -> Option<String> {
    let first = at(value, path).as_array()?.first()?;
    text(first)
}

/// How the parcel stands: the current step, at the time and the place of the last scan.
fn stand(cycle: &Value, last: Option<Entry>, now: Timestamp) -> Entry {
    let is_true = |step: &Value, name: &str| step.get(name).is_some_and(|flag| flag == true || flag == "true");
    let current = each(at(cycle, "statusInfo")).find(|step| is_true(step, "isCurrentStatus"));
    let reached = each(at(cycle, "statusInfo")).filter(|step| is_true(step, "statusHasBeenReached"));
    let step = current.or_else(|| reached.last());
    let waits = last.as_ref().and_then(|last| last.meaning) == Some(Meaning::READY_FOR_PICKUP);
    let last = last.unwrap_or(Entry::at(Moment::arrival(now)));
    let Some(step) = step else {
        return Entry {
            meaning: last.meaning.or(Some(NOT_YET)),
            ..last
        };
    };
    let code = text_at(step, "status");
    let words = first_content(step, "description.content");
    let told = code.as_deref().and_then(|code| meaning(STEPS, code));
    Entry {
        // In a shop the step may say "delivered"; it is not.
        meaning: match told.and_then(|told| told.status) {
            Some(OrderStatus::Delivered | OrderStatus::OutForDelivery) if waits => Some(Meaning::READY_FOR_PICKUP),
            _ => told,
        },
        code,
        text: words.or_else(|| text_at(step, "label")).or(last.text),
        ..last
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Told;
    use crate::code_table::doubled;
    use domain::TrackingEvent;
    use serde_json::json;

    fn read(cycle: &Value) -> Result<Option<Sighting>, Unreadable> {
        let body = json!({ "parcellifecycleResponse": { "parcelLifeCycleData": cycle } }).to_string();
        let asked = [TrackingNumber::try_from("09440000567812").unwrap()];
        parcel(body.as_bytes(), &asked, "2026-11-20T10:00:00Z".parse().unwrap())
    }

    fn events(steps: &Value, scans: &Value) -> Vec<TrackingEvent> {
        let sighting = read(&json!({ "statusInfo": steps, "scanInfo": { "scan": scans } }))
            .unwrap()
            .unwrap();
        match sighting.told {
            Told::Events(events) => events,
            Told::NotFound => Vec::new(),
        }
    }

    fn scan(name: &str) -> Value {
        json!({ "date": "2026-11-05T08:05:00",
            "scanData": { "scanType": { "name": name }, "location": "Cluj-Napoca (RO)" } })
    }

    #[test]
    fn the_current_step_counts_not_the_last_one() {
        let steps = json!([
            { "status": "ACCEPTED", "statusHasBeenReached": true, "isCurrentStatus": true },
            { "status": "DELIVERED", "statusHasBeenReached": false, "isCurrentStatus": false },
        ]);
        let events = events(&steps, &json!([scan("SC_15_PICKUP")]));
        let [event] = events.as_slice() else {
            panic!("{events:?}")
        };
        assert_eq!(
            (event.status, event.code.as_deref()),
            (Some(OrderStatus::Shipped), Some("ACCEPTED"))
        );
        assert_eq!(event.at, "2026-11-05T06:05:00Z".parse().unwrap());
        assert_eq!(event.place.as_deref(), Some("Cluj-Napoca (RO)"));
    }

    #[test]
    fn what_is_left_in_a_shop_is_not_delivered() {
        let steps = json!([{ "status": "DELIVERED", "isCurrentStatus": "true" }]);
        let events = events(&steps, &json!([scan("SC_23_STORE_DROPOFF")]));
        assert_eq!(events[0].status, Some(OrderStatus::OutForDelivery));
        assert_eq!(events[0].detail, Some(domain::TrackingDetail::ReadyForPickup));
    }

    #[test]
    fn what_reached_no_step_is_announced() {
        let steps = json!([{ "status": "ACCEPTED", "statusHasBeenReached": false }]);
        assert_eq!(events(&steps, &json!([]))[0].status, Some(OrderStatus::Processing));
    }

    #[test]
    fn a_clock_in_an_unnamed_country_is_german() {
        let scan = json!({ "date": "2026-11-05T08:05:00", "scanData": { "location": "Somewhere" } });
        let events = events(&json!([]), &json!([scan]));
        assert_eq!(events[0].at, "2026-11-05T07:05:00Z".parse().unwrap());
        assert!(events[0].is_time_assumed);
    }

    #[test]
    fn an_answer_about_another_parcel_is_not_believed() {
        let cycle = json!({ "shipmentInfo": { "parcelLabelNumber": "09981100001234" } });
        assert!(read(&cycle).is_err());
        assert_eq!(read(&Value::Null), Ok(None));
    }

    #[test]
    fn a_country_stands_in_brackets() {
        assert_eq!(country_of("Mechelen (BE)"), Some("BE"));
        for place in ["", ")", "Mechelen", "Mechelen (BE) 2"] {
            assert_eq!(country_of(place), None, "{place}");
        }
    }

    #[test]
    fn each_code_has_one_meaning() {
        assert!(doubled(STEPS).is_empty());
        assert!(doubled(SCANS).is_empty());
    }
}
