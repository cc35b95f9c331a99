//! The hours of a customer's day in which nothing may ring.

use jiff::civil::Time;
use std::fmt;

/// The hours of a day in which nothing may ring, by the clock on the customer's wall, in whole minutes. From the start on, until the
/// end; over midnight where the end is the earlier one. Equal, they are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct QuietHours {
    start: Time,
    end: Time,
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

    /// Whether the customer wants none.
    #[must_use]
    pub fn are_none(&self) -> bool {
        self.start == self.end
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
        assert!(!QuietHours::USUAL.are_none());
    }
}
