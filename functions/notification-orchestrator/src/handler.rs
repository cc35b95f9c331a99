//! From what woke the orchestrator up to the intake, and back.

use aws::{
    DynamoCustomers, DynamoLedger, DynamoWaitingRoom, SqsDeadLetters, SqsQueues, SqsVisibility, ThinConnection,
    ThinDynamoDb, ThinSqs,
};
use lambda::{Call, IntakeDoor, Invocation, Reply, SystemClock};
use pipeline::{QueuesAndRoom, RememberedCustomers};

use crate::config::Config;

/// The door of the orchestrator.
pub(crate) type Door = IntakeDoor<
    RememberedCustomers<DynamoCustomers<ThinDynamoDb>, SystemClock>,
    DynamoLedger<ThinDynamoDb>,
    QueuesAndRoom<SqsQueues<ThinSqs>, DynamoWaitingRoom<ThinDynamoDb>>,
    SqsDeadLetters<ThinSqs>,
    SqsVisibility<ThinSqs>,
    SystemClock,
>;

/// Builds the door: every client once.
pub(crate) fn door(config: Config, connection: &ThinConnection) -> Door {
    let (dynamodb, sqs) = (connection.dynamodb(), connection.sqs());
    let customers = DynamoCustomers::new(
        dynamodb.clone(),
        config.preferences_table,
        config.suppressions_table,
        config.contact_key,
    );
    IntakeDoor {
        customers: RememberedCustomers::new(customers, SystemClock),
        ledger: DynamoLedger::new(dynamodb.clone(), config.ledger_table, config.retention_days),
        queues: QueuesAndRoom {
            queues: SqsQueues::new(sqs.clone(), config.channels),
            room: DynamoWaitingRoom::new(dynamodb, config.deferred_deliveries_table),
        },
        dead_letters: SqsDeadLetters::new(sqs.clone(), config.lanes.clone()),
        reading: config.reading,
        only: None,
        policy: config.policy,
        visibility: SqsVisibility::new(sqs),
        lanes: Some(config.lanes),
        clock: SystemClock,
    }
}

/// Handles one call.
pub(crate) async fn handle(door: &Door, call: Call) -> Reply {
    match Invocation::read(&call.payload) {
        Invocation::Queue(messages) | Invocation::Trial(messages) => door.take_queue(messages, &call).await,
        Invocation::Topic(messages) => door.take_topic(messages, &call).await,
        Invocation::Direct(payload) => door.take_direct(payload, &call).await,
    }
}
