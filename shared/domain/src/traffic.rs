//! What an account may send by one channel: how fast, and whether at all.
//!
//! The provider's own answers set the pace: it halves when the provider asks for patience and recovers with time. All senders
//! share it by counting in one place, window by window, and a part of every window is kept for what is urgent. Trouble with
//! the account opens the breaker: nothing is offered until a trial goes through.

use jiff::{SignedDuration, Timestamp};

use crate::{Channel, RetryPolicy};

/// What an account may send by one channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Traffic {
    /// Messages per second that the account allows.
    pub limit: f64,
    /// When the provider last asked for patience.
    pub slowed: Option<Slowed>,
    /// Whether the account may send at all.
    pub breaker: Breaker,
}

/// The pace after the provider asked for patience.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slowed {
    /// Messages per second from then on, before recovering.
    pub to: f64,
    /// When.
    pub at: Timestamp,
}

/// Whether the account may send.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Breaker {
    /// It may.
    #[default]
    Closed,
    /// It may not.
    Open {
        /// Since when.
        since: Timestamp,
        /// The provider's code.
        reason: String,
        /// How often trouble was met since then, the first time included.
        troubles: u32,
        /// When to try again.
        probe_at: Timestamp,
    },
}

/// A stretch of time with its permits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Window {
    /// Tells one window from every other.
    pub name: i64,
    /// When the next one begins.
    pub ends_at: Timestamp,
    permits: u32,
    reserved: u32,
}

/// How many permits of a window were asked for so far, by lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Asked {
    /// By the normal lane.
    pub normal: u32,
    /// By the urgent lane.
    pub urgent: u32,
}

/// The pace is never less than this, so that it is noticed when things are better.
const SLOWEST: f64 = 0.5;

/// From standstill to the limit.
const RECOVERY: SignedDuration = SignedDuration::from_secs(300);

/// The part of every window that only urgent messages may use: one in five.
const RESERVED_PART: f64 = 0.2;

/// A window has at least so many permits, so that there is something to keep for the urgent lane.
const LEAST_PERMITS: f64 = 5.0;

impl Traffic {
    /// What holds until the account was asked: the rate of an SES account that has just left its sandbox, and the default
    /// of SNS for text messages.
    #[must_use]
    pub const fn usual(channel: Channel) -> Self {
        let limit = match channel {
            Channel::Email => 14.0,
            Channel::Sms | Channel::Push | Channel::InApp => 20.0,
        };
        Self {
            limit,
            slowed: None,
            breaker: Breaker::Closed,
        }
    }

    /// Messages per second, now.
    #[must_use]
    pub fn pace(&self, now: Timestamp) -> f64 {
        let limit = self.limit.max(SLOWEST);
        let Some(slowed) = self.slowed else { return limit };
        let passed = now.duration_since(slowed.at).max(SignedDuration::ZERO);
        (slowed.to + limit * passed.as_secs_f64() / RECOVERY.as_secs_f64()).min(limit)
    }

    /// The pace after the provider asked for patience: half of what it was. Within a second it counts once, because the
    /// messages of one batch fail together.
    #[must_use]
    pub fn slower(&self, now: Timestamp) -> Option<Slowed> {
        let is_known = self
            .slowed
            .is_some_and(|slowed| now.duration_since(slowed.at) < SignedDuration::from_secs(1));
        (!is_known).then(|| Slowed {
            to: (self.pace(now) / 2.0).max(SLOWEST),
            at: now,
        })
    }

    /// The window in which this moment lies.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "small positive numbers: floats only because rates are"
    )]
    pub fn window(&self, now: Timestamp) -> Window {
        let pace = self.pace(now);
        let seconds = (LEAST_PERMITS / pace).ceil().clamp(1.0, 10.0) as i64;
        let nth = now.as_second().div_euclid(seconds);
        let permits = (pace * seconds as f64).floor().max(1.0);
        let ends_at = Timestamp::from_second((nth + 1) * seconds).unwrap_or(Timestamp::MAX);
        Window {
            // Windows of different lengths must not share a name.
            name: nth * 16 + seconds,
            ends_at,
            permits: permits as u32,
            reserved: (permits * RESERVED_PART).ceil() as u32,
        }
    }

    /// The breaker after trouble with the account. The first time it opens; each further time the next trial comes later: after
    /// 1, 2, 4, 8 minutes and then every quarter of an hour, under the usual policy.
    #[must_use]
    pub fn troubled(&self, reason: &str, policy: &RetryPolicy, now: Timestamp) -> Breaker {
        let (since, troubles) = match &self.breaker {
            Breaker::Closed => (now, 1),
            Breaker::Open { since, troubles, .. } => (*since, troubles.saturating_add(1)),
        };
        let wait = policy.between_trials(troubles);
        Breaker::Open {
            since,
            reason: reason.to_owned(),
            troubles,
            probe_at: now.saturating_add(wait).unwrap_or(Timestamp::MAX),
        }
    }
}

impl Breaker {
    /// Whether nothing may be offered.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self, Self::Open { .. })
    }
}

impl Window {
    /// How many of `count` permits are granted, when `asked` is what both lanes have asked for, these included.
    ///
    /// The normal lane never gets the reserved ones, however much it asks; the urgent lane gets whatever is left.
    #[must_use]
    pub fn grant(&self, is_urgent: bool, count: u32, asked: Asked) -> u32 {
        let for_normal = self.permits.saturating_sub(self.reserved);
        let (bound, before) = if is_urgent {
            (
                self.permits.saturating_sub(asked.normal.min(for_normal)),
                asked.urgent.saturating_sub(count),
            )
        } else {
            (
                for_normal.min(self.permits.saturating_sub(asked.urgent.min(self.permits))),
                asked.normal.saturating_sub(count),
            )
        };
        bound.saturating_sub(before).min(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_795_000_000 + seconds).unwrap()
    }

    fn allowing(limit: f64) -> Traffic {
        Traffic {
            limit,
            ..Traffic::usual(Channel::Email)
        }
    }

    #[test]
    fn the_pace_halves_and_recovers_within_minutes() {
        let mut traffic = allowing(14.0);
        traffic.slowed = traffic.slower(at(0));
        assert!((traffic.pace(at(0)) - 7.0).abs() < 1e-9);
        assert!(traffic.pace(at(60)) < 14.0);
        assert!((traffic.pace(at(150)) - 14.0).abs() < 1e-9);
    }

    #[test]
    fn patience_asked_for_many_times_in_a_second_counts_once() {
        let mut traffic = allowing(14.0);
        traffic.slowed = traffic.slower(at(0));
        assert_eq!(traffic.slower(at(0)), None);
        assert!(traffic.slower(at(1)).is_some());
    }

    #[test]
    fn an_urgent_message_is_let_through_while_the_normal_lane_asks_for_everything() {
        let window = allowing(14.0).window(at(0));
        let asked = Asked {
            normal: 50_000,
            urgent: 1,
        };
        assert_eq!(window.grant(true, 1, asked), 1);
        assert_eq!(window.grant(false, 10, asked), 0);
    }

    #[test]
    fn even_one_message_per_second_leaves_something_for_the_urgent_lane() {
        let window = allowing(1.0).window(at(0));
        assert_eq!(window.grant(false, 10, Asked { normal: 10, urgent: 0 }), 4);
        assert_eq!(window.grant(true, 3, Asked { normal: 10, urgent: 3 }), 1);
    }

    #[test]
    fn trials_come_later_each_time_until_a_quarter_of_an_hour() {
        let mut traffic = allowing(14.0);
        let mut waits = Vec::new();
        for _ in 0..6 {
            traffic.breaker = traffic.troubled("AccountSuspendedException", &RetryPolicy::default(), at(0));
            if let Breaker::Open { probe_at, .. } = &traffic.breaker {
                waits.push(probe_at.duration_since(at(0)).as_secs());
            }
        }
        assert_eq!(waits, [60, 120, 240, 480, 900, 900]);
    }

    proptest! {
        #[test]
        fn a_window_never_grants_more_than_its_pace(
            limit in 0.1_f64..200.0, asks in proptest::collection::vec((any::<bool>(), 1_u32..11), 0..60)
        ) {
            let traffic = allowing(limit);
            let window = traffic.window(at(0));
            let (mut asked, mut granted) = (Asked::default(), 0);
            for (is_urgent, count) in asks {
                match is_urgent {
                    true => asked.urgent += count,
                    false => asked.normal += count,
                }
                granted += window.grant(is_urgent, count, asked);
            }
            prop_assert!(granted <= window.permits);
        }
    }
}
