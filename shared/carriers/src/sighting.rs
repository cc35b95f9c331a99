//! What a carrier tells of one parcel.

use domain::{TrackingEvent, TrackingNumber};

/// What a carrier tells of one parcel, in one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// The parcel.
    pub number: TrackingNumber,
    /// What it tells.
    pub told: Told,
}

/// What is told of a parcel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// What happened to it, the oldest first as far as the carrier orders it; at least one.
    Events(Vec<TrackingEvent>),
    /// The carrier does not know the number, or not yet.
    NotFound,
}

/// A message that is the carrier's own, but not in any shape that we know. The text says where and what was expected, never what came.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}")]
pub struct Unreadable {
    /// What was expected, and where.
    pub expected: String,
}

impl Unreadable {
    /// A message that is not what was expected.
    pub fn new(expected: impl Into<String>) -> Self {
        Self {
            expected: expected.into(),
        }
    }
}
