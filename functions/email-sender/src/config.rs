//! Every variable that the e-mail sender reads.

use aws::{ChannelQueues, ContactKey, Sender};
use domain::RetryPolicy;
use lambda::{InvalidVariable, Variables};
use messages::Shop;

/// What the e-mail sender needs to know.
#[derive(Debug)]
pub(crate) struct Config {
    /// `PREFERENCES_TABLE`.
    pub(crate) preferences_table: String,
    /// `SUPPRESSIONS_TABLE`.
    pub(crate) suppressions_table: String,
    /// `CONTACT_HASH_KEY`.
    pub(crate) contact_key: ContactKey,
    /// `SYSTEM_STATE_TABLE`.
    pub(crate) system_state_table: String,
    /// `TEMPLATES_TABLE`.
    pub(crate) templates_table: String,
    /// `ACCOUNT_TROUBLE_QUEUE_URL`.
    pub(crate) account_trouble_queue: String,
    /// `LEDGER_TABLE`.
    pub(crate) ledger_table: String,
    /// `LEDGER_RETENTION_DAYS`.
    pub(crate) retention_days: i64,
    /// `EMAIL_QUEUE_URL`, `EMAIL_URGENT_QUEUE_URL`.
    pub(crate) lanes: ChannelQueues,
    /// `SENDER_EMAIL`, `SENDER_NAME`, `SUPPORT_EMAIL`.
    pub(crate) sender: Sender,
    /// `SHOP_NAME`, `SHOP_URL`, `SUPPORT_EMAIL`.
    pub(crate) shop: Shop,
    /// `DEFAULT_LANGUAGE`, `DEFAULT_TIME_ZONE`, `DEFAULT_CURRENCY`, `ADMIN_TOPIC_ARN`, `ADMIN_EMAIL`.
    pub(crate) reading: pipeline::Reading,
    /// `CONFIGURATION_SET`; without one SES tells nothing about its messages.
    pub(crate) configuration_set: Option<String>,
    /// `RETRY_BASE_SECONDS`, `IN_DOUBT_SECONDS`, `IN_DOUBT_POLICY`.
    pub(crate) policy: RetryPolicy,
}

impl Config {
    /// Reads them.
    pub(crate) fn read(variables: &Variables) -> Result<Self, InvalidVariable> {
        let support_email = variables.text("SUPPORT_EMAIL")?;
        Ok(Self {
            preferences_table: variables.text("PREFERENCES_TABLE")?,
            suppressions_table: variables.text("SUPPRESSIONS_TABLE")?,
            contact_key: variables.contact_key()?,
            system_state_table: variables.text("SYSTEM_STATE_TABLE")?,
            templates_table: variables.text("TEMPLATES_TABLE")?,
            account_trouble_queue: variables.text("ACCOUNT_TROUBLE_QUEUE_URL")?,
            ledger_table: variables.text("LEDGER_TABLE")?,
            retention_days: variables.number("LEDGER_RETENTION_DAYS", 90)?,
            lanes: variables.lanes("EMAIL_QUEUE_URL", "EMAIL_URGENT_QUEUE_URL")?,
            sender: Sender {
                email: variables.text("SENDER_EMAIL")?,
                name: variables.optional("SENDER_NAME").unwrap_or_default(),
                reply_to: support_email.clone(),
            },
            shop: Shop {
                name: variables.text("SHOP_NAME")?,
                url: variables.optional("SHOP_URL"),
                support_email,
                logo_url: None,
                colour: None,
                address: None,
            },
            reading: variables.reading()?,
            configuration_set: variables.optional("CONFIGURATION_SET"),
            policy: variables.retry_policy()?,
        })
    }
}
