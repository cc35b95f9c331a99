//! How many batches are worked on at once, how full they get and for how long they are collected: what `template.yaml` says.

use anyhow::{Context, Result};
use serde_yaml_ng::Value;

const TEMPLATE: &str = include_str!("../../../template.yaml");
const ALARMS: &str = include_str!("../../../infra/alarms.yaml");

/// Pollers with which Lambda starts on a queue (Lambda Developer Guide, "Configuring scaling behavior for SQS event source mappings").
pub const FIRST_POLLERS: u32 = 5;

/// The limits of the functions on the way of an e-mail.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// Memory of every function.
    pub memory_megabytes: f64,
    /// Events to the orchestrator.
    pub orchestrator: Lanes,
    /// Deliveries to the e-mail sender.
    pub sender: Lanes,
    /// SES's events.
    pub receipts: Lane,
    /// Of every queue that feeds a function: how many batches at most are worked on at once.
    pub queues: Vec<u32>,
}

/// Two queues that feed one function.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lanes {
    /// The normal one.
    pub normal: Lane,
    /// The urgent one.
    pub urgent: Lane,
}

/// One queue that feeds a function.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lane {
    /// The most messages of a batch.
    pub batch: u32,
    /// How long a batch that is not full is collected.
    pub window_seconds: f64,
    /// How many batches are worked on at once.
    pub most_at_once: u32,
}

impl Limits {
    /// What the template of this workspace says.
    ///
    /// # Errors
    ///
    /// When it holds no such function, queue or limit.
    pub fn of_template() -> Result<Self> {
        Self::read(TEMPLATE)
    }

    fn read(template: &str) -> Result<Self> {
        let template: Value = serde_yaml_ng::from_str(template).context("read the template")?;
        let resources = template.get("Resources").context("the template has no resources")?;
        let lane = |function: &str, event: &str| -> Result<Lane> {
            let event_of = |value: &Value| value.get("Properties")?.get("Events")?.get(event).cloned();
            let found = resources.get(function).and_then(event_of);
            let found = found.with_context(|| format!("{function} has no event {event}"))?;
            lane_of(&found).with_context(|| format!("{event} of {function}"))
        };
        let lanes = |function: &str| -> Result<Lanes> {
            Ok(Lanes {
                normal: lane(function, "Normal")?,
                urgent: lane(function, "Urgent")?,
            })
        };
        let memory = template
            .get("Globals")
            .and_then(|globals| globals.get("Function")?.get("MemorySize")?.as_f64());
        Ok(Self {
            memory_megabytes: memory.context("the template sets no memory")?,
            orchestrator: lanes("OrchestratorFunction")?,
            sender: lanes("EmailFunction")?,
            receipts: lane_of(&only_queue(resources, "DeliveryEventsFunction")?).context("DeliveryEventsFunction")?,
            queues: queues_of(resources)
                .map(|event| Ok(lane_of(&event)?.most_at_once))
                .collect::<Result<_>>()?,
        })
    }

    /// The same with room for so many e-mails a second: twice what they need on average, and never less than before.
    #[must_use]
    pub fn with_room_for(&self, figures: &super::Figures, per_second: f64) -> Self {
        let needs = super::Needs::of(figures, self, per_second);
        let raised = |lane: Lane, at_once: f64| Lane {
            most_at_once: lane.most_at_once.max(whole(2.0 * at_once)),
            ..lane
        };
        let both = |lanes: Lanes, at_once: f64| Lanes {
            normal: raised(lanes.normal, at_once),
            urgent: raised(lanes.urgent, at_once),
        };
        Self {
            orchestrator: both(self.orchestrator, needs.orchestrators_at_once),
            sender: both(self.sender, needs.senders_at_once),
            receipts: raised(self.receipts, needs.receipts_at_once),
            ..self.clone()
        }
    }
}

impl Lane {
    /// How full a batch gets on average when so many messages a second are spread over the pollers.
    #[must_use]
    pub fn mean_batch(&self, per_second: f64) -> f64 {
        let pollers = f64::from(self.most_at_once.clamp(1, FIRST_POLLERS));
        (1.0 + per_second * self.window_seconds / pollers).min(f64::from(self.batch))
    }
}

/// So many alarms the stack has.
#[must_use]
pub fn alarms() -> usize {
    ALARMS.matches("Type: AWS::CloudWatch::Alarm").count()
}

/// So many, rounded up.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "small positive numbers"
)]
#[must_use]
pub fn whole(many: f64) -> u32 {
    many.ceil() as u32
}

fn queues_of(resources: &Value) -> impl Iterator<Item = Value> {
    let resources = resources
        .as_mapping()
        .into_iter()
        .flat_map(|resources| resources.values());
    let events = resources.filter_map(|resource| resource.get("Properties")?.get("Events")?.as_mapping());
    events
        .flat_map(|events| events.values())
        .filter(|event| event.get("Type").and_then(Value::as_str) == Some("SQS"))
        .cloned()
}

fn only_queue(resources: &Value, function: &str) -> Result<Value> {
    let one = [(
        Value::from(function),
        resources.get(function).cloned().unwrap_or_default(),
    )];
    let one = Value::Mapping(one.into_iter().collect());
    queues_of(&one)
        .next()
        .with_context(|| format!("no queue feeds {function}"))
}

fn lane_of(event: &Value) -> Result<Lane> {
    let properties = event.get("Properties").context("no properties")?;
    let number = |value: Option<&Value>, name: &str| {
        let number = value
            .and_then(Value::as_u64)
            .and_then(|number| u32::try_from(number).ok());
        number.with_context(|| format!("no {name}"))
    };
    let scaling = properties.get("ScalingConfig");
    Ok(Lane {
        batch: number(properties.get("BatchSize"), "BatchSize")?,
        window_seconds: number(
            properties.get("MaximumBatchingWindowInSeconds"),
            "MaximumBatchingWindowInSeconds",
        )?
        .into(),
        most_at_once: number(
            scaling.and_then(|scaling| scaling.get("MaximumConcurrency")),
            "MaximumConcurrency",
        )?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::today;

    #[test]
    fn the_limits_are_those_of_the_template() {
        let (_, limits) = today();
        assert_eq!(
            (limits.sender.normal.batch, limits.sender.urgent.window_seconds),
            (10, 0.0)
        );
        assert!(limits.queues.len() >= 12, "{:?}", limits.queues);
    }

    #[test]
    fn a_batch_fills_up_with_the_rate() {
        let (_, limits) = today();
        let lane = limits.sender.normal;
        assert!(lane.mean_batch(1.0) < 1.5 && (lane.mean_batch(1e4) - 10.0).abs() < 1e-9);
    }
}
