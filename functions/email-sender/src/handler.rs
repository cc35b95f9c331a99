//! From what woke the e-mail sender up to its two doors, and back.

use aws::{
    DynamoCustomers, DynamoLedger, DynamoTemplates, DynamoTraffic, DynamoWaitingRoom, SesMailer, SqsDeadLetters,
    SqsQueues, SqsTroubleBell, SqsVisibility, ThinConnection, ThinDynamoDb, ThinSqs,
};
use domain::Channel;
use lambda::{Call, IntakeDoor, Invocation, Reply, SendingDoor, SystemClock, TemplateBook};
use lambda_runtime::Error;
use messages::Templates;
use pipeline::{QueuesAndRoom, SenderMemory};
use std::collections::HashMap;

use crate::config::Config;
use crate::courier::EmailCourier;

type Deliveries = SendingDoor<
    DynamoCustomers<ThinDynamoDb>,
    DynamoLedger<ThinDynamoDb>,
    SqsDeadLetters<ThinSqs>,
    EmailCourier,
    DynamoTraffic<SystemClock, ThinDynamoDb, ThinSqs>,
    SqsVisibility<ThinSqs>,
    SystemClock,
    DynamoWaitingRoom<ThinDynamoDb>,
>;
type Events = IntakeDoor<
    DynamoCustomers<ThinDynamoDb>,
    DynamoLedger<ThinDynamoDb>,
    QueuesAndRoom<SqsQueues<ThinSqs>, DynamoWaitingRoom<ThinDynamoDb>>,
    SqsDeadLetters<ThinSqs>,
    SqsVisibility<ThinSqs>,
    SystemClock,
>;

/// The doors of the e-mail sender: one for deliveries, one for events of direct callers.
#[derive(Debug)]
pub(crate) struct Doors {
    deliveries: Deliveries,
    events: Events,
}

impl Doors {
    /// Builds the doors: every client and every template once.
    pub(crate) fn open(config: Config, connection: &ThinConnection) -> Result<Self, Error> {
        let (dynamodb, sqs) = (connection.dynamodb(), connection.sqs());
        let customers = DynamoCustomers::new(
            dynamodb.clone(),
            config.preferences_table,
            config.suppressions_table,
            config.contact_key,
        );
        let ledger = DynamoLedger::new(dynamodb.clone(), config.ledger_table, config.retention_days);
        let dead_letters = SqsDeadLetters::new(sqs.clone(), config.lanes.clone());
        let room = DynamoWaitingRoom::new(dynamodb.clone(), config.deferred_deliveries_table);
        let visibility = SqsVisibility::new(sqs.clone());
        let bell = SqsTroubleBell::new(sqs.clone(), config.account_trouble_queue);
        let courier = EmailCourier {
            book: TemplateBook::new(
                Templates::new(),
                Channel::Email,
                DynamoTemplates::new(dynamodb.clone(), config.templates_table),
                SystemClock,
            ),
            shop: config.shop,
            links: config.links,
            mailer: SesMailer::new(connection.ses(), &config.sender, config.configuration_set),
        };
        Ok(Self {
            deliveries: SendingDoor {
                customers: customers.clone(),
                ledger: ledger.clone(),
                dead_letters: dead_letters.clone(),
                courier,
                room: room.clone(),
                night: config.reading.shop.night(),
                traffic: DynamoTraffic::for_sender(dynamodb, config.system_state_table, SystemClock, bell),
                policy: config.policy.clone(),
                visibility: visibility.clone(),
                lanes: config.lanes.clone(),
                clock: SystemClock,
                memory: SenderMemory::default(),
            },
            events: IntakeDoor {
                customers,
                ledger,
                queues: QueuesAndRoom {
                    queues: SqsQueues::new(sqs, HashMap::from([(Channel::Email, config.lanes)])),
                    room,
                },
                dead_letters,
                reading: config.reading,
                only: Some(Channel::Email),
                policy: config.policy,
                visibility,
                lanes: None,
                clock: SystemClock,
            },
        })
    }

    /// Handles one call.
    pub(crate) async fn handle(&self, call: Call) -> Reply {
        let book = &self.deliveries.courier.book;
        match Invocation::read(&call.payload) {
            Invocation::Queue(messages) => book.during(self.deliveries.work(messages, &call)).await,
            Invocation::Trial(messages) => book.during(self.deliveries.try_out(messages, &call)).await,
            Invocation::Topic(messages) => self.events.take_topic(messages, &call).await,
            Invocation::Direct(payload) => self.events.take_direct(payload, &call).await,
        }
    }
}
