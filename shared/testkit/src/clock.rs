//! A clock that moves when it is told to, and whenever somebody pauses.

use domain::ports::Clock;
use jiff::{SignedDuration, Timestamp};
use std::cell::Cell;

/// A clock in the hand of a test.
#[derive(Debug)]
pub struct HandClock {
    now: Cell<Timestamp>,
    chance: f64,
}

impl HandClock {
    /// A clock that shows this moment; all chances are one half.
    #[must_use]
    pub const fn at(now: Timestamp) -> Self {
        Self {
            now: Cell::new(now),
            chance: 0.5,
        }
    }

    /// Moves it on.
    pub fn advance(&self, by: SignedDuration) {
        self.now
            .set(self.now.get().saturating_add(by).unwrap_or(Timestamp::MAX));
    }

    /// Moves it to this moment.
    pub fn set(&self, now: Timestamp) {
        self.now.set(now);
    }
}

/// A clock that stands still, for whoever shares it between threads.
#[derive(Debug, Clone, Copy)]
pub struct StillClock(pub Timestamp);

impl Clock for StillClock {
    fn now(&self) -> Timestamp {
        self.0
    }

    fn chance(&self) -> f64 {
        0.5
    }

    async fn pause(&self, _duration: SignedDuration) {}
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        self.now.get()
    }

    fn chance(&self) -> f64 {
        self.chance
    }

    async fn pause(&self, duration: SignedDuration) {
        self.advance(duration);
    }
}
