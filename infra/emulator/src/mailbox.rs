//! The messages, each shown once.

use std::collections::{BTreeMap, HashSet};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::http;

/// Shows each message once: those that are there when it is opened never, later ones when they are next asked for.
#[derive(Debug)]
pub struct Mailbox {
    endpoint: String,
    seen: HashSet<String>,
}

/// An e-mail that SES accepted.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Email {
    #[serde(rename(deserialize = "MessageId"))]
    id: String,
    /// Who it is from, as the header says it.
    #[serde(rename(deserialize = "Source"))]
    pub from: String,
    /// Who it is for.
    #[serde(rename(deserialize = "To"))]
    pub to: Vec<String>,
    /// Its subject.
    #[serde(rename(deserialize = "Subject"))]
    pub subject: String,
    /// Its plain text.
    #[serde(rename(deserialize = "BodyText"))]
    pub text: Option<String>,
    /// Its HTML.
    #[serde(rename(deserialize = "BodyHtml"))]
    pub html: Option<String>,
}

/// A text message that SNS accepted.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Sms {
    #[serde(rename(deserialize = "MessageId"))]
    id: String,
    /// The number it is for.
    #[serde(rename(deserialize = "PhoneNumber"))]
    pub to: String,
    /// Its text.
    #[serde(rename(deserialize = "Message"))]
    pub text: String,
}

impl Email {
    /// What SES calls it.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl Mailbox {
    /// Opens the mailbox of the emulator at this address.
    ///
    /// # Errors
    ///
    /// When the emulator cannot be asked or understood.
    pub async fn open(endpoint: &str) -> Result<Self> {
        let mut mailbox = Self {
            endpoint: endpoint.trim_end_matches('/').to_owned(),
            seen: HashSet::new(),
        };
        mailbox.new_messages().await?;
        Ok(mailbox)
    }

    /// Everything that the emulator at this address has accepted.
    ///
    /// # Errors
    ///
    /// When the emulator cannot be asked or understood.
    pub async fn all(endpoint: &str) -> Result<(Vec<Email>, Vec<Sms>)> {
        let endpoint = endpoint.trim_end_matches('/').to_owned();
        Self {
            endpoint,
            seen: HashSet::new(),
        }
        .new_messages()
        .await
    }

    /// What came since this was last asked.
    ///
    /// # Errors
    ///
    /// When the emulator cannot be asked or understood.
    pub async fn new_messages(&mut self) -> Result<(Vec<Email>, Vec<Sms>)> {
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
