//! What the emulator's SES and SNS have accepted: the messages as customers would see them.

use std::collections::{BTreeMap, HashSet};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::http;

/// Shows each message once: those that are there when it is opened never, later ones when they are next asked for.
pub(crate) struct Mailbox {
    endpoint: String,
    seen: HashSet<String>,
}

/// An e-mail that SES accepted.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Email {
    #[serde(rename(deserialize = "MessageId"))]
    id: String,
    #[serde(rename(deserialize = "Source"))]
    pub(crate) from: String,
    #[serde(rename(deserialize = "To"))]
    pub(crate) to: Vec<String>,
    #[serde(rename(deserialize = "Subject"))]
    pub(crate) subject: String,
    #[serde(rename(deserialize = "BodyText"))]
    pub(crate) text: Option<String>,
    #[serde(rename(deserialize = "BodyHtml"))]
    pub(crate) html: Option<String>,
}

/// A text message that SNS accepted.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Sms {
    #[serde(rename(deserialize = "MessageId"))]
    id: String,
    #[serde(rename(deserialize = "PhoneNumber"))]
    pub(crate) to: String,
    #[serde(rename(deserialize = "Message"))]
    pub(crate) text: String,
}

impl Mailbox {
    pub(crate) async fn open(endpoint: &str) -> Result<Self> {
        let mut mailbox = Self {
            endpoint: endpoint.trim_end_matches('/').to_owned(),
            seen: HashSet::new(),
        };
        mailbox.new_messages().await?;
        Ok(mailbox)
    }

    /// What came since this was last asked.
    pub(crate) async fn new_messages(&mut self) -> Result<(Vec<Email>, Vec<Sms>)> {
        #[derive(Deserialize)]
        struct Emails {
            messages: BTreeMap<String, Vec<Email>>,
        }
        #[derive(Deserialize)]
        struct Texts {
            sms_messages: BTreeMap<String, Vec<Sms>>,
        }
        let emails = http::fetch(&self.endpoint, "/_ministack/ses/messages").await?;
        let emails: Emails =
            serde_json::from_slice(&emails).context("could not understand the emulator's list of e-mails")?;
        let texts = http::fetch(&self.endpoint, "/_ministack/sns/sms-messages").await?;
        let texts: Texts =
            serde_json::from_slice(&texts).context("could not understand the emulator's list of text messages")?;

        let emails = emails
            .messages
            .into_values()
            .flatten()
            .filter(|email| self.seen.insert(email.id.clone()))
            .collect();
        let texts = texts
            .sms_messages
            .into_values()
            .flatten()
            .filter(|sms| self.seen.insert(sms.id.clone()))
            .collect();
        Ok((emails, texts))
    }
}
