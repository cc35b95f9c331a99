//! Keys of carriers' webhooks and our accounts with carriers, in Secrets Manager: read at the start, and again every few minutes, so that a
//! key is changed without a deployment.

use aws_sdk_secretsmanager::Client;
use carriers::{Account, Keys};
use domain::Carrier;
use domain::ports::Unavailable;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use crate::answer::in_few_words;

const READING: &str = "read the carriers' keys";

/// How long they are good before they are read again.
const FRESH_FOR: SignedDuration = SignedDuration::from_secs(120);

/// Everything that the secret holds: `{"webhooks": {"fedex": ["key", …], …}, "accounts": {"fedex": {"clientId": …, "clientSecret": …}, …}}`.
/// A carrier that is missing has no keys, and nothing of it is believed.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CarrierSecrets {
    /// The live keys of their webhooks.
    pub webhooks: HashMap<Carrier, Keys>,
    /// Our accounts.
    pub accounts: HashMap<Carrier, Account>,
}

impl CarrierSecrets {
    /// Reads them from the text of the secret.
    ///
    /// # Errors
    ///
    /// Where it is not in that shape. Never what stands there.
    pub fn read(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| {
            format!(
                "expected {{\"webhooks\": {{carrier: [key, …]}}, \"accounts\": {{carrier: {{clientId, clientSecret}}}}}}; line {} column {} is not",
                error.line(),
                error.column()
            )
        })
    }
}

/// The secret, remembered for a while.
#[derive(Debug)]
pub struct RememberedCarrierSecrets {
    client: Client,
    arn: String,
    found: Mutex<Option<(Timestamp, Arc<CarrierSecrets>)>>,
}

impl RememberedCarrierSecrets {
    /// The secret of that ARN.
    #[must_use]
    pub const fn new(client: Client, arn: String) -> Self {
        Self {
            client,
            arn,
            found: Mutex::new(None),
        }
    }

    /// What it holds, no older than two minutes; older where Secrets Manager cannot be reached.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when it was never read.
    pub async fn at(&self, now: Timestamp) -> Result<Arc<CarrierSecrets>, Unavailable> {
        let known = self.found.lock().ok().and_then(|found| found.clone());
        if let Some((read_at, secrets)) = &known
            && now.duration_since(*read_at) < FRESH_FOR
        {
            return Ok(Arc::clone(secrets));
        }
        match (self.fetch().await, known) {
            (Ok(secrets), _) => {
                let secrets = Arc::new(secrets);
                if let Ok(mut found) = self.found.lock() {
                    *found = Some((now, Arc::clone(&secrets)));
                }
                Ok(secrets)
            }
            (Err(error), Some((_, secrets))) => {
                tracing::error!(
                    error = domain::chain(&error),
                    "the carriers' keys are older than they should be"
                );
                Ok(secrets)
            }
            (Err(error), None) => Err(error),
        }
    }

    async fn fetch(&self) -> Result<CarrierSecrets, Unavailable> {
        let output = self
            .client
            .get_secret_value()
            .secret_id(&self.arn)
            .send()
            .await
            .map_err(|error| Unavailable::new(READING, in_few_words(&error)))?;
        CarrierSecrets::read(output.secret_string().unwrap_or_default())
            .map_err(|problem| Unavailable::new(READING, problem))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_accounts_are_read_by_carrier() {
        let text = r#"{"webhooks": {"fedex": ["new", "old"]}, "accounts": {"royal-mail": {"clientId": "i", "clientSecret": "s"}}}"#;
        let secrets = CarrierSecrets::read(text).unwrap();
        assert_eq!(secrets.webhooks[&Carrier::Fedex].iter().count(), 2);
        assert_eq!(secrets.accounts[&Carrier::RoyalMail].client_id, "i");
        assert!(CarrierSecrets::read("{}").unwrap().webhooks.is_empty());
    }

    #[test]
    fn what_is_wrong_is_said_without_a_word_of_the_secret() {
        for text in [
            "",
            "hidden",
            r#"{"webhooks": {"fedx": ["hidden"]}}"#,
            r#"{"webhook": "hidden"}"#,
        ] {
            let problem = CarrierSecrets::read(text).unwrap_err();
            assert!(problem.contains("line") && !problem.contains("hidden"), "{problem}");
        }
    }
}
