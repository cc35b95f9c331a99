//! When a call is repeated: as the SDK's standard mode does (AWS SDKs and Tools Reference Guide, "Retry behavior").

use std::time::Duration;

/// Codes that ask for patience, and that every service may answer.
const THROTTLES: [&str; 14] = [
    "BandwidthLimitExceeded",
    "EC2ThrottledException",
    "LimitExceededException",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "TransactionInProgressException",
];

/// Codes of trouble that passes.
const TRANSIENT: [&str; 2] = ["RequestTimeout", "RequestTimeoutException"];

/// The longest wait before a call is repeated.
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// How often a call is made at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Retries {
    most_calls: u32,
}

impl Retries {
    /// For calls that do no harm when they are repeated.
    pub(super) const STANDARD: Self = Self { most_calls: 3 };

    /// For calls that may be made once.
    pub(super) const NONE: Self = Self { most_calls: 1 };

    /// How long to wait after this many calls that failed, before the next one; nothing when there is no next one. `chance`
    /// is between 0 and 1.
    pub(super) fn wait_after(self, calls: u32, chance: f64) -> Option<Duration> {
        if calls >= self.most_calls {
            return None;
        }
        let longest = 2_u32.saturating_pow(calls.saturating_sub(1));
        Some(Duration::from_secs_f64(chance.clamp(0.0, 1.0) * f64::from(longest)).min(LONGEST_WAIT))
    }
}

/// Whether an answer says that the same call may go better a little later.
pub(super) fn is_worth_another_call(status: u16, code: Option<&str>) -> bool {
    matches!(status, 500 | 502 | 503 | 504)
        || code.is_some_and(|code| THROTTLES.contains(&code) || TRANSIENT.contains(&code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_made_three_times_after_waits_that_grow() {
        let wait = |calls| Retries::STANDARD.wait_after(calls, 1.0);
        assert_eq!(
            [wait(1), wait(2), wait(3)],
            [Some(Duration::from_secs(1)), Some(Duration::from_secs(2)), None]
        );
        assert_eq!(Retries::STANDARD.wait_after(1, 0.0), Some(Duration::ZERO));
        assert_eq!(Retries::NONE.wait_after(1, 0.5), None);
    }

    #[test]
    fn what_the_caller_did_wrong_is_not_repeated() {
        assert!(is_worth_another_call(503, None));
        assert!(is_worth_another_call(400, Some("ThrottlingException")));
        assert!(!is_worth_another_call(400, Some("ValidationException")));
        assert!(!is_worth_another_call(501, None));
    }
}
