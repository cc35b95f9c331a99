//! The hours of a customer's day in which nothing may ring.

use jiff::civil::Time;
use jiff::{SignedDuration, Timestamp};
use std::fmt;

use crate::{Channel, NotificationType, Zone};

/// The hours of a day in which nothing may ring, by the clock on the customer's wall, in whole minutes. From the start on, until the
/// end; over midnight where the end is the earlier one. Equal, they are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct QuietHours {
    start: Time,
    end: Time,
}

/// Somebody's quiet hours, in the zone of the clock on their wall.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Night {
    /// The hours.
    pub hours: QuietHours,
    /// The zone.
    pub zone: Zone,
}

/// A text that is no time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a time of day such as 22:00, from 00:00 to 23:59")]
pub struct InvalidTimeOfDay;

impl QuietHours {
    /// Those of customers who chose none: 22:00 to 08:00.
    pub const USUAL: Self = Self {
        start: Time::constant(22, 0, 0, 0),
        end: Time::constant(8, 0, 0, 0),
    };

    /// From one time of day to another, each as `HH:MM`.
    ///
    /// # Errors
    ///
    /// [`InvalidTimeOfDay`] when one of them is none.
    pub fn between(start: &str, end: &str) -> Result<Self, InvalidTimeOfDay> {
        Ok(Self {
            start: time_of_day(start)?,
            end: time_of_day(end)?,
        })
    }

    /// When they begin.
    #[must_use]
    pub const fn start(&self) -> Time {
        self.start
    }

    /// When they end.
    #[must_use]
    pub const fn end(&self) -> Time {
        self.end
    }

    /// None: everything may ring at any hour.
    pub const NONE: Self = Self {
        start: Time::constant(0, 0, 0, 0),
        end: Time::constant(0, 0, 0, 0),
    };

    /// Reads `22:00-08:00`; `none` means none.
    ///
    /// # Errors
    ///
    /// [`InvalidTimeOfDay`] when it is neither.
    pub fn from_range(text: &str) -> Result<Self, InvalidTimeOfDay> {
        if text.eq_ignore_ascii_case("none") {
            return Ok(Self::NONE);
        }
        let (start, end) = text.split_once('-').ok_or(InvalidTimeOfDay)?;
        Self::between(start, end)
    }

    /// Whether the customer wants none.
    #[must_use]
    pub fn are_none(&self) -> bool {
        self.start == self.end
    }

    /// Whether nothing may ring at this moment, by the clocks of this zone. An hour that a clock change repeats is quiet both times
    /// or neither; one that it leaves out is not missed.
    #[must_use]
    pub fn is_quiet(&self, at: Timestamp, zone: &Zone) -> bool {
        self.hold(zone.tz().to_datetime(at).time())
    }

    /// The first moment from this one on at which something may ring.
    ///
    /// Between two clock changes the clock on the wall runs as time does, so that its next showing of the end is a subtraction; a clock
    /// change until then is a moment to look again.
    #[must_use]
    pub fn ends_after(&self, at: Timestamp, zone: &Zone) -> Timestamp {
        let mut moment = at;
        let mut changes = zone.tz().following(at);
        while self.is_quiet(moment, zone) {
            let left = self.until_end(zone.tz().to_datetime(moment).time());
            let end = moment.saturating_add(left).unwrap_or(Timestamp::MAX);
            match changes.next().map(|change| change.timestamp()) {
                Some(change) if change <= end => moment = change,
                Some(_) | None => return end,
            }
        }
        moment
    }

    /// Whether they hold what would ring when the clock shows this.
    fn hold(&self, time: Time) -> bool {
        match self.start <= self.end {
            true => self.start <= time && time < self.end,
            false => self.start <= time || time < self.end,
        }
    }

    /// How long it takes a clock that shows this time to show their end.
    fn until_end(&self, time: Time) -> SignedDuration {
        let left = self.end.duration_since(time);
        match left.is_positive() {
            true => left,
            false => left + A_DAY,
        }
    }
}

/// What a clock takes to show the same time again, when it is not changed.
const A_DAY: SignedDuration = SignedDuration::from_hours(24);

/// Whether a message of this type rings by this channel, so that quiet hours hold it: text messages and pushes always, e-mails only
/// where they are advertising, and never what lies in the inbox until somebody looks.
#[must_use]
pub fn rings(channel: Channel, notification_type: NotificationType) -> bool {
    match channel {
        Channel::Sms | Channel::Push => true,
        Channel::Email => notification_type == NotificationType::Promotional,
        Channel::InApp => false,
    }
}

impl Night {
    /// Whether nothing may ring at this moment.
    #[must_use]
    pub fn is_quiet(&self, at: Timestamp) -> bool {
        self.hours.is_quiet(at, &self.zone)
    }

    /// The first moment from this one on at which something may ring.
    #[must_use]
    pub fn ends_after(&self, at: Timestamp) -> Timestamp {
        self.hours.ends_after(at, &self.zone)
    }

    /// The first moment from this one on at which something may ring, and still may for so long. Quiet hours begin and end in whole
    /// minutes, so that less than one is what can be asked for.
    #[must_use]
    pub fn leaves(&self, at: Timestamp, so_long: SignedDuration) -> Timestamp {
        let first = self.ends_after(at);
        let last = first.saturating_add(so_long).unwrap_or(Timestamp::MAX);
        match self.is_quiet(last) {
            true => self.ends_after(last),
            false => first,
        }
    }
}

/// As `HH:MM`, the only form that every caller writes alike.
fn time_of_day(text: &str) -> Result<Time, InvalidTimeOfDay> {
    let (hour, minute) = text.split_once(':').ok_or(InvalidTimeOfDay)?;
    let two_digits = |digits: &str| match digits.len() == 2 && digits.bytes().all(|digit| digit.is_ascii_digit()) {
        true => digits.parse::<i8>().map_err(|_too_great| InvalidTimeOfDay),
        false => Err(InvalidTimeOfDay),
    };
    Time::new(two_digits(hour)?, two_digits(minute)?, 0, 0).map_err(|_no_such_time| InvalidTimeOfDay)
}

impl fmt::Display for QuietHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (start, end) = (self.start, self.end);
        write!(
            f,
            "{:02}:{:02} to {:02}:{:02}",
            start.hour(),
            start.minute(),
            end.hour(),
            end.minute()
        )
    }
}

#[cfg(test)]
mod every_zone;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_ones_are_those_of_the_contract() {
        assert_eq!(QuietHours::between("22:00", "08:00"), Ok(QuietHours::USUAL));
        assert_eq!(QuietHours::USUAL.to_string(), "22:00 to 08:00");
    }

    #[test]
    fn what_is_no_time_of_day_is_refused() {
        for text in [
            "",
            "22",
            "22:0",
            "2:00",
            "24:00",
            "22:60",
            "22:00:00",
            "-1:00",
            "+1:00",
            "２２:00",
            "22.00",
            " 22:00",
        ] {
            assert_eq!(QuietHours::between(text, "08:00"), Err(InvalidTimeOfDay), "{text:?}");
            assert_eq!(QuietHours::between("22:00", text), Err(InvalidTimeOfDay), "{text:?}");
        }
    }

    #[test]
    fn equal_ends_mean_none() {
        assert!(QuietHours::between("08:00", "08:00").unwrap().are_none());
        assert!(QuietHours::NONE.are_none());
        assert!(!QuietHours::USUAL.are_none());
        assert!(!QuietHours::NONE.is_quiet(at("2026-01-01T00:00:00Z"), &Zone::utc()));
    }

    #[test]
    fn a_range_or_the_word_none_is_read() {
        assert_eq!(QuietHours::from_range("22:00-08:00"), Ok(QuietHours::USUAL));
        assert_eq!(QuietHours::from_range("None"), Ok(QuietHours::NONE));
        for text in ["", "22:00", "22:00-", "22:00-08:00-09:00", "22:00 08:00"] {
            assert_eq!(QuietHours::from_range(text), Err(InvalidTimeOfDay), "{text:?}");
        }
    }

    #[test]
    fn what_rings_is_as_the_contract_says() {
        use NotificationType as Type;
        for notification_type in Type::ALL {
            let is_advertising = notification_type == Type::Promotional;
            let rings = Channel::ALL.map(|channel| (channel, rings(channel, notification_type)));
            for (channel, rings) in rings {
                let expected = match channel {
                    Channel::Sms | Channel::Push => true,
                    Channel::Email => is_advertising,
                    Channel::InApp => false,
                };
                assert_eq!(rings, expected, "{notification_type} by {channel}");
            }
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn madrid() -> Zone {
        Zone::try_from("Europe/Madrid").unwrap()
    }

    fn end(start: &str, end: &str, from: &str) -> String {
        let hours = QuietHours::between(start, end).unwrap();
        hours.ends_after(at(from), &madrid()).to_string()
    }

    #[test]
    fn a_usual_night_ends_at_its_end() {
        assert_eq!(end("22:00", "08:00", "2026-01-10T22:30:00Z"), "2026-01-11T07:00:00Z");
        assert_eq!(end("22:00", "08:00", "2026-01-10T21:00:00Z"), "2026-01-11T07:00:00Z");
        assert_eq!(
            end("22:00", "08:00", "2026-01-10T20:59:59.999Z"),
            "2026-01-10T20:59:59.999Z"
        );
        assert_eq!(end("22:00", "08:00", "2026-01-11T07:00:00Z"), "2026-01-11T07:00:00Z");
        assert_eq!(end("13:00", "15:30", "2026-01-11T12:00:00.5Z"), "2026-01-11T14:30:00Z");
    }

    #[test]
    fn the_short_night_of_march_and_the_long_one_of_october_end_at_their_end() {
        assert_eq!(end("22:00", "08:00", "2026-03-28T22:00:00Z"), "2026-03-29T06:00:00Z");
        assert_eq!(end("22:00", "08:00", "2026-10-24T22:00:00Z"), "2026-10-25T07:00:00Z");
    }

    #[test]
    fn an_end_that_the_clocks_leave_out_is_where_they_jump() {
        // At 02:00 clocks show 03:00.
        assert_eq!(end("22:00", "02:30", "2026-03-28T23:00:00Z"), "2026-03-29T01:00:00Z");
    }

    #[test]
    fn an_end_that_the_clocks_show_twice_is_the_first_one_and_what_they_show_again_is_quiet_again() {
        // At 03:00 clocks show 02:00 again.
        assert_eq!(end("22:00", "02:30", "2026-10-24T22:00:00Z"), "2026-10-25T00:30:00Z");
        assert_eq!(end("22:00", "02:30", "2026-10-25T01:00:00Z"), "2026-10-25T01:30:00Z");
        assert_eq!(end("02:30", "02:45", "2026-10-25T01:40:00Z"), "2026-10-25T01:45:00Z");
    }

    #[test]
    fn what_takes_a_while_begins_only_when_it_ends_before_the_night_does() {
        let night = Night {
            hours: QuietHours::USUAL,
            zone: madrid(),
        };
        let a_while = SignedDuration::from_secs(30);
        assert_eq!(
            night.leaves(at("2026-01-10T20:59:29Z"), a_while),
            at("2026-01-10T20:59:29Z")
        );
        assert_eq!(
            night.leaves(at("2026-01-10T20:59:30Z"), a_while),
            at("2026-01-11T07:00:00Z")
        );
        assert_eq!(
            night.leaves(at("2026-01-11T06:00:00Z"), a_while),
            at("2026-01-11T07:00:00Z")
        );
    }
}
