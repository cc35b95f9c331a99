//! The first half of the way: read, decide, record, hand over.
//!
//! Every decision stands in the ledger before anything is queued. A record that comes again finds its notification there and
//! only makes up for what may be missing: a hand-over that nobody has taken up, or a channel that was not asked for before.

use domain::ports::{
    Advanced, Bury, Clock, DeadLetter, HandOver, LedgerAdvance, LedgerRecord, PreferencesLoad, Recorded, Step,
    Unavailable,
};
use domain::{
    Channel, ChannelResult, Delivery, DeliveryRequest, Event, Guard, Notification, NotificationId, Plan, Preferences,
    Reason, State, UserId, decide,
};
use jiff::Timestamp;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::{Reading, Refusal, chain, read_event};

/// The first half of the way, over its ports.
pub struct Intake<'a, P, L, Q, D, C> {
    /// What customers asked for.
    pub preferences: &'a P,
    /// Where decisions are recorded.
    pub ledger: &'a L,
    /// Where deliveries are handed over.
    pub queues: &'a Q,
    /// Where refused messages go.
    pub dead_letters: &'a D,
    /// The time.
    pub clock: &'a C,
    /// How events are read.
    pub reading: &'a Reading,
    /// Decide for this channel alone.
    pub only: Option<Channel>,
    /// This invocation, by which it recognises its own writes.
    pub owner: &'a str,
}

/// One message to take in.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// Its text.
    pub text: String,
    /// When it was put on its topic or queue.
    pub published_at: Timestamp,
    /// The way it came.
    pub lane: Lane,
}

/// The way a message came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// The queue that gets everything.
    Normal,
    /// The queue that gets a second copy of what is urgent. What cannot be read is left to its twin in the normal lane, so
    /// that it is reported once.
    Urgent,
    /// A direct invocation.
    Direct,
}

/// What became of one message.
#[derive(Debug, Clone, PartialEq)]
pub enum IntakeVerdict {
    /// Decided, recorded and handed over.
    Decided(Decided),
    /// It cannot be read; the dead letter queue has it, or its twin will put it there.
    Refused(Refusal),
    /// Its idempotency key already stands for another content; the dead letter queue has it.
    Conflict(NotificationId),
    /// It has to come again.
    Retry(String),
}

/// A notification that was decided upon.
#[derive(Debug, Clone, PartialEq)]
pub struct Decided {
    /// The notification.
    pub id: NotificationId,
    /// Whether this message is the first to tell this fact.
    pub is_new: bool,
    /// What was decided, or how it fared since.
    pub results: Vec<ChannelResult>,
}

/// What became of a batch.
#[derive(Debug, Default)]
pub struct IntakeReport {
    /// One verdict per message, in order.
    pub verdicts: Vec<IntakeVerdict>,
    /// What there is to count.
    pub counts: IntakeCounts,
}

/// What there is to count about a batch.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct IntakeCounts {
    /// Notifications decided for the first time.
    pub decided: u64,
    /// Channels handed over for them.
    pub channels: u64,
    /// Messages about facts already decided.
    pub repeated: u64,
    /// Messages refused and buried here.
    pub refused: u64,
    /// Messages whose idempotency key stands for another content.
    pub conflicts: u64,
    /// Messages that have to come again.
    pub retried: u64,
}

impl std::ops::AddAssign for IntakeCounts {
    fn add_assign(&mut self, more: Self) {
        self.decided += more.decided;
        self.channels += more.channels;
        self.repeated += more.repeated;
        self.refused += more.refused;
        self.conflicts += more.conflicts;
        self.retried += more.retried;
    }
}

/// One fact of a batch: the event that tells it first, and all messages that tell it.
struct Fact {
    event: Event,
    members: Vec<usize>,
    conflicting: Vec<usize>,
}

/// The facts of a batch, in the order in which they are first told.
type Facts = Vec<(NotificationId, Fact)>;

impl<P, L, Q, D, C> Intake<'_, P, L, Q, D, C>
where
    P: PreferencesLoad,
    L: LedgerRecord + LedgerAdvance,
    Q: HandOver,
    D: Bury,
    C: Clock,
{
    /// Takes in a batch.
    pub async fn take(&self, batch: &[Incoming]) -> IntakeReport {
        let mut verdicts: Vec<Option<IntakeVerdict>> = vec![None; batch.len()];
        let (facts, refusals) = self.read_all(batch);

        for (index, verdict) in self.decide_all(&facts).await {
            put(&mut verdicts, index, verdict);
        }
        let conflicts: Vec<(usize, NotificationId)> = facts
            .iter()
            .flat_map(|(id, fact)| fact.conflicting.iter().map(|index| (*index, *id)))
            .chain(
                verdicts
                    .iter()
                    .enumerate()
                    .filter_map(|(index, verdict)| match verdict {
                        Some(IntakeVerdict::Conflict(id)) => Some((index, *id)),
                        _ => None,
                    }),
            )
            .collect();
        for (index, verdict) in self.bury_all(batch, refusals, conflicts).await {
            put(&mut verdicts, index, verdict);
        }

        let verdicts: Vec<IntakeVerdict> = verdicts
            .into_iter()
            .map(|verdict| verdict.unwrap_or_else(|| IntakeVerdict::Retry("left without a verdict".to_owned())))
            .collect();
        let counts = count(batch, &verdicts);
        IntakeReport { verdicts, counts }
    }

    /// Reads every message, each for itself, and gathers those that tell the same fact.
    fn read_all(&self, batch: &[Incoming]) -> (Facts, Vec<(usize, Refusal)>) {
        let mut facts: Facts = Vec::new();
        let mut refusals = Vec::new();
        for (index, incoming) in batch.iter().enumerate() {
            let read = catch_unwind(AssertUnwindSafe(|| {
                read_event(&incoming.text, incoming.published_at, self.reading)
            }));
            let mut event = match read {
                Ok(Ok(event)) => event,
                Ok(Err(refusal)) => {
                    refusals.push((index, refusal));
                    continue;
                }
                Err(_panic) => {
                    refusals.push((
                        index,
                        Refusal::one("message", "expected an event that can be read; reading it failed"),
                    ));
                    continue;
                }
            };
            if let Some(only) = self.only {
                let asked = event.channels.as_ref().is_none_or(|channels| channels.contains(&only));
                event.channels = Some(if asked { vec![only] } else { Vec::new() });
            }
            let id = event.notification_id(&self.reading.shop.zone);
            match facts.iter_mut().find(|(known, _)| *known == id) {
                None => facts.push((
                    id,
                    Fact {
                        event,
                        members: vec![index],
                        conflicting: Vec::new(),
                    },
                )),
                Some((_, fact)) if is_conflict(&fact.event, &event) => fact.conflicting.push(index),
                Some((_, fact)) => fact.members.push(index),
            }
        }
        (facts, refusals)
    }

    async fn decide_all(&self, facts: &[(NotificationId, Fact)]) -> Vec<(usize, IntakeVerdict)> {
        if facts.is_empty() {
            return Vec::new();
        }
        let retry_all = |error: &Unavailable| {
            let why = chain(error);
            facts
                .iter()
                .flat_map(|(_, fact)| each(fact, &IntakeVerdict::Retry(why.clone())))
                .collect()
        };
        let preferences = match self.load_preferences(facts).await {
            Ok(preferences) => preferences,
            Err(error) => return retry_all(&error),
        };
        let now = self.clock.now();
        let nobody = Preferences::default();
        let planned: Vec<(&Fact, Plan, Notification)> = facts
            .iter()
            .map(|(_, fact)| {
                let known = fact
                    .event
                    .recipient
                    .user
                    .as_ref()
                    .and_then(|user| preferences.get(user))
                    .unwrap_or(&nobody);
                let plan = decide(&fact.event, known, &self.reading.shop, now);
                let notification = Notification::planned(&fact.event, &plan, &self.reading.shop, self.owner, now);
                (fact, plan, notification)
            })
            .collect();

        let notifications: Vec<Notification> = planned
            .iter()
            .map(|(_, _, notification)| notification.clone())
            .collect();
        let recorded = self.ledger.record(&notifications).await;
        let mut outcomes = Vec::with_capacity(planned.len());
        for ((fact, plan, notification), recorded) in planned.iter().zip(recorded) {
            outcomes.push((*fact, self.meet(fact, plan, notification, recorded).await));
        }

        let requests: Vec<DeliveryRequest> = outcomes
            .iter()
            .filter_map(|(_, met)| met.as_ref().ok())
            .flat_map(|met| met.requests.iter().cloned())
            .collect();
        let mut failed: HashMap<NotificationId, String> = HashMap::new();
        if !requests.is_empty() {
            for (request, handed) in requests.iter().zip(self.queues.hand_over(&requests).await) {
                if let Err(error) = handed {
                    failed.insert(request.id, chain(&error));
                }
            }
        }
        outcomes
            .into_iter()
            .flat_map(|(fact, met)| {
                let verdict = match met {
                    Err(verdict) => verdict,
                    Ok(met) => match failed.get(&met.decided.id) {
                        Some(why) => IntakeVerdict::Retry(why.clone()),
                        None => IntakeVerdict::Decided(met.decided),
                    },
                };
                each(fact, &verdict)
            })
            .collect()
    }

    async fn load_preferences(
        &self,
        facts: &[(NotificationId, Fact)],
    ) -> Result<HashMap<UserId, Preferences>, Unavailable> {
        let mut users: Vec<UserId> = facts
            .iter()
            .filter_map(|(_, fact)| fact.event.recipient.user.clone())
            .collect();
        users.sort_unstable();
        users.dedup();
        if users.is_empty() {
            return Ok(HashMap::new());
        }
        self.preferences.load(&users).await
    }

    /// What follows from the ledger's answer: the requests still to hand over, and the verdict so far.
    async fn meet(
        &self,
        fact: &Fact,
        plan: &Plan,
        notification: &Notification,
        recorded: Result<Recorded, Unavailable>,
    ) -> Result<Met, IntakeVerdict> {
        let requests = |recorded_at| DeliveryRequest::planned(&fact.event, plan, notification.id, recorded_at);
        let existing = match recorded {
            Err(error) => return Err(IntakeVerdict::Retry(chain(&error))),
            Ok(Recorded::Created) => None,
            // Our own write, whose reply was lost.
            Ok(Recorded::AlreadyThere(existing)) if existing.recorded_by == self.owner => None,
            Ok(Recorded::AlreadyThere(existing)) => Some(*existing),
        };
        let Some(mut existing) = existing else {
            let decided = Decided {
                id: notification.id,
                is_new: true,
                results: notification.results(),
            };
            return Ok(Met {
                decided,
                requests: requests(notification.recorded_at).collect(),
            });
        };
        if let (Some(ours), Some(theirs)) = (&notification.fingerprint, &existing.fingerprint)
            && ours != theirs
        {
            return Err(IntakeVerdict::Conflict(existing.id));
        }
        self.ask_for_more(notification, &mut existing).await?;
        let is_untaken = |channel: Channel| {
            existing.deliveries.get(&channel).is_some_and(|delivery| {
                delivery.attempt == 0 && matches!(delivery.state, State::Queued | State::Deferred)
            })
        };
        let requests = requests(existing.recorded_at)
            .filter(|request| is_untaken(request.channel))
            .collect();
        Ok(Met {
            decided: Decided {
                id: existing.id,
                is_new: false,
                results: existing.results(),
            },
            requests,
        })
    }

    /// A channel that an earlier event on the same fact did not ask for, and this one does, is decided now.
    async fn ask_for_more(&self, planned: &Notification, existing: &mut Notification) -> Result<(), IntakeVerdict> {
        let not_asked = |delivery: &Delivery| delivery.reason.as_deref() == Some(Reason::NotAskedFor.code());
        let wanted: Vec<(Channel, Delivery, Delivery)> = planned
            .deliveries
            .iter()
            .filter(|(_, next)| !not_asked(next))
            .filter_map(|(channel, next)| {
                let from = existing
                    .deliveries
                    .get(channel)
                    .filter(|from| from.attempt == 0 && not_asked(from))?;
                Some((*channel, from.clone(), next.clone()))
            })
            .collect();
        for (channel, from, next) in wanted {
            let mut after = existing.clone();
            after.deliveries.insert(channel, next.clone());
            let step = Step {
                id: existing.id,
                channel,
                guard: Guard::In {
                    attempt: 0,
                    states: &[State::Skipped],
                },
                from,
                next,
                channels: Some(after.channels()),
            };
            match self.ledger.advance(&[step]).await.pop() {
                Some(Ok(Advanced::Done)) => *existing = after,
                Some(Ok(Advanced::Refused(current))) => {
                    existing.deliveries.insert(channel, *current);
                }
                Some(Ok(Advanced::Unknown)) | None => {}
                Some(Err(error)) => return Err(IntakeVerdict::Retry(chain(&error))),
            }
        }
        Ok(())
    }

    /// Buries what was refused, except what the normal lane will bury.
    async fn bury_all(
        &self,
        batch: &[Incoming],
        refusals: Vec<(usize, Refusal)>,
        conflicts: Vec<(usize, NotificationId)>,
    ) -> Vec<(usize, IntakeVerdict)> {
        let refused = refusals.into_iter().map(|(index, refusal)| {
            let reason = refusal.to_string();
            (index, IntakeVerdict::Refused(refusal), reason, None)
        });
        let conflicting = conflicts.into_iter().map(|(index, id)| {
            let reason = format!("idempotencyKey: stands for another content already, as notification {id}");
            (index, IntakeVerdict::Conflict(id), reason, Some(id))
        });
        let mut verdicts = Vec::new();
        let mut letters = Vec::new();
        for (index, verdict, reason, id) in refused.chain(conflicting) {
            match batch.get(index) {
                Some(incoming) if incoming.lane != Lane::Urgent => {
                    letters.push(DeadLetter {
                        body: incoming.text.clone(),
                        reason,
                        id,
                        is_urgent: false,
                    });
                    verdicts.push((index, verdict, true));
                }
                _ => verdicts.push((index, verdict, false)),
            }
        }
        let mut buried = match letters.is_empty() {
            true => Vec::new(),
            false => self.dead_letters.bury(&letters).await,
        }
        .into_iter();
        verdicts
            .into_iter()
            .map(
                |(index, verdict, is_owed)| match is_owed.then(|| buried.next()).flatten() {
                    Some(Err(error)) => (index, IntakeVerdict::Retry(chain(&error))),
                    Some(Ok(())) | None => (index, verdict),
                },
            )
            .collect()
    }
}

/// A decided fact and what is still to be handed over for it.
struct Met {
    decided: Decided,
    requests: Vec<DeliveryRequest>,
}

/// Whether two events under one explicit key tell different things.
fn is_conflict(first: &Event, second: &Event) -> bool {
    first.idempotency_key.is_some() && first.fingerprint() != second.fingerprint()
}

/// The verdict for every message that tells a fact; only the first of them can be new.
fn each(fact: &Fact, verdict: &IntakeVerdict) -> Vec<(usize, IntakeVerdict)> {
    fact.members
        .iter()
        .enumerate()
        .map(|(nth, index)| match verdict {
            IntakeVerdict::Decided(decided) => {
                let is_new = decided.is_new && nth == 0;
                (
                    *index,
                    IntakeVerdict::Decided(Decided {
                        is_new,
                        ..decided.clone()
                    }),
                )
            }
            IntakeVerdict::Refused(_) | IntakeVerdict::Conflict(_) | IntakeVerdict::Retry(_) => {
                (*index, verdict.clone())
            }
        })
        .collect()
}

fn put(verdicts: &mut [Option<IntakeVerdict>], index: usize, verdict: IntakeVerdict) {
    if let Some(place) = verdicts.get_mut(index) {
        *place = Some(verdict);
    }
}

fn count(batch: &[Incoming], verdicts: &[IntakeVerdict]) -> IntakeCounts {
    let mut counts = IntakeCounts::default();
    for (incoming, verdict) in batch.iter().zip(verdicts) {
        match verdict {
            IntakeVerdict::Decided(Decided {
                is_new: true, results, ..
            }) => {
                counts.decided += 1;
                counts.channels += results
                    .iter()
                    .map(|result| u64::from(result.outcome.is_open()))
                    .sum::<u64>();
            }
            IntakeVerdict::Decided(_) => counts.repeated += 1,
            IntakeVerdict::Refused(_) if incoming.lane != Lane::Urgent => counts.refused += 1,
            IntakeVerdict::Conflict(_) if incoming.lane != Lane::Urgent => counts.conflicts += 1,
            IntakeVerdict::Refused(_) | IntakeVerdict::Conflict(_) => {}
            IntakeVerdict::Retry(_) => counts.retried += 1,
        }
    }
    counts
}
