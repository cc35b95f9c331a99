//! The life cycle of a DPD parcel in SOAP (ParcelLifeCycleService 2.0): steps with times by the clock at the place, as Americans write them.

use domain::{Carrier, TrackingNumber};
use jiff::Timestamp;
use jiff::civil::DateTime;
use roxmltree::{Document, Node, ParsingOptions};

use super::life_cycle::{HOME, NOT_YET, STEPS, country_of};
use crate::code_table::meaning;
use crate::history::{Entry, history, same_parcel};
use crate::moment::Moment;
use crate::{Sighting, Unreadable};

/// An answer about one parcel has some hundred nodes and four namespaces; what has many more costs more to read than it is worth.
const LONGEST_BODY: usize = 1024 * 1024;
const MOST_NODES: u32 = 20_000;
const MOST_NAMESPACES: usize = 64;

/// The parcel that was asked for.
pub(super) fn parcel(body: &[u8], asked: &[TrackingNumber], now: Timestamp) -> Result<Option<Sighting>, Unreadable> {
    let expected = || Unreadable::new("a trackingresult in SOAP");
    let text = std::str::from_utf8(body).map_err(|_not_text| expected())?.trim_start();
    if text.len() > LONGEST_BODY || text.matches("xmlns").count() > MOST_NAMESPACES {
        return Err(Unreadable::new("an answer of usual size"));
    }
    let options = ParsingOptions {
        allow_dtd: false,
        nodes_limit: MOST_NODES,
        ..ParsingOptions::default()
    };
    let document = Document::parse_with_options(text, options).map_err(|_not_xml| expected())?;
    let result = document
        .descendants()
        .find(|node| node.tag_name().name() == "trackingresult")
        .ok_or_else(expected)?;
    let told = result
        .descendants()
        .find(|node| node.tag_name().name() == "parcelLabelNumber")
        .and_then(|node| TrackingNumber::try_from(node.text()?).ok());
    let number = same_parcel(told.as_ref(), asked)
        .ok_or_else(|| Unreadable::new("the number that was asked for in parcelLabelNumber"))?;
    Ok(history(Carrier::Dpd, number, entries(result, now)))
}

fn entries(result: Node<'_, '_>, now: Timestamp) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut current = None;
    for step in result.children().filter(|node| node.tag_name().name() == "statusInfo") {
        // The list names steps that still lie ahead.
        let is_current = says(step, "isCurrentStatus") == Some("true");
        if !is_current && says(step, "statusHasBeenReached") != Some("true") {
            continue;
        }
        let before = entries.last().map(|entry: &Entry| entry.moment);
        let entry = entry(step, before, now);
        match is_current && current.is_none() {
            true => current = Some(entry),
            false => entries.push(entry),
        }
    }
    // Of steps of one moment the current one comes last.
    entries.extend(current);
    if entries.is_empty() {
        entries.push(Entry {
            meaning: Some(NOT_YET),
            ..Entry::at(Moment::arrival(now))
        });
    }
    entries
}

fn entry(step: Node<'_, '_>, before: Option<Moment>, now: Timestamp) -> Entry {
    let code = says(step, "status").map(str::to_owned);
    let place = content(step, "location").map(str::to_owned);
    let country = place.as_deref().and_then(country_of).unwrap_or(HOME);
    Entry {
        moment: content(step, "date")
            .and_then(|date| moment(date, country))
            .unwrap_or(Moment::arrival(before.map_or(now, |before| before.at))),
        meaning: code.as_deref().and_then(|code| meaning(STEPS, code)),
        code,
        // The label says "out for delivery" beside failures too: the description is what the carrier means.
        text: content(step, "description").map(str::to_owned),
        place,
    }
}

/// The text of the child with this name.
fn says<'d>(node: Node<'d, '_>, name: &str) -> Option<&'d str> {
    let child = node.children().find(|child| child.tag_name().name() == name)?;
    child.text().map(str::trim).filter(|text| !text.is_empty())
}

/// The first text inside the child with this name, which DPD wraps in `content` once or twice.
fn content<'d>(node: Node<'d, '_>, name: &str) -> Option<&'d str> {
    let child = node.children().find(|child| child.tag_name().name() == name)?;
    child
        .descendants()
        .filter(|node| node.tag_name().name() == "content")
        .find_map(|content| content.text().map(str::trim).filter(|text| !text.is_empty()))
}

/// `M/D/YYYY h:mm:ss AM`.
fn moment(date: &str, country: &str) -> Option<Moment> {
    let shown = DateTime::strptime("%m/%d/%Y %I:%M:%S %p", date).ok()?;
    Moment::on_a_wall(shown, Some(country))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Told;
    use domain::{OrderStatus, TrackingEvent};

    fn read(inner: &str) -> Result<Vec<TrackingEvent>, Unreadable> {
        let body = format!("<Envelope><Body><trackingresult>{inner}</trackingresult></Body></Envelope>");
        let asked = [TrackingNumber::try_from("09440000567812").unwrap()];
        let sighting = parcel(body.as_bytes(), &asked, "2026-11-20T10:00:00Z".parse().unwrap())?;
        Ok(match sighting.unwrap().told {
            Told::Events(events) => events,
            Told::NotFound => Vec::new(),
        })
    }

    fn step(status: &str, current: bool, date: &str) -> String {
        format!(
            "<statusInfo><status>{status}</status><statusHasBeenReached>true</statusHasBeenReached>\
             <isCurrentStatus>{current}</isCurrentStatus><location><content>Mechelen (BE)</content></location>\
             <date><content>{date}</content></date></statusInfo>"
        )
    }

    #[test]
    fn of_steps_of_one_moment_the_current_one_comes_last() {
        let inner = [
            step("DeliveryFailure", true, "11/5/2026 2:43:31 PM"),
            step("Courier", false, "11/5/2026 2:43:31 PM"),
        ];
        let events = read(&inner.concat()).unwrap();
        let codes: Vec<_> = events.iter().filter_map(|event| event.code.as_deref()).collect();
        assert_eq!(codes, ["Courier", "DeliveryFailure"]);
        assert_eq!(events[1].at, "2026-11-05T13:43:31Z".parse().unwrap());
    }

    #[test]
    fn midnight_and_noon_are_told_apart() {
        for (date, at) in [
            ("11/5/2026 12:00:00 AM", "2026-11-04T23:00:00Z"),
            ("11/5/2026 12:00:00 PM", "2026-11-05T11:00:00Z"),
        ] {
            assert_eq!(
                read(&step("Courier", true, date)).unwrap()[0].at,
                at.parse().unwrap(),
                "{date}"
            );
        }
    }

    #[test]
    fn a_step_without_a_date_comes_after_the_one_before() {
        let inner = [step("Depot", false, "11/5/2026 4:09:55 AM"), step("Courier", true, "")];
        let events = read(&inner.concat()).unwrap();
        assert_eq!(events[0].at, events[1].at);
        assert_eq!(events[1].status, Some(OrderStatus::OutForDelivery));
    }

    #[test]
    fn what_costs_too_much_to_read_is_not_read() {
        assert!(read("<a/>".repeat(30_000).as_str()).is_err());
        assert!(read(&"<a xmlns:b='c'>".repeat(100)).is_err());
        assert!(read(&" ".repeat(2 * 1024 * 1024)).is_err());
        assert!(read(&format!("{}{}", "<a>".repeat(15_000), "</a>".repeat(15_000))).is_ok());
    }

    #[test]
    fn entities_of_its_own_are_refused() {
        let body = b"<!DOCTYPE a [<!ENTITY b 'c'>]><trackingresult>&b;</trackingresult>";
        assert!(parcel(body, &[], "2026-11-20T10:00:00Z".parse().unwrap()).is_err());
    }
}
