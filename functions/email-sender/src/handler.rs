//! From what woke the e-mail sender up to its two doors, and back.

use aws::{Connection, DynamoLedger, DynamoPreferences, SesMailer, SqsDeadLetters, SqsQueues, SqsVisibility};
use domain::Channel;
use lambda::{Call, IntakeDoor, Invocation, SendingDoor, Value};
use lambda_runtime::Error;
use messages::Templates;
use std::collections::HashMap;

use crate::config::Config;
use crate::courier::EmailCourier;

const FUNCTION: &str = "email-sender";

/// The doors of the e-mail sender: one for deliveries, one for events of direct callers.
#[derive(Debug)]
pub(crate) struct Doors {
    deliveries: SendingDoor<DynamoPreferences, DynamoLedger, SqsDeadLetters, EmailCourier>,
    events: IntakeDoor<DynamoPreferences, DynamoLedger, SqsQueues, SqsDeadLetters>,
}

impl Doors {
    /// Builds the doors: every client and every template once.
    pub(crate) fn open(config: Config, connection: &Connection) -> Result<Self, Error> {
        let (dynamodb, sqs) = (connection.dynamodb(), connection.sqs());
        let preferences = DynamoPreferences::new(dynamodb.clone(), config.preferences_table);
        let ledger = DynamoLedger::new(dynamodb, config.ledger_table, config.retention_days);
        let dead_letters = SqsDeadLetters::new(sqs.clone(), config.lanes.clone());
        let visibility = SqsVisibility::new(sqs.clone());
        let courier = EmailCourier {
            templates: Templates::load()?,
            shop: config.shop,
            fallback: config.reading.shop.language,
            mailer: SesMailer::new(connection.ses(), &config.sender),
        };
        Ok(Self {
            deliveries: SendingDoor {
                function: FUNCTION,
                preferences: preferences.clone(),
                ledger: ledger.clone(),
                dead_letters: dead_letters.clone(),
                courier,
                policy: config.policy.clone(),
                visibility: visibility.clone(),
                lanes: config.lanes.clone(),
            },
            events: IntakeDoor {
                function: FUNCTION,
                preferences,
                ledger,
                queues: SqsQueues::new(sqs, HashMap::from([(Channel::Email, config.lanes)])),
                dead_letters,
                reading: config.reading,
                only: Some(Channel::Email),
                policy: config.policy,
                visibility,
                lanes: None,
            },
        })
    }

    /// Handles one call.
    pub(crate) async fn handle(&self, call: Call) -> Result<Value, Error> {
        match Invocation::read(&call.payload) {
            Invocation::Queue(messages) => self.deliveries.work(messages, &call).await,
            Invocation::Topic(messages) => self.events.take_topic(messages, &call).await,
            Invocation::Direct(payload) => self.events.take_direct(payload, &call).await,
        }
    }
}
