//! Carriers' messages on their way to our webhooks: signed, sent, timed.

use anyhow::{Context, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use carriers::{Signed, Unsigned, webhook};
use domain::Carrier;
use emulator::Api;
use jiff::Timestamp;
use serde_json::Value;
use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::Push;

/// The keys of the local stacks' webhooks.
#[derive(Debug)]
pub struct CarrierKeys(HashMap<Carrier, Vec<String>>);

impl CarrierKeys {
    /// Reads them from a file, by carrier.
    ///
    /// # Errors
    ///
    /// When there is no such file, or it is in another shape.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| format!("could not read {}", path.display()))?;
        let keys = serde_json::from_str(&text);
        keys.map(Self)
            .with_context(|| format!("expected {{carrier: [key, …]}} in {}", path.display()))
    }

    /// The key with which this carrier signs.
    ///
    /// # Errors
    ///
    /// When it has none.
    pub fn of(&self, carrier: Carrier) -> Result<&str> {
        let key = self.0.get(&carrier).and_then(|keys| keys.first());
        key.map(String::as_str)
            .with_context(|| format!("expected a key of {carrier} in the file of keys"))
    }
}

/// A call of a carrier, ready to be sent, as often as one likes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    method: &'static str,
    path: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Letter {
    /// This message, signed with this key at this moment. Nothing from carriers that never call.
    #[must_use]
    pub fn signed(carrier: Carrier, push: &Push, key: &str, now: Timestamp) -> Option<Self> {
        let unsigned = Unsigned {
            query: &push.query,
            body: push.body.as_bytes(),
            now,
        };
        Some(Self::with(carrier, push, webhook(carrier)?.sign(&unsigned, key)))
    }

    /// The same for UPS, which shows a token that we gave it.
    #[must_use]
    pub fn with_token(push: &Push, token: &str) -> Self {
        let signed = Signed {
            headers: vec![("Authorization".to_owned(), format!("Bearer {token}"))],
            ..Signed::default()
        };
        Self::with(Carrier::Ups, push, signed)
    }

    fn with(carrier: Carrier, push: &Push, signed: Signed) -> Self {
        let Signed {
            mut headers,
            key,
            query,
        } = signed;
        let key = key.map(|key| format!("/{key}")).unwrap_or_default();
        let queries: Vec<String> = [push.query.clone(), query.unwrap_or_default()]
            .into_iter()
            .filter(|query| !query.is_empty())
            .collect();
        let query = match queries.as_slice() {
            [] => String::new(),
            queries => format!("?{}", queries.join("&")),
        };
        headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
        Self {
            method: push.method,
            path: format!("/webhooks/carriers/{carrier}{key}{query}"),
            headers,
            body: push.body.clone(),
        }
    }
}

/// Our webhooks, as carriers reach them.
#[derive(Debug)]
pub struct Post {
    api: Api,
}

impl Post {
    /// The webhooks behind this API.
    #[must_use]
    pub const fn to(api: Api) -> Self {
        Self { api }
    }

    /// The status of the answer, and how long it took.
    ///
    /// # Errors
    ///
    /// When there is no answer.
    pub async fn send(&self, letter: &Letter) -> Result<(u16, Duration)> {
        let headers: Vec<(&str, &str)> = letter
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let began = Instant::now();
        let answer = self
            .api
            .ask(letter.method, &letter.path, &headers, &letter.body)
            .await?;
        Ok((answer.status, began.elapsed()))
    }

    /// The token that UPS fetches with its key, `id:secret`, before it calls.
    ///
    /// # Errors
    ///
    /// When it gets none.
    pub async fn ups_token(&self, key: &str) -> Result<String> {
        let basic = format!("Basic {}", STANDARD.encode(key));
        let headers = [
            ("authorization", basic.as_str()),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        let grant = "grant_type=client_credentials";
        let answer = self
            .api
            .ask("POST", "/webhooks/carriers/ups/token", &headers, grant)
            .await?;
        if answer.status != 200 {
            bail!("expected a token for UPS with status 200, got {}", answer.status);
        }
        let body: Value = serde_json::from_slice(&answer.body)?;
        let token = body.get("access_token").and_then(Value::as_str);
        token
            .map(str::to_owned)
            .context("expected access_token in the answer to UPS")
    }
}
