//! What providers report afterwards: reports move deliveries along their arrows and suppress addresses.
//!
//! Reports come late, twice, in any order and about messages of others; the ledger ends the same. A message leaves its queue
//! once everything that it says is written down.

mod ses;
mod sms;

use domain::ports::{
    Advanced, Bury, Clock, DeadLetter, LedgerAdvance, LedgerLoad, MessageLookUp, Step, SuppressionsKeep, Unavailable,
};
use domain::{
    Channel, Contact, Evidence, Notification, NotificationId, Report, RetryPolicy, State, Strike, Suppression,
    SuppressionPolicy, chain,
};
use jiff::Timestamp;
use std::collections::HashMap;

pub use sms::{InvalidLogs, entries_of};

/// A report that others keep changing under us is read again so often.
const ROUNDS: usize = 5;

/// The work on reports, over its ports.
pub struct Feedback<'a, L, U, S, D, C> {
    /// Where deliveries stand.
    pub ledger: &'a L,
    /// Finds deliveries by the provider's message id.
    pub messages: &'a U,
    /// What speaks against addresses.
    pub suppressions: &'a S,
    /// Where goes what is no report.
    pub dead_letters: &'a D,
    /// The time.
    pub clock: &'a C,
    /// When to try again.
    pub policy: &'a RetryPolicy,
    /// When soft bounces add up.
    pub suppression_policy: SuppressionPolicy,
}

/// One message with a report.
#[derive(Clone)]
pub struct Reported {
    /// Its text: an event or a notification of SES, bare or in the envelope of SNS, or an entry of an SMS delivery log.
    pub text: String,
    /// How often it was received, this time included.
    pub receive_count: u32,
}

/// What became of one message.
#[derive(Debug, Clone, PartialEq)]
pub enum FeedbackVerdict {
    /// Written down: what it was about, and the state of that delivery since.
    Done(Option<(NotificationId, Channel, State)>),
    /// It has to come again, at that moment.
    Again(Timestamp, String),
    /// It cannot be read; the dead letter queue has it.
    Refused(String),
}

/// What became of a batch.
#[derive(Debug, Default)]
pub struct FeedbackReport {
    /// One verdict per message, in order.
    pub verdicts: Vec<FeedbackVerdict>,
    /// What there is to count: metric names and numbers.
    pub counts: FeedbackCounts,
}

/// What there is to count about a batch.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct FeedbackCounts {
    /// By channel and what happened to a delivery.
    pub happened: HashMap<(Channel, Happened), u64>,
    /// Reports about messages that the ledger does not know.
    pub unmatched: u64,
    /// Addresses that came to be suppressed.
    pub suppressed: u64,
    /// Messages that are no report.
    pub refused: u64,
}

/// What a report did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Happened {
    /// Showed that a message was accepted of which we did not know it.
    Success,
    /// Settled a delivery in doubt.
    SettledInDoubt,
    /// Delivered.
    Delivered,
    /// Came back.
    Bounced,
    /// Called unwanted.
    Complained,
    /// Still on its way.
    Delayed,
    /// Opened by a person.
    Opened,
    /// Opened by a machine.
    OpenedByMachine,
    /// A link in it was followed.
    Clicked,
}

impl<L, U, S, D, C> Feedback<'_, L, U, S, D, C>
where
    L: LedgerLoad + LedgerAdvance,
    U: MessageLookUp,
    S: SuppressionsKeep,
    D: Bury,
    C: Clock,
{
    /// Works on a batch.
    pub async fn work(&self, batch: &[Reported]) -> FeedbackReport {
        let mut counts = FeedbackCounts::default();
        let mut verdicts: Vec<Option<FeedbackVerdict>> = vec![None; batch.len()];
        let mut reports = Vec::new();
        let mut refused = Vec::new();
        for (index, reported) in batch.iter().enumerate() {
            match read(&reported.text) {
                Ok(Some(report)) => reports.push((index, report)),
                // News of SES that are about no message, such as a test of the subscription.
                Ok(None) => put(&mut verdicts, index, FeedbackVerdict::Done(None)),
                Err(reason) => refused.push((index, reason)),
            }
        }
        self.bury(batch, refused, &mut verdicts, &mut counts).await;
        let known = self.find(&reports).await;
        for (index, report) in reports {
            let receive_count = batch.get(index).map_or(1, |reported| reported.receive_count);
            let done = match &known {
                Ok(known) => self
                    .take(&report, known, &mut counts)
                    .await
                    .map_err(|error| chain(&error)),
                Err(error) => Err(chain(error)),
            };
            let verdict = match done {
                Ok(done) => FeedbackVerdict::Done(done),
                Err(why) => {
                    let chance = self.clock.chance();
                    let again = self
                        .policy
                        .again_after_throttle(receive_count, chance, self.clock.now());
                    FeedbackVerdict::Again(again, why)
                }
            };
            put(&mut verdicts, index, verdict);
        }
        let verdicts = verdicts.into_iter().map(|verdict| {
            verdict.unwrap_or_else(|| FeedbackVerdict::Again(self.clock.now(), "left without a verdict".to_owned()))
        });
        FeedbackReport {
            verdicts: verdicts.collect(),
            counts,
        }
    }

    async fn bury(
        &self,
        batch: &[Reported],
        refused: Vec<(usize, String)>,
        verdicts: &mut [Option<FeedbackVerdict>],
        counts: &mut FeedbackCounts,
    ) {
        let letters: Vec<DeadLetter> = refused
            .iter()
            .filter_map(|(index, reason)| {
                Some(DeadLetter {
                    body: batch.get(*index)?.text.clone(),
                    reason: reason.clone(),
                    id: None,
                    is_urgent: false,
                })
            })
            .collect();
        if letters.is_empty() {
            return;
        }
        for ((index, reason), buried) in refused.into_iter().zip(self.dead_letters.bury(&letters).await) {
            let verdict = match buried {
                Ok(()) => {
                    counts.refused += 1;
                    FeedbackVerdict::Refused(reason)
                }
                Err(error) => FeedbackVerdict::Again(self.clock.now(), chain(&error)),
            };
            put(verdicts, index, verdict);
        }
    }

    /// The deliveries that the reports are about, by message id, and how their notifications stand.
    async fn find(&self, reports: &[(usize, Report)]) -> Result<Known, Unavailable> {
        let mut unnamed: Vec<String> = reports
            .iter()
            .filter(|(_, report)| report.delivery.is_none())
            .map(|(_, report)| report.message_id.clone())
            .collect();
        unnamed.sort_unstable();
        unnamed.dedup();
        let by_message = match unnamed.is_empty() {
            true => HashMap::new(),
            false => self.messages.find(&unnamed).await?,
        };
        let named = reports.iter().filter_map(|(_, report)| report.delivery);
        let mut ids: Vec<NotificationId> = named.chain(by_message.values().copied()).map(|(id, _)| id).collect();
        ids.sort_unstable();
        ids.dedup();
        let notifications = match ids.is_empty() {
            true => HashMap::new(),
            false => self.ledger.load(&ids).await?,
        };
        Ok(Known {
            by_message,
            notifications: notifications.into(),
        })
    }

    /// Writes down what one report says.
    async fn take(
        &self,
        report: &Report,
        known: &Known,
        counts: &mut FeedbackCounts,
    ) -> Result<Option<(NotificationId, Channel, State)>, Unavailable> {
        for (contact, strike) in &report.strikes {
            counts.suppressed += u64::from(self.strike(contact, strike).await?);
        }
        let delivery = report
            .delivery
            .or_else(|| known.by_message.get(&report.message_id).copied());
        let Some((id, channel)) = delivery else {
            counts.unmatched += 1;
            return Ok(None);
        };
        self.learn(report, id, channel, known, counts).await
    }

    /// Moves the delivery, looking again whenever somebody else was faster.
    async fn learn(
        &self,
        report: &Report,
        id: NotificationId,
        channel: Channel,
        known: &Known,
        counts: &mut FeedbackCounts,
    ) -> Result<Option<(NotificationId, Channel, State)>, Unavailable> {
        for _round in 0..ROUNDS {
            let Some(from) = known.delivery(id, channel) else {
                counts.unmatched += 1;
                return Ok(None);
            };
            let now = self.clock.now();
            let Some((guard, next)) = from.learn(&report.evidence, &report.message_id, report.at, now) else {
                counts.witness(channel, &report.evidence);
                return Ok(Some((id, channel, from.state)));
            };
            let step = Step {
                id,
                channel,
                guard,
                from: from.clone(),
                next: next.clone(),
                channels: None,
            };
            match self.ledger.advance(&[step]).await.pop() {
                Some(Ok(Advanced::Done)) => {
                    known.put(id, channel, next.clone());
                    counts.moved(channel, from.state, next.state);
                    counts.witness(channel, &report.evidence);
                    return Ok(Some((id, channel, next.state)));
                }
                Some(Ok(Advanced::Refused(current))) => known.put(id, channel, *current),
                Some(Ok(Advanced::Unknown)) | None => {
                    counts.unmatched += 1;
                    return Ok(None);
                }
                Some(Err(error)) => return Err(error),
            }
        }
        Err(Unavailable::new(
            "write down a report",
            "others keep changing the delivery",
        ))
    }

    /// Holds a strike against an address; whether that suppressed it.
    async fn strike(&self, contact: &Contact, strike: &Strike) -> Result<bool, Unavailable> {
        for _round in 0..ROUNDS {
            let known = self.suppressions.look_up(contact).await?.unwrap_or_default();
            let Some(next) = known.after(strike, &self.suppression_policy) else {
                return Ok(false);
            };
            if self.suppressions.keep(contact, &next).await? {
                return Ok(is_new_hold(&known, &next));
            }
        }
        Err(Unavailable::new("suppress an address", "others keep changing it"))
    }
}

fn is_new_hold(before: &Suppression, after: &Suppression) -> bool {
    after.hold.is_some() && before.hold != after.hold
}

/// What is known of the deliveries of a batch; changes as the batch is worked on.
struct Known {
    by_message: HashMap<String, (NotificationId, Channel)>,
    notifications: std::cell::RefCell<HashMap<NotificationId, Notification>>,
}

impl Known {
    fn delivery(&self, id: NotificationId, channel: Channel) -> Option<domain::Delivery> {
        self.notifications.borrow().get(&id)?.deliveries.get(&channel).cloned()
    }

    fn put(&self, id: NotificationId, channel: Channel, delivery: domain::Delivery) {
        if let Some(notification) = self.notifications.borrow_mut().get_mut(&id) {
            notification.deliveries.insert(channel, delivery);
        }
    }
}

impl FeedbackCounts {
    fn add(&mut self, channel: Channel, happened: Happened) {
        *self.happened.entry((channel, happened)).or_default() += 1;
    }

    /// Counts what a move from one state to the next says.
    fn moved(&mut self, channel: Channel, from: State, to: State) {
        if from == to {
            return;
        }
        if !from.is_accepted() {
            self.add(channel, Happened::Success);
        }
        if from == State::InDoubt {
            self.add(channel, Happened::SettledInDoubt);
        }
        match to {
            State::Delivered => self.add(channel, Happened::Delivered),
            State::Bounced => self.add(channel, Happened::Bounced),
            State::Complained => self.add(channel, Happened::Complained),
            State::Deferred
            | State::Queued
            | State::Sending
            | State::InDoubt
            | State::Sent
            | State::Parked
            | State::Skipped
            | State::Suppressed
            | State::Superseded
            | State::Expired
            | State::Failed => {}
        }
    }

    /// Counts what is told of a message without moving it.
    fn witness(&mut self, channel: Channel, evidence: &Evidence) {
        match evidence {
            Evidence::Delayed => self.add(channel, Happened::Delayed),
            Evidence::Opened { by_machine: false } => self.add(channel, Happened::Opened),
            Evidence::Opened { by_machine: true } => self.add(channel, Happened::OpenedByMachine),
            Evidence::Clicked => self.add(channel, Happened::Clicked),
            Evidence::Accepted
            | Evidence::Delivered
            | Evidence::Bounced { .. }
            | Evidence::Rejected
            | Evidence::Complained => {}
        }
    }
}

/// Reads a report of either provider.
fn read(text: &str) -> Result<Option<Report>, String> {
    match sms::read(text) {
        Some(report) => report.map(Some),
        None => ses::read(text),
    }
}

fn put(verdicts: &mut [Option<FeedbackVerdict>], index: usize, verdict: FeedbackVerdict) {
    if let Some(place) = verdicts.get_mut(index) {
        *place = Some(verdict);
    }
}
