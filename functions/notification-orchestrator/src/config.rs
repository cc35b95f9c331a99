//! Every variable that the orchestrator reads.

use aws::{ChannelQueues, ContactKey};
use domain::{Channel, RetryPolicy, ShopDefaults};
use lambda::{InvalidVariable, Variables};
use std::collections::HashMap;

/// What the orchestrator needs to know.
#[derive(Debug)]
pub(crate) struct Config {
    /// `PREFERENCES_TABLE`.
    pub(crate) preferences_table: String,
    /// `SUPPRESSIONS_TABLE`.
    pub(crate) suppressions_table: String,
    /// `CONTACT_HASH_KEY`.
    pub(crate) contact_key: ContactKey,
    /// `LEDGER_TABLE`.
    pub(crate) ledger_table: String,
    /// `DEFERRED_DELIVERIES_TABLE`.
    pub(crate) deferred_deliveries_table: String,
    /// `LEDGER_RETENTION_DAYS`.
    pub(crate) retention_days: i64,
    /// `NOTIFICATIONS_QUEUE_URL`, `NOTIFICATIONS_URGENT_QUEUE_URL`.
    pub(crate) lanes: ChannelQueues,
    /// `EMAIL_QUEUE_URL`, `EMAIL_URGENT_QUEUE_URL`, `SMS_QUEUE_URL`, `SMS_URGENT_QUEUE_URL`, `IN_APP_QUEUE_URL`,
    /// `IN_APP_URGENT_QUEUE_URL`.
    pub(crate) channels: HashMap<Channel, ChannelQueues>,
    /// `DEFAULT_LANGUAGE`, `DEFAULT_TIME_ZONE`, `DEFAULT_CURRENCY`, `DEFAULT_QUIET_HOURS`, `SMS_COUNTRIES`,
    /// `ADMIN_TOPIC_ARN`, `ADMIN_EMAIL`.
    pub(crate) reading: pipeline::Reading,
    /// `RETRY_BASE_SECONDS`.
    pub(crate) policy: RetryPolicy,
}

impl Config {
    /// Reads them.
    pub(crate) fn read(variables: &Variables) -> Result<Self, InvalidVariable> {
        let reading = variables.reading()?;
        Ok(Self {
            preferences_table: variables.text("PREFERENCES_TABLE")?,
            suppressions_table: variables.text("SUPPRESSIONS_TABLE")?,
            contact_key: variables.contact_key()?,
            ledger_table: variables.text("LEDGER_TABLE")?,
            deferred_deliveries_table: variables.text("DEFERRED_DELIVERIES_TABLE")?,
            retention_days: variables.number("LEDGER_RETENTION_DAYS", 90)?,
            lanes: variables.lanes("NOTIFICATIONS_QUEUE_URL", "NOTIFICATIONS_URGENT_QUEUE_URL")?,
            channels: HashMap::from([
                (
                    Channel::Email,
                    variables.lanes("EMAIL_QUEUE_URL", "EMAIL_URGENT_QUEUE_URL")?,
                ),
                (Channel::Sms, variables.lanes("SMS_QUEUE_URL", "SMS_URGENT_QUEUE_URL")?),
                (
                    Channel::InApp,
                    variables.lanes("IN_APP_QUEUE_URL", "IN_APP_URGENT_QUEUE_URL")?,
                ),
            ]),
            reading: pipeline::Reading {
                shop: ShopDefaults {
                    sms_countries: variables.sms_countries()?,
                    ..reading.shop
                },
                ..reading
            },
            policy: variables.retry_policy()?,
        })
    }
}
