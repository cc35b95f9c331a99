//! The two doors of the way of an e-mail, over memory ports.

mod log_budget;
mod traces;

use domain::ports::HoldBack;
use domain::{Channel, RetryPolicy};
use jiff::{SignedDuration, Timestamp};
use pipeline::{Reading, SenderMemory};
use serde_json::json;
use testkit::{
    HandClock, MemoryCustomers, MemoryDeadLetters, MemoryLedger, MemoryQueues, MemoryTraffic, MemoryWaitingRoom,
    ScriptedCourier, at, shop_defaults,
};

use crate::runtime::Call;
use crate::{IntakeDoor, QueueMessage, Reply, SendingDoor, Traces};

type Intake = IntakeDoor<MemoryCustomers, MemoryLedger, MemoryQueues, MemoryDeadLetters, Shown, HandClock>;
type Sending = SendingDoor<
    MemoryCustomers,
    MemoryLedger,
    MemoryDeadLetters,
    ScriptedCourier,
    MemoryTraffic,
    Shown,
    HandClock,
    MemoryWaitingRoom,
>;

/// What is to be hidden is shown.
struct Shown;

impl HoldBack for Shown {
    async fn hold_back(&self, _queue_url: &str, _waits: &[(String, i64)]) {}
}

/// A tenth of a second after the batch came.
fn now() -> Timestamp {
    at(100) + SignedDuration::from_millis(100)
}

fn lanes(name: &str) -> aws::ChannelQueues {
    aws::ChannelQueues {
        normal: format!("http://localhost/e-com67-{name}"),
        urgent: format!("http://localhost/e-com67-{name}-urgent"),
    }
}

fn orchestrator() -> Intake {
    IntakeDoor {
        customers: MemoryCustomers::default(),
        ledger: MemoryLedger::default(),
        queues: MemoryQueues::default(),
        dead_letters: MemoryDeadLetters::default(),
        reading: Reading {
            shop: shop_defaults(),
            admin_topic: None,
            admin_email: None,
        },
        only: None,
        policy: RetryPolicy::default(),
        visibility: Shown,
        lanes: Some(lanes("notifications")),
        clock: HandClock::at(now()),
    }
}

/// The e-mail sender that finds what this orchestrator wrote down.
fn sender(orchestrator: Intake) -> Sending {
    SendingDoor {
        customers: orchestrator.customers,
        ledger: orchestrator.ledger,
        dead_letters: orchestrator.dead_letters,
        courier: ScriptedCourier::new(Channel::Email, []),
        traffic: MemoryTraffic::default(),
        room: MemoryWaitingRoom::default(),
        night: shop_defaults().night(),
        policy: orchestrator.policy,
        visibility: Shown,
        lanes: lanes("email"),
        clock: orchestrator.clock,
        memory: SenderMemory::default(),
    }
}

fn message(queue: &str, nth: usize, text: String) -> QueueMessage {
    QueueMessage {
        id: Some(format!("m-{nth}")),
        receipt_handle: Some(format!("r-{nth}")),
        queue_arn: format!("arn:aws:sqs:eu-west-1:000000000000:e-com67-{queue}"),
        text,
        sent_at: Some(at(100)),
        receive_count: 1,
        origin: None,
        trace: None,
    }
}

/// Confirmations of that many orders, of customers whose e-mail, text message and note are all wanted.
fn confirmations(count: usize) -> Vec<QueueMessage> {
    let event = |nth: usize| {
        json!({"userId": format!("user-{nth}"), "type": "order_confirmation", "recipientEmail": format!("user-{nth}@example.com"),
            "recipientPhone": "+34600123456", "channels": ["email", "sms", "in_app"],
            "orderData": {"orderId": format!("order-{nth}"), "timestamp": at(88 - i64::try_from(nth).unwrap()).to_string()}})
    };
    (0..count)
        .map(|nth| message("notifications", nth, event(nth).to_string()))
        .collect()
}

/// The e-mails that the orchestrator handed over.
fn handed_over(orchestrator: &Intake) -> Vec<QueueMessage> {
    let requests = orchestrator.queues.requests.borrow();
    let emails = requests.iter().filter(|request| request.channel == Channel::Email);
    emails
        .enumerate()
        .map(|(nth, request)| QueueMessage {
            trace: request.trace,
            ..message("email", nth, request.to_wire())
        })
        .collect()
}

fn call(traces: Traces) -> Call {
    Call {
        payload: String::new(),
        owner: "8a7b1c9e-5b5c-4a53-9f0e-2f5d8c8d1f00/0a1b2c3d".to_owned(),
        deadline: now() + SignedDuration::from_secs(30),
        traces,
    }
}

fn worked(reply: &Reply) -> bool {
    let failures = reply.value.as_ref().unwrap()["batchItemFailures"].as_array().unwrap();
    failures.is_empty()
}
