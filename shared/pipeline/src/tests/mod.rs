//! The two halves over memory twins: what callers rely on, under the faults that a queue and a network bring.

mod canary;
mod deciding;
mod feedback;
mod in_app;
mod intake;
mod pace;
mod quiet_hours;
mod redrive;
mod sending;
mod sms_gate;
mod standing;

use domain::ports::Clock as _;
use domain::{Channel, Delivery, DeliveryRequest, Event, Night, Preferences, RetryPolicy, StatusChoice, UserId};
use jiff::SignedDuration;
use testkit::{
    HandClock, MemoryCustomers, MemoryDeadLetters, MemoryLedger, MemoryQueues, MemoryTraffic, MemoryWaitingRoom,
    ScriptedCourier, at, shop_defaults,
};

use crate::{
    Incoming, Intake, IntakeReport, Lane, QueuesAndRoom, Reading, SenderMemory, Sending, SendingReport, Waiting,
};

const NOW: i64 = 1_795_168_800;

type Sender<'a, M> =
    Sending<'a, MemoryCustomers, MemoryLedger, MemoryDeadLetters, HandClock, M, MemoryTraffic, MemoryWaitingRoom>;

struct House {
    clock: HandClock,
    ledger: MemoryLedger,
    customers: MemoryCustomers,
    traffic: MemoryTraffic,
    memory: SenderMemory,
    queues: MemoryQueues,
    room: MemoryWaitingRoom,
    night: Night,
    dead_letters: MemoryDeadLetters,
    policy: RetryPolicy,
    reading: Reading,
}

impl House {
    fn new() -> Self {
        Self {
            clock: HandClock::at(at(NOW)),
            ledger: MemoryLedger::default(),
            customers: MemoryCustomers::default(),
            traffic: MemoryTraffic::default(),
            memory: SenderMemory::default(),
            queues: MemoryQueues::default(),
            room: MemoryWaitingRoom::default(),
            night: shop_defaults().night(),
            dead_letters: MemoryDeadLetters::default(),
            policy: RetryPolicy::default(),
            reading: Reading {
                shop: shop_defaults(),
                admin_topic: None,
                admin_email: None,
            },
        }
    }

    /// A customer wants no news of orders by these channels.
    fn opt_out(&self, user: &str, channels: impl IntoIterator<Item = Channel>) {
        let status_choices = channels
            .into_iter()
            .map(|channel| (channel, StatusChoice::All(false)))
            .collect();
        let preferences = Preferences {
            status_choices,
            ..Preferences::default()
        };
        self.customers
            .stored
            .borrow_mut()
            .insert(UserId::try_from(user).unwrap(), preferences);
    }

    async fn take_by(&self, lane: Lane, owner: &str, texts: &[&str]) -> IntakeReport {
        let batch: Vec<Incoming> = texts
            .iter()
            .map(|text| Incoming {
                text: (*text).to_owned(),
                published_at: self.clock.now(),
                lane,
                trace: None,
            })
            .collect();
        let intake = Intake {
            customers: &self.customers,
            ledger: &self.ledger,
            queues: &QueuesAndRoom {
                queues: &self.queues,
                room: &self.room,
            },
            dead_letters: &self.dead_letters,
            clock: &self.clock,
            reading: &self.reading,
            only: None,
            owner,
        };
        intake.take(&batch).await
    }

    async fn take(&self, texts: &[&str]) -> IntakeReport {
        self.take_by(Lane::Normal, "orchestrator", texts).await
    }

    /// A sender with so many seconds to live.
    fn sender<'a, M>(&'a self, owner: &'a str, courier: &'a M, seconds: i64) -> Sender<'a, M> {
        Sending {
            customers: &self.customers,
            ledger: &self.ledger,
            room: &self.room,
            night: &self.night,
            traffic: &self.traffic,
            dead_letters: &self.dead_letters,
            clock: &self.clock,
            courier,
            policy: &self.policy,
            owner,
            deadline: self.clock.now() + SignedDuration::from_secs(seconds),
            call_time_out: SignedDuration::from_secs(10),
            memory: &self.memory,
            is_trial: false,
        }
    }

    async fn send(&self, owner: &str, courier: &ScriptedCourier, requests: &[DeliveryRequest]) -> SendingReport {
        let waiting = |request: &DeliveryRequest| Waiting {
            text: request.to_wire(),
            is_urgent: false,
            receive_count: 1,
        };
        let batch: Vec<Waiting> = requests.iter().map(waiting).collect();
        self.sender(owner, courier, 30).work(&batch).await
    }

    /// An event's e-mail, decided and queued.
    async fn queued(&self, event: &Event) -> DeliveryRequest {
        self.take(&[&text_of(event)]).await;
        self.queues
            .requests
            .borrow()
            .iter()
            .find(|request| request.channel == Channel::Email)
            .unwrap()
            .clone()
    }

    fn email(&self, request: &DeliveryRequest) -> Delivery {
        self.ledger.delivery(request.id, Channel::Email).unwrap()
    }
}

/// The event as its publisher writes it, for e-mail and SMS where it names no channels.
fn text_of(event: &Event) -> String {
    let order = event.content.order().unwrap();
    let (notification_type, status) = (event.content.notification_type(), event.content.status());
    let by_default = vec![Channel::Email, Channel::Sms];
    serde_json::json!({
        "userId": event.recipient.user, "recipientEmail": event.recipient.email, "recipientPhone": event.recipient.phone,
        "notificationType": notification_type.name(), "channels": event.channels.as_ref().unwrap_or(&by_default),
        "orderData": {"orderId": order.id.as_str(), "status": status.map(|status| status.name()), "timestamp": event.at.to_string()},
    })
    .to_string()
}
