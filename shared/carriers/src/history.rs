//! What a carrier tells of parcels, put in order and kept within bounds.

use domain::{Carrier, TrackingEvent, TrackingNumber};
use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::Value;

use crate::code_table::Meaning;
use crate::moment::{Moment, in_order};
use crate::poll::with_missing;
use crate::sighting::MOST_PARCELS;
use crate::tracking_page::percent_encoded;
use crate::words::words;
use crate::{Sighting, Told, Unreadable};

/// One line of a parcel's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// When it happened.
    pub(crate) moment: Moment,
    /// What it makes of the parcel.
    pub(crate) meaning: Option<Meaning>,
    /// The carrier's code.
    pub(crate) code: Option<String>,
    /// The carrier's words for it.
    pub(crate) text: Option<String>,
    /// Town and country, or the depot.
    pub(crate) place: Option<String>,
}

impl Entry {
    /// An entry that so far says nothing but when.
    pub(crate) const fn at(moment: Moment) -> Self {
        Self {
            moment,
            meaning: None,
            code: None,
            text: None,
            place: None,
        }
    }

    fn event(self, carrier: Carrier, number: &TrackingNumber) -> TrackingEvent {
        let bounded = |text: Option<String>| text.as_deref().and_then(TrackingEvent::words);
        let mut event = TrackingEvent::new(carrier, number.clone(), self.moment.at);
        event.is_time_assumed = self.moment.is_assumed;
        event.status = self.meaning.and_then(|meaning| meaning.status);
        event.detail = self.meaning.and_then(|meaning| meaning.detail);
        event.is_code_known = self.meaning.is_some();
        event.code = bounded(self.code);
        event.text = self.text.as_deref().and_then(words);
        event.place = bounded(self.place);
        event
    }
}

/// The entries of these lines of a history, which stand oldest first. A line of the past whose time cannot be read is never the newest.
pub(crate) fn entries<'v>(
    lines: impl Iterator<Item = &'v Value>,
    now: Timestamp,
    moment: impl Fn(&Value) -> Option<Moment>,
    entry: impl Fn(&Value, Moment) -> Entry,
) -> Vec<Entry> {
    let lines: Vec<&Value> = lines.collect();
    let moments = in_order(lines.iter().map(|line| moment(line)).collect(), now);
    lines
        .into_iter()
        .zip(moments)
        .map(|(line, moment)| entry(line, moment))
        .collect()
}

/// The history of a parcel. Of entries of one moment the later one stays behind the other; nothing where there are none.
pub(crate) fn history(carrier: Carrier, number: TrackingNumber, entries: Vec<Entry>) -> Option<Sighting> {
    let events = entries.into_iter().map(|entry| entry.event(carrier, &number)).collect();
    Sighting::of(number, events)
}

/// Adds the day on which the carrier expects to deliver, which the newest event carries.
pub(crate) fn expecting(sighting: Sighting, expected: Option<Date>) -> Sighting {
    let mut sighting = sighting;
    if let Told::Events(events) = &mut sighting.told
        && let Some(newest) = events.last_mut()
    {
        newest.expected = expected;
    }
    sighting
}

/// What can be read of the parcels of a message: one that cannot does not take the others with it.
///
/// # Errors
///
/// The first cause, where none can be read.
pub(crate) fn readable(
    parcels: impl Iterator<Item = Result<Option<Sighting>, Unreadable>>,
) -> Result<Vec<Sighting>, Unreadable> {
    let mut sightings = Vec::new();
    let mut is_any_read = false;
    let mut cause = None;
    for parcel in parcels {
        match parcel {
            Ok(sighting) => {
                is_any_read = true;
                sightings.extend(sighting);
            }
            Err(unreadable) => cause = cause.or(Some(unreadable)),
        }
    }
    match cause {
        Some(cause) if !is_any_read => Err(cause),
        Some(_) | None => Ok(sightings),
    }
}

/// The answer to a question about these parcels: they come first, and what is missing is not found.
pub(crate) fn answered(sightings: Vec<Sighting>, asked: &[TrackingNumber]) -> Vec<Sighting> {
    let mut sightings = with_missing(sightings, asked);
    sightings.sort_by_key(|sighting| !asked.contains(&sighting.number));
    sightings.truncate(MOST_PARCELS.max(asked.len()));
    sightings
}

/// Numbers with commas between them, each safe in a path and in a query.
pub(crate) fn listed(numbers: &[TrackingNumber]) -> String {
    let numbers: Vec<String> = numbers.iter().map(|number| percent_encoded(number.as_str())).collect();
    numbers.join(",")
}

/// The number under which the answer to a question about one parcel goes on: the one that was asked for, because carriers add check
/// characters or leave them out. Nothing where the answer is about another parcel.
pub(crate) fn same_parcel(told: Option<&TrackingNumber>, asked: &[TrackingNumber]) -> Option<TrackingNumber> {
    match (told, asked) {
        (None, [asked]) => Some(asked.clone()),
        (Some(told), [asked]) => {
            let (one, other) = (told.as_str(), asked.as_str());
            (one.contains(other) || other.contains(one)).then(|| asked.clone())
        }
        (Some(told), []) => Some(told.clone()),
        (Some(told), [_, ..]) => asked.contains(told).then(|| told.clone()),
        (None, [] | [_, ..]) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::OrderStatus;

    fn number(text: &str) -> TrackingNumber {
        TrackingNumber::try_from(text).unwrap()
    }

    fn entry(second: i64, code: &str) -> Entry {
        Entry {
            code: Some(code.to_owned()),
            meaning: Some(Meaning::of(OrderStatus::Shipped)),
            ..Entry::at(Moment::arrival(Timestamp::from_second(second).unwrap()))
        }
    }

    fn codes(sighting: &Sighting) -> Vec<&str> {
        match &sighting.told {
            Told::Events(events) => events.iter().filter_map(|event| event.code.as_deref()).collect(),
            Told::NotFound => Vec::new(),
        }
    }

    #[test]
    fn entries_of_one_moment_keep_their_order() {
        let entries = vec![entry(2, "B"), entry(2, "C"), entry(1, "A")];
        let sighting = history(Carrier::Dpd, number("1"), entries).unwrap();
        assert_eq!(codes(&sighting), ["A", "B", "C"]);
    }

    #[test]
    fn of_too_many_events_the_newest_are_kept() {
        let entries = (0..250).map(|second| entry(second, &second.to_string())).collect();
        let sighting = history(Carrier::Dpd, number("1"), entries).unwrap();
        assert_eq!(codes(&sighting).len(), 200);
        assert_eq!(codes(&sighting).last(), Some(&"249"));
    }

    #[test]
    fn no_number_leaves_its_place_in_the_path() {
        assert_eq!(listed(&[number("../A1"), number("B2")]), "..%2FA1,B2");
    }

    #[test]
    fn one_unreadable_parcel_does_not_take_the_others_with_it() {
        let good = history(Carrier::Dpd, number("1"), vec![entry(1, "A")]);
        let parcels = [Err(Unreadable::new("a number")), Ok(good.clone())];
        assert_eq!(readable(parcels.into_iter()), Ok(good.into_iter().collect()));
        let none = [Err(Unreadable::new("a number")), Err(Unreadable::new("a list"))];
        assert_eq!(readable(none.into_iter()), Err(Unreadable::new("a number")));
    }

    #[test]
    fn a_parcel_that_is_not_in_the_answer_is_not_found() {
        let other = history(Carrier::Dpd, number("2"), vec![entry(1, "A")]).unwrap();
        let sightings = answered(vec![other.clone()], &[number("1")]);
        assert_eq!(sightings, [Sighting::not_found(number("1")), other]);
    }

    #[test]
    fn an_answer_about_another_parcel_is_nobodys() {
        let asked = [number("09981100001234F")];
        assert_eq!(
            same_parcel(Some(&number("09981100001234")), &asked),
            Some(number("09981100001234F"))
        );
        assert_eq!(same_parcel(Some(&number("09981100005678")), &asked), None);
        assert_eq!(same_parcel(None, &asked), Some(number("09981100001234F")));
    }
}
