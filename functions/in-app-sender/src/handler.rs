//! From what woke the in-app sender up to the sending, and back.

use aws::{
    Connection, DynamoCustomers, DynamoInbox, DynamoLedger, DynamoTemplates, DynamoWaitingRoom, SqsDeadLetters,
    SqsVisibility,
};
use domain::Channel;
use lambda::{Call, Invocation, Metrics, Reply, SendingDoor, SystemClock, TemplateBook};
use messages::Templates;
use pipeline::{SenderMemory, Unpaced};

use crate::config::Config;
use crate::courier::InAppCourier;

/// The door of the in-app sender.
pub(crate) type Door = SendingDoor<
    DynamoCustomers,
    DynamoLedger,
    SqsDeadLetters,
    InAppCourier,
    Unpaced,
    SqsVisibility,
    SystemClock,
    DynamoWaitingRoom,
>;

/// It opens no notification, so that it never decides for how long one is kept.
const NO_RETENTION: i64 = 0;

/// Builds the door: every client and every template once.
pub(crate) fn door(config: Config, connection: &Connection) -> Door {
    let (dynamodb, sqs) = (connection.dynamodb(), connection.sqs());
    SendingDoor {
        customers: DynamoCustomers::of_preferences(dynamodb.clone(), config.preferences_table),
        ledger: DynamoLedger::new(dynamodb.clone(), config.ledger_table, NO_RETENTION),
        dead_letters: SqsDeadLetters::new(sqs.clone(), config.lanes.clone()),
        courier: InAppCourier {
            book: TemplateBook::new(
                Templates::new(),
                Channel::InApp,
                DynamoTemplates::new(dynamodb.clone(), config.templates_table),
                SystemClock,
            ),
            shop: config.shop,
            inbox: DynamoInbox::new(connection.inboxes(), config.inbox_table),
            retention_days: config.retention_days,
        },
        room: DynamoWaitingRoom::new(dynamodb, config.deferred_deliveries_table),
        night: config.night,
        traffic: Unpaced,
        policy: config.policy,
        visibility: SqsVisibility::new(sqs),
        lanes: config.lanes,
        clock: SystemClock,
        memory: SenderMemory::default(),
    }
}

/// Handles one call. Nobody holds these queues, so that nobody takes a message out of them by hand.
pub(crate) async fn handle(door: &Door, call: Call) -> Reply {
    match Invocation::read(&call.payload) {
        Invocation::Queue(messages) => door.courier.book.during(door.work(messages, &call)).await,
        Invocation::Trial(_) | Invocation::Topic(_) | Invocation::Direct(_) => Reply {
            value: Err("expected deliveries from the in-app queues; events go to the orchestrator".into()),
            metrics: Metrics::default(),
        },
    }
}
