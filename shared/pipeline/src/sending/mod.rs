//! The second half of the way: claim, write, send, settle.
//!
//! At most one sender at a time holds a delivery, offers it to the provider once per claim, and writes down what the answer
//! means before the queue may forget the message. What nobody knows is held in doubt, never sent again at once.

mod claim;
mod deliver;
mod settle;

use domain::ports::{Bury, Clock, Courier, DeadLetter, LedgerAdvance, PreferencesLoad};
use domain::{Delivery, DeliveryRequest, NotificationId, RetryPolicy, State, chain};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;

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
    /// Messages that are no request of ours.
    pub refused: u64,
    /// Milliseconds from the event to the provider's acceptance, one for each accepted delivery.
    pub latencies_ms: Vec<i64>,
}

impl std::ops::AddAssign for SendingCounts {
    fn add_assign(&mut self, more: Self) {
        self.accepted += more.accepted;
        self.failed += more.failed;
        self.skipped += more.skipped;
        self.retried += more.retried;
        self.throttled += more.throttled;
        self.account_trouble += more.account_trouble;
        self.in_doubt += more.in_doubt;
        self.resent_in_doubt += more.resent_in_doubt;
        self.refused += more.refused;
        self.latencies_ms.extend(more.latencies_ms);
    }
}

/// Kept free at the end of an invocation to write down how it went.
const SETTLING_TIME: SignedDuration = SignedDuration::from_secs(5);

/// Why a delivery was left to the next invocation.
const NO_TIME_LEFT: &str = "no time left in this invocation";

/// A delivery that this invocation holds, and the request it serves.
struct Held<'r> {
    request: &'r DeliveryRequest,
    delivery: Delivery,
}

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
            counts.refused += u64::from(matches!(verdict, SendVerdict::Refused(_)));
            put(&mut verdicts, index, verdict);
        }

        let (held, met) = self
            .claim(requests.iter().map(|(request, _, _)| request).collect(), &mut counts)
            .await;
        let mut ends: HashMap<NotificationId, Ended> = met.into_iter().collect();
        let next = self.deliver(&held, &mut counts).await;
        ends.extend(self.write_down(&held, next, &mut counts).await);
        let mut ends = self.bury_owed(batch, &requests, ends, &mut counts).await;

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

    /// Whether the last moment to call the provider is over: the answer must still find us alive, and the lease ours.
    fn is_too_late_to_offer(&self) -> bool {
        let latest = self.deadline.saturating_sub(self.call_time_out + SETTLING_TIME);
        self.clock.now() > latest.unwrap_or(Timestamp::MIN)
    }

    /// A moment soon, spread.
    fn soon(&self) -> Timestamp {
        self.policy
            .again_after_throttle(1, self.clock.chance(), self.clock.now())
    }
}

/// The verdict on a message, and the parked delivery whose message the dead letter queue still has to get.
struct Ended {
    verdict: SendVerdict,
    owed: Option<Delivery>,
}

impl Ended {
    /// The ledger is written before the queue: what it does not know was not put there by us.
    fn foreign() -> Self {
        Self {
            verdict: SendVerdict::Refused("not in the ledger".to_owned()),
            owed: None,
        }
    }
}

fn put(verdicts: &mut [Option<SendVerdict>], index: usize, verdict: SendVerdict) {
    if let Some(place) = verdicts.get_mut(index) {
        *place = Some(verdict);
    }
}
