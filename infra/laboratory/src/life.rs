//! The life of a parcel, in nobody's words: what its carrier is going to tell.

use clap::ValueEnum;
use domain::OrderStatus;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// What happens to a parcel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Milestone {
    /// The carrier was told of it.
    Label,
    /// The carrier has it.
    PickedUp,
    /// It passes a hub.
    InTransit,
    /// Customs have let it go.
    Customs,
    /// It is in the van.
    OutForDelivery,
    /// Nobody was in.
    AttemptFailed,
    /// It is there.
    Delivered,
    /// It goes back to the shop.
    Returned,
}

impl Milestone {
    /// Every one.
    pub const ALL: [Self; 8] = [
        Self::Label,
        Self::PickedUp,
        Self::InTransit,
        Self::Customs,
        Self::OutForDelivery,
        Self::AttemptFailed,
        Self::Delivered,
        Self::Returned,
    ];

    /// Where it puts the parcel.
    #[must_use]
    pub const fn status(self) -> OrderStatus {
        match self {
            Self::Label => OrderStatus::Processing,
            Self::PickedUp | Self::InTransit | Self::Customs => OrderStatus::Shipped,
            Self::OutForDelivery => OrderStatus::OutForDelivery,
            Self::AttemptFailed => OrderStatus::Exception,
            Self::Delivered => OrderStatus::Delivered,
            Self::Returned => OrderStatus::Returned,
        }
    }

    /// The town in which it happens; all of them are in Spain.
    pub(crate) const fn town(self) -> &'static str {
        match self {
            Self::Label | Self::PickedUp => "Barcelona",
            Self::InTransit | Self::Customs => "Zaragoza",
            Self::OutForDelivery | Self::AttemptFailed | Self::Delivered | Self::Returned => "Madrid",
        }
    }

    /// What happens, in English.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Label => "Shipment information received",
            Self::PickedUp => "Picked up",
            Self::InTransit => "Departed from hub",
            Self::Customs => "Released by customs",
            Self::OutForDelivery => "Out for delivery",
            Self::AttemptFailed => "The receiver was not available for delivery",
            Self::Delivered => "Delivered",
            Self::Returned => "Returned to sender",
        }
    }
}

/// One step of the life of a parcel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// What happens.
    pub milestone: Milestone,
    /// When.
    pub at: Timestamp,
}

/// A whole life, from the label on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Trace {
    /// Nine events: through customs, once nobody was in, delivered on the next day
    Delivered,
    /// Nine events: twice nobody was in, delivered on the third day
    Attempts,
    /// Eight events: twice nobody was in, returned to the shop
    Returned,
}

impl Trace {
    /// Its steps, the last one an hour or more before this moment, none of them older than four days: news that are older are not told.
    /// Rounds of the van lie a day apart, so that each is news whatever the hour.
    #[must_use]
    pub fn steps(self, now: Timestamp) -> Vec<Step> {
        let beginning = [
            (80, Milestone::Label),
            (72, Milestone::PickedUp),
            (60, Milestone::InTransit),
        ];
        let rest: &[(i64, Milestone)] = match self {
            Self::Delivered => &[
                (50, Milestone::InTransit),
                (44, Milestone::Customs),
                (28, Milestone::OutForDelivery),
                (25, Milestone::AttemptFailed),
                (4, Milestone::OutForDelivery),
                (1, Milestone::Delivered),
            ],
            Self::Attempts => &[
                (52, Milestone::OutForDelivery),
                (49, Milestone::AttemptFailed),
                (28, Milestone::OutForDelivery),
                (25, Milestone::AttemptFailed),
                (4, Milestone::OutForDelivery),
                (1, Milestone::Delivered),
            ],
            Self::Returned => &[
                (52, Milestone::OutForDelivery),
                (49, Milestone::AttemptFailed),
                (28, Milestone::OutForDelivery),
                (25, Milestone::AttemptFailed),
                (4, Milestone::Returned),
            ],
        };
        beginning
            .iter()
            .chain(rest)
            .map(|(hours, milestone)| Step {
                milestone: *milestone,
                at: whole_seconds(now - SignedDuration::from_hours(*hours)),
            })
            .collect()
    }
}

/// Carriers tell no fractions of seconds.
fn whole_seconds(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}
