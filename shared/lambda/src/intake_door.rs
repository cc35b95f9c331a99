//! The door through which order events come in: from a queue, from a topic, or by a direct call.

use domain::ports::{Bury, Clock, CustomersLoad, HandOver, HoldBack, LedgerAdvance, LedgerRecord};
use domain::{Channel, NotificationId, RetryPolicy, TraceContext};
use pipeline::{Decided, Incoming, Intake, IntakeCounts, IntakeReport, IntakeVerdict, Lane, Reading};
use serde_json::Value;

use crate::invocation::{BatchAnswer, QueueMessage, TopicMessage, rounds};
use crate::journey::{Arrival, Journeys};
use crate::outcomes::Outcomes;
use crate::runtime::{Call, Reply};
use crate::segment::End;
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
        let mut outcomes = Outcomes::default();
        for (nth, round) in rounds(messages, &self.clock).into_iter().enumerate() {
            let journeys = Journeys::begin(&call.traces, &round, &self.clock);
            let batch = round.iter().enumerate();
            let batch: Vec<Incoming> = batch
                .map(|(index, message)| self.incoming(message, journeys.onward(index)))
                .collect();
            let report = self.take(&batch, &journeys, &call.owner_of_round(nth)).await;
            journeys.end(report.verdicts.iter().map(arrival));
            counts += report.counts;
            let mut waits = Vec::new();
            for (message, verdict) in round.iter().zip(&report.verdicts) {
                let (outcome, id) = outcome_of(verdict);
                outcomes.add(outcome, id);
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
            .map(|message| self.direct(message.envelope, call))
            .collect::<Vec<_>>();
        let journeys = Journeys::begin(&call.traces, &[], &self.clock);
        let report = self.take(&batch, &journeys, &call.owner).await;
        let failed = report
            .verdicts
            .iter()
            .find(|verdict| matches!(verdict, IntakeVerdict::Retry(_)));
        Reply {
            value: failed.map_or(Ok(Value::Null), |verdict| Err(outcome_of(verdict).0.into())),
            metrics: tell(&report.counts, &outcomes_of(&report.verdicts)),
        }
    }

    /// Takes in the event of a direct call, and answers it. If it has to come again, the call fails: an asynchronous one is
    /// repeated, and ends at the failure destination.
    pub async fn take_direct(&self, payload: String, call: &Call) -> Reply {
        let journeys = Journeys::begin(&call.traces, &[], &self.clock);
        let report = self.take(&[self.direct(payload, call)], &journeys, &call.owner).await;
        Reply {
            value: match report.verdicts.first() {
                Some(verdict) => direct::answer(verdict).ok_or_else(|| outcome_of(verdict).0.into()),
                None => Err("the call was left without a verdict".into()),
            },
            metrics: tell(&report.counts, &outcomes_of(&report.verdicts)),
        }
    }

    async fn take(&self, batch: &[Incoming], journeys: &Journeys<'_, C>, owner: &str) -> IntakeReport {
        let intake = Intake {
            customers: &journeys.watch(&self.customers),
            ledger: &journeys.watch(&self.ledger),
            queues: &journeys.watch(&self.queues),
            dead_letters: &self.dead_letters,
            clock: &self.clock,
            reading: &self.reading,
            only: self.only,
            owner,
        };
        // On the heap, as the compiler would otherwise lay out every future in it at once, which is deeper than it goes.
        Box::pin(intake.take(batch)).await
    }

    fn incoming(&self, message: &QueueMessage, trace: Option<TraceContext>) -> Incoming {
        let is_urgent = self.lanes.as_ref().is_some_and(|lanes| message.is_from(&lanes.urgent));
        Incoming {
            text: message.text.clone(),
            published_at: message.sent_at.unwrap_or_else(|| self.clock.now()),
            lane: if is_urgent { Lane::Urgent } else { Lane::Normal },
            trace,
        }
    }

    /// What follows from a direct call goes on in its trace.
    fn direct(&self, text: String, call: &Call) -> Incoming {
        Incoming {
            text,
            published_at: self.clock.now(),
            lane: Lane::Direct,
            trace: call.traces.invocation(),
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
fn tell(counts: &IntakeCounts, outcomes: &Outcomes) -> Metrics {
    tracing::info!(outcomes = %outcomes, "took in {} messages", outcomes.count());
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

fn outcomes_of(verdicts: &[IntakeVerdict]) -> Outcomes {
    let mut outcomes = Outcomes::default();
    for verdict in verdicts {
        let (outcome, id) = outcome_of(verdict);
        outcomes.add(outcome, id);
    }
    outcomes
}

/// A verdict for the log: states, reasons and field names, and the notification.
fn outcome_of(verdict: &IntakeVerdict) -> (String, Option<NotificationId>) {
    match verdict {
        IntakeVerdict::Decided(Decided { id, is_new, results }) => {
            let results = results.iter().map(|result| match &result.reason {
                Some(reason) => format!("{} {} ({reason})", result.channel, result.outcome),
                None => format!("{} {}", result.channel, result.outcome),
            });
            let results = results.collect::<Vec<_>>().join(", ");
            let known = if *is_new { "" } else { "known, " };
            (format!("{known}{results}"), Some(*id))
        }
        IntakeVerdict::Refused(refusal) => (format!("refused: {refusal}"), None),
        IntakeVerdict::Conflict(id) => ("idempotency conflict".to_owned(), Some(*id)),
        IntakeVerdict::Retry(why) => (format!("has to come again: {why}"), None),
    }
}

/// A verdict for the trace.
fn arrival(verdict: &IntakeVerdict) -> Arrival {
    let (outcome, about, end) = match verdict {
        IntakeVerdict::Decided(decided) if decided.is_new => ("decided", Some(decided.id), End::Well),
        IntakeVerdict::Decided(decided) => ("known", Some(decided.id), End::Well),
        IntakeVerdict::Refused(_) => ("refused", None, End::Error),
        IntakeVerdict::Conflict(id) => ("idempotency conflict", Some(*id), End::Error),
        IntakeVerdict::Retry(_) => ("again", None, End::Fault),
    };
    Arrival {
        about,
        channel: None,
        outcome: outcome.to_owned(),
        end,
    }
}
