//! Every variable that the preferences API reads.

use aws::ContactKey;
use domain::SmsLimits;
use lambda::{InvalidVariable, Variables};
use web::Identity;

/// What the preferences API needs to know.
#[derive(Debug)]
pub struct Config {
    /// `JWT_ISSUER`, `JWT_AUDIENCE`, `JWT_USER_CLAIM`, `JWT_ROLES_CLAIM`, `ADMIN_ROLE`.
    pub identity: Identity,
    /// `PREFERENCES_TABLE`.
    pub(crate) preferences_table: String,
    /// `CONSENT_LOG_TABLE`.
    pub(crate) consent_table: String,
    /// `CONSENT_RETENTION_DAYS`.
    pub(crate) consent_retention_days: i32,
    /// `DEFERRED_DELIVERIES_TABLE`.
    pub(crate) deferred_deliveries_table: String,
    /// `PHONE_VERIFICATIONS_TABLE`.
    pub(crate) phone_verifications_table: String,
    /// `SUPPRESSIONS_TABLE`.
    pub(crate) suppressions_table: String,
    /// `SYSTEM_STATE_TABLE`.
    pub(crate) system_state_table: String,
    /// `LEDGER_TABLE`.
    pub(crate) ledger_table: String,
    /// `CONTACT_HASH_KEY`.
    pub(crate) contact_key: ContactKey,
    /// `NOTIFICATIONS_QUEUE_URL`.
    pub(crate) notifications_queue: String,
    /// `SMS_COUNTRIES`, `SMS_PER_NUMBER_PER_DAY`, `SMS_MONTHLY_SEGMENTS`.
    pub(crate) limits: SmsLimits,
    /// `SMS_SENDER_ID`; none where countries choose the number.
    pub(crate) sender_id: Option<String>,
    /// `SHOP_NAME`.
    pub(crate) shop_name: String,
    /// `DEFAULT_LANGUAGE`, `DEFAULT_TIME_ZONE`, `DEFAULT_CURRENCY`, `DEFAULT_QUIET_HOURS`.
    pub(crate) shop: domain::ShopDefaults,
}

impl Config {
    /// Reads them.
    ///
    /// # Errors
    ///
    /// [`InvalidVariable`] for the first that is wrong.
    pub fn read(variables: &Variables) -> Result<Self, InvalidVariable> {
        Ok(Self {
            identity: Identity::read(variables)?,
            preferences_table: variables.text("PREFERENCES_TABLE")?,
            consent_table: variables.text("CONSENT_LOG_TABLE")?,
            consent_retention_days: variables.number("CONSENT_RETENTION_DAYS", 1_826)?,
            deferred_deliveries_table: variables.text("DEFERRED_DELIVERIES_TABLE")?,
            phone_verifications_table: variables.text("PHONE_VERIFICATIONS_TABLE")?,
            suppressions_table: variables.text("SUPPRESSIONS_TABLE")?,
            system_state_table: variables.text("SYSTEM_STATE_TABLE")?,
            ledger_table: variables.text("LEDGER_TABLE")?,
            contact_key: variables.contact_key()?,
            notifications_queue: variables.text("NOTIFICATIONS_QUEUE_URL")?,
            limits: variables.sms_limits()?,
            sender_id: variables.optional("SMS_SENDER_ID"),
            shop_name: variables.text("SHOP_NAME")?,
            shop: variables.shop_defaults()?,
        })
    }
}
