//! Where everything is that the system depends on, out of the variables of whoever asks how it is.

use aws::{Places, SortKey, TablePlace};

use crate::{InvalidVariable, Variables};

/// The tables, by variable, with the attributes of their keys.
const TABLES: [(&str, &str, Option<SortKey>); 11] = [
    ("PREFERENCES_TABLE", "userId", None),
    ("LEDGER_TABLE", "notificationId", None),
    ("SUPPRESSIONS_TABLE", "contact", None),
    ("TEMPLATES_TABLE", "template", Some(SortKey::Number("version"))),
    ("CONSENT_LOG_TABLE", "userId", Some(SortKey::Number("changedAt"))),
    ("PHONE_VERIFICATIONS_TABLE", "userId", None),
    ("INBOX_TABLE", "userId", Some(SortKey::Text("notificationId"))),
    ("SYSTEM_STATE_TABLE", "name", None),
    ("PROVIDER_MESSAGES_TABLE", "messageId", None),
    ("DEFERRED_DELIVERIES_TABLE", "shard", Some(SortKey::Text("wake"))),
    ("ORDER_STATUS_TABLE", "about", Some(SortKey::Text("item"))),
];

const TOPICS: [&str; 3] = [
    "ORDER_NOTIFICATIONS_TOPIC_ARN",
    "ADMIN_TOPIC_ARN",
    "SES_EVENTS_TOPIC_ARN",
];

const SECRETS: [&str; 3] = ["CONTACT_HASH_KEY_ARN", "LINK_KEYS_ARN", "CARRIER_SECRETS_ARN"];

impl Variables {
    /// Everything that the system depends on: the eleven tables (`…_TABLE`), `QUEUE_URLS` (with commas), `SUBSCRIPTIONS_DEAD_LETTERS_URL`, the
    /// topics (`…_TOPIC_ARN`), the secrets (`…_ARN`), `CARRIER_ARCHIVE_BUCKET`, `SENDER_EMAIL`, `API_ENDPOINT`.
    ///
    /// # Errors
    ///
    /// [`InvalidVariable`] for the first that is missing.
    pub fn places(&self) -> Result<Places, InvalidVariable> {
        let texts = |names: &[&'static str]| names.iter().map(|name| self.text(name)).collect::<Result<Vec<_>, _>>();
        let tables = TABLES.map(|(variable, partition, sort)| {
            let name = self.text(variable)?;
            Ok(TablePlace { name, partition, sort })
        });
        let queues = self.text("QUEUE_URLS")?;
        Ok(Places {
            tables: tables.into_iter().collect::<Result<_, InvalidVariable>>()?,
            queues: queues.split(',').map(|url| url.trim().to_owned()).collect(),
            subscriptions_dead_letters: self.text("SUBSCRIPTIONS_DEAD_LETTERS_URL")?,
            topics: texts(&TOPICS)?,
            secrets: texts(&SECRETS)?,
            bucket: self.text("CARRIER_ARCHIVE_BUCKET")?,
            sender_email: self.text("SENDER_EMAIL")?,
            system_state: self.text("SYSTEM_STATE_TABLE")?,
            api: self.text("API_ENDPOINT")?,
        })
    }
}
