//! From what woke the function up to the reports in it, and back.

use aws::{
    ChannelQueues, Connection, DynamoLedger, DynamoSuppressions, ProviderMessages, SqsDeadLetters, SqsQueue,
    SqsVisibility,
};
use lambda::{Call, FeedbackDoor, Invocation, Metrics, Reply, SystemClock};

use crate::config::Config;

/// The door of the function.
pub(crate) type Door = FeedbackDoor<
    DynamoLedger,
    ProviderMessages,
    DynamoSuppressions,
    SqsDeadLetters,
    SqsQueue,
    SqsVisibility,
    SystemClock,
>;

/// It opens no notification, so that it never decides for how long one is kept.
const NO_RETENTION: i64 = 0;

/// Builds the door: every client once.
pub(crate) fn door(config: Config, connection: &Connection) -> Door {
    let (dynamodb, sqs) = (connection.dynamodb(), connection.sqs());
    let only_lane = ChannelQueues {
        normal: config.queue_url.clone(),
        urgent: config.queue_url.clone(),
    };
    FeedbackDoor {
        ledger: DynamoLedger::new(dynamodb.clone(), config.ledger_table, NO_RETENTION),
        messages: ProviderMessages::new(dynamodb.clone(), config.provider_messages_table),
        suppressions: DynamoSuppressions::new(dynamodb, config.suppressions_table, config.contact_key),
        dead_letters: SqsDeadLetters::new(sqs.clone(), only_lane),
        queue: SqsQueue::new(sqs.clone(), config.queue_url.clone()),
        queue_url: config.queue_url,
        visibility: SqsVisibility::new(sqs),
        policy: config.policy,
        clock: SystemClock,
    }
}

/// Handles one call.
pub(crate) async fn handle(door: &Door, call: Call) -> Reply {
    match Invocation::read(&call.payload) {
        Invocation::Queue(messages) | Invocation::Trial(messages) => door.work(messages).await,
        Invocation::Direct(payload) => match pipeline::entries_of(&payload) {
            Some(Ok(entries)) => door.take_logs(entries).await,
            Some(Err(error)) => refusal(error),
            None => refusal("expected reports of the queue, or entries of a delivery log"),
        },
        Invocation::Topic(_) => refusal("expected reports by way of the queue, not of the topic itself"),
    }
}

fn refusal(why: impl Into<lambda_runtime::Error>) -> Reply {
    Reply {
        value: Err(why.into()),
        metrics: Metrics::default(),
    }
}
