//! From what woke the orchestrator up to the intake, and back.

use aws::{Connection, DynamoLedger, DynamoPreferences, SqsDeadLetters, SqsQueues, SqsVisibility};
use lambda::{Call, IntakeDoor, Invocation, Value};
use lambda_runtime::Error;

use crate::config::Config;

/// The door of the orchestrator.
pub(crate) type Door = IntakeDoor<DynamoPreferences, DynamoLedger, SqsQueues, SqsDeadLetters>;

/// Builds the door: every client once.
pub(crate) fn door(config: Config, connection: &Connection) -> Door {
    let (dynamodb, sqs) = (connection.dynamodb(), connection.sqs());
    IntakeDoor {
        function: "notification-orchestrator",
        preferences: DynamoPreferences::new(dynamodb.clone(), config.preferences_table),
        ledger: DynamoLedger::new(dynamodb, config.ledger_table, config.retention_days),
        queues: SqsQueues::new(sqs.clone(), config.channels),
        dead_letters: SqsDeadLetters::new(sqs.clone(), config.lanes.clone()),
        reading: config.reading,
        only: None,
        policy: config.policy,
        visibility: SqsVisibility::new(sqs),
        lanes: Some(config.lanes),
    }
}

/// Handles one call.
pub(crate) async fn handle(door: &Door, call: Call) -> Result<Value, Error> {
    match Invocation::read(&call.payload) {
        Invocation::Queue(messages) => door.take_queue(messages, &call).await,
        Invocation::Topic(messages) => door.take_topic(messages, &call).await,
        Invocation::Direct(payload) => door.take_direct(payload, &call).await,
    }
}
