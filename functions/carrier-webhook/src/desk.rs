//! What is done with a call: proven, kept, queued, and answered.

use carriers::{Answer, Delivery, Request, Told, Webhook};
use domain::ports::Unavailable;
use domain::{Carrier, TrackingEvent};
use lambda::MetricName;
use std::net::IpAddr;
use tracking::{CarrierNews, PendingHandshake};
use web::Problem;

use crate::{Addresses, Archive, KeysLoad, Queue};

/// Everything behind the address.
#[derive(Debug)]
pub struct Desk<K, A, Q> {
    /// Knows the live keys.
    pub keys: K,
    /// Keeps what came.
    pub archive: A,
    /// Takes what was said of parcels.
    pub events: Q,
    /// Takes what a carrier wants confirmed.
    pub handshakes: Q,
    /// From where carriers may call.
    pub addresses: Addresses,
}

/// What came of a call, and what there is to count.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) deed: Deed,
    pub(crate) counts: Vec<(MetricName, u64)>,
}

/// How a call ended.
#[derive(Debug)]
pub(crate) enum Deed {
    /// It was taken.
    Taken(Answer),
    /// Nobody knows whose it is.
    Refused,
    /// It may not have been taken.
    Failed,
}

impl<K: KeysLoad, A: Archive, Q: Queue> Desk<K, A, Q> {
    /// Takes a call.
    pub(crate) async fn take(
        &self,
        carrier: Carrier,
        webhook: &dyn Webhook,
        request: &Request<'_>,
        caller: Option<IpAddr>,
    ) -> Outcome {
        let mut counts = vec![(MetricName::WebhookCalls, 1)];
        let keys = match self.keys.keys(carrier, request.now).await {
            Ok(keys) => keys,
            Err(error) => return failed(counts, carrier, &error),
        };
        if !self.addresses.admit(carrier, caller) {
            return refused(counts, carrier, "it comes from elsewhere");
        }
        if let Err(cause) = webhook.prove(request, &keys) {
            return refused(counts, carrier, &cause.to_string());
        }
        let read = webhook.read(request);
        let archived = webhook.archived(request);
        let Delivery { sightings, handshake } = read.unwrap_or_else(|problem| {
            // The carrier would only send the same again: it is kept, and read once we know how.
            tracing::error!(carrier = %carrier, expected = problem.expected, "{carrier} sent what nobody can read");
            counts.push((MetricName::WebhookUnreadable, 1));
            Delivery::default()
        });
        let events: Vec<TrackingEvent> = sightings
            .into_iter()
            .flat_map(|sighting| match sighting.told {
                Told::Events(events) => events,
                Told::NotFound => Vec::new(),
            })
            .collect();
        let unread = events.iter().filter(|event| event.is_unread()).count();
        counts.push((MetricName::CarrierCodeUnknown, unread as u64));
        let pending = handshake.map(|handshake| PendingHandshake::of(carrier, &handshake).to_wire());
        let (kept, queued, asked) = tokio::join!(
            self.archive.keep(carrier, &archived, request.now),
            self.put(&self.events, CarrierNews::messages(&events, request.now)),
            self.put(&self.handshakes, pending.into_iter().collect()),
        );
        if let Err(error) = kept {
            tracing::error!(carrier = %carrier, error = domain::chain(&error), "a message of {carrier} is not archived");
            counts.push((MetricName::WebhookUnarchived, 1));
        }
        if let Err(error) = queued.and(asked) {
            return failed(counts, carrier, &error);
        }
        tracing::info!(carrier = %carrier, "{carrier} told {} events", events.len());
        Outcome {
            deed: Deed::Taken(webhook.answer(request)),
            counts,
        }
    }

    /// A short-lived token for UPS, which fetches one before it calls.
    pub(crate) async fn issue_ups_token(
        &self,
        request: &Request<'_>,
        caller: Option<IpAddr>,
    ) -> Result<Answer, Problem> {
        let keys = self.keys.keys(Carrier::Ups, request.now).await.map_err(|error| {
            tracing::error!(error = domain::chain(&error), "no token could be issued");
            Problem::unavailable()
        })?;
        match self.addresses.admit(Carrier::Ups, caller) {
            true => Ok(carriers::ups_token(request, &keys)),
            false => Err(Problem::unauthorized()),
        }
    }

    async fn put(&self, queue: &Q, messages: Vec<String>) -> Result<(), Unavailable> {
        match messages.as_slice() {
            [] => Ok(()),
            messages => queue.put(messages).await,
        }
    }
}

/// Somebody who is not the carrier, or a key that we do not have: told alike to the caller, apart in the log.
fn refused(mut counts: Vec<(MetricName, u64)>, carrier: Carrier, why: &str) -> Outcome {
    tracing::warn!(carrier = %carrier, cause = why, "a call in the name of {carrier} is not proven");
    counts.push((MetricName::WebhookRefused, 1));
    Outcome {
        deed: Deed::Refused,
        counts,
    }
}

fn failed(mut counts: Vec<(MetricName, u64)>, carrier: Carrier, error: &Unavailable) -> Outcome {
    tracing::error!(carrier = %carrier, error = domain::chain(error), "a call of {carrier} could not be taken");
    counts.push((MetricName::WebhookFailed, 1));
    Outcome {
        deed: Deed::Failed,
        counts,
    }
}
