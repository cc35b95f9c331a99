//! Quiet hours around every clock change of every zone, for any window.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::{QuietHours, Zone};

const A_MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// The clocks of one zone for each way of changing them between 2024 and 2030, with the moments of the changes.
static WAYS: LazyLock<Vec<(Zone, Vec<Timestamp>)>> = LazyLock::new(|| {
    let mut ways: BTreeMap<Vec<(Timestamp, i32)>, Zone> = BTreeMap::new();
    for zone in every_zone() {
        let changes = changes_of(zone.tz());
        ways.entry(changes).or_insert(zone);
    }
    ways.into_iter()
        .map(|(changes, zone)| (zone, changes.into_iter().map(|(at, _)| at).collect()))
        .collect()
});

fn every_zone() -> Vec<Zone> {
    let names = jiff::tz::db().available();
    names.map(|name| Zone::try_from(name.as_str()).unwrap()).collect()
}

/// The offset at the beginning, and every change of it.
fn changes_of(zone: &TimeZone) -> Vec<(Timestamp, i32)> {
    let from: Timestamp = "2024-01-01T00:00:00Z".parse().unwrap();
    let to: Timestamp = "2031-01-01T00:00:00Z".parse().unwrap();
    let changes = zone
        .following(from)
        .map(|change| (change.timestamp(), change.offset().seconds()));
    let beginning = (from, zone.to_offset(from).seconds());
    std::iter::once(beginning)
        .chain(changes.take_while(|(at, _)| *at < to))
        .collect()
}

/// What somebody reads off the clock on the wall, by minutes and without any zone's rules but the offset.
fn is_quiet_on_the_wall(hours: &QuietHours, at: Timestamp, zone: &TimeZone) -> bool {
    let minutes = |time: jiff::civil::Time| i64::from(time.hour()) * 60 + i64::from(time.minute());
    let shown = (at.as_second() + i64::from(zone.to_offset(at).seconds())).rem_euclid(86_400) / 60;
    let (start, end) = (minutes(hours.start()), minutes(hours.end()));
    (shown - start).rem_euclid(1_440) < (end - start).rem_euclid(1_440)
}

/// The moment itself, or the first whole minute after it that is not quiet.
fn first_on_the_wall(hours: &QuietHours, at: Timestamp, zone: &TimeZone) -> Timestamp {
    if !is_quiet_on_the_wall(hours, at, zone) {
        return at;
    }
    let whole = Timestamp::from_second(at.as_second().div_euclid(60) * 60).unwrap();
    let mut minutes = std::iter::successors(Some(whole + A_MINUTE), |minute| Some(*minute + A_MINUTE));
    minutes
        .find(|minute| !is_quiet_on_the_wall(hours, *minute, zone))
        .unwrap()
}

/// Any hours, and such as begin and end where clocks are usually changed.
fn any_hours() -> impl Strategy<Value = QuietHours> {
    let between = |latest: u8| {
        let time = move || (0..latest, 0_u8..60).prop_map(|(hour, minute)| format!("{hour:02}:{minute:02}"));
        (time(), time()).prop_map(|(start, end)| QuietHours::between(&start, &end).unwrap())
    };
    prop_oneof![between(24), between(5)]
}

#[test]
fn there_are_zones_that_change_their_clocks_and_zones_that_do_not() {
    assert!(every_zone().len() > 400);
    assert!(WAYS.iter().any(|(_, changes)| changes.len() == 1));
    assert!(WAYS.iter().filter(|(_, changes)| changes.len() > 10).count() > 20);
}

#[test]
fn the_usual_night_ends_at_eight_in_every_zone() {
    for zone in every_zone() {
        for (change, _) in changes_of(zone.tz()) {
            for hours in -30..30 {
                let at = change + SignedDuration::from_hours(hours);
                let end = QuietHours::USUAL.ends_after(at, &zone);
                let shown = zone.tz().to_datetime(end);
                match QuietHours::USUAL.is_quiet(at, &zone) {
                    true => assert_eq!(
                        (shown.hour(), shown.minute(), shown.second()),
                        (8, 0, 0),
                        "{zone:?} {at}"
                    ),
                    false => assert_eq!(end, at, "{zone:?} {at}"),
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn quiet_hours_are_what_the_clock_on_the_wall_shows(hours in any_hours(), seconds in -100_000_i64..100_000) {
        for (zone, changes) in WAYS.iter() {
            for change in changes {
                let at = *change + SignedDuration::from_secs(seconds);
                let expected = is_quiet_on_the_wall(&hours, at, zone.tz());
                prop_assert_eq!(hours.is_quiet(at, zone), expected, "{:?} {}", zone, at);
            }
        }
    }

    #[test]
    fn they_end_at_the_first_moment_that_is_not_quiet(hours in any_hours(), seconds in -100_000_i64..10_000) {
        for (zone, changes) in WAYS.iter() {
            for change in changes {
                let at = *change + SignedDuration::from_secs(seconds);
                let expected = first_on_the_wall(&hours, at, zone.tz());
                prop_assert_eq!(hours.ends_after(at, zone), expected, "{:?} {}", zone, at);
            }
        }
    }
}
