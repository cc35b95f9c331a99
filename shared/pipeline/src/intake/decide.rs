//! Deciding: every decision is recorded before anything is handed over, and what an earlier run left undone is made up for.

use domain::ports::{
    Advanced, Bury, Clock, Customers, CustomersLoad, HandOver, LedgerAdvance, LedgerRecord, Recorded, Step, Unavailable,
};
use domain::{
    Contact, Delivery, DeliveryRequest, Guard, Notification, NotificationId, Plan, Preferences, Reason, State, chain,
    decide,
};
use jiff::SignedDuration;
use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::gather::Fact;
use super::{Decided, Intake, IntakeCounts, IntakeVerdict};
use crate::Refusal;
use crate::customers::load_for;

/// A fact with what is planned for it.
struct Planned<'f> {
    fact: &'f Fact,
    plan: Plan,
    notification: Notification,
}

/// A decided fact and what is still to be handed over for it.
struct Met {
    decided: Decided,
    requests: Vec<DeliveryRequest>,
}

impl<P, L, Q, D, C> Intake<'_, P, L, Q, D, C>
where
    P: CustomersLoad,
    L: LedgerRecord + LedgerAdvance,
    Q: HandOver,
    D: Bury,
    C: Clock,
{
    /// Decides upon facts of different ids; a verdict for every message that tells one of them.
    pub(super) async fn decide_all(&self, facts: &[Fact], counts: &mut IntakeCounts) -> Vec<(usize, IntakeVerdict)> {
        let mut ends = Vec::new();
        let planned = match self.plan_all(facts, &mut ends).await {
            Ok(planned) => planned,
            Err(error) => {
                let verdict = IntakeVerdict::Retry(chain(&error));
                return facts.iter().flat_map(|fact| each(fact, &verdict)).collect();
            }
        };
        if planned.is_empty() {
            return ends;
        }

        let notifications: Vec<Notification> = planned.iter().map(|planned| planned.notification.clone()).collect();
        let recorded = self.ledger.record(&notifications).await;
        let mut met = Vec::with_capacity(planned.len());
        for (planned, recorded) in planned.iter().zip(recorded) {
            match self.meet(planned, recorded, counts).await {
                Ok(decided) => met.push((planned.fact, decided)),
                Err(verdict) => ends.extend(each(planned.fact, &verdict)),
            }
        }

        let now = self.clock.now();
        let delay = |request: &DeliveryRequest| {
            let delay = request.not_before.map(|then| then.duration_since(now));
            delay.unwrap_or(SignedDuration::ZERO).max(SignedDuration::ZERO)
        };
        let requests = met.iter().flat_map(|(_, met)| met.requests.iter());
        let requests: Vec<(DeliveryRequest, SignedDuration)> =
            requests.map(|request| (request.clone(), delay(request))).collect();
        let mut failed: HashMap<NotificationId, String> = HashMap::new();
        if !requests.is_empty() {
            for ((request, _), handed) in requests.iter().zip(self.queues.hand_over(&requests).await) {
                if let Err(error) = handed {
                    failed.insert(request.id, chain(&error));
                }
            }
        }
        for (fact, met) in met {
            let verdict = match failed.remove(&met.decided.id) {
                Some(why) => IntakeVerdict::Retry(why),
                None => IntakeVerdict::Decided(met.decided),
            };
            ends.extend(each(fact, &verdict));
        }
        ends
    }

    /// Plans every fact over what is known of its customer and of the addresses it would go to.
    async fn plan_all<'f>(
        &self,
        facts: &'f [Fact],
        ends: &mut Vec<(usize, IntakeVerdict)>,
    ) -> Result<Vec<Planned<'f>>, Unavailable> {
        let users = facts.iter().filter_map(|fact| fact.event.recipient.user.as_ref());
        let named = facts.iter().flat_map(|fact| fact.event.recipient.contacts());
        let mut known = load_for(self.customers, users, named.clone()).await?;
        let mut plans = Vec::with_capacity(facts.len());
        for fact in facts {
            match self.plan(fact, &known) {
                Ok(plan) => plans.push((fact, plan)),
                Err(refusal) => ends.extend(each(fact, &IntakeVerdict::Refused(refusal))),
            }
        }
        // Addresses that only the preferences knew.
        let named: HashSet<Contact> = named.collect();
        let more = plans.iter().flat_map(|(_, plan)| plan.contacts());
        let more: Vec<Contact> = more.filter(|contact| !named.contains(contact)).collect();
        let more = load_for(self.customers, std::iter::empty(), more.into_iter()).await?;
        known.suppressions.extend(more.suppressions);
        let now = self.clock.now();
        let planned = plans.into_iter().map(|(fact, mut plan)| {
            plan.suppress(&known.suppressions, now);
            Planned {
                notification: Notification::planned(&fact.event, &plan, &self.reading.shop, self.owner, now),
                fact,
                plan,
            }
        });
        Ok(planned.collect())
    }

    fn plan(&self, fact: &Fact, known: &Customers) -> Result<Plan, Refusal> {
        let nobody = Preferences::default();
        let user = fact.event.recipient.user.as_ref();
        let preferences = user.and_then(|user| known.preferences.get(user)).unwrap_or(&nobody);
        // A panic is that fact's own: its neighbours go on.
        let planned = catch_unwind(AssertUnwindSafe(|| {
            decide(&fact.event, preferences, &self.reading.shop, self.clock.now())
        }));
        planned.map_err(|_panic| Refusal::one("message", "expected an event that can be decided upon; deciding failed"))
    }

    /// What follows from the ledger's answer: the requests still to hand over, or the verdict.
    async fn meet(
        &self,
        planned: &Planned<'_>,
        recorded: Result<Recorded, Unavailable>,
        counts: &mut IntakeCounts,
    ) -> Result<Met, IntakeVerdict> {
        let Planned {
            fact,
            plan,
            notification,
        } = planned;
        let requests = || {
            let planned = DeliveryRequest::planned(&fact.event, plan, notification.id, self.clock.now());
            planned.map(|request| DeliveryRequest {
                trace: fact.trace,
                ..request
            })
        };
        let existing = match recorded {
            Err(error) => return Err(IntakeVerdict::Retry(chain(&error))),
            Ok(Recorded::Created) => None,
            Ok(Recorded::AlreadyThere(existing)) => Some(*existing),
        };
        if let Some(existing) = &existing
            && let (Some(ours), Some(theirs)) = (&notification.fingerprint, &existing.fingerprint)
            && ours.contradicts(theirs)
        {
            return Err(IntakeVerdict::Conflict(existing.id));
        }
        // Our own write, whose reply was lost. Another content under our name was an earlier wave's, and is a conflict.
        let existing = existing.filter(|existing| existing.recorded_by != self.owner);
        let Some(mut existing) = existing else {
            let decided = Decided {
                id: notification.id,
                is_new: true,
                results: notification.results(),
            };
            counts.decided += 1;
            counts.channels += decided
                .results
                .iter()
                .map(|result| u64::from(result.outcome.is_open()))
                .sum::<u64>();
            return Ok(Met {
                decided,
                requests: requests().collect(),
            });
        };
        self.make_up(notification, &mut existing, counts).await?;
        let is_waiting = |channel| existing.deliveries.get(&channel).is_some_and(is_untaken);
        let requests = requests().filter(|request| is_waiting(request.channel)).collect();
        Ok(Met {
            decided: Decided {
                id: existing.id,
                is_new: false,
                results: existing.results(),
            },
            requests,
        })
    }

    /// Makes up for what has changed since the fact was decided: a channel that was not asked for and is now, and one that
    /// nobody has taken up and is not to be sent any more.
    async fn make_up(
        &self,
        planned: &Notification,
        existing: &mut Notification,
        counts: &mut IntakeCounts,
    ) -> Result<(), IntakeVerdict> {
        for (channel, next) in &planned.deliveries {
            let Some(from) = existing.deliveries.get(channel).cloned() else {
                continue;
            };
            let Some(guard) = made_up_from(&from, next) else {
                continue;
            };
            let mut after = existing.clone();
            after.deliveries.insert(*channel, next.clone());
            let step = Step {
                id: existing.id,
                channel: *channel,
                guard,
                from,
                next: next.clone(),
                channels: Some(after.channels()),
            };
            match self.ledger.advance(&[step]).await.pop() {
                Some(Ok(Advanced::Done)) => {
                    counts.channels += u64::from(next.state.is_open());
                    *existing = after;
                }
                Some(Ok(Advanced::Refused(current))) => {
                    existing.deliveries.insert(*channel, *current);
                }
                Some(Ok(Advanced::Unknown)) | None => {}
                Some(Err(error)) => return Err(IntakeVerdict::Retry(chain(&error))),
            }
        }
        Ok(())
    }
}

/// The condition under which this delivery is to become that one, if it is to change at all.
fn made_up_from(from: &Delivery, next: &Delivery) -> Option<Guard> {
    if from.attempt > 0 || is_not_asked_for(next) {
        None
    } else if is_not_asked_for(from) {
        Some(Guard::SkippedFor {
            reason: Reason::NotAskedFor,
        })
    } else if is_untaken(from) && !next.state.is_open() {
        Some(Guard::In {
            attempt: 0,
            states: &[State::Queued, State::Deferred],
        })
    } else {
        None
    }
}

fn is_not_asked_for(delivery: &Delivery) -> bool {
    delivery.reason.as_deref() == Some(Reason::NotAskedFor.code())
}

/// Whether no sender has ever claimed it, so that its message may never have reached the queue.
fn is_untaken(delivery: &Delivery) -> bool {
    delivery.attempt == 0 && matches!(delivery.state, State::Queued | State::Deferred)
}

/// The verdict for every message that tells a fact; only the first of them can be new.
fn each(fact: &Fact, verdict: &IntakeVerdict) -> Vec<(usize, IntakeVerdict)> {
    let repeated = match verdict {
        IntakeVerdict::Decided(decided) => IntakeVerdict::Decided(Decided {
            is_new: false,
            ..decided.clone()
        }),
        IntakeVerdict::Refused(_) | IntakeVerdict::Conflict(_) | IntakeVerdict::Retry(_) => verdict.clone(),
    };
    let verdicts = std::iter::once(verdict).chain(std::iter::repeat(&repeated)).cloned();
    fact.members.iter().copied().zip(verdicts).collect()
}
