//! Every variable that the function reads.

use aws::Places;
use domain::UserId;
use lambda::{InvalidVariable, Variables};
use pipeline::Reading;

/// What the function needs to know.
#[derive(Debug)]
pub(crate) struct Config {
    /// `LEDGER_TABLE`.
    pub(crate) ledger_table: String,
    /// `SYSTEM_STATE_TABLE`.
    pub(crate) system_state_table: String,
    /// `ORDER_NOTIFICATIONS_TOPIC_ARN`.
    pub(crate) topic_arn: String,
    /// `CANARY_USER_ID`.
    pub(crate) user: UserId,
    /// `CANARY_EMAIL`.
    pub(crate) email: String,
    /// `DEFAULT_LANGUAGE`, `DEFAULT_TIME_ZONE`, `DEFAULT_CURRENCY`, `DEFAULT_QUIET_HOURS`.
    pub(crate) reading: Reading,
    /// `PREFERENCES_TABLE`, `SUPPRESSIONS_TABLE`, `TEMPLATES_TABLE`, `CONSENT_LOG_TABLE`, `PHONE_VERIFICATIONS_TABLE`, `INBOX_TABLE`,
    /// `PROVIDER_MESSAGES_TABLE`, `DEFERRED_DELIVERIES_TABLE`, `ORDER_STATUS_TABLE`; `QUEUE_URLS`, `SUBSCRIPTIONS_DEAD_LETTERS_URL`;
    /// `ADMIN_TOPIC_ARN`, `SES_EVENTS_TOPIC_ARN`; `CONTACT_HASH_KEY_ARN`, `LINK_KEYS_ARN`, `CARRIER_SECRETS_ARN`;
    /// `CARRIER_ARCHIVE_BUCKET`, `SENDER_EMAIL`, `API_ENDPOINT`.
    pub(crate) places: Places,
}

impl Config {
    /// Reads them.
    pub(crate) fn read(variables: &Variables) -> Result<Self, InvalidVariable> {
        Ok(Self {
            ledger_table: variables.text("LEDGER_TABLE")?,
            system_state_table: variables.text("SYSTEM_STATE_TABLE")?,
            topic_arn: variables.text("ORDER_NOTIFICATIONS_TOPIC_ARN")?,
            user: variables.checked("CANARY_USER_ID", |text| UserId::try_from(text))?,
            email: variables.text("CANARY_EMAIL")?,
            reading: Reading {
                shop: variables.shop_defaults()?,
                // What names nobody is no canary.
                admin_topic: None,
                admin_email: None,
            },
            places: variables.places()?,
        })
    }
}
