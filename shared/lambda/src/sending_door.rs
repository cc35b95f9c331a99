//! The door through which deliveries reach a sender: from its two queues.

use domain::ports::{Bury, Clock, Courier, CustomersLoad, Defer, HoldBack, LedgerAdvance, OrderNews, TrafficShare};
use domain::{Night, NotificationId, RetryPolicy, State};
use jiff::{SignedDuration, Timestamp};
use pipeline::{SendVerdict, SenderMemory, Sending, SendingCounts, SendingReport, Waiting};

use crate::invocation::{BatchAnswer, QueueMessage, rounds};
use crate::journey::{Arrival, Journeys};
use crate::outcomes::Outcomes;
use crate::runtime::{Call, Reply};
use crate::segment::End;
use crate::{DeliveryMetric, MetricName, Metrics};

/// Everything behind the door: the ports of a [`Sending`], made once and kept between calls.
#[derive(Debug)]
pub struct SendingDoor<P, L, D, M, T, V, C, W> {
    /// What is known of customers.
    pub customers: P,
    /// Where deliveries are claimed and settled.
    pub ledger: L,
    /// Where parked messages go.
    pub dead_letters: D,
    /// Who writes the message and takes it to the provider.
    pub courier: M,
    /// What the account may send.
    pub traffic: T,
    /// Where deliveries wait that are not to go out for a while.
    pub room: W,
    /// The night of customers who chose nothing.
    pub night: Night,
    /// When to try again.
    pub policy: RetryPolicy,
    /// Holds messages back.
    pub visibility: V,
    /// The queues that feed this door.
    pub lanes: aws::ChannelQueues,
    /// The time.
    pub clock: C,
    /// What the process remembers.
    pub memory: SenderMemory,
}

impl<P, L, D, M, T, V, C, W> SendingDoor<P, L, D, M, T, V, C, W>
where
    P: CustomersLoad,
    L: LedgerAdvance + OrderNews,
    D: Bury,
    M: Courier,
    T: TrafficShare,
    V: HoldBack,
    C: Clock,
    W: Defer,
{
    /// Works on messages of a queue; the answer names those that have to come again. If one of them has no id by which it
    /// could be named, the call fails, and the whole batch comes again.
    pub async fn work(&self, messages: Vec<QueueMessage>, call: &Call) -> Reply {
        self.work_in_rounds(messages, call, false).await
    }

    /// The same for a trial delivery, which goes out although the breaker is open.
    pub async fn try_out(&self, messages: Vec<QueueMessage>, call: &Call) -> Reply {
        self.work_in_rounds(messages, call, true).await
    }

    async fn work_in_rounds(&self, messages: Vec<QueueMessage>, call: &Call, is_trial: bool) -> Reply {
        let mut answer = BatchAnswer::default();
        let mut counts = SendingCounts::default();
        let mut outcomes = Outcomes::default();
        for (nth, round) in rounds(messages, &self.clock).into_iter().enumerate() {
            let owner = call.owner_of_round(nth);
            let journeys = Journeys::begin(&call.traces, &round, &self.clock);
            let report = self.work_round(&journeys, &owner, call.deadline, is_trial).await;
            journeys.end(report.verdicts.iter().map(|verdict| self.arrival(verdict)));
            report.alarms.iter().for_each(|alarm| tracing::error!("{alarm}"));
            counts += report.counts;
            for verdict in &report.verdicts {
                let (outcome, id) = outcome_of(verdict);
                outcomes.add(outcome, id);
            }
            let mut waits = Vec::new();
            for (message, verdict) in round.iter().zip(&report.verdicts) {
                let Some(seconds) = self.wait(message, verdict) else {
                    continue;
                };
                answer.add(message);
                waits.extend(message.receipt_handle.clone().map(|receipt| (receipt, seconds)));
            }
            let lane = round.first().and_then(|message| message.lane_of(&self.lanes));
            if let (false, Some(queue)) = (waits.is_empty(), lane) {
                self.visibility.hold_back(queue, &waits).await;
            }
        }
        Reply {
            value: answer.value(),
            metrics: self.tell(&counts, &outcomes),
        }
    }

    async fn work_round(
        &self,
        journeys: &Journeys<'_, C>,
        owner: &str,
        deadline: Timestamp,
        is_trial: bool,
    ) -> SendingReport {
        let batch: Vec<Waiting> = journeys
            .records()
            .iter()
            .map(|message| Waiting {
                text: message.text.clone(),
                is_urgent: message.is_from(&self.lanes.urgent),
                receive_count: message.receive_count,
            })
            .collect();
        let sending = Sending {
            customers: &journeys.watch(&self.customers),
            ledger: &journeys.watch(&self.ledger),
            room: &journeys.watch(&self.room),
            night: &self.night,
            traffic: &journeys.watch(&self.traffic),
            dead_letters: &self.dead_letters,
            clock: &self.clock,
            courier: &journeys.watch(&self.courier),
            policy: &self.policy,
            owner,
            deadline,
            call_time_out: SignedDuration::try_from(aws::CALL_TIME_OUT).unwrap_or(SignedDuration::ZERO),
            memory: &self.memory,
            is_trial,
        };
        sending.work(&batch).await
    }

    /// Seconds until a message comes again; nothing when it need not.
    fn wait(&self, message: &QueueMessage, verdict: &SendVerdict) -> Option<i64> {
        let now = self.clock.now();
        let then = match verdict {
            SendVerdict::Done(..) | SendVerdict::Refused(_) => return None,
            SendVerdict::Again(_, at, _) => *at,
            SendVerdict::Unburied(_) => {
                self.policy
                    .again_after_throttle(message.receive_count, self.clock.chance(), now)
            }
        };
        Some(seconds_until(then, now))
    }

    /// A verdict for the trace.
    fn arrival(&self, verdict: &SendVerdict) -> Arrival {
        let (outcome, about, end) = match verdict {
            SendVerdict::Done(id, state @ (State::Failed | State::Parked), _) => {
                (state.to_string(), Some(*id), End::Fault)
            }
            SendVerdict::Done(id, state, _) => (state.to_string(), Some(*id), End::Well),
            SendVerdict::Again(id, ..) => ("again".to_owned(), Some(*id), End::Well),
            SendVerdict::Refused(_) => ("refused".to_owned(), None, End::Error),
            SendVerdict::Unburied(_) => ("refused and not yet buried".to_owned(), None, End::Fault),
        };
        Arrival {
            about,
            channel: Some(self.courier.channel()),
            outcome,
            end,
        }
    }

    /// One log line, and what there is to count.
    fn tell(&self, counts: &SendingCounts, outcomes: &Outcomes) -> Metrics {
        let channel = self.courier.channel();
        tracing::info!(
            outcomes = %outcomes,
            "worked on {} {channel} deliveries",
            outcomes.count()
        );
        let name = |what: DeliveryMetric| MetricName::Delivery(channel, what);
        let mut metrics = Metrics::default();
        metrics
            .count(name(DeliveryMetric::Success), counts.accepted)
            .count(name(DeliveryMetric::Failure), counts.failed)
            .count(name(DeliveryMetric::Skipped), counts.skipped)
            .count(MetricName::SmsSegments, counts.segments)
            .count(MetricName::SmsSkippedByNumberLimit, counts.over_number_limit)
            .count(MetricName::SmsSkippedByBudget, counts.over_budget)
            .count(name(DeliveryMetric::Suppressed), counts.suppressed)
            .count(name(DeliveryMetric::Superseded), counts.superseded)
            .count(name(DeliveryMetric::Deferred), counts.deferred)
            .count(name(DeliveryMetric::Retried), counts.retried)
            .count(name(DeliveryMetric::Throttled), counts.throttled)
            .count(name(DeliveryMetric::AccountTrouble), counts.account_trouble)
            .count(name(DeliveryMetric::AccountLimit), counts.limited)
            .count(name(DeliveryMetric::HeldBack), counts.held_back)
            .count(name(DeliveryMetric::BreakerOpened), counts.breaker_opened)
            .count(name(DeliveryMetric::InDoubt), counts.in_doubt)
            .count(name(DeliveryMetric::ResentInDoubt), counts.resent_in_doubt)
            .count(name(DeliveryMetric::FailedInDoubt), counts.failed_in_doubt)
            .count(name(DeliveryMetric::Refused), counts.refused)
            .milliseconds(name(DeliveryMetric::Latency), &counts.latencies_ms)
            .milliseconds(name(DeliveryMetric::Delay), &counts.delays_ms)
            .milliseconds(name(DeliveryMetric::UrgentDelay), &counts.urgent_delays_ms);
        metrics
    }
}

/// Whole seconds from now until then, never too early.
pub(crate) fn seconds_until(then: Timestamp, now: Timestamp) -> i64 {
    let milliseconds = then.as_millisecond().saturating_sub(now.as_millisecond()).max(0);
    milliseconds.saturating_add(999) / 1_000
}

/// A verdict for the log: states and reasons, and the notification.
fn outcome_of(verdict: &SendVerdict) -> (String, Option<NotificationId>) {
    match verdict {
        SendVerdict::Done(id, state, Some(reason)) => (format!("{state} ({reason})"), Some(*id)),
        SendVerdict::Done(id, state, None) => (state.to_string(), Some(*id)),
        SendVerdict::Again(id, at, why) => (format!("again at {at} ({why})"), Some(*id)),
        SendVerdict::Refused(why) => (format!("refused: {why}"), None),
        SendVerdict::Unburied(why) => (format!("refused and not yet buried: {why}"), None),
    }
}
