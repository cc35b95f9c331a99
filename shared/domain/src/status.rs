//! The statuses of an order, and what neighbouring systems call them.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Where an order, or one parcel of it, stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderStatus {
    /// Placed, not yet paid.
    Pending,
    /// Paid for (fulfilment).
    Paid,
    /// Accepted by the shop.
    Confirmed,
    /// Being prepared.
    Processing,
    /// Being taken from the shelves (fulfilment).
    Picking,
    /// In its box (fulfilment).
    Packed,
    /// With the carrier.
    Shipped,
    /// In the courier's van.
    OutForDelivery,
    /// With the customer.
    Delivered,
    /// Later than promised.
    Delayed,
    /// Something went wrong on the way.
    Exception,
    /// Called off.
    Cancelled,
    /// On its way back, or back.
    Returned,
}

/// A status that no table of ours knows.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("expected one of {}", OrderStatus::ALL.map(OrderStatus::name).join(", "))]
pub struct UnknownStatus;

/// What neighbouring systems say, in upper case, and what it means here. One table, so that one word has one meaning.
const NEIGHBOURS: [(&str, OrderStatus); 24] = [
    ("AWAITING_PAYMENT", OrderStatus::Pending),
    ("PENDING_PAYMENT", OrderStatus::Pending),
    ("CREATED", OrderStatus::Pending),
    ("PLACED", OrderStatus::Pending),
    ("PAYMENT_RECEIVED", OrderStatus::Paid),
    ("ACCEPTED", OrderStatus::Confirmed),
    ("FULFILLING", OrderStatus::Processing),
    ("IN_PROGRESS", OrderStatus::Processing),
    ("ON_HOLD", OrderStatus::Delayed),
    ("READY_TO_SHIP", OrderStatus::Packed),
    ("DISPATCHED", OrderStatus::Shipped),
    ("IN_TRANSIT", OrderStatus::Shipped),
    ("FULFILLED", OrderStatus::Shipped),
    ("ON_VEHICLE", OrderStatus::OutForDelivery),
    ("COMPLETED", OrderStatus::Delivered),
    ("COMPLETE", OrderStatus::Delivered),
    ("LATE", OrderStatus::Delayed),
    ("FAILED_ATTEMPT", OrderStatus::Exception),
    ("DELIVERY_FAILED", OrderStatus::Exception),
    ("CANCELED", OrderStatus::Cancelled),
    ("VOIDED", OrderStatus::Cancelled),
    ("REFUNDED", OrderStatus::Returned),
    ("RETURNING", OrderStatus::Returned),
    ("RETURN_TO_SENDER", OrderStatus::Returned),
];

impl OrderStatus {
    /// Every status.
    pub const ALL: [Self; 13] = [
        Self::Pending,
        Self::Paid,
        Self::Confirmed,
        Self::Processing,
        Self::Picking,
        Self::Packed,
        Self::Shipped,
        Self::OutForDelivery,
        Self::Delivered,
        Self::Delayed,
        Self::Exception,
        Self::Cancelled,
        Self::Returned,
    ];

    /// The name in events, tables, templates and preferences.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Paid => "paid",
            Self::Confirmed => "confirmed",
            Self::Processing => "processing",
            Self::Picking => "picking",
            Self::Packed => "packed",
            Self::Shipped => "shipped",
            Self::OutForDelivery => "out_for_delivery",
            Self::Delivered => "delivered",
            Self::Delayed => "delayed",
            Self::Exception => "exception",
            Self::Cancelled => "cancelled",
            Self::Returned => "returned",
        }
    }

    /// Whether news of this status, of the same moment, come after news of that one.
    #[must_use]
    pub fn follows(self, other: Self) -> bool {
        match (self.step(), other.step()) {
            (Some(ours), Some(theirs)) => ours > theirs,
            (None, Some(_)) => self == Self::Returned,
            (Some(_) | None, None) => false,
        }
    }

    /// Whether later news of this status make news of that one untrue. News that would go back on the usual way do not:
    /// whoever publishes late does not turn time back.
    #[must_use]
    pub fn overtakes(self, other: Self) -> bool {
        match (self.step(), other.step()) {
            (Some(ours), Some(theirs)) => ours >= theirs,
            (Some(_) | None, None) | (None, Some(_)) => true,
        }
    }

    /// Its place on the usual way of an order; none for what may happen at any time.
    const fn step(self) -> Option<u8> {
        match self {
            Self::Pending => Some(0),
            Self::Paid | Self::Confirmed => Some(1),
            Self::Processing => Some(2),
            Self::Picking => Some(3),
            Self::Packed => Some(4),
            Self::Shipped => Some(5),
            Self::OutForDelivery => Some(6),
            Self::Delivered => Some(7),
            Self::Delayed | Self::Exception | Self::Cancelled | Self::Returned => None,
        }
    }

    /// Reads a status in any case, with spaces or hyphens for underscores, under our name or a neighbour's.
    ///
    /// # Errors
    ///
    /// [`UnknownStatus`], whose text lists the names that are understood.
    pub fn read(text: &str) -> Result<Self, UnknownStatus> {
        let wanted = text.trim().to_ascii_uppercase().replace([' ', '-'], "_");
        Self::ALL
            .into_iter()
            .find(|status| status.name().eq_ignore_ascii_case(&wanted))
            .or_else(|| {
                NEIGHBOURS
                    .iter()
                    .find(|(name, _)| *name == wanted)
                    .map(|(_, status)| *status)
            })
            .ok_or(UnknownStatus)
    }
}

impl fmt::Display for OrderStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_read_in_any_case_and_spelling() {
        for text in ["SHIPPED", "shipped", "Shipped", " dispatched "] {
            assert_eq!(OrderStatus::read(text), Ok(OrderStatus::Shipped), "{text}");
        }
        assert_eq!(OrderStatus::read("out for-delivery"), Ok(OrderStatus::OutForDelivery));
    }

    #[test]
    fn every_status_reads_its_own_name() {
        for status in OrderStatus::ALL {
            assert_eq!(OrderStatus::read(status.name()), Ok(status));
        }
    }

    #[test]
    fn an_unknown_status_lists_the_known_ones() {
        let text = OrderStatus::read("teleported").unwrap_err().to_string();
        assert!(text.contains("out_for_delivery") && text.contains("returned"), "{text}");
    }
}
