//! Plumbing that every function shares: what woke it up, batches, variables, the log, the metrics line,
//! traces.

mod clock;
mod direct;
mod feedback_door;
mod intake_door;
mod invocation;
mod journey;
mod metric_name;
mod metrics;
mod outcomes;
mod places;
mod queue_door;
mod runtime;
mod segment;
mod sending_door;
mod template_book;
#[cfg(test)]
mod tests;
mod variables;

pub use clock::SystemClock;
pub use feedback_door::FeedbackDoor;
pub use intake_door::IntakeDoor;
pub use invocation::{Invocation, QueueMessage, TopicMessage};
pub use journey::Traces;
pub use metric_name::{AccountMetric, DeliveryMetric, MetricName, ReportMetric};
pub use metrics::Metrics;
pub use queue_door::{QueueDoor, Verdict};
pub use runtime::{Call, Reply, start};
pub use sending_door::SendingDoor;
pub use serde_json::Value;
pub use template_book::TemplateBook;
pub use variables::{InvalidVariable, Variables};
