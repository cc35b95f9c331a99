//! Calls the stack the way a carrier does: by its webhook, signed.

use std::collections::HashMap;
use std::fs;

use anyhow::{Context, Result, bail};
use carriers::Unsigned;
use domain::Carrier;
use emulator::Api;
use jiff::Timestamp;
use tokio::time::Instant;

use crate::settings::Settings;
use crate::story::Event;

/// The keys of carriers that every local stack has.
const KEYS: &str = "events/carriers/keys.json";

pub(crate) struct Webhooks {
    api: Api,
    keys: HashMap<Carrier, Vec<String>>,
}

impl Webhooks {
    /// The webhooks of the stack.
    pub(crate) fn open(settings: &Settings) -> Result<Self> {
        let keys = fs::read_to_string(KEYS).with_context(|| format!("could not read {KEYS}"))?;
        Ok(Self {
            api: Api::at(&settings.api)?,
            keys: serde_json::from_str(&keys).with_context(|| format!("could not read {KEYS}"))?,
        })
    }

    /// Calls, and says when that was done.
    pub(crate) async fn call(&self, carrier: Carrier, event: &Event) -> Result<Instant> {
        println!("\n{}: {carrier} calls about order {}", event.title, event.fact.order);
        let webhook = carriers::webhook(carrier).with_context(|| format!("{carrier} does not call"))?;
        let key = self.keys.get(&carrier).and_then(|keys| keys.first());
        let key = key.with_context(|| format!("{KEYS} holds no key of {carrier}"))?;
        let unsigned = Unsigned {
            query: "",
            body: event.text.as_bytes(),
            now: Timestamp::UNIX_EPOCH,
        };
        let signed = webhook.sign(&unsigned, key);
        let headers: Vec<(&str, &str)> = signed
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let path = format!("/webhooks/carriers/{carrier}");
        let called = Instant::now();
        let answer = self.api.ask("POST", &path, &headers, &event.text).await?;
        if answer.status != 200 {
            bail!("expected the webhook of {carrier} to answer 200, got {}", answer.status);
        }
        Ok(called)
    }
}
