//! From what woke the SMS sender up to the sending, and back.

use aws::{
    Connection, DynamoAllowance, DynamoCustomers, DynamoLedger, DynamoTemplates, DynamoTraffic, DynamoWaitingRoom,
    ProviderMessages, SnsTexter, SqsDeadLetters, SqsTroubleBell, SqsVisibility,
};
use domain::Channel;
use lambda::{Call, Invocation, MetricName, Metrics, Reply, SendingDoor, SystemClock, TemplateBook};
use lambda_runtime::Error;
use messages::Templates;
use pipeline::{SenderMemory, SmsGate};

use crate::config::Config;
use crate::courier::SmsCourier;

/// The door of the SMS sender.
pub(crate) type Door = SendingDoor<
    DynamoCustomers,
    DynamoLedger,
    SqsDeadLetters,
    SmsCourier,
    DynamoTraffic<SystemClock>,
    SqsVisibility,
    SystemClock,
    DynamoWaitingRoom,
>;

/// It opens no notification, so that it never decides for how long one is kept.
const NO_RETENTION: i64 = 0;

/// Builds the door: every client and every template once.
pub(crate) fn door(config: Config, connection: &Connection) -> Result<Door, Error> {
    let (dynamodb, sqs) = (connection.dynamodb(), connection.sqs());
    let allowance = DynamoAllowance::new(
        dynamodb.clone(),
        config.system_state_table.clone(),
        config.contact_key.clone(),
    );
    let bell = SqsTroubleBell::new(sqs.clone(), config.account_trouble_queue);
    Ok(SendingDoor {
        customers: DynamoCustomers::new(
            dynamodb.clone(),
            config.preferences_table,
            config.suppressions_table,
            config.contact_key,
        ),
        ledger: DynamoLedger::new(dynamodb.clone(), config.ledger_table, NO_RETENTION),
        dead_letters: SqsDeadLetters::new(sqs.clone(), config.lanes.clone()),
        courier: SmsCourier {
            book: TemplateBook::new(
                Templates::new(),
                Channel::Sms,
                DynamoTemplates::new(dynamodb.clone(), config.templates_table),
                SystemClock,
            ),
            shop: config.shop,
            gate: SmsGate::new(allowance, config.limits, SystemClock),
            texter: SnsTexter::new(connection.sns(), config.sender_id),
            messages: ProviderMessages::new(dynamodb.clone(), config.provider_messages_table),
        },
        room: DynamoWaitingRoom::new(dynamodb.clone(), config.deferred_deliveries_table),
        night: config.night,
        traffic: DynamoTraffic::for_sender(dynamodb, config.system_state_table, SystemClock, bell)
            .with_sms_limit(config.rate_per_second),
        policy: config.policy,
        visibility: SqsVisibility::new(sqs),
        lanes: config.lanes,
        clock: SystemClock,
        memory: SenderMemory::default(),
    })
}

/// Handles one call.
pub(crate) async fn handle(door: &Door, call: Call) -> Reply {
    let book = &door.courier.book;
    match Invocation::read(&call.payload) {
        Invocation::Queue(messages) => with_counts_of_the_gate(door, book.during(door.work(messages, &call)).await),
        Invocation::Trial(messages) => with_counts_of_the_gate(door, book.during(door.try_out(messages, &call)).await),
        Invocation::Topic(_) | Invocation::Direct(_) => Reply {
            value: Err("expected deliveries from the SMS queues; events go to the orchestrator".into()),
            metrics: Metrics::default(),
        },
    }
}

/// The reply, with what the gate of the courier has to tell.
fn with_counts_of_the_gate(door: &Door, mut reply: Reply) -> Reply {
    let counts = door.courier.gate.take_counts();
    if counts.uncounted > 0 {
        tracing::warn!(
            "could not count {} text messages against their limits: urgent ones went out, others wait",
            counts.uncounted
        );
    }
    reply
        .metrics
        .percent(MetricName::SmsBudgetUsedPercent, counts.used_percent)
        .count(MetricName::SmsUncounted, counts.uncounted);
    reply
}
