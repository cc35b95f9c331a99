//! What functions are given to do: batches of ten messages.

use anyhow::{Context, Result, ensure};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

use super::dynamo::attribute::Item;
use super::process::Process;
use super::runtime_api::Invocation;
use super::server::Server;
use super::subject::{Subject, TABLES, Transport};

/// How many messages a batch holds.
pub const BATCH: usize = 10;

/// How many customers there are. An order is the next customer's, so that nobody gains by remembering some of them.
const CUSTOMERS: u64 = 100_000;

/// The queues of e-mails to be sent.
const EMAIL_QUEUES: [&str; 2] = ["bench-email", "bench-email-urgent"];

/// What a subject does with a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Job {
    /// Reads events and preferences, records decisions, hands requests over.
    Orchestrator,
    /// Reads requests, claims, writes and sends e-mails, records outcomes.
    EmailSender,
    /// Both in one process.
    #[default]
    Pipeline,
}

/// What the events tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Kind {
    /// An order is confirmed.
    Confirmation,
    /// A parcel is shipped.
    Status,
}

impl Kind {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Confirmation => "confirmation",
            Self::Status => "status",
        }
    }

    const fn sample(self) -> &'static str {
        match self {
            Self::Confirmation => {
                include_str!("../../../events/notification-orchestrator/order-confirmation.json")
            }
            Self::Status => include_str!("../../../events/notification-orchestrator/order-shipped.json"),
        }
    }
}

/// One message: its body, and the queue from which it comes.
#[derive(Debug, Clone)]
pub struct Message {
    body: String,
    queue: &'static str,
}

/// Makes work, and never the same twice.
#[derive(Debug)]
pub struct Work<'s> {
    server: &'s Server,
    orders: u64,
    messages: u64,
    /// Makes requests for the sender out of events, where there is one to be measured.
    orchestrator: Option<Process>,
}

impl<'s> Work<'s> {
    /// Work over fresh tables. With an orchestrator it can be made for the sender too.
    ///
    /// # Errors
    ///
    /// When the orchestrator does not start.
    pub fn new(server: &'s Server, orchestrator: Option<&Subject>, work: &Path) -> Result<Self> {
        {
            let mut world = server.endpoints.world();
            for (_, table, keys) in TABLES {
                let keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
                world.dynamo.create(table, &keys);
            }
            for number in 0..CUSTOMERS {
                world.dynamo.put("bench-preferences", customer(number)?);
            }
            world.dynamo.put("bench-system-state", pace()?);
        }
        let launch = orchestrator.map(|subject| {
            let mut launch = subject.launch(server, Transport::Plain, work);
            launch.log = work.join("feeder.log");
            launch
        });
        Ok(Self {
            server,
            orders: 0,
            messages: 0,
            orchestrator: launch.map(|launch| Process::start(server, &launch)).transpose()?,
        })
    }

    /// Forgets what was recorded and sent; customers stay.
    pub fn clear(&mut self) {
        let mut world = self.server.endpoints.world();
        for (_, table, _) in TABLES {
            if !matches!(table, "bench-preferences" | "bench-system-state") {
                world.dynamo.clear(table);
            }
        }
        world.emails.clear();
        world.refusals.clear();
    }

    /// So many events, each of an order of its own.
    ///
    /// # Errors
    ///
    /// When the sample is none.
    pub fn events(&mut self, count: usize, kind: Kind) -> Result<Vec<Message>> {
        let mut event: Value = serde_json::from_str(kind.sample()).context("read the sample of an event")?;
        let now = super::now();
        let mut messages = Vec::with_capacity(count);
        for _ in 0..count {
            let number = self.orders;
            self.orders += 1;
            set(&mut event, "/userId", format!("bench-{:06}", number % CUSTOMERS));
            set(&mut event, "/recipientEmail", address(number));
            set(&mut event, "/orderData/orderId", format!("ES-20261102-{number:07}"));
            set(&mut event, "/orderData/timestamp", second(now));
            if kind == Kind::Status {
                set(
                    &mut event,
                    "/orderData/trackingNumber",
                    format!("1Z12345E02{number:08}"),
                );
                let day = now.saturating_add(SignedDuration::from_hours(72)).unwrap_or(now);
                set(
                    &mut event,
                    "/orderData/estimatedDelivery",
                    day.strftime("%F").to_string(),
                );
            }
            messages.push(Message {
                body: event.to_string(),
                queue: "bench-notifications",
            });
        }
        Ok(messages)
    }

    /// So many messages for this job, each of an order of its own.
    ///
    /// # Errors
    ///
    /// When the orchestrator that should make them fails.
    pub fn messages(&mut self, job: Job, count: usize, kind: Kind) -> Result<Vec<Message>> {
        let events = self.events(count, kind)?;
        match job {
            Job::Orchestrator | Job::Pipeline => Ok(events),
            Job::EmailSender => {
                let made = self.requests(&events)?;
                ensure!(
                    made.len() == count,
                    "the orchestrator made {} requests of {count} events",
                    made.len()
                );
                Ok(made)
            }
        }
    }

    /// What the orchestrator puts on the queue of e-mails when it gets these.
    ///
    /// # Errors
    ///
    /// When there is no orchestrator.
    pub fn requests(&mut self, events: &[Message]) -> Result<Vec<Message>> {
        for queue in EMAIL_QUEUES {
            let mut world = self.server.endpoints.world();
            world.queues.insert(queue.to_owned(), Vec::new());
        }
        let invocations = self.invocations(events);
        let orchestrator = self
            .orchestrator
            .as_ref()
            .context("requests for the sender need an orchestrator")?;
        let limit = Duration::from_secs(60) + Duration::from_millis(20) * u32::try_from(events.len())?;
        let batches = invocations.len();
        let finished = orchestrator.run(invocations, limit).len();
        ensure!(
            finished == batches,
            "the orchestrator finished {finished} of {batches} batches"
        );
        let mut world = self.server.endpoints.world();
        let mut requests = Vec::with_capacity(events.len());
        for queue in EMAIL_QUEUES {
            let bodies = world.queues.remove(queue).unwrap_or_default();
            requests.extend(bodies.into_iter().map(|body| Message { body, queue }));
        }
        Ok(requests)
    }

    /// Batches of ten, as SQS hands them to Lambda.
    #[must_use]
    pub fn invocations(&mut self, messages: &[Message]) -> Vec<Invocation> {
        let sent_at = super::wall_clock_ms().to_string();
        messages
            .chunks(BATCH)
            .map(|batch| {
                let records: Vec<Value> = batch.iter().map(|message| self.record(message, &sent_at)).collect();
                Invocation {
                    payload: json!({ "Records": records }).to_string().into_bytes(),
                    due: None,
                }
            })
            .collect()
    }

    fn record(&mut self, message: &Message, sent_at: &str) -> Value {
        self.messages += 1;
        json!({
            "messageId": format!("5f3b1c2e-8a4d-4e6b-9c10-{:012x}", self.messages),
            "receiptHandle": format!("{}{:012x}", "AQEB".repeat(60), self.messages),
            "body": message.body,
            "attributes": {
                "ApproximateReceiveCount": "1",
                "AWSTraceHeader": "Root=1-5759e988-bd862e3fe1be46a994272793",
                "SentTimestamp": sent_at,
                "SenderId": "AIDAIENQZJOLO23YVJ4VO",
                "ApproximateFirstReceiveTimestamp": sent_at,
            },
            "messageAttributes": {},
            "md5OfBody": "00db500efe76042a1a7aa6dc1d841379",
            "eventSource": "aws:sqs",
            "eventSourceARN": format!("arn:aws:sqs:eu-west-1:000000000000:{}", message.queue),
            "awsRegion": "eu-west-1",
        })
    }
}

fn set(event: &mut Value, pointer: &str, text: String) {
    if let Some(place) = event.pointer_mut(pointer) {
        *place = Value::String(text);
    }
}

fn address(number: u64) -> String {
    format!("customer-{number:07}@example.com")
}

fn second(at: Timestamp) -> String {
    at.strftime("%FT%TZ").to_string()
}

/// A customer who wants e-mails and nothing else, so that an event is one e-mail whoever handles it.
fn customer(number: u64) -> Result<Item> {
    let choices = |wish: bool| json!({ "M": { "order_confirmation": { "BOOL": wish }, "order_status_update": { "BOOL": wish } } });
    let item = json!({
        "userId": { "S": format!("bench-{number:06}") },
        "preferences": { "M": {
            "email": choices(true), "sms": choices(false), "push": choices(false), "in_app": choices(false),
        } },
        "language": { "S": "es" },
        "timezone": { "S": "Europe/Madrid" },
        "phoneNumber": { "S": "+34600123456" },
        "updatedAt": { "S": "2026-11-01T10:00:00Z" },
        "version": { "N": "1" },
    });
    serde_json::from_value(item).context("make a customer")
}

/// The account may send as much as anybody likes: what is measured is the function, not its patience.
fn pace() -> Result<Item> {
    let item = json!({ "name": { "S": "traffic#email" }, "limit": { "N": "1000000000" } });
    serde_json::from_value(item).context("make the pace of an account")
}
