//! Every variable that the in-app sender reads.

use aws::ChannelQueues;
use domain::{Night, RetryPolicy};
use lambda::{InvalidVariable, Variables};
use messages::Shop;

/// What the in-app sender needs to know.
#[derive(Debug)]
pub(crate) struct Config {
    /// `PREFERENCES_TABLE`.
    pub(crate) preferences_table: String,
    /// `TEMPLATES_TABLE`.
    pub(crate) templates_table: String,
    /// `LEDGER_TABLE`.
    pub(crate) ledger_table: String,
    /// `DEFERRED_DELIVERIES_TABLE`.
    pub(crate) deferred_deliveries_table: String,
    /// `DEFAULT_QUIET_HOURS`, `DEFAULT_TIME_ZONE`.
    pub(crate) night: Night,
    /// `INBOX_TABLE`.
    pub(crate) inbox_table: String,
    /// `INBOX_RETENTION_DAYS`.
    pub(crate) retention_days: i64,
    /// `IN_APP_QUEUE_URL`, `IN_APP_URGENT_QUEUE_URL`.
    pub(crate) lanes: ChannelQueues,
    /// `SHOP_NAME`, `SHOP_URL`, `SUPPORT_EMAIL`.
    pub(crate) shop: Shop,
    /// `RETRY_BASE_SECONDS`.
    pub(crate) policy: RetryPolicy,
}

impl Config {
    /// Reads them.
    pub(crate) fn read(variables: &Variables) -> Result<Self, InvalidVariable> {
        Ok(Self {
            preferences_table: variables.text("PREFERENCES_TABLE")?,
            templates_table: variables.text("TEMPLATES_TABLE")?,
            ledger_table: variables.text("LEDGER_TABLE")?,
            deferred_deliveries_table: variables.text("DEFERRED_DELIVERIES_TABLE")?,
            night: variables.night()?,
            inbox_table: variables.text("INBOX_TABLE")?,
            retention_days: variables.number("INBOX_RETENTION_DAYS", 90)?,
            lanes: variables.lanes("IN_APP_QUEUE_URL", "IN_APP_URGENT_QUEUE_URL")?,
            shop: Shop {
                name: variables.text("SHOP_NAME")?,
                url: variables.optional("SHOP_URL"),
                support_email: variables.text("SUPPORT_EMAIL")?,
                logo_url: None,
                colour: None,
                address: None,
            },
            policy: variables.retry_policy()?,
        })
    }
}
