//! The second half of the way: claim, write, send, settle.
//!
//! At most one sender at a time holds a delivery, offers it to the provider once per claim, and writes down what the answer
//! means before the queue may forget the message. What nobody knows is held in doubt, never sent again at once.

use domain::ports::{Advanced, Bury, Clock, Courier, DeadLetter, LedgerAdvance, PreferencesLoad, SendAnswer, Step};
use domain::{
    Delivery, DeliveryRequest, Encounter, Guard, Lease, NotificationId, Preferences, Reason, RetryPolicy, State, UserId,
};
use futures_util::FutureExt;
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use std::cell::Cell;
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;

use crate::chain;

/// The second half of the way, over its ports.
pub struct Sending<'a, P, L, D, C, M> {
    /// What customers asked for, read again before sending.
    pub preferences: &'a P,
    /// Where deliveries are claimed and settled.
    pub ledger: &'a L,
    /// Where parked messages go.
    pub dead_letters: &'a D,
    /// The time.
    pub clock: &'a C,
    /// Who writes the message and takes it to the provider.
    pub courier: &'a M,
    /// When to try again.
    pub policy: &'a RetryPolicy,
    /// This invocation: the owner of its claims.
    pub owner: &'a str,
    /// When this invocation is killed.
    pub deadline: Timestamp,
    /// The longest that one call of the provider may take.
    pub call_time_out: SignedDuration,
}

/// One message from the queue.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// Its text: a [`DeliveryRequest`] in its wire form.
    pub text: String,
    /// Whether it came by the urgent lane.
    pub is_urgent: bool,
}

/// What became of one message.
#[derive(Debug, Clone, PartialEq)]
pub enum SendVerdict {
    /// Nothing is left to do: this is the state of its delivery.
    Done(NotificationId, State, Option<String>),
    /// It has to come again, at that moment.
    Again(NotificationId, Timestamp, String),
    /// It cannot be read; the dead letter queue has it.
    Refused(String),
    /// It cannot be read, and the dead letter queue could not be reached.
    Unburied(String),
}

/// What became of a batch.
#[derive(Debug, Default)]
pub struct SendingReport {
    /// One verdict per message, in order.
    pub verdicts: Vec<SendVerdict>,
    /// What there is to count.
    pub counts: SendingCounts,
}

/// What there is to count about a batch.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct SendingCounts {
    /// Deliveries that the provider accepted.
    pub accepted: u64,
    /// Deliveries that ended as a failure: refused for good, or parked.
    pub failed: u64,
    /// Deliveries that ended without a message because nobody wants it any more.
    pub skipped: u64,
    /// Tries after which the delivery waits for the next one.
    pub retried: u64,
    /// Answers that asked for patience.
    pub throttled: u64,
    /// Answers that speak of the account.
    pub account_trouble: u64,
    /// Deliveries of which nobody knows whether they were accepted.
    pub in_doubt: u64,
    /// Deliveries in doubt that are sent again because nothing settled them.
    pub resent_in_doubt: u64,
    /// Milliseconds from the event to the provider's acceptance, one for each accepted delivery.
    pub latencies_ms: Vec<i64>,
}

/// A delivery that this invocation holds, and the request it serves.
struct Held<'r> {
    request: &'r DeliveryRequest,
    delivery: Delivery,
}

/// Room for clocks that differ, between the end of an invocation and the end of its leases.
const LEASE_MARGIN: SignedDuration = SignedDuration::from_secs(60);

/// Kept free at the end of an invocation to write down how it went.
const SETTLING_TIME: SignedDuration = SignedDuration::from_secs(5);

/// No write is started later than this before the end.
const LAST_CHANCE: SignedDuration = SignedDuration::from_secs(2);

/// What a message is told whose notification the ledger does not know.
const NOT_IN_LEDGER: &str = "not in the ledger";

/// A claim is offered again at the attempt that the ledger shows; more rounds than this mean that others are busy with it.
const CLAIM_ROUNDS: usize = 4;

impl<P, L, D, C, M> Sending<'_, P, L, D, C, M>
where
    P: PreferencesLoad,
    L: LedgerAdvance,
    D: Bury,
    C: Clock,
    M: Courier,
{
    /// Works on a batch.
    pub async fn work(&self, batch: &[Waiting]) -> SendingReport {
        let mut counts = SendingCounts::default();
        let mut verdicts: Vec<Option<SendVerdict>> = vec![None; batch.len()];
        let mut requests: Vec<(DeliveryRequest, Vec<usize>, bool)> = Vec::new();
        let mut unreadable = Vec::new();
        for (index, waiting) in batch.iter().enumerate() {
            match self.read(&waiting.text) {
                Err(reason) => unreadable.push((index, waiting, reason)),
                Ok(request) => match requests.iter_mut().find(|(known, _, _)| known.id == request.id) {
                    Some((_, members, _)) => members.push(index),
                    None => requests.push((request, vec![index], waiting.is_urgent)),
                },
            }
        }
        for (index, verdict) in self.bury_unreadable(unreadable).await {
            put(&mut verdicts, index, verdict);
        }

        let (held, met) = self
            .claim(requests.iter().map(|(request, _, _)| request).collect(), &mut counts)
            .await;
        let mut ends: HashMap<NotificationId, Ended> = met.into_iter().collect();
        let next = self.deliver(&held, &mut counts).await;
        ends.extend(self.write_down(&held, next, &mut counts).await);
        let mut ends = self.bury_parked(batch, &requests, ends).await;

        for (request, members, _) in &requests {
            if let Some(verdict) = ends.remove(&request.id) {
                members
                    .iter()
                    .for_each(|index| put(&mut verdicts, *index, verdict.clone()));
            }
        }
        let verdicts = verdicts
            .into_iter()
            .map(|verdict| verdict.unwrap_or_else(|| SendVerdict::Unburied("left without a verdict".to_owned())))
            .collect();
        SendingReport { verdicts, counts }
    }

    /// Reads a request of one of our own functions.
    fn read(&self, text: &str) -> Result<DeliveryRequest, String> {
        let request = DeliveryRequest::from_wire(text)?;
        if request.channel != self.courier.channel() {
            return Err(format!(
                "channel: expected {}, got {}",
                self.courier.channel(),
                request.channel
            ));
        }
        Ok(request)
    }

    async fn bury_unreadable(&self, unreadable: Vec<(usize, &Waiting, String)>) -> Vec<(usize, SendVerdict)> {
        if unreadable.is_empty() {
            return Vec::new();
        }
        let letters: Vec<DeadLetter> = unreadable
            .iter()
            .map(|(_, waiting, reason)| DeadLetter {
                body: waiting.text.clone(),
                reason: reason.clone(),
                id: None,
                is_urgent: waiting.is_urgent,
            })
            .collect();
        let buried = self.dead_letters.bury(&letters).await;
        unreadable
            .into_iter()
            .zip(buried)
            .map(|((index, _, reason), buried)| match buried {
                Ok(()) => (index, SendVerdict::Refused(reason)),
                Err(error) => (index, SendVerdict::Unburied(chain(&error))),
            })
            .collect()
    }

    /// Claims what can be claimed; everything else gets its verdict here.
    async fn claim<'r>(
        &self,
        requests: Vec<&'r DeliveryRequest>,
        counts: &mut SendingCounts,
    ) -> (Vec<Held<'r>>, Vec<(NotificationId, Ended)>) {
        let mut held = Vec::new();
        let mut met = Vec::new();
        // The queue message is written right after the record, so that a first claim knows the delivery without reading it.
        let mut open: Vec<(&DeliveryRequest, Delivery)> = requests
            .into_iter()
            .map(|request| (request, request.opening_delivery()))
            .collect();
        for _round in 0..CLAIM_ROUNDS {
            if open.is_empty() {
                break;
            }
            let now = self.clock.now();
            let lease_until = self.deadline.saturating_add(LEASE_MARGIN).unwrap_or(Timestamp::MAX);
            let steps: Vec<Step> = open
                .iter()
                .map(|(request, delivery)| {
                    let lease = Lease {
                        owner: self.owner.to_owned(),
                        until: lease_until,
                    };
                    let (guard, next) = delivery.claim(lease, now);
                    Step {
                        id: request.id,
                        channel: request.channel,
                        guard,
                        from: delivery.clone(),
                        next,
                        channels: None,
                    }
                })
                .collect();
            let answers = self.ledger.advance(&steps).await;
            let mut again = Vec::new();
            for (((request, _), step), answer) in open.into_iter().zip(steps).zip(answers) {
                match answer {
                    Ok(Advanced::Done) => held.push(Held {
                        request,
                        delivery: step.next,
                    }),
                    Ok(Advanced::Refused(current)) => match self.encounter(request, *current, counts).await {
                        Met::Held(delivery) => held.push(Held { request, delivery }),
                        Met::Claimable(delivery) => again.push((request, delivery)),
                        Met::Ended(ended) => met.push((request.id, ended)),
                    },
                    Ok(Advanced::Unknown) => met.push((request.id, self.come_again(request.id, NOT_IN_LEDGER))),
                    Err(error) => met.push((request.id, self.come_again(request.id, &chain(&error)))),
                }
            }
            open = again;
        }
        met.extend(
            open.into_iter()
                .map(|(request, _)| (request.id, self.come_again(request.id, "others are busy with it"))),
        );
        (held, met)
    }

    /// What follows when a claim was refused.
    async fn encounter(&self, request: &DeliveryRequest, current: Delivery, counts: &mut SendingCounts) -> Met {
        let now = self.clock.now();
        match current.encounter(self.owner, self.policy.in_doubt_for, now) {
            Encounter::Claimable => Met::Claimable(current),
            Encounter::Ours => Met::Held(current),
            Encounter::Finished | Encounter::OwedToDeadLetters | Encounter::Wait(_) => {
                Met::Ended(self.ended(request.id, &current))
            }
            Encounter::LeaseOver => {
                let next = current.doubt("the sender that held it is gone", now);
                self.move_on(request, &current, next, &[State::Sending], counts).await
            }
            Encounter::DoubtOver => {
                let next = current.end_doubt(request.channel, self.policy, now);
                self.move_on(request, &current, next, &[State::InDoubt], counts).await
            }
        }
    }

    /// Moves a delivery that nobody holds, and says what that makes of its message.
    async fn move_on(
        &self,
        request: &DeliveryRequest,
        from: &Delivery,
        next: Delivery,
        states: &'static [State],
        counts: &mut SendingCounts,
    ) -> Met {
        let step = Step {
            id: request.id,
            channel: request.channel,
            guard: Guard::In {
                attempt: from.attempt,
                states,
            },
            from: from.clone(),
            next: next.clone(),
            channels: None,
        };
        let current = match self.ledger.advance(&[step]).await.pop() {
            Some(Ok(Advanced::Done)) => {
                counts.in_doubt += u64::from(next.state == State::InDoubt);
                counts.resent_in_doubt += u64::from(next.state == State::Queued);
                counts.failed += u64::from(next.state.is_failure());
                next
            }
            Some(Ok(Advanced::Refused(current))) => *current,
            Some(Ok(Advanced::Unknown)) | None => return Met::Ended(self.come_again(request.id, NOT_IN_LEDGER)),
            Some(Err(error)) => return Met::Ended(self.come_again(request.id, &chain(&error))),
        };
        let is_claimable =
            current.encounter(self.owner, self.policy.in_doubt_for, self.clock.now()) == Encounter::Claimable;
        if is_claimable {
            Met::Claimable(current)
        } else {
            Met::Ended(self.ended(request.id, &current))
        }
    }

    /// Sends everything held, concurrently, and says what each delivery becomes.
    async fn deliver(&self, held: &[Held<'_>], counts: &mut SendingCounts) -> Vec<Delivery> {
        if held.is_empty() {
            return Vec::new();
        }
        let mut users: Vec<UserId> = held.iter().filter_map(|held| held.request.user.clone()).collect();
        users.sort_unstable();
        users.dedup();
        let preferences = match users.is_empty() {
            true => Ok(HashMap::new()),
            false => self.preferences.load(&users).await,
        };
        let preferences = match preferences {
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
        if now.duration_since(
            request
                .recorded_at
                .max(request.not_before.unwrap_or(request.recorded_at)),
        ) > self.policy.hold_at_most
        {
            return End::HeldTooLong;
        }
        let is_offered = Cell::new(false);
        let offer = async {
            let message = match self.courier.write(request) {
                Ok(message) => message,
                Err(reason) => return End::Answer(SendAnswer::Refused { reason }),
            };
            // The last moment to call: the answer must still find us alive, and the lease must still be ours.
            let latest = self
                .deadline
                .saturating_sub(self.call_time_out + SETTLING_TIME)
                .unwrap_or(Timestamp::MIN);
            if self.clock.now() > latest {
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
            End::NoTimeLeft => held.delivery.give_back("no time left in this invocation", now),
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

    /// Writes down how it went, again and again while there is time: what is not written down is in doubt.
    async fn write_down(
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
                    Ok(Advanced::Unknown) => ends.push((id, self.come_again(id, NOT_IN_LEDGER))),
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
                counts.latencies_ms.push(
                    next.changed_at
                        .duration_since(held.request.at)
                        .as_millis()
                        .max(0)
                        .try_into()
                        .unwrap_or(i64::MAX),
                );
            }
            State::Parked | State::Failed => counts.failed += 1,
            State::Skipped | State::Suppressed | State::Superseded | State::Expired => counts.skipped += 1,
            State::Queued => counts.retried += 1,
            State::InDoubt => counts.in_doubt += 1,
            State::Deferred | State::Sending | State::Delivered | State::Bounced | State::Complained => {}
        }
    }

    /// The verdict on the message of a delivery that stands like this.
    fn ended(&self, id: NotificationId, current: &Delivery) -> Ended {
        let reason = current.reason.clone();
        let now = self.clock.now();
        let done = SendVerdict::Done(id, current.state, reason.clone());
        let again = |at| SendVerdict::Again(id, at, reason.unwrap_or_else(|| current.state.name().to_owned()));
        match current.encounter(self.owner, self.policy.in_doubt_for, now) {
            Encounter::Finished => Ended {
                verdict: done,
                owed: None,
            },
            Encounter::OwedToDeadLetters => Ended {
                verdict: done,
                owed: Some(current.clone()),
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

    fn come_again(&self, id: NotificationId, why: &str) -> Ended {
        Ended {
            verdict: SendVerdict::Again(id, self.soon(), why.to_owned()),
            owed: None,
        }
    }

    /// Puts the messages of parked deliveries into the dead letter queue, and writes down that it has them.
    async fn bury_parked(
        &self,
        batch: &[Waiting],
        requests: &[(DeliveryRequest, Vec<usize>, bool)],
        ends: HashMap<NotificationId, Ended>,
    ) -> HashMap<NotificationId, SendVerdict> {
        let mut owed = Vec::new();
        let mut letters = Vec::new();
        for (request, members, is_urgent) in requests {
            let Some(delivery) = ends.get(&request.id).and_then(|ended| ended.owed.as_ref()) else {
                continue;
            };
            let Some(waiting) = members.first().and_then(|index| batch.get(*index)) else {
                continue;
            };
            let reason = delivery.reason.clone().unwrap_or_default();
            letters.push(DeadLetter {
                body: waiting.text.clone(),
                reason,
                id: Some(request.id),
                is_urgent: *is_urgent,
            });
            owed.push((request, delivery.clone()));
        }
        let mut verdicts: HashMap<NotificationId, SendVerdict> =
            ends.into_iter().map(|(id, ended)| (id, ended.verdict)).collect();
        if letters.is_empty() {
            return verdicts;
        }
        let mut steps = Vec::new();
        for ((request, delivery), buried) in owed.into_iter().zip(self.dead_letters.bury(&letters).await) {
            match buried {
                Ok(()) => steps.push(Step {
                    id: request.id,
                    channel: request.channel,
                    guard: Guard::In {
                        attempt: delivery.attempt,
                        states: &[State::Parked],
                    },
                    next: delivery.dead_lettered(),
                    from: delivery,
                    channels: None,
                }),
                Err(error) => {
                    verdicts.insert(request.id, SendVerdict::Again(request.id, self.soon(), chain(&error)));
                }
            }
        }
        // Unwritten, it costs a second copy in the dead letter queue, which an operator's check of the ledger finds out.
        for (step, answer) in steps.iter().zip(self.ledger.advance(&steps).await) {
            if let Err(error) = answer {
                verdicts.insert(step.id, SendVerdict::Again(step.id, self.soon(), chain(&error)));
            }
        }
        verdicts
    }

    /// Back to the queue without a try used up, after a wait that spreads.
    fn wait_a_while(&self, delivery: &Delivery, reason: &str) -> Delivery {
        let answer = SendAnswer::Throttled {
            reason: reason.to_owned(),
        };
        delivery.settle(&answer, self.policy, self.clock.chance(), self.clock.now())
    }

    /// A moment soon, spread.
    fn soon(&self) -> Timestamp {
        self.policy
            .again_after_throttle(1, self.clock.chance(), self.clock.now())
    }
}

/// What a refused claim leads to.
enum Met {
    Held(Delivery),
    Claimable(Delivery),
    Ended(Ended),
}

/// The verdict on a message, and the parked delivery whose message the dead letter queue still has to get.
struct Ended {
    verdict: SendVerdict,
    owed: Option<Delivery>,
}

impl Held<'_> {
    /// The step by which the owner writes down what became of its delivery.
    fn becomes(&self, next: &Delivery) -> Step {
        Step {
            id: self.request.id,
            channel: self.request.channel,
            guard: self.delivery.owners_guard(),
            from: self.delivery.clone(),
            next: next.clone(),
            channels: None,
        }
    }
}

/// How the work on one held delivery ended.
enum End {
    Unwanted(State, Reason),
    HeldTooLong,
    NoTimeLeft,
    Answer(SendAnswer),
}

fn put(verdicts: &mut [Option<SendVerdict>], index: usize, verdict: SendVerdict) {
    if let Some(place) = verdicts.get_mut(index) {
        *place = Some(verdict);
    }
}
