//! What the account monitor is called for: every minute, when a sender met trouble, and at night for the opt-outs.

use aws::{Connection, DynamoSuppressions, DynamoTraffic, LambdaTrial, LambdaValves, SesAccount, SnsOptOuts};
use domain::{Channel, RetryPolicy};
use lambda::{AccountMetric, Call, Invocation, MetricName, Metrics, Reply, SystemClock, Value};
use pipeline::{Watch, take_over_opt_outs};
use serde::Deserialize;

use crate::config::Config;

/// Everything that the account monitor works with.
#[derive(Debug)]
pub(crate) struct Monitor {
    account: SesAccount,
    traffic: DynamoTraffic<SystemClock>,
    valves: LambdaValves,
    trial: LambdaTrial,
    policy: RetryPolicy,
    opt_outs: SnsOptOuts,
    suppressions: DynamoSuppressions,
}

/// What a schedule asks for.
#[derive(Deserialize)]
#[serde(tag = "task", rename_all = "kebab-case")]
enum Task {
    /// `{"task": "minute"}`
    Minute,
    /// `{"task": "opt-outs"}`
    OptOuts,
}

impl Monitor {
    /// Builds it: every client once.
    pub(crate) fn new(config: Config, connection: &Connection) -> Self {
        let dynamodb = connection.dynamodb();
        Self {
            account: SesAccount::new(connection.ses(), config.sender_email, config.sms_rate),
            traffic: DynamoTraffic::for_keeper(dynamodb.clone(), config.system_state_table, SystemClock)
                .with_sms_limit(config.sms_rate),
            valves: LambdaValves::new(connection.lambda(), config.mappings),
            trial: LambdaTrial::new(connection.lambda(), connection.sqs(), config.functions, config.queues),
            policy: config.policy,
            opt_outs: SnsOptOuts::new(connection.sns()),
            suppressions: DynamoSuppressions::new(dynamodb, config.suppressions_table, config.contact_key),
        }
    }

    /// Handles one call.
    pub(crate) async fn handle(&self, call: Call) -> Reply {
        match Invocation::read(&call.payload) {
            // Whatever a sender met, looking after everything is right, and right again.
            Invocation::Queue(_) | Invocation::Trial(_) => self.look_after_all().await,
            Invocation::Topic(_) => refusal("expected a task or a message of the queue, not one of a topic"),
            Invocation::Direct(payload) => match serde_json::from_str(&payload) {
                Ok(Task::Minute) => self.look_after_all().await,
                Ok(Task::OptOuts) => self.take_over_opt_outs().await,
                Err(_unknown) => refusal("task: expected minute or opt-outs"),
            },
        }
    }

    async fn look_after_all(&self) -> Reply {
        let watch = Watch {
            account: &self.account,
            traffic: &self.traffic,
            valves: &self.valves,
            trial: &self.trial,
            policy: &self.policy,
            clock: &SystemClock,
        };
        let mut metrics = Metrics::default();
        let mut undone = Vec::new();
        for channel in Channel::METERED {
            let watched = watch.look_after(channel).await;
            for note in &watched.notes {
                tracing::info!(channel = channel.name(), "{channel}: {note}");
            }
            if watched.is_held {
                tracing::error!(channel = channel.name(), "{channel} is held: its account is in trouble");
            }
            let name = MetricName::Account(channel, AccountMetric::BreakerOpen);
            metrics.count(name, u64::from(watched.is_held));
            if !watched.is_complete {
                undone.push(channel.name());
            }
        }
        Reply {
            value: match undone.is_empty() {
                true => Ok(Value::Null),
                false => Err(format!("could not look after {}: see the log", undone.join(", ")).into()),
            },
            metrics,
        }
    }

    async fn take_over_opt_outs(&self) -> Reply {
        let mut metrics = Metrics::default();
        let value = match take_over_opt_outs(&self.opt_outs, &self.suppressions, &SystemClock).await {
            Ok(new) => {
                tracing::info!("took over {new} numbers that opted out");
                metrics.count(MetricName::ContactSuppressed, new);
                Ok(Value::Null)
            }
            Err(error) => Err(domain::chain(&error).into()),
        };
        Reply { value, metrics }
    }
}

fn refusal(why: &'static str) -> Reply {
    Reply {
        value: Err(why.into()),
        metrics: Metrics::default(),
    }
}
