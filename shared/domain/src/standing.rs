//! Where an order and its parcels stand: a pure function of everything that was ever said about them.
//!
//! What is said is sorted by the time at which it happened, so that the order in which it arrives, and how often, cannot matter.

use jiff::{SignedDuration, Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt;

use crate::{Carrier, OrderStatus, OrderType, TrackingDetail, TrackingEvent, TrackingNumber};

/// A carrier's clock may be wrong, or the zone of a time unknown. What is said to happen later than this after it came is kept and
/// decides nothing: it would win over everything that follows.
const FURTHEST_AHEAD: SignedDuration = SignedDuration::from_hours(26);

/// One thing that was said about an order or a parcel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Saying {
    /// When it happened.
    pub at: Timestamp,
    /// When we heard of it, for the first time.
    pub heard_at: Timestamp,
    /// The parcel; none means the order as a whole, with all its parcels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parcel: Option<TrackingNumber>,
    /// What it makes of it; nothing where it changes no status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<OrderStatus>,
    /// What the status alone does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<TrackingDetail>,
    /// The day on which the parcel is expected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<Date>,
    /// Who said it.
    pub by: Teller,
}

/// Who said something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Teller {
    /// A carrier, or who gathers for it.
    Carrier {
        /// Which.
        carrier: Carrier,
        /// Its code.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<String>,
        /// Its words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
        /// Town and country.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        place: Option<String>,
        /// Whether the time was partly guessed.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        is_time_assumed: bool,
    },
    /// The shop's own order pipeline.
    Pipeline {
        /// Its reason, if it gave one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// Somebody who runs the shop, by hand.
    Hand {
        /// Who: an account, never an address.
        who: String,
        /// Why.
        reason: String,
    },
}

/// Tells a saying from every other, whenever and however often it comes: its moment and a hash of what it says.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SayingId(String);

impl SayingId {
    /// `2026-11-20T10:00:00.000Z#0123456789abcdef`: sorts by time.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Saying {
    /// What a carrier told, heard at this moment.
    #[must_use]
    pub fn of_carrier(event: TrackingEvent, heard_at: Timestamp) -> Self {
        Self {
            at: event.at,
            heard_at,
            parcel: Some(event.number),
            status: event.status,
            detail: event.detail,
            expected: event.expected,
            by: Teller::Carrier {
                carrier: event.carrier,
                code: event.code,
                text: event.text,
                place: event.place,
                is_time_assumed: event.is_time_assumed,
            },
        }
    }

    /// Its id. The carrier's words and the moment of hearing do not count: a repetition may differ in both. Nor does what our tables
    /// made of its code, so that a better table is no second event.
    #[must_use]
    pub fn id(&self) -> SayingId {
        let mut hash = Sha256::new_with_prefix(b"saying/1");
        let mut add = |part: &str| {
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(part.as_bytes());
        };
        add(self.parcel.as_ref().map_or("", TrackingNumber::as_str));
        match &self.by {
            Teller::Carrier { carrier, code, .. } => {
                add(carrier.name());
                match code {
                    Some(code) => add(code),
                    None => add(self.status.map_or("", OrderStatus::name)),
                }
                add(&self.expected.map(|date| date.to_string()).unwrap_or_default());
            }
            Teller::Pipeline { .. } => {
                add("pipeline");
                add(self.status.map_or("", OrderStatus::name));
                add(&self.expected.map(|date| date.to_string()).unwrap_or_default());
            }
            Teller::Hand { who, reason } => {
                add("hand");
                add(self.status.map_or("", OrderStatus::name));
                add(who);
                add(reason);
            }
        }
        let digest: String = hash
            .finalize()
            .iter()
            .take(8)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        SayingId(format!("{:.3}#{digest}", self.at))
    }

    const fn is_by_hand(&self) -> bool {
        matches!(self.by, Teller::Hand { .. })
    }

    const fn is_by_pipeline(&self) -> bool {
        matches!(self.by, Teller::Pipeline { .. })
    }

    /// Which of two at the same moment counts as the later: what was said by hand, then the graver one, then any fixed order.
    fn place(&self) -> (Timestamp, bool, u8, SayingId) {
        (self.at, self.is_by_hand(), gravity(self.status), self.id())
    }
}

/// Within one moment the graver status wins.
const fn gravity(status: Option<OrderStatus>) -> u8 {
    match status {
        None => 0,
        Some(OrderStatus::Pending) => 1,
        Some(OrderStatus::Paid) => 2,
        Some(OrderStatus::Confirmed) => 3,
        Some(OrderStatus::Processing) => 4,
        Some(OrderStatus::Picking) => 5,
        Some(OrderStatus::Packed) => 6,
        Some(OrderStatus::Shipped) => 7,
        Some(OrderStatus::OutForDelivery) => 8,
        Some(OrderStatus::Delayed) => 9,
        Some(OrderStatus::Exception) => 10,
        Some(OrderStatus::Delivered) => 11,
        Some(OrderStatus::Cancelled) => 12,
        Some(OrderStatus::Returned) => 13,
    }
}

/// Whose word a status is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Voice {
    /// A carrier's.
    Carrier,
    /// The order pipeline's, which tells the customer itself.
    Pipeline,
    /// Somebody's who runs the shop.
    Hand,
}

impl Teller {
    /// Whose word this is.
    #[must_use]
    pub const fn voice(&self) -> Voice {
        match self {
            Self::Carrier { .. } => Voice::Carrier,
            Self::Pipeline { .. } => Voice::Pipeline,
            Self::Hand { .. } => Voice::Hand,
        }
    }
}

/// Where a parcel stands, or an order as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Standing {
    /// Its status; none before anything is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<OrderStatus>,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Whose word it is; the pipeline's as soon as it says the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voice: Option<Voice>,
    /// Whether it was said of the order with all its parcels.
    #[serde(default)]
    pub is_of_whole_order: bool,
    /// What the status alone does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<TrackingDetail>,
    /// The day on which it is expected, as last told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<Date>,
    /// How often somebody was at the door in vain.
    #[serde(default)]
    pub failed_attempts: u32,
    /// The furthest step of the usual way so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    furthest: Option<OrderStatus>,
}

/// What a saying did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// It was the status from its moment on.
    Applied,
    /// It says nothing of a status, or nothing that we can read.
    Silent,
    /// It came after a change by hand that is of its time or later.
    OverruledByHand,
    /// The parcel had already ended.
    AfterTheEnd,
    /// The carrier announces what was already on its way.
    AlreadyFurther,
    /// The shop said what its own workflow does not permit.
    NotPermitted,
    /// It is said to happen in the future.
    TooFarAhead,
    /// It comes from another carrier than the parcel's.
    OtherCarrier,
}

impl Effect {
    /// The name in answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Silent => "silent",
            Self::OverruledByHand => "overruled_by_hand",
            Self::AfterTheEnd => "after_the_end",
            Self::AlreadyFurther => "already_further",
            Self::NotPermitted => "not_permitted",
            Self::TooFarAhead => "too_far_ahead",
            Self::OtherCarrier => "other_carrier",
        }
    }

    /// Whether somebody should have a look.
    #[must_use]
    pub const fn asks_for_review(self) -> bool {
        matches!(
            self,
            Self::OverruledByHand | Self::NotPermitted | Self::TooFarAhead | Self::OtherCarrier
        )
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Standing {
    /// Where a parcel stands after all this, which is about it or about its order as a whole; and what each saying did, in the order of
    /// time. `carrier` is the parcel's own, where it is known.
    #[must_use]
    pub fn after<'s>(
        sayings: impl IntoIterator<Item = &'s Saying>,
        order_type: OrderType,
        carrier: Option<Carrier>,
    ) -> (Self, Vec<(&'s Saying, Effect)>) {
        let mut sorted: BTreeMap<_, &Saying> = BTreeMap::new();
        for saying in sayings {
            // Of repetitions that which was heard first counts, whichever comes first here.
            let known = sorted.entry(saying.place()).or_insert(saying);
            if saying.heard_at < known.heard_at {
                *known = saying;
            }
        }
        let hands: Vec<&Saying> = sorted.values().copied().filter(|saying| saying.is_by_hand()).collect();
        let mut standing = Self::default();
        let effects = sorted
            .into_values()
            .map(|saying| {
                let overruled = hands
                    .iter()
                    .any(|hand| hand.at >= saying.at && hand.heard_at < saying.heard_at);
                let effect = standing.hear(saying, order_type, carrier, overruled && !saying.is_by_hand());
                (saying, effect)
            })
            .collect();
        (standing, effects)
    }

    fn hear(&mut self, saying: &Saying, order_type: OrderType, carrier: Option<Carrier>, is_overruled: bool) -> Effect {
        if saying.at.duration_since(saying.heard_at) > FURTHEST_AHEAD {
            return Effect::TooFarAhead;
        }
        if let (Teller::Carrier { carrier: teller, .. }, Some(own)) = (&saying.by, carrier)
            && *teller != own
            && !teller.is_gatherer()
        {
            return Effect::OtherCarrier;
        }
        self.failed_attempts += u32::from(saying.detail == Some(TrackingDetail::AttemptFailed));
        let brings_date = saying.expected.is_some() && saying.expected != self.expected;
        let Some(status) = saying.status else {
            if !is_overruled && !self.has_ended() {
                self.expected = saying.expected.or(self.expected);
                if brings_date && self.status == Some(OrderStatus::Delayed) {
                    self.turn(saying);
                }
            }
            return Effect::Silent;
        };
        if is_overruled {
            return Effect::OverruledByHand;
        }
        let workflow = order_type.workflow();
        let refused = match &saying.by {
            Teller::Hand { .. } => None,
            Teller::Pipeline { .. } => {
                let permitted = workflow.permits(self.status, self.furthest, status);
                (!permitted).then_some(Effect::NotPermitted)
            }
            Teller::Carrier { .. } => {
                let has_ended = self.status.is_some_and(ends);
                let comes_back = self.status == Some(OrderStatus::Delivered) && status == OrderStatus::Returned;
                let is_over = has_ended && !comes_back && self.status != Some(status);
                // Shops call a parcel shipped when its label is printed; that the carrier then hears of it is no way back.
                let shipped = workflow.step(OrderStatus::Shipped);
                let furthest = self.furthest.and_then(|furthest| workflow.step(furthest));
                let is_behind = status == OrderStatus::Processing && shipped.is_some() && furthest >= shipped;
                if is_over {
                    Some(Effect::AfterTheEnd)
                } else {
                    is_behind.then_some(Effect::AlreadyFurther)
                }
            }
        };
        if let Some(effect) = refused {
            return effect;
        }
        let is_new = self.status != Some(status) || self.detail != saying.detail;
        // Each round of the van, each trouble and each new date is a fact of its own; all else, said again, changes nothing.
        let is_told_again = match status {
            OrderStatus::OutForDelivery => saying.detail != Some(TrackingDetail::ReadyForPickup),
            OrderStatus::Exception => true,
            OrderStatus::Delayed => brings_date,
            OrderStatus::Pending
            | OrderStatus::Paid
            | OrderStatus::Confirmed
            | OrderStatus::Processing
            | OrderStatus::Picking
            | OrderStatus::Packed
            | OrderStatus::Shipped
            | OrderStatus::Delivered
            | OrderStatus::Cancelled
            | OrderStatus::Returned => false,
        };
        // The day that was named before it was late holds no longer.
        let outdates = status == OrderStatus::Delayed && self.status != Some(OrderStatus::Delayed);
        self.expected = saying.expected.or(self.expected.filter(|_| !outdates));
        if is_new || is_told_again {
            self.turn(saying);
        } else if saying.is_by_pipeline() {
            self.voice = Some(saying.by.voice());
            self.is_of_whole_order = saying.parcel.is_none();
        }
        self.status = Some(status);
        self.detail = saying.detail;
        let step = workflow.step(status);
        if saying.is_by_hand() || step > self.furthest.and_then(|furthest| workflow.step(furthest)) {
            self.furthest = step.map(|_| status).or(self.furthest);
        }
        Effect::Applied
    }

    /// From this moment on it is this teller's word.
    fn turn(&mut self, saying: &Saying) {
        self.since = Some(saying.at);
        self.voice = Some(saying.by.voice());
        self.is_of_whole_order = saying.parcel.is_none();
    }

    /// Whether nothing more is to be expected.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.status.is_some_and(ends)
    }
}

/// The statuses with which a parcel's way is over.
const fn ends(status: OrderStatus) -> bool {
    matches!(
        status,
        OrderStatus::Delivered | OrderStatus::Cancelled | OrderStatus::Returned
    )
}

/// The status of an order with these parcels: what asks for somebody first, then the least advanced parcel. A cancelled parcel
/// counts where there is no other. Without any status of a parcel the order's own counts.
#[must_use]
pub fn roll_up<'s>(own: &'s Standing, parcels: impl IntoIterator<Item = &'s Standing>) -> &'s Standing {
    let urgency = |standing: &Standing| match standing.status {
        Some(OrderStatus::Exception) => 0,
        Some(OrderStatus::Returned) => 1,
        Some(OrderStatus::Pending) => 2,
        Some(OrderStatus::Paid) => 3,
        Some(OrderStatus::Confirmed) => 4,
        Some(OrderStatus::Processing) => 5,
        Some(OrderStatus::Picking) => 6,
        Some(OrderStatus::Packed) => 7,
        Some(OrderStatus::Delayed) => 8,
        Some(OrderStatus::Shipped) => 9,
        Some(OrderStatus::OutForDelivery) => 10,
        Some(OrderStatus::Delivered) => 11,
        Some(OrderStatus::Cancelled) => 12,
        None => u8::MAX,
    };
    parcels
        .into_iter()
        .filter(|parcel| parcel.status.is_some())
        .min_by_key(|parcel| (urgency(parcel), parcel.since))
        .unwrap_or(own)
}

#[cfg(test)]
mod tests;
