//! What lies behind a delivery: the states that it has left, so that somebody who asks why can be told.

use jiff::Timestamp;

use super::{Delivery, State};

/// Something that lies behind a delivery: a state that it has left, and why it was there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    /// The state.
    pub state: State,
    /// Why it was there.
    pub reason: Option<String>,
    /// The claim that led there (0 before the first).
    pub attempt: u32,
    /// When it came there; of several alike, the last.
    pub at: Timestamp,
    /// How often it came there in a row.
    pub times: u32,
}

/// No delivery keeps more of its past than this; what is dropped first is neither its beginning nor its end.
pub(super) const LONGEST_TRAIL: usize = 12;

impl Delivery {
    /// The past, with the present state if somebody who asks why would want to hear of it.
    pub(super) fn trail_on_leaving(&self) -> Vec<Past> {
        let is_telling = match self.state {
            State::Sending => false,
            State::Queued | State::Deferred => self.reason.is_some(),
            State::InDoubt
            | State::Sent
            | State::Delivered
            | State::Bounced
            | State::Complained
            | State::Parked
            | State::Skipped
            | State::Suppressed
            | State::Superseded
            | State::Expired
            | State::Failed => true,
        };
        let mut trail = self.trail.clone();
        if !is_telling {
            return trail;
        }
        match trail.last_mut() {
            Some(last) if last.state == self.state && last.reason == self.reason => {
                last.times = last.times.saturating_add(1);
                last.attempt = self.attempt;
                last.at = self.changed_at;
            }
            Some(_) | None => trail.push(Past {
                state: self.state,
                reason: self.reason.clone(),
                attempt: self.attempt,
                at: self.changed_at,
                times: 1,
            }),
        }
        if trail.len() > LONGEST_TRAIL {
            trail.remove(LONGEST_TRAIL / 2);
        }
        trail
    }
}
