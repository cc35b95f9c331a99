//! From what woke the SMS sender up to the sending, and back.

use aws::{Connection, DynamoLedger, DynamoPreferences, SnsTexter, SqsDeadLetters, SqsVisibility};
use lambda::{Call, Invocation, SendingDoor, Value};
use lambda_runtime::Error;
use messages::Templates;

use crate::config::Config;
use crate::courier::SmsCourier;

/// The door of the SMS sender.
pub(crate) type Door = SendingDoor<DynamoPreferences, DynamoLedger, SqsDeadLetters, SmsCourier>;

/// It opens no notification, so that it never decides for how long one is kept.
const NO_RETENTION: i64 = 0;

/// Builds the door: every client and every template once.
pub(crate) fn door(config: Config, connection: &Connection) -> Result<Door, Error> {
    let (dynamodb, sqs) = (connection.dynamodb(), connection.sqs());
    Ok(SendingDoor {
        function: "sms-sender",
        preferences: DynamoPreferences::new(dynamodb.clone(), config.preferences_table),
        ledger: DynamoLedger::new(dynamodb, config.ledger_table, NO_RETENTION),
        dead_letters: SqsDeadLetters::new(sqs.clone(), config.lanes.clone()),
        courier: SmsCourier {
            templates: Templates::load()?,
            shop: config.shop,
            fallback: config.fallback,
            texter: SnsTexter::new(connection.sns(), config.sender_id),
        },
        policy: config.policy,
        visibility: SqsVisibility::new(sqs),
        lanes: config.lanes,
    })
}

/// Handles one call.
pub(crate) async fn handle(door: &Door, call: Call) -> Result<Value, Error> {
    match Invocation::read(&call.payload) {
        Invocation::Queue(messages) => door.work(messages, &call).await,
        Invocation::Topic(_) | Invocation::Direct(_) => {
            Err("expected deliveries from the SMS queues; events go to the orchestrator".into())
        }
    }
}
