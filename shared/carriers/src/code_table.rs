//! What carriers' codes mean, as tables.

use domain::{OrderStatus, TrackingDetail};

/// What a code makes of a parcel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Meaning {
    /// The status; nothing for a code that we know and that changes none.
    pub(crate) status: Option<OrderStatus>,
    /// What the status alone does not say.
    pub(crate) detail: Option<TrackingDetail>,
}

impl Meaning {
    /// A code that changes no status.
    pub(crate) const NO_CHANGE: Self = Self {
        status: None,
        detail: None,
    };
    /// It waits for the customer.
    pub(crate) const READY_FOR_PICKUP: Self = Self {
        status: Some(OrderStatus::OutForDelivery),
        detail: Some(TrackingDetail::ReadyForPickup),
    };
    /// Somebody was at the door, in vain.
    pub(crate) const ATTEMPT_FAILED: Self = Self {
        status: Some(OrderStatus::Exception),
        detail: Some(TrackingDetail::AttemptFailed),
    };

    /// This status, and nothing more.
    pub(crate) const fn of(status: OrderStatus) -> Self {
        Self {
            status: Some(status),
            detail: None,
        }
    }
}

/// Codes of one meaning.
pub(crate) struct Row(pub(crate) Meaning, pub(crate) &'static [&'static str]);

/// What the table says of this code, to the letter; nothing where it does not have it.
pub(crate) fn meaning(table: &[Row], code: &str) -> Option<Meaning> {
    table
        .iter()
        .find(|Row(_, codes)| codes.contains(&code))
        .map(|Row(meaning, _)| *meaning)
}

/// Every code of the tables that stands in more than one row, for the tests of the tables.
#[cfg(test)]
pub(crate) fn doubled(table: &[Row]) -> Vec<&'static str> {
    let mut seen = std::collections::BTreeSet::new();
    table
        .iter()
        .flat_map(|Row(_, codes)| codes.iter().copied())
        .filter(|code| !seen.insert(*code))
        .collect()
}
