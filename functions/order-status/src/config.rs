//! Every variable that the function reads.

use domain::RetryPolicy;
use lambda::{InvalidVariable, Variables};
use pipeline::Reading;

/// What the function needs to know.
#[derive(Debug)]
pub(crate) struct Config {
    /// `ORDER_STATUS_TABLE`.
    pub(crate) table: String,
    /// `ORDER_RETENTION_DAYS`.
    pub(crate) retention_days: i64,
    /// `ORDER_EVENTS_QUEUE_URL`.
    pub(crate) order_events_queue: String,
    /// `CARRIER_EVENTS_QUEUE_URL`.
    pub(crate) carrier_events_queue: String,
    /// The shop's assumptions: `DEFAULT_LANGUAGE`, `DEFAULT_TIME_ZONE`, `DEFAULT_CURRENCY`, `DEFAULT_QUIET_HOURS`.
    pub(crate) reading: Reading,
    /// `RETRY_BASE_SECONDS`.
    pub(crate) policy: RetryPolicy,
}

impl Config {
    /// Reads them.
    pub(crate) fn read(variables: &Variables) -> Result<Self, InvalidVariable> {
        Ok(Self {
            table: variables.text("ORDER_STATUS_TABLE")?,
            retention_days: variables.number("ORDER_RETENTION_DAYS", 400)?,
            order_events_queue: variables.text("ORDER_EVENTS_QUEUE_URL")?,
            carrier_events_queue: variables.text("CARRIER_EVENTS_QUEUE_URL")?,
            reading: variables.reading()?,
            policy: variables.retry_policy()?,
        })
    }
}
