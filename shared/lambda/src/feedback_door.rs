//! The door through which providers' reports come in: from their queue, and from the delivery logs of text messages.

use domain::ports::{Bury, Clock, Enqueue, HoldBack, LedgerAdvance, LedgerLoad, MessageLookUp, SuppressionsKeep};
use domain::{Channel, NotificationId, RetryPolicy};
use pipeline::{Feedback, FeedbackCounts, FeedbackVerdict, Happened, Reported};
use serde_json::Value;

use crate::invocation::{BatchAnswer, QueueMessage};
use crate::outcomes::Outcomes;
use crate::runtime::Reply;
use crate::sending_door::seconds_until;
use crate::{DeliveryMetric, MetricName, Metrics, ReportMetric};

/// Everything behind the door: the ports of a [`Feedback`], made once and kept between calls.
#[derive(Debug)]
pub struct FeedbackDoor<L, U, S, D, Q, V, C> {
    /// Where deliveries stand.
    pub ledger: L,
    /// Finds deliveries by the provider's message id.
    pub messages: U,
    /// What speaks against addresses.
    pub suppressions: S,
    /// Where goes what is no report.
    pub dead_letters: D,
    /// The queue from which reports come; entries of logs are put there first, so that they wait and return like all others.
    pub queue: Q,
    /// Its address.
    pub queue_url: String,
    /// Holds messages back.
    pub visibility: V,
    /// When to try again.
    pub policy: RetryPolicy,
    /// The time.
    pub clock: C,
}

impl<L, U, S, D, Q, V, C> FeedbackDoor<L, U, S, D, Q, V, C>
where
    L: LedgerLoad + LedgerAdvance,
    U: MessageLookUp,
    S: SuppressionsKeep,
    D: Bury,
    Q: Enqueue,
    V: HoldBack,
    C: Clock,
{
    /// Works on reports of the queue; the answer names those that have to come again.
    pub async fn work(&self, messages: Vec<QueueMessage>) -> Reply {
        let batch: Vec<Reported> = messages
            .iter()
            .map(|message| Reported {
                text: message.text.clone(),
                receive_count: message.receive_count,
            })
            .collect();
        let feedback = Feedback {
            ledger: &self.ledger,
            messages: &self.messages,
            suppressions: &self.suppressions,
            dead_letters: &self.dead_letters,
            clock: &self.clock,
            policy: &self.policy,
            suppression_policy: domain::SuppressionPolicy::default(),
        };
        let report = feedback.work(&batch).await;
        let mut answer = BatchAnswer::default();
        let mut waits = Vec::new();
        for (message, verdict) in messages.iter().zip(&report.verdicts) {
            if let FeedbackVerdict::Again(at, _) = verdict {
                answer.add(message);
                let seconds = seconds_until(*at, self.clock.now());
                waits.extend(message.receipt_handle.clone().map(|receipt| (receipt, seconds)));
            }
        }
        if !waits.is_empty() {
            self.visibility.hold_back(&self.queue_url, &waits).await;
        }
        let mut outcomes = Outcomes::default();
        for verdict in &report.verdicts {
            let (outcome, id) = outcome_of(verdict);
            outcomes.add(outcome, id);
        }
        tracing::info!(outcomes = %outcomes, "took in {} reports", outcomes.count());
        Reply {
            value: answer.value(),
            metrics: metrics_of(&report.counts),
        }
    }

    /// Puts the entries of a delivery log on the queue. If one of them is not taken, the call fails: Lambda repeats it, and a
    /// report that comes twice changes nothing.
    pub async fn take_logs(&self, entries: Vec<String>) -> Reply {
        let taken = self.queue.enqueue(&entries).await;
        let failed = taken.into_iter().find_map(Result::err);
        tracing::info!("took over {} entries of a delivery log", entries.len());
        Reply {
            value: failed.map_or(Ok(Value::Null), |error| Err(domain::chain(&error).into())),
            metrics: Metrics::default(),
        }
    }
}

fn metrics_of(counts: &FeedbackCounts) -> Metrics {
    let mut metrics = Metrics::default();
    let happened = counts.happened.iter();
    let mut happened: Vec<_> = happened
        .map(|((channel, happened), count)| (name_of(*channel, *happened), *count))
        .collect();
    happened.sort_by_key(|(name, _)| name.as_str());
    for (name, count) in happened {
        metrics.count(name, count);
    }
    metrics
        .count(MetricName::FeedbackUnmatched, counts.unmatched)
        .count(MetricName::FeedbackRefused, counts.refused)
        .count(MetricName::ContactSuppressed, counts.suppressed);
    metrics
}

const fn name_of(channel: Channel, happened: Happened) -> MetricName {
    match happened {
        Happened::Success => MetricName::Delivery(channel, DeliveryMetric::Success),
        Happened::SettledInDoubt => MetricName::Delivery(channel, DeliveryMetric::SettledInDoubt),
        Happened::Delivered => MetricName::Report(channel, ReportMetric::Delivered),
        Happened::Bounced => MetricName::Report(channel, ReportMetric::Bounced),
        Happened::Complained => MetricName::Report(channel, ReportMetric::Complained),
        Happened::Delayed => MetricName::Report(channel, ReportMetric::Delayed),
        Happened::Opened => MetricName::Report(channel, ReportMetric::Opened),
        Happened::OpenedByMachine => MetricName::Report(channel, ReportMetric::OpenedByMachine),
        Happened::Clicked => MetricName::Report(channel, ReportMetric::Clicked),
    }
}

/// A verdict for the log: states and reasons, and the notification.
fn outcome_of(verdict: &FeedbackVerdict) -> (String, Option<NotificationId>) {
    match verdict {
        FeedbackVerdict::Done(Some((id, channel, state))) => (format!("{channel} {state}"), Some(*id)),
        FeedbackVerdict::Done(None) => ("about no delivery of ours".to_owned(), None),
        FeedbackVerdict::Again(at, why) => (format!("again at {at} ({why})"), None),
        FeedbackVerdict::Refused(why) => (format!("refused: {why}"), None),
    }
}
