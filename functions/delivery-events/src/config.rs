//! Every variable that the function reads.

use aws::ContactKey;
use domain::RetryPolicy;
use lambda::{InvalidVariable, Variables};

/// What the function needs to know.
#[derive(Debug)]
pub(crate) struct Config {
    /// `LEDGER_TABLE`.
    pub(crate) ledger_table: String,
    /// `SUPPRESSIONS_TABLE`.
    pub(crate) suppressions_table: String,
    /// `CONTACT_HASH_KEY`.
    pub(crate) contact_key: ContactKey,
    /// `PROVIDER_MESSAGES_TABLE`.
    pub(crate) provider_messages_table: String,
    /// `DELIVERY_EVENTS_QUEUE_URL`.
    pub(crate) queue_url: String,
    /// `RETRY_BASE_SECONDS`.
    pub(crate) policy: RetryPolicy,
}

impl Config {
    /// Reads them.
    pub(crate) fn read(variables: &Variables) -> Result<Self, InvalidVariable> {
        Ok(Self {
            ledger_table: variables.text("LEDGER_TABLE")?,
            suppressions_table: variables.text("SUPPRESSIONS_TABLE")?,
            contact_key: variables.contact_key()?,
            provider_messages_table: variables.text("PROVIDER_MESSAGES_TABLE")?,
            queue_url: variables.text("DELIVERY_EVENTS_QUEUE_URL")?,
            policy: variables.retry_policy()?,
        })
    }
}
