//! The door through which deliveries reach a sender: from its two queues.

use aws_lambda_events::sqs::SqsBatchResponse;
use domain::ports::{Bury, Clock, Courier, LedgerAdvance, PreferencesLoad};
use domain::{Channel, RetryPolicy};
use jiff::{SignedDuration, Timestamp};
use lambda_runtime::Error;
use pipeline::{SendVerdict, Sending, SendingCounts, SendingReport, Waiting};
use serde_json::Value;

use crate::invocation::{QueueMessage, rounds};
use crate::runtime::Call;
use crate::{Metrics, SystemClock};

/// Everything behind the door: the ports of a [`Sending`], made once and kept between calls.
#[derive(Debug)]
pub struct SendingDoor<P, L, D, M> {
    /// The function's name in log and metrics.
    pub function: &'static str,
    /// What customers asked for.
    pub preferences: P,
    /// Where deliveries are claimed and settled.
    pub ledger: L,
    /// Where parked messages go.
    pub dead_letters: D,
    /// Who writes the message and takes it to the provider.
    pub courier: M,
    /// When to try again.
    pub policy: RetryPolicy,
    /// Holds messages back.
    pub visibility: aws::SqsVisibility,
    /// The queues that feed this door.
    pub lanes: aws::ChannelQueues,
}

impl<P, L, D, M> SendingDoor<P, L, D, M>
where
    P: PreferencesLoad,
    L: LedgerAdvance,
    D: Bury,
    M: Courier,
{
    /// Works on messages of a queue; the answer names those that have to come again.
    ///
    /// # Errors
    ///
    /// When a message that has to come again has no id by which it could be named: the whole batch comes again.
    pub async fn work(&self, messages: Vec<QueueMessage>, call: &Call) -> Result<Value, Error> {
        let mut answer = SqsBatchResponse::default();
        let mut counts = SendingCounts::default();
        let mut outcomes = Vec::with_capacity(messages.len());
        for (nth, round) in rounds(messages).into_iter().enumerate() {
            let report = self.work_round(&round, &call.owner_of_round(nth), call.deadline).await;
            counts += report.counts;
            outcomes.extend(report.verdicts.iter().map(line_of));
            let mut waits = Vec::new();
            for (message, verdict) in round.iter().zip(&report.verdicts) {
                let Some(seconds) = self.wait(message, verdict) else {
                    continue;
                };
                answer.add_failure(
                    message
                        .id
                        .as_deref()
                        .ok_or("a message without an id has to come again")?,
                );
                waits.extend(message.receipt_handle.clone().map(|receipt| (receipt, seconds)));
            }
            let lane = round.first().and_then(|message| message.lane_of(&self.lanes));
            if let (false, Some(queue)) = (waits.is_empty(), lane) {
                self.visibility.hide(queue, &waits).await;
            }
        }
        self.tell(&counts, &outcomes);
        Ok(serde_json::to_value(answer)?)
    }

    async fn work_round(&self, round: &[QueueMessage], owner: &str, deadline: Timestamp) -> SendingReport {
        let batch: Vec<Waiting> = round
            .iter()
            .map(|message| Waiting {
                text: message.text.clone(),
                is_urgent: message.is_from(&self.lanes.urgent),
            })
            .collect();
        let sending = Sending {
            preferences: &self.preferences,
            ledger: &self.ledger,
            dead_letters: &self.dead_letters,
            clock: &SystemClock,
            courier: &self.courier,
            policy: &self.policy,
            owner,
            deadline,
            call_time_out: SignedDuration::try_from(aws::CALL_TIME_OUT).unwrap_or(SignedDuration::ZERO),
        };
        sending.work(&batch).await
    }

    /// Seconds until a message comes again; nothing when it need not.
    fn wait(&self, message: &QueueMessage, verdict: &SendVerdict) -> Option<i64> {
        let now = SystemClock.now();
        let then = match verdict {
            SendVerdict::Done(..) | SendVerdict::Refused(_) => return None,
            SendVerdict::Again(_, at, _) => *at,
            SendVerdict::Unburied(_) => {
                self.policy
                    .again_after_throttle(message.receive_count, SystemClock.chance(), now)
            }
        };
        Some(seconds_until(then, now))
    }

    /// One log line and one metrics line for the invocation.
    fn tell(&self, counts: &SendingCounts, outcomes: &[String]) {
        let channel = self.courier.channel();
        tracing::info!(
            outcomes = outcomes.join("; "),
            "worked on {} {channel} deliveries",
            outcomes.len()
        );
        if counts.account_trouble > 0 {
            tracing::error!(
                "the {channel} provider refuses the account, not the message: {} deliveries are held",
                counts.account_trouble
            );
        }
        let name = |what: &str| {
            let channel = match channel {
                Channel::Email => "Email",
                Channel::Sms => "Sms",
                Channel::Push => "Push",
                Channel::InApp => "InApp",
            };
            format!("{channel}Notification{what}")
        };
        let mut metrics = Metrics::default();
        metrics
            .count(&name("Success"), counts.accepted)
            .count(&name("Failure"), counts.failed)
            .count(&name("Skipped"), counts.skipped)
            .count(&name("Retried"), counts.retried)
            .count(&name("Throttled"), counts.throttled)
            .count(&name("AccountTrouble"), counts.account_trouble)
            .count(&name("InDoubt"), counts.in_doubt)
            .count(&name("ResentInDoubt"), counts.resent_in_doubt)
            .count(&name("Refused"), counts.refused)
            .milliseconds(&name("Latency"), &counts.latencies_ms)
            .emit(self.function, SystemClock.now());
    }
}

/// Whole seconds from now until then, never too early.
fn seconds_until(then: Timestamp, now: Timestamp) -> i64 {
    let milliseconds = then.as_millisecond().saturating_sub(now.as_millisecond()).max(0);
    milliseconds.saturating_add(999) / 1_000
}

/// A verdict for the log: ids, states and reasons.
fn line_of(verdict: &SendVerdict) -> String {
    match verdict {
        SendVerdict::Done(id, state, Some(reason)) => format!("{id}: {state} ({reason})"),
        SendVerdict::Done(id, state, None) => format!("{id}: {state}"),
        SendVerdict::Again(id, at, why) => format!("{id}: again at {at} ({why})"),
        SendVerdict::Refused(why) => format!("refused: {why}"),
        SendVerdict::Unburied(why) => format!("refused and not yet buried: {why}"),
    }
}
