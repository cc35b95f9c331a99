//! The clock on the wall.

use domain::ports::Clock;
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

/// The system's clock and its chances.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the Clock that everybody else takes")]
    fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }

    fn chance(&self) -> f64 {
        fastrand::f64()
    }

    async fn pause(&self, duration: SignedDuration) {
        tokio::time::sleep(Duration::try_from(duration).unwrap_or_default()).await;
    }
}
