//! Every variable that the SMS sender reads.

use aws::{ChannelQueues, ContactKey};
use domain::{Night, RetryPolicy, SmsLimits};
use lambda::{InvalidVariable, Variables};
use messages::Shop;

/// What the SMS sender needs to know.
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
    /// `DEFERRED_DELIVERIES_TABLE`.
    pub(crate) deferred_deliveries_table: String,
    /// `DEFAULT_QUIET_HOURS`, `DEFAULT_TIME_ZONE`.
    pub(crate) night: Night,
    /// `SMS_QUEUE_URL`, `SMS_URGENT_QUEUE_URL`.
    pub(crate) lanes: ChannelQueues,
    /// `PROVIDER_MESSAGES_TABLE`.
    pub(crate) provider_messages_table: String,
    /// `SMS_RATE_PER_SECOND`.
    pub(crate) rate_per_second: f64,
    /// `SMS_COUNTRIES`, `SMS_PER_NUMBER_PER_DAY`, `SMS_MONTHLY_SEGMENTS`.
    pub(crate) limits: SmsLimits,
    /// `SMS_SENDER_ID`; none where countries choose the number.
    pub(crate) sender_id: Option<String>,
    /// `SHOP_NAME`, `SHOP_URL`, `SUPPORT_EMAIL`.
    pub(crate) shop: Shop,
    /// `RETRY_BASE_SECONDS`, `IN_DOUBT_SECONDS`.
    pub(crate) policy: RetryPolicy,
}

impl Config {
    /// Reads them.
    pub(crate) fn read(variables: &Variables) -> Result<Self, InvalidVariable> {
        Ok(Self {
            preferences_table: variables.text("PREFERENCES_TABLE")?,
            suppressions_table: variables.text("SUPPRESSIONS_TABLE")?,
            contact_key: variables.contact_key()?,
            system_state_table: variables.text("SYSTEM_STATE_TABLE")?,
            templates_table: variables.text("TEMPLATES_TABLE")?,
            account_trouble_queue: variables.text("ACCOUNT_TROUBLE_QUEUE_URL")?,
            ledger_table: variables.text("LEDGER_TABLE")?,
            deferred_deliveries_table: variables.text("DEFERRED_DELIVERIES_TABLE")?,
            night: variables.night()?,
            lanes: variables.lanes("SMS_QUEUE_URL", "SMS_URGENT_QUEUE_URL")?,
            provider_messages_table: variables.text("PROVIDER_MESSAGES_TABLE")?,
            rate_per_second: variables.number("SMS_RATE_PER_SECOND", 20.0)?,
            limits: variables.sms_limits()?,
            sender_id: variables.optional("SMS_SENDER_ID"),
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
