//! What the waker is called for: every minute it looks who is due.

use aws::{Connection, DynamoWaitingRoom, SqsDeadLetters, SqsQueues};
use lambda::{Call, MetricName, Metrics, Reply, SystemClock, Value};
use pipeline::Release;

use crate::config::Config;

/// Everything that the waker works with.
#[derive(Debug)]
pub(crate) struct Waker {
    room: DynamoWaitingRoom,
    queues: SqsQueues,
    dead_letters: SqsDeadLetters,
}

impl Waker {
    /// Builds it: every client once.
    pub(crate) fn new(config: Config, connection: &Connection) -> Self {
        let sqs = connection.sqs();
        Self {
            room: DynamoWaitingRoom::new(connection.dynamodb(), config.table),
            queues: SqsQueues::new(sqs.clone(), config.queues),
            dead_letters: SqsDeadLetters::new(sqs, config.dead_letters),
        }
    }

    /// Handles one call. Whatever calls it, looking is right, and right again.
    pub(crate) async fn handle(&self, call: Call) -> Reply {
        let release = Release {
            room: &self.room,
            queues: &self.queues,
            dead_letters: &self.dead_letters,
            clock: &SystemClock,
            deadline: call.deadline,
        };
        let released = release.release().await;
        for undone in &released.undone {
            tracing::warn!(error = %undone, "could not wake everything that is due; the next minute does it");
        }
        if released.released + released.refused > 0 {
            tracing::info!(
                "woke {} deliveries, and set {} aside that nobody can read",
                released.released,
                released.refused
            );
        }
        let mut metrics = Metrics::default();
        metrics
            .count(MetricName::DeferredReleased, released.released)
            .count(MetricName::DeferredRefused, released.refused);
        // Whoever has not looked everywhere says nothing, and silence raises the alarm.
        if released.unseen == 0 {
            let seconds = u64::try_from(released.overdue.as_secs()).unwrap_or_default();
            metrics.seconds(MetricName::DeferredOverdueSeconds, seconds);
        }
        Reply {
            value: Ok(Value::Null),
            metrics,
        }
    }
}
