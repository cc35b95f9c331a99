//! What a delivery learns from the reports of its provider.

use jiff::Timestamp;

use super::{Delivery, Guard, NEVER, State};
use crate::Evidence;

impl Delivery {
    /// What a report of the provider makes of it, with the condition; nothing when it changes nothing.
    ///
    /// Reports may come late, twice, and in any order: the outcome is the same. They never reopen what was decided against
    /// or has failed.
    #[must_use]
    pub fn learn(&self, evidence: &Evidence, message_id: &str, at: Timestamp, now: Timestamp) -> Option<(Guard, Self)> {
        let is_possible = match self.state {
            State::Sending | State::InDoubt | State::Sent | State::Delivered | State::Bounced | State::Complained => {
                true
            }
            // Believed not to be taken; the provider knows better.
            State::Queued | State::Parked => self.attempt > 0,
            State::Deferred
            | State::Skipped
            | State::Suppressed
            | State::Superseded
            | State::Expired
            | State::Failed => false,
        };
        if !is_possible {
            return None;
        }
        let mut next = self.clone();
        if standing(evidence.state()) > standing(self.state) {
            next = Self {
                reason: evidence.reason().map(str::to_owned),
                ..self.moved(evidence.state(), NEVER, now)
            };
        }
        next.message_id.get_or_insert_with(|| message_id.to_owned());
        match evidence {
            Evidence::Opened { by_machine: false } => {
                next.opened_at.get_or_insert(at);
            }
            Evidence::Clicked => {
                next.clicked_at.get_or_insert(at);
            }
            Evidence::Accepted
            | Evidence::Delayed
            | Evidence::Delivered
            | Evidence::Opened { by_machine: true }
            | Evidence::Bounced { .. }
            | Evidence::Rejected
            | Evidence::Complained => {}
        }
        let guard = Guard::In {
            attempt: self.attempt,
            states: self.state.alone(),
        };
        (next != *self).then_some((guard, next))
    }
}

/// How far a state lies on the way of an accepted message; reports only lead further.
pub(super) const fn standing(state: State) -> u8 {
    match state {
        State::Sent => 1,
        State::Delivered => 2,
        State::Bounced => 3,
        State::Complained => 4,
        State::Deferred
        | State::Queued
        | State::Sending
        | State::InDoubt
        | State::Parked
        | State::Skipped
        | State::Suppressed
        | State::Superseded
        | State::Expired
        | State::Failed => 0,
    }
}
