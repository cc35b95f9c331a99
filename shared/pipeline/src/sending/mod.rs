//! The second half of the way: claim, write, send, settle.
//!
//! At most one sender at a time holds a delivery, offers it to the provider once per claim, and writes down what the answer
//! means before the queue may forget the message. What nobody knows is held in doubt, never sent again at once.

mod admit;
mod claim;
mod deliver;
mod offer;
mod settle;
mod wait;

use domain::ports::{Bury, Clock, Courier, CustomersLoad, DeadLetter, Defer, LedgerAdvance, OrderNews, TrafficShare};
use domain::{Delivery, DeliveryRequest, Night, NotificationId, RetryPolicy, State, chain};
use jiff::{SignedDuration, Timestamp};
use std::cell::Cell;
use std::collections::HashMap;

/// The second half of the way, over its ports.
pub struct Sending<'a, P, L, D, C, M, T, W> {
    /// What is known of customers, read again before sending.
    pub customers: &'a P,
    /// Where deliveries are claimed and settled, and newer news are found.
    pub ledger: &'a L,
    /// Where deliveries wait that are not to go out for a while.
    pub room: &'a W,
    /// The night of customers who chose nothing.
    pub night: &'a Night,
    /// What the account may send, shared with the other senders.
    pub traffic: &'a T,
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
    /// What this process remembers between batches.
    pub memory: &'a SenderMemory,
    /// Whether this is the trial delivery of an open breaker: it is offered all the same.
    pub is_trial: bool,
}

/// What a sender's process remembers between batches. Nothing depends on it but how soon something is noticed.
#[derive(Debug, Default)]
pub struct SenderMemory {
    /// How many messages the provider has rejected in a row.
    rejections: Cell<u32>,
    /// The window, and the lane, in which there are no permits left.
    used_up: Cell<Option<(i64, bool)>>,
}

/// One message from the queue.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// Its text: a [`DeliveryRequest`] in its wire form.
    pub text: String,
    /// Whether it came by the urgent lane.
    pub is_urgent: bool,
    /// How often it was received, this time included.
    pub receive_count: u32,
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
    /// What somebody has to know about the account.
    pub alarms: Vec<String>,
}

/// What there is to count about a batch.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct SendingCounts {
    /// Deliveries that the provider accepted.
    pub accepted: u64,
    /// The segments of those among them that are text messages.
    pub segments: u64,
    /// Deliveries that ended as a failure: refused for good, or parked.
    pub failed: u64,
    /// Deliveries that ended without a message because nobody wants it any more.
    pub skipped: u64,
    /// Those of them whose number has had its text messages of the day.
    pub over_number_limit: u64,
    /// Those of them for which the month's segments are used up.
    pub over_budget: u64,
    /// Deliveries that ended without a message because their address is suppressed.
    pub suppressed: u64,
    /// Deliveries that ended without a message because newer news came first.
    pub superseded: u64,
    /// Deliveries that wait for the end of quiet hours, or for another one.
    pub deferred: u64,
    /// Tries after which the delivery waits for the next one.
    pub retried: u64,
    /// Answers that asked for patience.
    pub throttled: u64,
    /// Answers that speak of the account.
    pub account_trouble: u64,
    /// Answers that speak of a resource of the account that is used up.
    pub limited: u64,
    /// Messages that waited for their turn, or for the breaker.
    pub held_back: u64,
    /// Troubles that opened the breaker, or kept it open.
    pub breaker_opened: u64,
    /// Deliveries of which nobody knows whether they were accepted.
    pub in_doubt: u64,
    /// Deliveries in doubt that are sent again because nothing settled them.
    pub resent_in_doubt: u64,
    /// Deliveries in doubt that ended as a failure, counted there as well: nothing settled them.
    pub failed_in_doubt: u64,
    /// Messages that are no request of ours.
    pub refused: u64,
    /// Milliseconds from the event to the provider's acceptance, one for each accepted delivery.
    pub latencies_ms: Vec<i64>,
    /// The same from the moment at which the delivery could go out: when it was handed over, or when what it waited for by
    /// plan was over. Without urgent ones.
    pub delays_ms: Vec<i64>,
    /// The same for urgent ones.
    pub urgent_delays_ms: Vec<i64>,
}

impl std::ops::AddAssign for SendingCounts {
    fn add_assign(&mut self, more: Self) {
        self.accepted += more.accepted;
        self.segments += more.segments;
        self.failed += more.failed;
        self.skipped += more.skipped;
        self.over_number_limit += more.over_number_limit;
        self.over_budget += more.over_budget;
        self.suppressed += more.suppressed;
        self.superseded += more.superseded;
        self.deferred += more.deferred;
        self.retried += more.retried;
        self.throttled += more.throttled;
        self.account_trouble += more.account_trouble;
        self.limited += more.limited;
        self.held_back += more.held_back;
        self.breaker_opened += more.breaker_opened;
        self.in_doubt += more.in_doubt;
        self.resent_in_doubt += more.resent_in_doubt;
        self.failed_in_doubt += more.failed_in_doubt;
        self.refused += more.refused;
        self.latencies_ms.extend(more.latencies_ms);
        self.delays_ms.extend(more.delays_ms);
        self.urgent_delays_ms.extend(more.urgent_delays_ms);
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

/// A request of a batch, and the messages that carry it.
struct Asked {
    request: DeliveryRequest,
    members: Vec<usize>,
    is_urgent: bool,
    receive_count: u32,
}

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
    /// Works on a batch.
    pub async fn work(&self, batch: &[Waiting]) -> SendingReport {
        let mut report = SendingReport::default();
        let counts = &mut report.counts;
        let mut verdicts: Vec<Option<SendVerdict>> = vec![None; batch.len()];
        let mut requests: Vec<Asked> = Vec::new();
        let mut unreadable = Vec::new();
        for (index, waiting) in batch.iter().enumerate() {
            match self.read(&waiting.text) {
                Err(reason) => unreadable.push((index, waiting, reason)),
                Ok(request) => match requests.iter_mut().find(|known| known.request.id == request.id) {
                    Some(known) => known.members.push(index),
                    None => requests.push(Asked {
                        request,
                        members: vec![index],
                        is_urgent: waiting.is_urgent,
                        receive_count: waiting.receive_count,
                    }),
                },
            }
        }
        for (index, verdict) in self.bury_unreadable(unreadable).await {
            counts.refused += u64::from(matches!(verdict, SendVerdict::Refused(_)));
            put(&mut verdicts, index, verdict);
        }

        let (admitted, held_back) = self.admit(&requests, counts).await;
        let (held, met) = self.claim(admitted, counts).await;
        let mut ends: HashMap<NotificationId, Ended> = held_back.into_iter().chain(met).collect();
        let next = self.deliver(&held, counts, &mut report.alarms).await;
        let next = self.let_wait(&held, next).await;
        ends.extend(self.write_down(&held, next, counts).await);
        let mut ends = self.bury_owed(batch, &requests, ends, counts).await;

        for asked in &requests {
            if let Some(verdict) = ends.remove(&asked.request.id) {
                let members = asked.members.iter();
                members.for_each(|index| put(&mut verdicts, *index, verdict.clone()));
            }
        }
        report.verdicts = verdicts
            .into_iter()
            .map(|verdict| verdict.unwrap_or_else(|| SendVerdict::Unburied("left without a verdict".to_owned())))
            .collect();
        report
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
