//! DHL's German parcel division answers in XML of its own.

use domain::{Carrier, OrderStatus, TrackingEvent, TrackingNumber};
use jiff::{Timestamp, civil::DateTime};
use roxmltree::{Document, Node};

use crate::{
    Sighting, Unreadable,
    code_table::{Meaning, Row, meaning},
    moment::{self, Moment},
    sighting::MOST_PARCELS,
    words::{place, words},
};

/// Its times are German, whatever the place.
const ZONE: &str = "Europe/Berlin";

/// Codes of `ice` and, where that is empty or unknown, of `standard-event-code`.
const CODES: &[Row] = &[
    Row(
        Meaning::of(OrderStatus::Shipped),
        &["SHRCU", "ES", "LDTMV", "PCKDU", "ULFMV", "AA", "AE", "EE"],
    ),
    Row(Meaning::of(OrderStatus::OutForDelivery), &[SORTED, "PO"]),
    Row(Meaning::of(OrderStatus::Delivered), &["DLVRD", "ZU"]),
    Row(Meaning::of(OrderStatus::Exception), &["NDELV"]),
];

const SORTED: &str = "SRTED";

/// Words by which a sorted parcel is in the van.
const IN_THE_VAN: [&str; 3] = ["delivery vehicle", "in delivery", "zustellfahrzeug"];

/// Reads every parcel of the answer.
pub(super) fn sightings(body: &[u8], now: Timestamp) -> Result<Vec<Sighting>, Unreadable> {
    let unreadable = || Unreadable::new("XML with piece-shipment elements");
    let text = std::str::from_utf8(body).map_err(|_no_text| unreadable())?;
    let document = Document::parse(text).map_err(|_no_xml| unreadable())?;
    let shipments: Vec<Sighting> = named(document.root(), "piece-shipment")
        .take(MOST_PARCELS)
        .filter_map(|shipment| sighting(shipment, now))
        .collect();
    match shipments.is_empty() {
        true => Err(unreadable()),
        false => Ok(shipments),
    }
}

fn named<'a, 'i>(within: Node<'a, 'i>, name: &'static str) -> impl Iterator<Item = Node<'a, 'i>> {
    within
        .descendants()
        .filter(move |node| node.attribute("name") == Some(name))
}

fn sighting(shipment: Node<'_, '_>, now: Timestamp) -> Option<Sighting> {
    let number = ["searched-piece-code", "piece-code", "piece-identifier"]
        .into_iter()
        .find_map(|name| TrackingNumber::try_from(shipment.attribute(name)?).ok())?;
    let listed: Vec<Node<'_, '_>> = named(shipment, "piece-event").collect();
    // Without a history, the shipment's own status is all there is.
    let (nodes, time) = match listed.is_empty() {
        true => (vec![shipment], "status-timestamp"),
        false => (listed, "event-timestamp"),
    };
    let moments = nodes
        .iter()
        .map(|node| Moment::in_zone(clock(node.attribute(time)?)?, ZONE))
        .collect();
    let newest = nodes.len();
    let is_return = is_true(shipment, "ruecksendung");
    let events: Vec<TrackingEvent> = (1..)
        .zip(nodes.iter().zip(moment::in_order(moments, now)))
        .filter_map(|(place, (node, moment))| event(*node, moment, is_return && place == newest, &number))
        .collect();
    let is_error = shipment.attribute("error-status").is_some_and(|error| error != "0");
    Sighting::of(number.clone(), events).or_else(|| is_error.then(|| Sighting::not_found(number)))
}

fn event(node: Node<'_, '_>, moment: Moment, is_return: bool, number: &TrackingNumber) -> Option<TrackingEvent> {
    let attribute = |name: &str| node.attribute(name).map(str::trim).filter(|text| !text.is_empty());
    let (ice, standard) = (attribute("ice"), attribute("standard-event-code"));
    let code = match (ice, standard) {
        (Some(ice), Some(standard)) => format!("{ice}/{standard}"),
        (ice, standard) => ice.or(standard)?.to_owned(),
    };
    let text = ["event-status", "event-text", "status"].into_iter().find_map(attribute);
    let found = ice
        .and_then(|code| meaning(CODES, code))
        .or_else(|| meaning(CODES, standard?));
    let mut event = TrackingEvent::new(Carrier::Dhl, number.clone(), moment.at);
    event.is_time_assumed = moment.is_assumed;
    event.is_code_known = found.is_some();
    event.status = match found.and_then(|found| found.status) {
        Some(_) if is_return || is_true(node, "ruecksendung") => Some(OrderStatus::Returned),
        Some(OrderStatus::OutForDelivery) if !is_in_the_van(text) => Some(OrderStatus::Shipped),
        status => status,
    };
    event.code = TrackingEvent::words(&code);
    event.text = text.and_then(words);
    let owned = |name: &str| attribute(name).map(str::to_owned);
    event.place = place(owned("event-location"), owned("event-country"));
    Some(event)
}

fn is_true(node: Node<'_, '_>, name: &str) -> bool {
    node.attribute(name) == Some("true")
}

fn is_in_the_van(text: Option<&str>) -> bool {
    let text = text.unwrap_or_default().to_lowercase();
    IN_THE_VAN.iter().any(|mark| text.contains(mark))
}

/// `dd.mm.yyyy HH:MM`
fn clock(text: &str) -> Option<DateTime> {
    DateTime::strptime("%d.%m.%Y %H:%M", text.trim()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Told, code_table::doubled};

    fn read(shipment: &str, events: &str) -> Vec<(Option<OrderStatus>, String)> {
        let xml = format!(
            r#"<data name="piece-shipment-list"><data name="piece-shipment" piece-code="00340434000000000017" {shipment}>{events}</data></data>"#
        );
        let now = "2026-11-20T10:00:00Z".parse().unwrap();
        let told = sightings(xml.as_bytes(), now).unwrap().remove(0).told;
        let Told::Events(events) = told else { return Vec::new() };
        events
            .into_iter()
            .map(|event| (event.status, event.at.to_string()))
            .collect()
    }

    #[test]
    fn no_code_stands_in_two_rows() {
        assert_eq!(doubled(CODES), Vec::<&str>::new());
    }

    #[test]
    fn a_time_is_german_in_summer_and_in_winter() {
        let event = |day: &str| {
            format!(r#"<data name="piece-event" event-timestamp="{day} 10:00" ice="PCKDU" standard-event-code="AE"/>"#)
        };
        let read = read("", &format!("{}{}", event("01.02.2026"), event("01.07.2026")));
        let times: Vec<&str> = read.iter().map(|(_, at)| at.as_str()).collect();
        assert_eq!(times, ["2026-02-01T09:00:00Z", "2026-07-01T08:00:00Z"]);
    }

    #[test]
    fn a_sorted_parcel_is_out_for_delivery_only_where_the_words_say_so() {
        let event = |text: &str| {
            format!(
                r#"<data name="piece-event" event-timestamp="01.02.2026 10:00" event-status="{text}" ice="SRTED"/>"#
            )
        };
        assert_eq!(
            read("", &event("Loaded onto the delivery vehicle"))[0].0,
            Some(OrderStatus::OutForDelivery)
        );
        assert_eq!(read("", &event("Sorted"))[0].0, Some(OrderStatus::Shipped));
    }

    #[test]
    fn a_return_is_never_delivered() {
        let delivered = r#"<data name="piece-event" event-timestamp="01.02.2026 10:00" ice="DLVRD"/>"#;
        assert_eq!(
            read(r#"ruecksendung="true""#, delivered)[0].0,
            Some(OrderStatus::Returned)
        );
        assert_eq!(
            read(r#"ruecksendung="false""#, delivered)[0].0,
            Some(OrderStatus::Delivered)
        );
    }

    #[test]
    fn an_error_without_a_history_is_an_unknown_number() {
        assert_eq!(read(r#"error-status="100""#, ""), []);
    }

    #[test]
    fn without_a_history_the_status_of_the_shipment_counts() {
        let read = read(
            r#"status-timestamp="01.02.2026 10:00" ice="DLVRD" error-status="0""#,
            "",
        );
        assert_eq!(
            read,
            [(Some(OrderStatus::Delivered), "2026-02-01T09:00:00Z".to_owned())]
        );
    }
}
