//! Every variable that the account monitor reads.

use aws::{ChannelQueues, ContactKey};
use domain::{Channel, RetryPolicy};
use lambda::{InvalidVariable, Variables};
use std::collections::HashMap;

/// What the account monitor needs to know.
#[derive(Debug)]
pub(crate) struct Config {
    /// `SYSTEM_STATE_TABLE`.
    pub(crate) system_state_table: String,
    /// `SUPPRESSIONS_TABLE`.
    pub(crate) suppressions_table: String,
    /// `CONTACT_HASH_KEY`.
    pub(crate) contact_key: ContactKey,
    /// `SENDER_EMAIL`.
    pub(crate) sender_email: String,
    /// `RETRY_BASE_SECONDS`.
    pub(crate) policy: RetryPolicy,
    /// `SMS_RATE_PER_SECOND`.
    pub(crate) sms_rate: f64,
    /// `EMAIL_FUNCTION`, `SMS_FUNCTION`.
    pub(crate) functions: HashMap<Channel, String>,
    /// `EMAIL_QUEUE_URL`, `EMAIL_URGENT_QUEUE_URL`, `SMS_QUEUE_URL`, `SMS_URGENT_QUEUE_URL`.
    pub(crate) queues: HashMap<Channel, ChannelQueues>,
    /// `EMAIL_MAPPING_ID`, `EMAIL_URGENT_MAPPING_ID`, `SMS_MAPPING_ID`, `SMS_URGENT_MAPPING_ID`.
    pub(crate) mappings: HashMap<Channel, Vec<String>>,
}

impl Config {
    /// Reads them.
    pub(crate) fn read(variables: &Variables) -> Result<Self, InvalidVariable> {
        Ok(Self {
            system_state_table: variables.text("SYSTEM_STATE_TABLE")?,
            suppressions_table: variables.text("SUPPRESSIONS_TABLE")?,
            contact_key: variables.contact_key()?,
            sender_email: variables.text("SENDER_EMAIL")?,
            policy: variables.retry_policy()?,
            sms_rate: variables.number("SMS_RATE_PER_SECOND", 20.0)?,
            functions: HashMap::from([
                (Channel::Email, variables.text("EMAIL_FUNCTION")?),
                (Channel::Sms, variables.text("SMS_FUNCTION")?),
            ]),
            queues: HashMap::from([
                (
                    Channel::Email,
                    variables.lanes("EMAIL_QUEUE_URL", "EMAIL_URGENT_QUEUE_URL")?,
                ),
                (Channel::Sms, variables.lanes("SMS_QUEUE_URL", "SMS_URGENT_QUEUE_URL")?),
            ]),
            mappings: HashMap::from([
                (
                    Channel::Email,
                    vec![
                        variables.text("EMAIL_MAPPING_ID")?,
                        variables.text("EMAIL_URGENT_MAPPING_ID")?,
                    ],
                ),
                (
                    Channel::Sms,
                    vec![
                        variables.text("SMS_MAPPING_ID")?,
                        variables.text("SMS_URGENT_MAPPING_ID")?,
                    ],
                ),
            ]),
        })
    }
}
