//! From what woke the function up to what was said of orders, and back.

use aws::{ChannelQueues, Connection, DynamoTracking, SqsDeadLetters, SqsVisibility};
use domain::ports::Clock;
use lambda::{Call, Invocation, MetricName, Metrics, QueueDoor, QueueMessage, Reply, SystemClock, Verdict};
use pipeline::Reading;
use std::cell::RefCell;
use tracking::{CarrierNews, Desk, Seen, Told};

use crate::config::Config;

/// What our own news name as their origin: taken in, they would begin again.
const OWN_ORIGIN: &str = "order-status";

/// Everything behind the door, made once and kept between calls.
pub(crate) struct Door {
    store: DynamoTracking,
    reading: Reading,
    orders: Lane,
    carriers: Lane,
}

/// A queue, and what is done with its messages in trouble.
struct Lane {
    url: String,
    door: QueueDoor<SqsDeadLetters, SqsVisibility, SystemClock>,
}

/// What there is to count.
#[derive(Default)]
struct Counts {
    sayings: u64,
    changed: u64,
    news: u64,
    reviews: u64,
    unreadable: u64,
    unknown_parcels: u64,
    refused: u64,
}

impl Door {
    /// Builds it: every client once.
    pub(crate) fn new(config: Config, connection: &Connection) -> Self {
        let sqs = connection.sqs();
        let lane = |url: String| Lane {
            door: QueueDoor {
                dead_letters: SqsDeadLetters::new(
                    sqs.clone(),
                    ChannelQueues {
                        normal: url.clone(),
                        urgent: url.clone(),
                    },
                ),
                visibility: SqsVisibility::new(sqs.clone()),
                policy: config.policy.clone(),
                clock: SystemClock,
            },
            url,
        };
        Self {
            store: DynamoTracking::new(connection.dynamodb(), config.table, config.retention_days),
            orders: lane(config.order_events_queue),
            carriers: lane(config.carrier_events_queue),
            reading: config.reading,
        }
    }

    /// Handles one call.
    pub(crate) async fn handle(&self, call: Call) -> Reply {
        let Invocation::Queue(messages) = Invocation::read(&call.payload) else {
            return Reply {
                value: Err("expected messages of the queues of order events or of carrier events".into()),
                metrics: Metrics::default(),
            };
        };
        let counts = RefCell::new(Counts::default());
        let is_of_carriers = messages.iter().all(|message| message.is_from(&self.carriers.url));
        let lane = if is_of_carriers { &self.carriers } else { &self.orders };
        let work = async |message: &QueueMessage| {
            let verdict = match is_of_carriers {
                true => self.take_tracking(message, &counts).await,
                false => self.take_told(message, &counts).await,
            };
            counts.borrow_mut().refused += u64::from(matches!(verdict, Verdict::Refused(_)));
            verdict
        };
        let value = lane.door.work_each(&lane.url, &messages, &call.traces, work).await;
        Reply {
            value,
            metrics: metrics_of(&counts.into_inner()),
        }
    }

    fn desk(&self) -> Desk<'_, DynamoTracking, SystemClock> {
        Desk {
            store: &self.store,
            clock: &SystemClock,
            zone: &self.reading.shop.zone,
        }
    }

    /// An event of the order pipeline. One that cannot be read is the orchestrator's to refuse: it gets the same event, and keeps it
    /// with every wrong field named.
    async fn take_told(&self, message: &QueueMessage, counts: &RefCell<Counts>) -> Verdict {
        if message.origin.as_deref() == Some(OWN_ORIGIN) {
            return Verdict::Done("what we said ourselves".to_owned());
        }
        let heard_at = SystemClock.now();
        let published_at = message.sent_at.unwrap_or(heard_at);
        let Ok(event) = pipeline::read_event(&message.text, published_at, &self.reading) else {
            counts.borrow_mut().unreadable += 1;
            return Verdict::Done("an event that cannot be read".to_owned());
        };
        let order_type = pipeline::order_type_of(&message.text);
        let Some(told) = Told::of(&event, order_type, heard_at) else {
            return Verdict::Done(format!("{}: about no order", event.content.notification_type()));
        };
        match self.desk().take_told(told).await {
            Ok(seen) => Verdict::Done(counted(&seen, counts)),
            Err(error) => Verdict::Again(domain::chain(&error)),
        }
    }

    async fn take_tracking(&self, message: &QueueMessage, counts: &RefCell<Counts>) -> Verdict {
        let CarrierNews::V1 { heard_at, events } = match CarrierNews::read(&message.text) {
            Ok(news) => news,
            Err(problem) => return Verdict::Refused(problem),
        };
        counts.borrow_mut().sayings += events.len() as u64;
        match self.desk().take_tracking(&events, heard_at).await {
            Ok(seen) if seen.is_empty() => {
                counts.borrow_mut().unknown_parcels += 1;
                Verdict::Done("of no order that we know yet".to_owned())
            }
            Ok(seen) => {
                let lines: Vec<String> = seen.iter().map(|seen| counted(seen, counts)).collect();
                Verdict::Done(lines.join(", "))
            }
            Err(error) => Verdict::Again(domain::chain(&error)),
        }
    }
}

/// Counts what became of an order, and says it in a line for the log.
fn counted(seen: &Seen, counts: &RefCell<Counts>) -> String {
    let mut counts = counts.borrow_mut();
    counts.changed += u64::from(seen.has_changed);
    counts.news += seen.news;
    counts.reviews += u64::from(seen.is_newly_under_review);
    let changed = if seen.has_changed { "" } else { ", nothing new" };
    format!("order {}: {}{changed}, {} news", seen.order, seen.status, seen.news)
}

fn metrics_of(counts: &Counts) -> Metrics {
    let mut metrics = Metrics::default();
    metrics
        .count(MetricName::TrackingEvents, counts.sayings)
        .count(MetricName::OrderStatusChanged, counts.changed)
        .count(MetricName::OrderNews, counts.news)
        .count(MetricName::OrderReviewNeeded, counts.reviews)
        .count(MetricName::OrderEventUnreadable, counts.unreadable)
        .count(MetricName::TrackingUnknownParcel, counts.unknown_parcels)
        .count(MetricName::TrackingRefused, counts.refused);
    metrics
}
