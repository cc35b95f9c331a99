//! When a delivery is tried again: the schedule is data, spread by full jitter.

use jiff::{SignedDuration, Timestamp};

use crate::Channel;

/// How often, and after which waits, a delivery is tried.
///
/// A wait is drawn evenly between one second and its bound ("full jitter": AWS Architecture Blog, "Exponential Backoff And
/// Jitter"), so that messages that failed together do not come back together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Tries in all, the first one included.
    pub tries: u32,
    /// The bound of the wait after the first failure; each further failure multiplies it by [`RetryPolicy::GROWTH`].
    pub base: SignedDuration,
    /// No wait is longer.
    pub cap: SignedDuration,
    /// How long a delivery in doubt waits to be settled.
    pub in_doubt_for: SignedDuration,
    /// What becomes of an e-mail that nobody settled by then.
    pub after_doubt: AfterDoubt,
    /// After how long a delivery that could not be sent is parked: before its queue counts 1,000 receives (the most that a
    /// redrive policy knows) at this policy's longest waits, and before it forgets the message (14 days).
    pub hold_at_most: SignedDuration,
}

/// What becomes of an e-mail in doubt whose `Send` event never came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterDoubt {
    /// SES most likely never took it: it is sent again. At worst the customer gets it twice.
    Resend,
    /// It is a recorded failure. At worst the customer does not get it.
    Hold,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            tries: 4,
            base: SignedDuration::from_secs(30),
            cap: SignedDuration::from_mins(15),
            in_doubt_for: SignedDuration::from_mins(15),
            after_doubt: AfterDoubt::Resend,
            hold_at_most: SignedDuration::from_hours(24 * 4),
        }
    }
}

impl RetryPolicy {
    /// By how much the bound grows with each failure: 30 s, 2 min, 8 min.
    pub const GROWTH: i32 = 4;

    /// The bound of the wait after so many failures (1 after the first).
    #[must_use]
    pub fn bound(&self, failures: u32) -> SignedDuration {
        self.grown(Self::GROWTH, failures.saturating_sub(1))
    }

    /// The moment of the next try after so many failures.
    #[must_use]
    pub fn again_after_failure(&self, failures: u32, chance: f64, now: Timestamp) -> Timestamp {
        jittered(self.bound(failures), chance, now)
    }

    /// The moment of the next try after the provider asked for patience. Grows with the attempts, and uses up no try.
    #[must_use]
    pub fn again_after_throttle(&self, attempt: u32, chance: f64, now: Timestamp) -> Timestamp {
        jittered(self.grown(2, attempt.saturating_sub(1)), chance, now)
    }

    /// The wait before the next trial of an account that met trouble so many times.
    #[must_use]
    pub fn between_trials(&self, troubles: u32) -> SignedDuration {
        self.grown(2, troubles)
    }

    /// How long a delivery in doubt waits to be settled. A note that is put into an inbox twice is there once, so that nothing
    /// is gained by waiting.
    #[must_use]
    pub const fn doubt_of(&self, channel: Channel) -> SignedDuration {
        match channel {
            Channel::Email | Channel::Sms | Channel::Push => self.in_doubt_for,
            Channel::InApp => SignedDuration::ZERO,
        }
    }

    fn grown(&self, factor: i32, times: u32) -> SignedDuration {
        let factor = factor.saturating_pow(times.min(16));
        self.base
            .checked_mul(factor)
            .map_or(self.cap, |bound| bound.min(self.cap))
    }
}

#[expect(clippy::cast_possible_truncation, reason = "at most the cap, in milliseconds")]
fn jittered(bound: SignedDuration, chance: f64, now: Timestamp) -> Timestamp {
    let least = SignedDuration::from_secs(1);
    let spread = (bound - least).max(SignedDuration::ZERO);
    // Whole milliseconds are what the ledger keeps.
    let wait = least + SignedDuration::from_millis((spread.as_secs_f64() * 1_000.0 * chance.clamp(0.0, 1.0)) as i64);
    now.saturating_add(wait).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_bounds_grow_up_to_the_cap() {
        let policy = RetryPolicy::default();
        let bounds: Vec<i64> = (1..=6).map(|failures| policy.bound(failures).as_secs()).collect();
        assert_eq!(bounds, [30, 120, 480, 900, 900, 900]);
    }

    #[test]
    fn a_delivery_is_parked_before_its_queue_gives_up() {
        let policy = RetryPolicy::default();
        // Waits are drawn evenly, so that they are half the cap on average.
        let receives = policy.hold_at_most.as_secs() / (policy.cap.as_secs() / 2);
        assert!(receives < 1_000, "{receives}");
    }

    proptest! {
        #[test]
        fn a_wait_is_at_least_a_second_and_at_most_its_bound(failures in 1_u32..100, chance in 0.0_f64..1.0) {
            let policy = RetryPolicy::default();
            let wait = policy.again_after_failure(failures, chance, Timestamp::UNIX_EPOCH).as_duration();
            prop_assert!(wait >= SignedDuration::from_secs(1) && wait <= policy.bound(failures));
        }
    }
}
