//! The first half of the way: read, decide, record, hand over.
//!
//! Every decision stands in the ledger before anything is queued. A record that comes again finds its notification there and
//! only makes up for what may be missing: a hand-over that nobody has taken up, or a channel that was not asked for before.

mod decide;
mod gather;

use domain::ports::{Bury, Clock, CustomersLoad, DeadLetter, HandOver, LedgerAdvance, LedgerRecord};
use domain::{Channel, ChannelResult, NotificationId, TraceContext, chain};
use jiff::Timestamp;

use crate::{Reading, Refusal};

/// The first half of the way, over its ports.
pub struct Intake<'a, P, L, Q, D, C> {
    /// What is known of customers.
    pub customers: &'a P,
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
    /// The trace that what follows from it belongs to.
    pub trace: Option<TraceContext>,
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

impl<P, L, Q, D, C> Intake<'_, P, L, Q, D, C>
where
    P: CustomersLoad,
    L: LedgerRecord + LedgerAdvance,
    Q: HandOver,
    D: Bury,
    C: Clock,
{
    /// Takes in a batch.
    pub async fn take(&self, batch: &[Incoming]) -> IntakeReport {
        let mut counts = IntakeCounts::default();
        let (waves, mut ends) = self.gather(batch);
        for wave in &waves {
            ends.extend(self.decide_all(wave, &mut counts).await);
        }
        let mut verdicts: Vec<Option<IntakeVerdict>> = vec![None; batch.len()];
        for (index, verdict) in self.bury_refused(batch, ends).await {
            if let Some(place) = verdicts.get_mut(index) {
                *place = Some(verdict);
            }
        }
        let unknown = || IntakeVerdict::Retry("left without a verdict".to_owned());
        let verdicts: Vec<IntakeVerdict> = verdicts
            .into_iter()
            .map(|verdict| verdict.unwrap_or_else(unknown))
            .collect();
        for (incoming, verdict) in batch.iter().zip(&verdicts) {
            let is_reported_here = u64::from(incoming.lane != Lane::Urgent);
            match verdict {
                IntakeVerdict::Decided(decided) => counts.repeated += u64::from(!decided.is_new),
                IntakeVerdict::Refused(_) => counts.refused += is_reported_here,
                IntakeVerdict::Conflict(_) => counts.conflicts += is_reported_here,
                IntakeVerdict::Retry(_) => counts.retried += 1,
            }
        }
        IntakeReport { verdicts, counts }
    }

    /// Buries what was refused, except what the normal lane will bury.
    async fn bury_refused(&self, batch: &[Incoming], ends: Vec<(usize, IntakeVerdict)>) -> Vec<(usize, IntakeVerdict)> {
        let letter = |index: usize, verdict: &IntakeVerdict| {
            let incoming = batch.get(index).filter(|incoming| incoming.lane != Lane::Urgent)?;
            let (reason, id) = match verdict {
                IntakeVerdict::Refused(refusal) => (refusal.to_string(), None),
                IntakeVerdict::Conflict(id) => (
                    format!("idempotencyKey: stands for another content already, as notification {id}"),
                    Some(*id),
                ),
                IntakeVerdict::Decided(_) | IntakeVerdict::Retry(_) => return None,
            };
            Some(DeadLetter {
                body: incoming.text.clone(),
                reason,
                id,
                is_urgent: false,
            })
        };
        let letters: Vec<Option<DeadLetter>> = ends.iter().map(|(index, verdict)| letter(*index, verdict)).collect();
        let owed: Vec<DeadLetter> = letters.iter().flatten().cloned().collect();
        let mut buried = match owed.is_empty() {
            true => Vec::new(),
            false => self.dead_letters.bury(&owed).await,
        }
        .into_iter();
        ends.into_iter()
            .zip(letters)
            .map(
                |((index, verdict), letter)| match letter.and_then(|_owed| buried.next()) {
                    Some(Err(error)) => (index, IntakeVerdict::Retry(chain(&error))),
                    Some(Ok(())) | None => (index, verdict),
                },
            )
            .collect()
    }
}
