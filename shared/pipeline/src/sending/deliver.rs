//! Delivering: everything held is written and offered to the provider, each for itself.

use domain::ports::{Bury, Clock, Courier, LedgerAdvance, PreferencesLoad, SendAnswer};
use domain::{Delivery, Preferences, Reason, State, chain};
use futures_util::FutureExt;
use futures_util::future::join_all;
use std::cell::Cell;
use std::panic::AssertUnwindSafe;

use super::{Held, NO_TIME_LEFT, Sending, SendingCounts};
use crate::customers::load_for;

/// How the work on one held delivery ended.
enum End {
    Unwanted(State, Reason),
    HeldTooLong,
    NoTimeLeft,
    Answer(SendAnswer),
}

impl<P, L, D, C, M> Sending<'_, P, L, D, C, M>
where
    P: PreferencesLoad,
    L: LedgerAdvance,
    D: Bury,
    C: Clock,
    M: Courier,
{
    /// Sends everything held, concurrently, and says what each delivery becomes.
    pub(super) async fn deliver(&self, held: &[Held<'_>], counts: &mut SendingCounts) -> Vec<Delivery> {
        if held.is_empty() {
            return Vec::new();
        }
        let users = held.iter().filter_map(|held| held.request.user.as_ref());
        let preferences = match load_for(self.preferences, users).await {
            Ok(preferences) => preferences,
            Err(error) => {
                let reason = chain(&error);
                return held
                    .iter()
                    .map(|held| self.wait_a_while(&held.delivery, &reason))
                    .collect();
            }
        };
        let nobody = Preferences::default();
        let answers = join_all(held.iter().map(|held| {
            let known = held
                .request
                .user
                .as_ref()
                .and_then(|user| preferences.get(user))
                .unwrap_or(&nobody);
            self.deliver_one(held, known)
        }))
        .await;
        held.iter()
            .zip(answers)
            .map(|(held, end)| self.weigh(held, end, counts))
            .collect()
    }

    async fn deliver_one(&self, held: &Held<'_>, preferences: &Preferences) -> End {
        let request = held.request;
        let now = self.clock.now();
        if let Err((state, reason)) = request.still_wanted(preferences, now) {
            return End::Unwanted(state, reason);
        }
        // An operator who sends it again has decided that it is not too late.
        let due_at = request
            .handed_over_at
            .max(request.not_before.unwrap_or(request.handed_over_at));
        if held.delivery.generation == 0 && now.duration_since(due_at) > self.policy.hold_at_most {
            return End::HeldTooLong;
        }
        let is_offered = Cell::new(false);
        let offer = async {
            let message = match self.courier.write(request) {
                Ok(message) => message,
                Err(reason) => return End::Answer(SendAnswer::Refused { reason }),
            };
            if self.is_too_late_to_offer() {
                return End::NoTimeLeft;
            }
            is_offered.set(true);
            End::Answer(self.courier.send(request, &message).await)
        };
        // A panic in one record is that record's own: the neighbours' messages go out.
        match AssertUnwindSafe(offer).catch_unwind().await {
            Ok(end) => end,
            Err(_panic) if is_offered.get() => End::Answer(SendAnswer::Unknown {
                reason: "panicked while sending".to_owned(),
            }),
            Err(_panic) => End::Answer(SendAnswer::NotTaken {
                reason: "panicked while writing the message".to_owned(),
            }),
        }
    }

    fn weigh(&self, held: &Held<'_>, end: End, counts: &mut SendingCounts) -> Delivery {
        let now = self.clock.now();
        match end {
            End::Unwanted(state, reason) => held.delivery.close(state, reason.code(), now),
            End::HeldTooLong => held.delivery.park(Reason::HeldTooLong.code(), now),
            End::NoTimeLeft => held.delivery.give_back(NO_TIME_LEFT, now),
            End::Answer(answer) => {
                match &answer {
                    SendAnswer::Throttled { .. } => counts.throttled += 1,
                    SendAnswer::AccountTrouble { .. } => counts.account_trouble += 1,
                    SendAnswer::Accepted { .. }
                    | SendAnswer::NotTaken { .. }
                    | SendAnswer::Refused { .. }
                    | SendAnswer::Unknown { .. } => {}
                }
                held.delivery.settle(&answer, self.policy, self.clock.chance(), now)
            }
        }
    }

    /// Back to the queue without a try used up, after a wait that spreads.
    fn wait_a_while(&self, delivery: &Delivery, reason: &str) -> Delivery {
        let answer = SendAnswer::Throttled {
            reason: reason.to_owned(),
        };
        delivery.settle(&answer, self.policy, self.clock.chance(), self.clock.now())
    }
}
