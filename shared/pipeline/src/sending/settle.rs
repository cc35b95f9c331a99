//! Settling: how it went is written down before the queue may forget the message.

use domain::ports::{
    Advanced, Bury, Clock, Courier, CustomersLoad, DeadLetter, Defer, LedgerAdvance, OrderNews, Step, TrafficShare,
};
use domain::{Delivery, Encounter, Guard, NotificationId, Reason, State, chain};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;

use super::wait::is_long;
use super::{Asked, Ended, Held, SendVerdict, Sending, SendingCounts, Waiting};

/// No write is started later than this before the end.
const LAST_CHANCE: SignedDuration = SignedDuration::from_secs(2);

impl<P, L, D, C, M, T, W> Sending<'_, P, L, D, C, M, T, W>
where
    P: CustomersLoad,
    L: LedgerAdvance + OrderNews,
    D: Bury,
    C: Clock,
    M: Courier,
    T: TrafficShare,
    W: Defer,
{
    /// Writes down how it went, again and again while there is time: what is not written down is in doubt.
    pub(super) async fn write_down(
        &self,
        held: &[Held<'_>],
        next: Vec<Delivery>,
        counts: &mut SendingCounts,
    ) -> Vec<(NotificationId, Ended)> {
        let mut open: Vec<(&Held<'_>, Delivery)> = held.iter().zip(next).collect();
        let mut ends = Vec::with_capacity(open.len());
        let mut pause = SignedDuration::from_millis(100);
        loop {
            let steps: Vec<Step> = open.iter().map(|(held, next)| held.becomes(next)).collect();
            let answers = match steps.is_empty() {
                true => return ends,
                false => self.ledger.advance(&steps).await,
            };
            let last_chance = self
                .deadline
                .saturating_sub(pause + LAST_CHANCE)
                .unwrap_or(Timestamp::MIN);
            let is_last_chance = self.clock.now() > last_chance;
            let mut again = Vec::new();
            for ((held, next), answer) in open.into_iter().zip(answers) {
                let id = held.request.id;
                match answer {
                    Ok(Advanced::Done) => {
                        self.count_end(held, &next, counts);
                        ends.push((id, self.ended(id, &next)));
                    }
                    // The reply to our own write was lost, or somebody else moved it on.
                    Ok(Advanced::Refused(current)) => {
                        if *current == next {
                            self.count_end(held, &next, counts);
                        }
                        ends.push((id, self.ended(id, &current)));
                    }
                    Ok(Advanced::Unknown) => ends.push((id, Ended::foreign())),
                    Err(error) if is_last_chance => ends.push((id, self.come_again(id, &chain(&error)))),
                    Err(_not_yet) => again.push((held, next)),
                }
            }
            open = again;
            if !open.is_empty() {
                self.clock.pause(pause).await;
                pause = (pause * 2).min(SignedDuration::from_secs(2));
            }
        }
    }

    fn count_end(&self, held: &Held<'_>, next: &Delivery, counts: &mut SendingCounts) {
        match next.state {
            State::Sent => {
                counts.accepted += 1;
                let sms = next.written.as_ref().and_then(|written| written.sms);
                counts.segments += sms.map_or(0, |sms| u64::from(sms.segments));
                let since = |then: Timestamp| {
                    let milliseconds = next.changed_at.duration_since(then).as_millis().max(0);
                    i64::try_from(milliseconds).unwrap_or(i64::MAX)
                };
                let request = held.request;
                counts.latencies_ms.push(since(request.at));
                let delays = match request.is_urgent {
                    true => &mut counts.urgent_delays_ms,
                    false => &mut counts.delays_ms,
                };
                delays.push(since(request.due_at()));
            }
            State::Parked | State::Failed => counts.failed += 1,
            State::Skipped | State::Expired => {
                counts.skipped += 1;
                let is_for = |reason: Reason| u64::from(next.reason.as_deref() == Some(reason.code()));
                counts.over_number_limit += is_for(Reason::SmsNumberLimit);
                counts.over_budget += is_for(Reason::SmsBudgetUsedUp);
            }
            State::Suppressed => counts.suppressed += 1,
            State::Superseded => counts.superseded += 1,
            State::Queued => counts.retried += 1,
            State::InDoubt => counts.in_doubt += 1,
            State::Deferred => counts.deferred += 1,
            State::Sending | State::Delivered | State::Bounced | State::Complained => {}
        }
    }

    /// The verdict on the message of a delivery that stands like this.
    pub(super) fn ended(&self, id: NotificationId, current: &Delivery) -> Ended {
        let reason = current.reason.clone();
        let now = self.clock.now();
        let done = SendVerdict::Done(id, current.state, reason.clone());
        let again = |at| SendVerdict::Again(id, at, reason.unwrap_or_else(|| current.state.name().to_owned()));
        match current.encounter(self.owner, self.policy.doubt_of(self.courier.channel()), now) {
            Encounter::Finished => Ended {
                verdict: done,
                owed: None,
            },
            Encounter::OwedToDeadLetters => Ended {
                verdict: done,
                owed: Some(current.clone()),
            },
            // Whoever let it wait put it into the room before the ledger says so, or is still about to.
            Encounter::Wait(at) if current.state == State::Deferred && is_long(at, now) => Ended {
                verdict: done,
                owed: None,
            },
            Encounter::Wait(at) => Ended {
                verdict: again(at),
                owed: None,
            },
            Encounter::Claimable | Encounter::Ours | Encounter::LeaseOver | Encounter::DoubtOver => Ended {
                verdict: again(now),
                owed: None,
            },
        }
    }

    pub(super) fn come_again(&self, id: NotificationId, why: &str) -> Ended {
        Ended {
            verdict: SendVerdict::Again(id, self.soon(), why.to_owned()),
            owed: None,
        }
    }

    /// Puts the messages that nobody can work on into the dead letter queue: those of parked deliveries, and those that the
    /// ledger does not know. For the parked ones it is written down.
    pub(super) async fn bury_owed(
        &self,
        batch: &[Waiting],
        requests: &[Asked],
        ends: HashMap<NotificationId, Ended>,
        counts: &mut SendingCounts,
    ) -> HashMap<NotificationId, SendVerdict> {
        let mut owed = Vec::new();
        let mut letters = Vec::new();
        for asked in requests {
            let request = &asked.request;
            let Some(ended) = ends.get(&request.id) else { continue };
            let reason = match (&ended.owed, &ended.verdict) {
                (Some(parked), _) => parked.reason.clone().unwrap_or_default(),
                (None, SendVerdict::Refused(why)) => why.clone(),
                (None, SendVerdict::Done(..) | SendVerdict::Again(..) | SendVerdict::Unburied(_)) => continue,
            };
            let Some(waiting) = asked.members.first().and_then(|index| batch.get(*index)) else {
                continue;
            };
            letters.push(DeadLetter {
                body: waiting.text.clone(),
                reason,
                id: Some(request.id),
                is_urgent: asked.is_urgent,
            });
            owed.push((request, ended.owed.clone()));
        }
        let mut verdicts: HashMap<NotificationId, SendVerdict> =
            ends.into_iter().map(|(id, ended)| (id, ended.verdict)).collect();
        if letters.is_empty() {
            return verdicts;
        }
        let mut steps = Vec::new();
        for ((request, parked), buried) in owed.into_iter().zip(self.dead_letters.bury(&letters).await) {
            match (buried, parked) {
                (Ok(()), Some(parked)) => {
                    let guard = Guard::In {
                        attempt: parked.attempt,
                        states: &[State::Parked],
                    };
                    let next = parked.dead_lettered();
                    steps.push(Step::of(request, guard, parked, next));
                }
                (Ok(()), None) => counts.refused += 1,
                (Err(error), _) => {
                    verdicts.insert(request.id, SendVerdict::Again(request.id, self.soon(), chain(&error)));
                }
            }
        }
        if steps.is_empty() {
            return verdicts;
        }
        // Unwritten, it costs a second copy in the dead letter queue, which an operator's check of the ledger finds out.
        for (step, answer) in steps.iter().zip(self.ledger.advance(&steps).await) {
            if let Err(error) = answer {
                verdicts.insert(step.id, SendVerdict::Again(step.id, self.soon(), chain(&error)));
            }
        }
        verdicts
    }
}

impl Held<'_> {
    /// The step by which the owner writes down what became of its delivery.
    fn becomes(&self, next: &Delivery) -> Step {
        Step::of(
            self.request,
            self.delivery.owners_guard(),
            self.delivery.clone(),
            next.clone(),
        )
    }
}
