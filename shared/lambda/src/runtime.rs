//! Starting a function: the log, one thread, one handler.

use domain::ports::Clock as _;
use jiff::Timestamp;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;
use serde_json::value::RawValue;
use std::str::FromStr;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

use crate::{Metrics, SystemClock, Traces, Variables};

/// One call of a function.
#[derive(Debug)]
pub struct Call {
    /// What woke it up, as text.
    pub payload: String,
    /// The owner of its claims: the request's id, and a part that differs when Lambda repeats a request.
    pub owner: String,
    /// When it is killed.
    pub deadline: Timestamp,
    /// Where its traces are told.
    pub traces: Traces,
}

/// How a call went.
#[derive(Debug)]
pub struct Reply {
    /// What the caller is told; an error makes an asynchronous caller repeat the call.
    pub value: Result<Value, Error>,
    /// What there was to count.
    pub metrics: Metrics,
}

/// Runs a function until Lambda stops it. Every call ends with one metrics line.
///
/// # Errors
///
/// When Lambda's runtime API cannot be reached or a variable of Lambda's own is missing.
pub async fn start<H>(function: &'static str, handle: H) -> Result<(), Error>
where
    H: AsyncFn(Call) -> Reply,
{
    let handle = &handle;
    let traces = &Traces::of_process();
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Box<RawValue>>| async move {
        let (payload, context) = event.into_parts();
        let deadline = i64::try_from(context.deadline)
            .ok()
            .and_then(|ms| Timestamp::from_millisecond(ms).ok());
        let call = Call {
            payload: payload.get().to_owned(),
            owner: format!("{}/{:08x}", context.request_id, fastrand::u32(..)),
            deadline: deadline.unwrap_or(Timestamp::MAX),
            traces: traces.within(context.xray_trace_id.as_deref()),
        };
        let reply = handle(call).await;
        reply.metrics.emit(function, SystemClock.now());
        reply.value
    }))
    .await
}

impl Call {
    /// The owner of the claims of one round. A round must not take an earlier one's claim for its own: that one may have sent.
    pub(crate) fn owner_of_round(&self, nth: usize) -> String {
        format!("{}.{nth}", self.owner)
    }

    /// Starts the log: JSON lines, our own at `LOG_LEVEL` (`info` where it says nothing sensible), those of others from
    /// warnings on: at their finer levels some libraries log whole events.
    pub fn start_log(variables: &Variables) {
        let level = variables
            .optional("LOG_LEVEL")
            .and_then(|level| LevelFilter::from_str(&level).ok());
        let level = level.unwrap_or(LevelFilter::INFO);
        // A second start, in a test, changes nothing.
        let _already_started = tracing_subscriber::registry()
            .with(lines(level, std::io::stdout))
            .try_init();
    }
}

/// The lines of the log. CloudWatch keeps the moment of each, and the sentence says where it comes from: neither is written.
pub(crate) fn lines<S, W>(level: LevelFilter, writer: W) -> impl Layer<S>
where
    S: tracing::Subscriber + for<'s> LookupSpan<'s>,
    W: for<'w> MakeWriter<'w> + 'static,
{
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_target(false)
        .without_time()
        .with_writer(writer);
    lines.with_filter(filter_fn(move |metadata| {
        let crate_name = metadata.target().split("::").next().unwrap_or_default();
        let allowed = if OURS.contains(&crate_name) {
            level
        } else {
            level.min(LevelFilter::WARN)
        };
        *metadata.level() <= allowed
    }))
}

/// The crates whose log lines are written by us.
const OURS: [&str; 24] = [
    "account_monitor",
    "aws",
    "canary",
    "carrier_poller",
    "carrier_webhook",
    "deferred_deliveries",
    "delivery_events",
    "domain",
    "email_sender",
    "in_app_sender",
    "inbox_api",
    "lambda",
    "messages",
    "notification_orchestrator",
    "order_outbox",
    "order_status",
    "pages",
    "pipeline",
    "preferences_api",
    "preferences_page",
    "sms_sender",
    "tracking",
    "tracking_api",
    "web",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_round_takes_the_claim_of_another_for_its_own() {
        let call = Call {
            payload: String::new(),
            owner: "request/1".to_owned(),
            deadline: Timestamp::MAX,
            traces: Traces::default(),
        };
        assert_ne!(call.owner_of_round(0), call.owner_of_round(1));
    }
}
