//! How often a carrier may be asked: its own limits, kept over all processes and all time.
//!
//! A limit of so many calls in more than a minute is a leaky bucket (the generic cell rate algorithm, ITU-T I.371) that never lets more
//! through in any such time, wherever it begins. A limit of less than a minute is a pause between two calls.

use carriers::{Limits, Window};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Windows up to this long are kept by pauses.
const SHORT: SignedDuration = SignedDuration::from_secs(60);

/// The longest that one round asks for.
const ROUND: SignedDuration = SignedDuration::from_secs(40);

/// Trouble in a row before a carrier is left alone.
const TROUBLE: u32 = 3;

/// How long it is left alone first; doubled each time, up to an hour.
const FIRST_REST: SignedDuration = SignedDuration::from_secs(60);
const LONGEST_REST: SignedDuration = SignedDuration::from_secs(3_600);

/// What a carrier was asked so far.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Spent {
    /// For each longer window, the moment at which its bucket is empty again.
    pub empty_at: Vec<Timestamp>,
    /// Until when somebody is asking.
    pub busy_until: Option<Timestamp>,
    /// How often in a row the carrier was in trouble.
    pub troubles: u32,
    /// Until when it is left alone.
    pub rests_until: Option<Timestamp>,
    /// Counts the changes.
    pub version: u64,
}

/// A carrier's limits.
#[derive(Debug, Clone, Copy)]
pub struct Pace(pub Limits);

impl Pace {
    /// The pause between two calls.
    #[must_use]
    pub fn pause(self) -> SignedDuration {
        let short = self.0.windows.iter().filter(|window| window.per <= SHORT);
        short
            .map(|window| window.per / i32::try_from(window.calls.max(1)).unwrap_or(i32::MAX))
            .max()
            .unwrap_or(SignedDuration::ZERO)
    }

    /// How many calls may be made from now on, up to so many, and what is spent when they are made.
    #[must_use]
    pub fn grant(self, spent: &Spent, wanted: u32, now: Timestamp) -> (u32, Spent) {
        let mut after = spent.clone();
        after.version = spent.version.saturating_add(1);
        let is_free = |until: Option<Timestamp>| until.is_none_or(|until| until <= now);
        if !is_free(spent.busy_until) || !is_free(spent.rests_until) {
            return (0, after);
        }
        let buckets: Vec<Bucket> = self.buckets().collect();
        after.empty_at.resize(buckets.len(), Timestamp::MIN);
        let pause = self.pause();
        let mut lasts = SignedDuration::ZERO;
        let mut granted = 0;
        while granted < wanted && lasts <= ROUND {
            let room = buckets
                .iter()
                .zip(&after.empty_at)
                .all(|(bucket, at)| bucket.has_room(*at, now));
            if !room {
                break;
            }
            for (bucket, at) in buckets.iter().zip(&mut after.empty_at) {
                *at = bucket.after_a_call(*at, now);
            }
            granted += 1;
            lasts += pause;
        }
        // Answers take their time too. Somebody who dies while asking is waited for no longer than this.
        after.busy_until = now.checked_add(lasts.max(ROUND) + pause).ok();
        (granted, after)
    }

    fn buckets(self) -> impl Iterator<Item = Bucket> {
        let long = self.0.windows.iter().filter(|window| window.per > SHORT);
        long.map(Bucket::of)
    }
}

impl Spent {
    /// The same after a carrier answered, or did not.
    #[must_use]
    pub fn after(&self, is_in_trouble: bool, now: Timestamp) -> Self {
        let mut after = self.clone();
        after.version = self.version.saturating_add(1);
        after.busy_until = None;
        if !is_in_trouble {
            after.troubles = 0;
            after.rests_until = None;
            return after;
        }
        after.troubles = self.troubles.saturating_add(1);
        if after.troubles >= TROUBLE {
            let doublings = (after.troubles - TROUBLE).min(6);
            let rest = (FIRST_REST * 2_i32.pow(doublings)).min(LONGEST_REST);
            after.rests_until = now.checked_add(rest).ok();
        }
        after
    }

    /// Whether the carrier is left alone now.
    #[must_use]
    pub fn rests(&self, now: Timestamp) -> bool {
        self.rests_until.is_some_and(|until| until > now)
    }
}

/// A leaky bucket: what is at once in it, and how fast it empties.
struct Bucket {
    interval: SignedDuration,
    depth: SignedDuration,
}

impl Bucket {
    /// A minute's worth may come at once; what that takes is taken off the rate, so that no window of this length sees more.
    fn of(window: &Window) -> Self {
        let calls = i64::from(window.calls.max(2));
        let per = window.per.as_millis().max(1);
        let at_once = i64::try_from((i128::from(calls) * SHORT.as_millis() / per).max(1)).unwrap_or(1);
        let at_once = at_once.min(calls / 2).max(1);
        let millis = per / i128::from(calls - at_once).max(1);
        let interval = SignedDuration::from_millis(i64::try_from(millis).unwrap_or(i64::MAX).saturating_add(1));
        Self {
            interval,
            depth: interval * i32::try_from(at_once - 1).unwrap_or(i32::MAX),
        }
    }

    fn has_room(&self, empty_at: Timestamp, now: Timestamp) -> bool {
        empty_at <= now || empty_at.duration_since(now) <= self.depth
    }

    fn after_a_call(&self, empty_at: Timestamp, now: Timestamp) -> Timestamp {
        empty_at.max(now).checked_add(self.interval).unwrap_or(Timestamp::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::UNIX_EPOCH;

    fn minute(minutes: i64) -> Timestamp {
        Timestamp::from_second(minutes * 60).unwrap()
    }

    const SLOW: Pace = Pace(Limits {
        parcels_per_call: 30,
        windows: &[Window {
            calls: 25,
            per: SignedDuration::from_hours(12),
        }],
    });

    const TWO: Pace = Pace(Limits {
        parcels_per_call: 1,
        windows: &[
            Window {
                calls: 250,
                per: SignedDuration::from_hours(24),
            },
            Window {
                calls: 1,
                per: SignedDuration::from_secs(5),
            },
        ],
    });

    /// The calls of three days, asked for every minute.
    fn calls(pace: Pace) -> Vec<Timestamp> {
        let mut spent = Spent::default();
        let mut calls = Vec::new();
        for now in (0..3 * 24 * 60).map(minute) {
            let (granted, after) = pace.grant(&spent, u32::MAX, now);
            let pause = pace.pause();
            calls.extend((0..granted).map(|index| now + pause * i32::try_from(index).unwrap()));
            spent = after.after(false, now);
        }
        calls
    }

    #[test]
    fn no_window_wherever_it_begins_sees_more_than_its_limit() {
        for pace in [SLOW, TWO] {
            let calls = calls(pace);
            for window in pace.0.windows {
                for (index, first) in calls.iter().enumerate() {
                    let end = *first + window.per;
                    let within = calls[index..].iter().take_while(|call| **call < end).count();
                    assert!(
                        within <= window.calls as usize,
                        "{within} calls from {first} in {window:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn most_of_what_is_allowed_is_used() {
        assert!(calls(SLOW).len() >= 25 * 6 * 9 / 10);
        assert!(calls(TWO).len() >= 250 * 3 * 9 / 10);
    }

    #[test]
    fn nobody_else_asks_while_somebody_does() {
        let (granted, after) = TWO.grant(&Spent::default(), 1, START);
        assert_eq!(granted, 1);
        assert_eq!(TWO.grant(&after, 1, START).0, 0);
    }

    #[test]
    fn a_carrier_in_trouble_is_left_alone_longer_each_time_and_for_an_hour_at_most() {
        let mut spent = Spent::default();
        let mut rests = Vec::new();
        for _trouble in 0..12 {
            spent = spent.after(true, START);
            rests.extend(spent.rests_until.map(|until| until.duration_since(START).as_secs()));
        }
        assert_eq!(rests, [60, 120, 240, 480, 960, 1_920, 3_600, 3_600, 3_600, 3_600]);
        assert_eq!(SLOW.grant(&spent, 5, START).0, 0);
        assert!(!spent.after(false, START).rests(START));
    }
}
