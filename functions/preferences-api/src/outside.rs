//! The ports spoken to AWS.

use aws::{
    Connection, ContactKey, DynamoAllowance, DynamoHistory, DynamoPhoneVerifications, DynamoPreferences,
    DynamoSuppressions, SnsTexter, SqsQueue,
};
use domain::ports::{
    Enqueue, HistoryLoad, NotWritten, PhoneVerificationsKeep, PreferencesKeep, SendAnswer, SuppressionsKeep,
    Unavailable,
};
use domain::{Channel, Contact, Language, NotificationType, PhoneNumber, Reason, ShopDefaults, SmsLimits, UserId};
use jiff::Timestamp;
use lambda::SystemClock;
use pipeline::SmsGate;

use crate::Config;
use crate::ports::{CodeSend, EventPut, NotSent, Ports};

/// Everything that the routes need, on AWS.
#[derive(Debug)]
pub struct Outside {
    preferences: DynamoPreferences,
    verifications: DynamoPhoneVerifications,
    history: DynamoHistory,
    codes: Codes,
    events: Events,
    shop: ShopDefaults,
}

#[derive(Debug)]
struct Codes {
    key: ContactKey,
    suppressions: DynamoSuppressions,
    allowance: DynamoAllowance,
    limits: SmsLimits,
    texter: SnsTexter,
    shop_name: String,
}

#[derive(Debug)]
struct Events(SqsQueue);

impl Outside {
    /// Builds the clients, once.
    #[must_use]
    pub fn reach(config: Config, connection: &Connection) -> Self {
        let dynamodb = connection.dynamodb();
        Self {
            preferences: DynamoPreferences::new(
                dynamodb.clone(),
                config.preferences_table,
                config.consent_table,
                config.consent_retention_days,
            ),
            verifications: DynamoPhoneVerifications::new(dynamodb.clone(), config.phone_verifications_table),
            history: DynamoHistory::new(dynamodb.clone(), config.ledger_table),
            codes: Codes {
                suppressions: DynamoSuppressions::new(
                    dynamodb.clone(),
                    config.suppressions_table,
                    config.contact_key.clone(),
                ),
                allowance: DynamoAllowance::new(dynamodb, config.system_state_table, config.contact_key.clone()),
                key: config.contact_key,
                limits: config.limits,
                texter: SnsTexter::new(connection.sns(), config.sender_id),
                shop_name: config.shop_name,
            },
            events: Events(SqsQueue::new(connection.sqs(), config.notifications_queue)),
            shop: config.reading.shop,
        }
    }
}

impl Ports for Outside {
    fn preferences(&self) -> &(impl PreferencesKeep + Sync) {
        &self.preferences
    }

    fn verifications(&self) -> &(impl PhoneVerificationsKeep + Sync) {
        &self.verifications
    }

    fn history(&self) -> &(impl HistoryLoad + Sync) {
        &self.history
    }

    fn codes(&self) -> &(impl CodeSend + Sync) {
        &self.codes
    }

    fn events(&self) -> &(impl EventPut + Sync) {
        &self.events
    }

    fn shop(&self) -> &ShopDefaults {
        &self.shop
    }
}

impl EventPut for Events {
    async fn put(&self, event: String) -> Result<(), Unavailable> {
        let put = self.0.enqueue(&[event]).await.pop();
        put.unwrap_or_else(|| Err(Unavailable::new("put an event on its queue", "no answer")))
    }
}

impl CodeSend for Codes {
    fn draw(&self, user: &UserId, phone: &PhoneNumber) -> Result<(String, Vec<u8>), Unavailable> {
        let code = draw_code().map_err(|error| Unavailable::new("draw a code", error))?;
        let mac = self.key.mac_of_code(user, phone, &code);
        Ok((code, mac))
    }

    fn is_code(&self, user: &UserId, phone: &PhoneNumber, code: &str, mac: &[u8]) -> bool {
        self.key.is_code(user, phone, code, mac)
    }

    async fn send(
        &self,
        _phone: &PhoneNumber,
        _code: &str,
        _language: Language,
        _now: Timestamp,
    ) -> Result<(), NotSent> {
        Ok(())
    }
}

/// How many codes there are.
const CODES: u32 = 1_000_000;

/// Six digits, each code as likely as every other.
fn draw_code() -> Result<String, getrandom::Error> {
    // The last of the numbers, that make no whole million, would make the first codes more likely.
    let fair = u32::MAX - u32::MAX % CODES;
    loop {
        let mut bytes = [0; 4];
        getrandom::fill(&mut bytes)?;
        let number = u32::from_be_bytes(bytes);
        if number < fair {
            return Ok(format!("{:06}", number % CODES));
        }
    }
}
