//! Every variable that the function reads.

use domain::RetryPolicy;
use jiff::SignedDuration;
use lambda::{InvalidVariable, Variables};
use tracking::PatrolPolicy;

/// What the function needs to know.
#[derive(Debug)]
pub(crate) struct Config {
    /// `ORDER_STATUS_TABLE`.
    pub(crate) table: String,
    /// `ORDER_RETENTION_DAYS`.
    pub(crate) retention_days: i64,
    /// `SYSTEM_STATE_TABLE`.
    pub(crate) system_state_table: String,
    /// `CARRIER_EVENTS_QUEUE_URL`.
    pub(crate) carrier_events_queue: String,
    /// `CARRIER_HANDSHAKES_QUEUE_URL`.
    pub(crate) handshakes_queue: String,
    /// `CARRIER_SECRETS_ARN`.
    pub(crate) secrets_arn: String,
    /// `SILENT_PARCEL_DAYS`, `TELL_CUSTOMERS_OF_SILENCE`.
    pub(crate) patrol: PatrolPolicy,
    /// `RETRY_BASE_SECONDS`.
    pub(crate) retry: RetryPolicy,
}

impl Config {
    /// Reads them.
    pub(crate) fn read(variables: &Variables) -> Result<Self, InvalidVariable> {
        let silent_days: i64 = variables.number("SILENT_PARCEL_DAYS", 7)?;
        Ok(Self {
            table: variables.text("ORDER_STATUS_TABLE")?,
            retention_days: variables.number("ORDER_RETENTION_DAYS", 400)?,
            system_state_table: variables.text("SYSTEM_STATE_TABLE")?,
            carrier_events_queue: variables.text("CARRIER_EVENTS_QUEUE_URL")?,
            handshakes_queue: variables.text("CARRIER_HANDSHAKES_QUEUE_URL")?,
            secrets_arn: variables.text("CARRIER_SECRETS_ARN")?,
            patrol: PatrolPolicy {
                silence_to_report: SignedDuration::from_hours(24_i64.saturating_mul(silent_days.max(1))),
                tells_customers_of_silence: variables.optional("TELL_CUSTOMERS_OF_SILENCE").as_deref() == Some("true"),
                ..PatrolPolicy::default()
            },
            retry: variables.retry_policy()?,
        })
    }
}
