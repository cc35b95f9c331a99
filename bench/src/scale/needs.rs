//! What so many e-mails a second need.

use super::figures::{Figures, RECEIPTS_PER_EMAIL, WRITTEN_RECEIPTS_PER_EMAIL};
use super::{Limits, aws};

/// Writes to the items of the ledger for an e-mail that goes well: recorded, claimed, settled.
pub const LEDGER_WRITES_PER_EMAIL: f64 = 3.0;
/// Writes to `userId-timestamp-index`: recorded and settled. A claim changes nothing that it projects.
pub const USER_INDEX_WRITES_PER_EMAIL: f64 = 2.0;
/// Writes to `orderId-timestamp-index`: recorded. Its keys never change.
pub const ORDER_INDEX_WRITES_PER_EMAIL: f64 = 1.0;
/// Consistent reads of items of less than 4 KB: preferences and suppressions, once by the orchestrator and once by the sender.
pub const READS_PER_EMAIL: f64 = 4.0;
/// What a normal lane gets of the pace: the rest is kept for what is urgent.
pub const NORMAL_PART: f64 = 0.8;

/// What so many e-mails a second need. Everything "per second" unless it says otherwise.
#[derive(Debug, Clone, PartialEq)]
pub struct Needs {
    /// E-mails.
    pub emails: f64,
    /// Events in a batch of the orchestrator, on average.
    pub events_in_a_batch: f64,
    /// E-mails in a batch of the sender, on average.
    pub emails_in_a_batch: f64,
    /// SES's events in a batch, on average.
    pub receipts_in_a_batch: f64,
    /// Batches of the orchestrator.
    pub orchestrations: f64,
    /// Batches of the sender.
    pub sendings: f64,
    /// Batches of SES's events.
    pub receptions: f64,
    /// Orchestrators that run at once.
    pub orchestrators_at_once: f64,
    /// Senders that run at once.
    pub senders_at_once: f64,
    /// Functions for SES's events that run at once.
    pub receipts_at_once: f64,
    /// Gigabytes of memory for a second, without SES's events.
    pub gigabyte_seconds: f64,
    /// The same for SES's events.
    pub receipt_gigabyte_seconds: f64,
    /// Requests of SQS without SES's events: what topics deliver, what is received, deleted and sent.
    pub queue_requests: f64,
    /// The same for SES's events.
    pub receipt_queue_requests: f64,
    /// Publishes: the events, and what SES tells.
    pub publishes: f64,
    /// Write units of the ledger's items, with those for SES's events.
    pub ledger_writes: f64,
    /// Write units of its index by customer, with those for SES's events.
    pub user_index_writes: f64,
    /// Write units of its index by order.
    pub order_index_writes: f64,
    /// Write units of one item: the window in which senders count.
    pub window_writes: f64,
    /// Read units of all tables, with those for SES's events.
    pub reads: f64,
    /// E-mails a second that SES must allow, when all of them are normal.
    pub ses_rate: f64,
    /// E-mails in 24 hours that SES must allow.
    pub ses_per_day: f64,
}

impl Needs {
    /// What so many e-mails a second need, all on the normal lane.
    #[must_use]
    pub fn of(figures: &Figures, limits: &Limits, emails: f64) -> Self {
        let receipts = emails * RECEIPTS_PER_EMAIL;
        let events_in_a_batch = limits.orchestrator.normal.mean_batch(emails);
        let emails_in_a_batch = limits.sender.normal.mean_batch(emails);
        let receipts_in_a_batch = limits.receipts.mean_batch(receipts);
        let orchestrations = emails / events_in_a_batch;
        let sendings = emails / emails_in_a_batch;
        let receptions = receipts / receipts_in_a_batch;
        let orchestrators_at_once = orchestrations * figures.orchestrator_seconds(limits, events_in_a_batch);
        let senders_at_once = sendings * figures.sender_seconds(limits, emails_in_a_batch);
        let receipts_at_once = receptions * figures.receipts_seconds(limits, receipts_in_a_batch);
        let gigabytes = limits.memory_megabytes / 1_024.0;
        let written = emails * WRITTEN_RECEIPTS_PER_EMAIL;
        Self {
            emails,
            events_in_a_batch,
            emails_in_a_batch,
            receipts_in_a_batch,
            orchestrations,
            sendings,
            receptions,
            orchestrators_at_once,
            senders_at_once,
            receipts_at_once,
            gigabyte_seconds: gigabytes * (orchestrators_at_once + senders_at_once),
            receipt_gigabyte_seconds: gigabytes * receipts_at_once,
            queue_requests: emails + 3.0 * orchestrations + 2.0 * sendings,
            receipt_queue_requests: receipts + 2.0 * receptions,
            publishes: emails + receipts,
            ledger_writes: emails * LEDGER_WRITES_PER_EMAIL + written,
            user_index_writes: emails * USER_INDEX_WRITES_PER_EMAIL + written,
            order_index_writes: emails * ORDER_INDEX_WRITES_PER_EMAIL,
            window_writes: sendings,
            reads: emails * READS_PER_EMAIL + receipts,
            ses_rate: emails / NORMAL_PART,
            ses_per_day: emails * 86_400.0,
        }
    }

    /// The partitions that the ledger's items need.
    #[must_use]
    pub fn ledger_partitions(&self) -> f64 {
        let reads = self.emails * RECEIPTS_PER_EMAIL;
        let by_writes = self.ledger_writes / aws::PARTITION_WRITES_PER_SECOND;
        by_writes.max(reads / aws::PARTITION_READS_PER_SECOND).ceil().max(1.0)
    }

    /// Functions that run at once, of all three kinds.
    #[must_use]
    pub fn at_once(&self) -> f64 {
        self.orchestrators_at_once + self.senders_at_once + self.receipts_at_once
    }

    /// Invocations of all three functions.
    #[must_use]
    pub fn invocations(&self) -> f64 {
        self.orchestrations + self.sendings + self.receptions
    }
}
