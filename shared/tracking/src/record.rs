//! What is kept of orders and parcels.

use domain::{Carrier, OrderStatus, Standing, TrackingNumber};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::Registration;

/// An order, and what was last made of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderRecord {
    /// What its pipeline told.
    pub registration: Registration,
    /// Where the order stands, all parcels taken together.
    pub standing: Standing,
    /// Where each of its parcels stands.
    #[serde(default)]
    pub parcels: Vec<ParcelStanding>,
    /// Whether somebody should have a look: a change by hand, or something that was said and did not count.
    #[serde(default)]
    pub needs_review: bool,
    /// Up to when somebody has had that look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reviewed_at: Option<Timestamp>,
    /// What the customer wishes for the delivery.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wishes: Option<DeliveryWishes>,
    /// When it was first seen.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Counts its changes, from 1.
    pub version: u64,
}

impl OrderRecord {
    /// Its status; `pending` before anything was said of one.
    #[must_use]
    pub fn status(&self) -> OrderStatus {
        self.standing.status.unwrap_or(OrderStatus::Pending)
    }

    /// The same after somebody had a look at it.
    #[must_use]
    pub fn reviewed(&self, now: Timestamp) -> Self {
        Self {
            needs_review: false,
            reviewed_at: Some(now),
            version: self.version.saturating_add(1),
            ..self.clone()
        }
    }

    /// Where this parcel stands.
    #[must_use]
    pub fn parcel(&self, number: &TrackingNumber) -> Option<&Standing> {
        let parcel = self.parcels.iter().find(|parcel| parcel.number == *number);
        parcel.map(|parcel| &parcel.standing)
    }
}

/// Where a parcel of an order stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ParcelStanding {
    /// The parcel.
    pub number: TrackingNumber,
    /// Where it stands.
    pub standing: Standing,
}

/// What a customer wishes for the delivery of an order.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryWishes {
    /// Where it may be left when nobody is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub safe_place: Option<String>,
    /// Whether a neighbour may take it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub neighbour: Option<bool>,
    /// On which day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day: Option<Date>,
    /// What the courier should know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instructions: Option<String>,
    /// When they were told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told_at: Option<Timestamp>,
}

impl std::fmt::Debug for DeliveryWishes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DeliveryWishes").finish_non_exhaustive()
    }
}

/// A parcel that somebody registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParcelRecord {
    /// Who carries it, where that is known.
    pub carrier: Option<Carrier>,
    /// Since when we follow it.
    pub registered_at: Timestamp,
}

/// A parcel that somebody looks after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchedParcel {
    /// The parcel.
    pub number: TrackingNumber,
    /// Who carries it.
    pub carrier: Carrier,
    /// Since when we follow it.
    pub registered_at: Timestamp,
    /// When the carrier was last heard of it.
    pub last_heard_at: Option<Timestamp>,
    /// What was done last and when to look again.
    pub watching: Watching,
}

/// What was last done for a parcel, and when to look again.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Watching {
    /// When to look again; none means never.
    pub due_at: Option<Timestamp>,
    /// When the carrier was last asked.
    pub asked_at: Option<Timestamp>,
    /// How often in a row asking did not work.
    pub failures: u32,
    /// Until when the carrier calls us, where it does so for a time only.
    pub subscribed_until: Option<Timestamp>,
    /// When somebody was told that nothing is heard of it.
    pub alerted_at: Option<Timestamp>,
}
