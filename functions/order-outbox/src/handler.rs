//! From the table's stream, or from what waits in the table, to the topic.
//!
//! The stream brings news within a second. What it does not bring, because publishing failed for longer than the stream remembers or for
//! whatever other reason, still stands in the table, and is found there every few minutes.

use aws::{Connection, DynamoTracking, SnsTopic};
use domain::ports::Clock;
use domain::{OrderId, TraceContext};
use jiff::SignedDuration;
use lambda::{Call, MetricName, Metrics, Reply, SystemClock, Value};
use tracking::ports::{Outbox, OutgoingNews};

use crate::config::Config;

/// What order events of ours name as their origin: the order status does not take in what it said itself.
const ORIGIN: &str = "order-status";

/// The stream has this long before somebody else looks.
const STREAM_HAS: SignedDuration = SignedDuration::from_secs(120);

/// How many are published in one look.
const MOST: u16 = 200;

/// It only takes away what it published: for how long things are kept is not its business.
const NO_RETENTION: i64 = 0;

/// Everything behind the door, made once and kept between calls.
pub(crate) struct Door {
    outbox: DynamoTracking,
    topic: SnsTopic,
}

impl Door {
    /// Builds it: every client once.
    pub(crate) fn new(config: Config, connection: &Connection) -> Self {
        Self {
            outbox: DynamoTracking::new(connection.dynamodb(), config.table, NO_RETENTION),
            topic: SnsTopic::new(connection.topics(), config.topic_arn, ORIGIN),
        }
    }

    /// Handles one call: a batch of the stream, or the look every few minutes.
    pub(crate) async fn handle(&self, call: Call) -> Reply {
        let mut metrics = Metrics::default();
        let news = match aws::news_of_stream(&call.payload) {
            Some(news) => news,
            None => {
                let before = SystemClock.now() - STREAM_HAS;
                let waiting = self.outbox.waiting(before, MOST).await;
                let waiting = waiting.inspect(|waiting| {
                    metrics.count(MetricName::OrderNewsOverdue, waiting.len() as u64);
                });
                match waiting {
                    Ok(waiting) => waiting,
                    Err(error) => return failed(domain::chain(&error), metrics),
                }
            }
        };
        let mut published = 0;
        let mut trouble = None;
        let trace = call.traces.invocation();
        for (order, news) in &news {
            match self.publish(order, news, trace).await {
                Ok(()) => published += 1,
                Err(why) => trouble = Some(why),
            }
        }
        metrics.count(MetricName::OrderNewsPublished, published);
        match trouble {
            // The batch comes again, and what is published twice is one notification.
            Some(why) => failed(why, metrics),
            None => Reply {
                value: Ok(Value::Null),
                metrics,
            },
        }
    }

    async fn publish(&self, order: &OrderId, news: &OutgoingNews, trace: Option<TraceContext>) -> Result<(), String> {
        self.topic
            .publish(&news.event, trace)
            .await
            .map_err(|error| domain::chain(&error))?;
        tracing::info!(order.id = %order, "published news of order {order}");
        // Left there, it is published once more, which changes nothing.
        if let Err(error) = self.outbox.published(order, &news.key).await {
            tracing::warn!(error = domain::chain(&error), "published news still wait");
        }
        Ok(())
    }
}

fn failed(why: String, metrics: Metrics) -> Reply {
    tracing::error!(error = why, "news of orders could not be published");
    Reply {
        value: Err(why.into()),
        metrics,
    }
}
