//! How many text messages one number gets in a day, and how many segments all of them may take in a month.

use crate::Countries;

/// What text messages are held to. What travels in the urgent lane has more room in each of the limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmsLimits {
    /// Where they go.
    pub countries: Countries,
    /// How many notifications one number gets in a day; urgent ones are counted with the others and go out up to twice that.
    pub per_number_per_day: u32,
    /// How many segments may be sent in a month. Segments are what is billed.
    pub monthly_segments: u64,
}

/// The part of the month's segments that is for everything; the rest is for what is urgent.
const ORDINARY_SHARE_PERCENT: u64 = 80;

/// By how much more an urgent message may make a number's day.
const URGENT_FACTOR: u32 = 2;

impl SmsLimits {
    /// How many notifications the day of a number may have with this one.
    #[must_use]
    pub const fn per_day(&self, is_urgent: bool) -> u32 {
        match is_urgent {
            true => self.per_number_per_day.saturating_mul(URGENT_FACTOR),
            false => self.per_number_per_day,
        }
    }

    /// How many segments the month may have with this message.
    #[must_use]
    pub const fn per_month(&self, is_urgent: bool) -> u64 {
        match is_urgent {
            true => self.monthly_segments,
            // Divided first, so that no budget is too large to be multiplied; what is lost is less than one share.
            false => {
                let (hundreds, rest) = (self.monthly_segments / 100, self.monthly_segments % 100);
                hundreds * ORDINARY_SHARE_PERCENT + rest * ORDINARY_SHARE_PERCENT / 100
            }
        }
    }

    /// How much of the month's segments is used up, in percent, rounded up so that the last one makes a hundred.
    #[must_use]
    pub fn used_percent(&self, used: u64) -> u64 {
        let percent = (u128::from(used) * 100).div_ceil(u128::from(self.monthly_segments.max(1)));
        u64::try_from(percent).unwrap_or(u64::MAX)
    }

    /// The percentage at which a message of this kind is no longer sent.
    #[must_use]
    pub const fn share_percent(is_urgent: bool) -> u64 {
        match is_urgent {
            true => 100,
            false => ORDINARY_SHARE_PERCENT,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn limits(monthly_segments: u64) -> SmsLimits {
        SmsLimits {
            countries: Countries::default(),
            per_number_per_day: 10,
            monthly_segments,
        }
    }

    #[test]
    fn urgent_messages_get_twice_the_day_and_the_whole_month() {
        let limits = limits(10_000);
        assert_eq!((limits.per_day(false), limits.per_day(true)), (10, 20));
        assert_eq!((limits.per_month(false), limits.per_month(true)), (8_000, 10_000));
    }

    #[test]
    fn a_part_of_a_percent_counts_as_one() {
        let limits = limits(10_000);
        let percents = [0, 1, 7_901, 8_000, 9_901, 10_000].map(|used| limits.used_percent(used));
        assert_eq!(percents, [0, 1, 80, 80, 100, 100]);
    }

    proptest! {
        #[test]
        fn the_ordinary_share_never_passes_eighty_percent(segments in any::<u64>()) {
            let ordinary = u128::from(limits(segments).per_month(false));
            let exact = u128::from(segments) * 80 / 100;
            prop_assert_eq!(ordinary, exact);
        }
    }
}
