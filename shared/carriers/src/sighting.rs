//! What a carrier tells of one parcel.

use domain::{TrackingEvent, TrackingNumber};

/// The most events of one parcel that are kept of one message, the newest.
const MOST_EVENTS: usize = 200;

/// The most parcels that are read of one message: no carrier puts more than 100 into one.
pub(crate) const MOST_PARCELS: usize = 100;

/// What a carrier tells of one parcel, in one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// The parcel.
    pub number: TrackingNumber,
    /// What it tells.
    pub told: Told,
}

impl Sighting {
    /// These events, of one moment in the order given; nothing where there are none.
    pub(crate) fn of(number: TrackingNumber, mut events: Vec<TrackingEvent>) -> Option<Self> {
        events.sort_by_key(|event| event.at);
        events.drain(..events.len().saturating_sub(MOST_EVENTS));
        let told = (!events.is_empty()).then_some(Told::Events(events))?;
        Some(Self { number, told })
    }

    /// A number that the carrier does not know.
    pub(crate) const fn not_found(number: TrackingNumber) -> Self {
        Self {
            number,
            told: Told::NotFound,
        }
    }
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
