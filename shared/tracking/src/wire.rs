//! What carriers said, on the queue between whoever heard it and whoever keeps the orders.

use carriers::Handshake;
use domain::{Carrier, TrackingEvent};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A message of the queue, by its version. Old and new functions share the queue during a deployment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "version")]
pub enum CarrierNews {
    /// The first.
    #[serde(rename = "1", rename_all = "camelCase")]
    V1 {
        /// When it was heard.
        heard_at: Timestamp,
        /// What was said.
        events: Vec<TrackingEvent>,
    },
}

/// So many events with the longest words of the widest letters stay below 256 KiB, which every queue takes.
const MOST_EVENTS: usize = 100;

impl CarrierNews {
    /// What was heard, in as many messages as it takes, as JSON.
    #[must_use]
    pub fn messages(events: &[TrackingEvent], heard_at: Timestamp) -> Vec<String> {
        events
            .chunks(MOST_EVENTS)
            .filter_map(|events| {
                let news = Self::V1 {
                    heard_at,
                    events: events.to_vec(),
                };
                serde_json::to_string(&news).ok()
            })
            .collect()
    }

    /// Reads a message.
    ///
    /// # Errors
    ///
    /// Where and what was expected; never what came.
    pub fn read(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            format!("expected news of a carrier in version 1; line {line} column {column} is none")
        })
    }
}

/// What a carrier wants confirmed by a call of ours, on its way to whoever makes that call.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "version")]
pub enum PendingHandshake {
    /// The first.
    #[serde(rename = "1", rename_all = "camelCase")]
    V1 {
        /// Who wants it.
        carrier: Carrier,
        /// The id of the subscription.
        subscription: String,
        /// What the call has to repeat.
        secret: String,
    },
}

impl PendingHandshake {
    /// What this carrier wants.
    #[must_use]
    pub fn of(carrier: Carrier, handshake: &Handshake) -> Self {
        Self::V1 {
            carrier,
            subscription: handshake.subscription.clone(),
            secret: handshake.secret.clone(),
        }
    }

    /// As a message of the queue.
    #[must_use]
    pub fn to_wire(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads a message.
    ///
    /// # Errors
    ///
    /// What was expected; never what came.
    pub fn read(text: &str) -> Result<(Carrier, Handshake), String> {
        let Ok(Self::V1 {
            carrier,
            subscription,
            secret,
        }) = serde_json::from_str(text)
        else {
            return Err("expected a handshake of a carrier in version 1".to_owned());
        };
        Ok((carrier, Handshake { subscription, secret }))
    }
}

impl std::fmt::Debug for PendingHandshake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self::V1 { carrier, .. } = self;
        f.debug_struct("PendingHandshake")
            .field("carrier", carrier)
            .finish_non_exhaustive()
    }
}
