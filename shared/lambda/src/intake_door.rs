//! The door through which order events come in: from a queue, from a topic, or by a direct call.

use domain::ports::{Bury, Clock, CustomersLoad, HandOver, HoldBack, LedgerAdvance, LedgerRecord};
use domain::{Channel, RetryPolicy};
use pipeline::{Decided, Incoming, Intake, IntakeCounts, IntakeReport, IntakeVerdict, Lane, Reading};
use serde_json::Value;

use crate::invocation::{BatchAnswer, QueueMessage, TopicMessage, rounds};
use crate::runtime::{Call, Reply};
use crate::{MetricName, Metrics, direct};

/// Everything behind the door: the ports of an [`Intake`], made once and kept between calls.
#[derive(Debug)]
pub struct IntakeDoor<P, L, Q, D, V, C> {
    /// What is known of customers.
    pub customers: P,
    /// Where decisions are recorded.
    pub ledger: L,
    /// Where deliveries are handed over.
    pub queues: Q,
    /// Where refused messages go.
    pub dead_letters: D,
    /// How events are read.
    pub reading: Reading,
    /// Decide for this channel alone.
    pub only: Option<Channel>,
    /// When a message that has to come again does so.
    pub policy: RetryPolicy,
    /// Holds messages back.
    pub visibility: V,
    /// The queues that feed this door; none for a door that takes direct calls alone.
    pub lanes: Option<aws::ChannelQueues>,
    /// The time.
    pub clock: C,
}

impl<P, L, Q, D, V, C> IntakeDoor<P, L, Q, D, V, C>
where
    P: CustomersLoad,
    L: LedgerRecord + LedgerAdvance,
    Q: HandOver,
    D: Bury,
    V: HoldBack,
    C: Clock,
{
    /// Takes in messages of a queue; the answer names those that have to come again. If one of them has no id by which it could
    /// be named, the call fails, and the whole batch comes again.
    pub async fn take_queue(&self, messages: Vec<QueueMessage>, call: &Call) -> Reply {
        let mut answer = BatchAnswer::default();
        let mut counts = IntakeCounts::default();
        let mut outcomes = Vec::with_capacity(messages.len());
        for (nth, round) in rounds(messages, &self.clock).into_iter().enumerate() {
            let batch: Vec<Incoming> = round.iter().map(|message| self.incoming(message)).collect();
            let report = self.take(&batch, &call.owner_of_round(nth)).await;
            counts += report.counts;
            let mut waits = Vec::new();
            for (message, verdict) in round.iter().zip(&report.verdicts) {
                outcomes.push(line_of(verdict));
                if let IntakeVerdict::Retry(why) = verdict {
                    let id = message.id.as_deref().unwrap_or("without an id");
                    tracing::warn!(message.id = id, error = %why, "message {id} has to come again");
                    answer.add(message);
                    waits.extend(
                        message
                            .receipt_handle
                            .clone()
                            .map(|receipt| (receipt, self.wait(message))),
                    );
                }
            }
            let lane = self
                .lanes
                .as_ref()
                .zip(round.first())
                .and_then(|(lanes, message)| message.lane_of(lanes));
            if let (false, Some(queue)) = (waits.is_empty(), lane) {
                self.visibility.hold_back(queue, &waits).await;
            }
        }
        Reply {
            value: answer.value(),
            metrics: tell(&counts, &outcomes),
        }
    }

    /// Takes in messages of a topic that invokes the function itself. If one of them has to come again, the call fails: Lambda
    /// repeats it, and those already decided are recognised.
    pub async fn take_topic(&self, messages: Vec<TopicMessage>, call: &Call) -> Reply {
        let batch = messages
            .into_iter()
            .map(|message| self.direct(message.envelope))
            .collect::<Vec<_>>();
        let report = self.take(&batch, &call.owner).await;
        let failed = report
            .verdicts
            .iter()
            .find(|verdict| matches!(verdict, IntakeVerdict::Retry(_)));
        Reply {
            value: failed.map_or(Ok(Value::Null), |verdict| Err(line_of(verdict).into())),
            metrics: tell(&report.counts, &report.verdicts.iter().map(line_of).collect::<Vec<_>>()),
        }
    }

    /// Takes in the event of a direct call, and answers it. If it has to come again, the call fails: an asynchronous one is
    /// repeated, and ends at the failure destination.
    pub async fn take_direct(&self, payload: String, call: &Call) -> Reply {
        let report = self.take(&[self.direct(payload)], &call.owner).await;
        Reply {
            value: match report.verdicts.first() {
                Some(verdict) => direct::answer(verdict).ok_or_else(|| line_of(verdict).into()),
                None => Err("the call was left without a verdict".into()),
            },
            metrics: tell(&report.counts, &report.verdicts.iter().map(line_of).collect::<Vec<_>>()),
        }
    }

    async fn take(&self, batch: &[Incoming], owner: &str) -> IntakeReport {
        let intake = Intake {
            customers: &self.customers,
            ledger: &self.ledger,
            queues: &self.queues,
            dead_letters: &self.dead_letters,
            clock: &self.clock,
            reading: &self.reading,
            only: self.only,
            owner,
        };
        intake.take(batch).await
    }

    fn incoming(&self, message: &QueueMessage) -> Incoming {
        let is_urgent = self.lanes.as_ref().is_some_and(|lanes| message.is_from(&lanes.urgent));
        Incoming {
            text: message.text.clone(),
            published_at: message.sent_at.unwrap_or_else(|| self.clock.now()),
            lane: if is_urgent { Lane::Urgent } else { Lane::Normal },
        }
    }

    fn direct(&self, text: String) -> Incoming {
        Incoming {
            text,
            published_at: self.clock.now(),
            lane: Lane::Direct,
        }
    }

    /// Seconds until a message comes again; longer each time.
    fn wait(&self, message: &QueueMessage) -> i64 {
        let now = self.clock.now();
        let then = self
            .policy
            .again_after_throttle(message.receive_count, self.clock.chance(), now);
        then.duration_since(now).as_secs().max(1)
    }
}

/// One log line, and what there is to count.
fn tell(counts: &IntakeCounts, outcomes: &[String]) -> Metrics {
    tracing::info!(outcomes = outcomes.join("; "), "took in {} messages", outcomes.len());
    let mut metrics = Metrics::default();
    metrics
        .count(MetricName::NotificationSent, counts.decided)
        .count(MetricName::ChannelsUsed, counts.channels)
        .count(MetricName::NotificationRepeated, counts.repeated)
        .count(MetricName::EventRefused, counts.refused)
        .count(MetricName::IdempotencyConflict, counts.conflicts)
        .count(MetricName::EventRetried, counts.retried);
    metrics
}

/// A verdict for the log: ids, states and field names.
fn line_of(verdict: &IntakeVerdict) -> String {
    match verdict {
        IntakeVerdict::Decided(Decided { id, is_new, results }) => {
            let results = results.iter().map(|result| match &result.reason {
                Some(reason) => format!("{} {} ({reason})", result.channel, result.outcome),
                None => format!("{} {}", result.channel, result.outcome),
            });
            let results = results.collect::<Vec<_>>().join(", ");
            let repeated = if *is_new { "" } else { " again" };
            format!("{id}{repeated}: {results}")
        }
        IntakeVerdict::Refused(refusal) => format!("refused: {refusal}"),
        IntakeVerdict::Conflict(id) => format!("{id}: idempotency conflict"),
        IntakeVerdict::Retry(why) => format!("has to come again: {why}"),
    }
}
