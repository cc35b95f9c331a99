//! The ports spoken to AWS.

use aws::{
    Connection, ContactKey, DynamoAllowance, DynamoHistory, DynamoPhoneVerifications, DynamoPreferences,
    DynamoSuppressions, DynamoWaitingRoom, SnsTexter, SqsQueue,
};
use domain::ports::{
    Enqueue, HistoryLoad, NotWritten, PhoneVerificationsKeep, PreferencesKeep, SendAnswer, SuppressionsKeep,
    Unavailable,
};
use domain::{Channel, Contact, Language, NotificationId, NotificationType, PhoneNumber, Reason, ShopDefaults, UserId};
use jiff::Timestamp;
use lambda::SystemClock;
use pipeline::{SmsGate, SmsRequest};

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
    gate: SmsGate<DynamoAllowance, SystemClock>,
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
                DynamoWaitingRoom::new(dynamodb.clone(), config.deferred_deliveries_table),
            ),
            verifications: DynamoPhoneVerifications::new(dynamodb.clone(), config.phone_verifications_table),
            history: DynamoHistory::new(dynamodb.clone(), config.ledger_table),
            codes: Codes {
                suppressions: DynamoSuppressions::new(
                    dynamodb.clone(),
                    config.suppressions_table,
                    config.contact_key.clone(),
                ),
                gate: SmsGate::new(
                    DynamoAllowance::new(dynamodb, config.system_state_table, config.contact_key.clone()),
                    config.limits,
                    SystemClock,
                ),
                key: config.contact_key,
                texter: SnsTexter::new(connection.sns(), config.sender_id),
                shop_name: config.shop_name,
            },
            events: Events(SqsQueue::new(connection.sqs(), config.notifications_queue)),
            shop: config.shop,
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

    async fn send(&self, phone: &PhoneNumber, code: &str, language: Language, now: Timestamp) -> Result<(), NotSent> {
        let contact = Contact::of(Channel::Sms, phone.as_str());
        let suppression = self.suppressions.look_up(&contact).await.map_err(NotSent::NotNow)?;
        if let Some(hold) = suppression.as_ref().and_then(|suppression| suppression.in_force(now)) {
            return Err(NotSent::Unwanted(hold.reason.as_reason()));
        }
        let sms = messages::phone_code_sms(language, code, &self.shop_name);
        let mut id = [0; 16];
        getrandom::fill(&mut id).map_err(|error| NotSent::NotNow(Unavailable::new("count a code", error)))?;
        let request = SmsRequest {
            number: phone,
            id: NotificationId::from_digest(id),
            is_urgent: false,
            size: sms.size,
        };
        match self.gate.admit_text(request).await {
            Ok(()) => {}
            Err(NotWritten::Unwanted(reason)) => return Err(NotSent::Unwanted(reason)),
            Err(NotWritten::Unwritable(why) | NotWritten::NotNow(why)) => {
                return Err(NotSent::NotNow(Unavailable::new("count a code", why)));
            }
        }
        match self
            .texter
            .send(phone.as_str(), &sms.text, NotificationType::AccountUpdate)
            .await
        {
            SendAnswer::Accepted { .. } => Ok(()),
            SendAnswer::OptedOut { .. } => Err(NotSent::Unwanted(Reason::SmsOptedOut)),
            SendAnswer::Refused { .. } | SendAnswer::Rejected { .. } => Err(NotSent::Unwanted(Reason::InvalidAddress)),
            SendAnswer::Throttled { reason }
            | SendAnswer::Limited { reason }
            | SendAnswer::AccountTrouble { reason }
            | SendAnswer::NotTaken { reason }
            | SendAnswer::Repeatable { reason }
            | SendAnswer::Unknown { reason } => Err(NotSent::NotNow(Unavailable::new("send a code", reason))),
        }
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
