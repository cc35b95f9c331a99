//! Which way an order of each type goes, as data: the usual way, where it may leave it, and how it may end.

use serde::{Deserialize, Serialize};
use std::fmt;

use crate::OrderStatus;

/// What kind of order it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderType {
    /// Goods in a parcel.
    #[default]
    Standard,
    /// Nothing that anybody carries.
    Digital,
    /// Goods that come again and again.
    Subscription,
}

/// The way of an order.
#[derive(Debug, PartialEq, Eq)]
pub struct Workflow {
    /// The usual way. Steps may be left out, and none is gone back.
    path: &'static [OrderStatus],
    /// Where it may leave the way, and come back to it.
    detours: &'static [OrderStatus],
    /// How it may end besides at the end of the way: the status, and the first step from which it may. The last step of the way may
    /// lead to `returned` as well.
    ends: &'static [(OrderStatus, OrderStatus)],
    /// Where it begins again after its end.
    again_from: Option<OrderStatus>,
}

const STANDARD: Workflow = Workflow {
    path: &[
        OrderStatus::Pending,
        OrderStatus::Paid,
        OrderStatus::Confirmed,
        OrderStatus::Processing,
        OrderStatus::Picking,
        OrderStatus::Packed,
        OrderStatus::Shipped,
        OrderStatus::OutForDelivery,
        OrderStatus::Delivered,
    ],
    detours: &[OrderStatus::Delayed, OrderStatus::Exception],
    ends: &[
        (OrderStatus::Cancelled, OrderStatus::Pending),
        (OrderStatus::Returned, OrderStatus::Shipped),
    ],
    again_from: None,
};

const DIGITAL: Workflow = Workflow {
    path: &[
        OrderStatus::Pending,
        OrderStatus::Paid,
        OrderStatus::Confirmed,
        OrderStatus::Processing,
        OrderStatus::Delivered,
    ],
    detours: &[OrderStatus::Delayed, OrderStatus::Exception],
    ends: &[
        (OrderStatus::Cancelled, OrderStatus::Pending),
        (OrderStatus::Returned, OrderStatus::Delivered),
    ],
    again_from: None,
};

const SUBSCRIPTION: Workflow = Workflow {
    again_from: Some(OrderStatus::Paid),
    ..STANDARD
};

impl OrderType {
    /// Every type.
    pub const ALL: [Self; 3] = [Self::Standard, Self::Digital, Self::Subscription];

    /// The name in events and tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Digital => "digital",
            Self::Subscription => "subscription",
        }
    }

    /// The type of that name, in any case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name().eq_ignore_ascii_case(name.trim()))
    }

    /// The way of its orders.
    #[must_use]
    pub const fn workflow(self) -> &'static Workflow {
        match self {
            Self::Standard => &STANDARD,
            Self::Digital => &DIGITAL,
            Self::Subscription => &SUBSCRIPTION,
        }
    }
}

impl fmt::Display for OrderType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Workflow {
    /// Every status that an order of this type can have.
    pub fn statuses(&self) -> impl Iterator<Item = OrderStatus> {
        let ends = self.ends.iter().map(|(end, _)| *end);
        self.path.iter().chain(self.detours).copied().chain(ends)
    }

    /// Whether an order of this type can have this status at all.
    #[must_use]
    pub fn knows(&self, status: OrderStatus) -> bool {
        self.statuses().any(|known| known == status)
    }

    /// Whether the shop may say `next` of an order that says `now` and has been as far as `furthest` on the usual way.
    #[must_use]
    pub fn permits(&self, now: Option<OrderStatus>, furthest: Option<OrderStatus>, next: OrderStatus) -> bool {
        if !self.knows(next) {
            return false;
        }
        let Some(now) = now else { return true };
        if now == next {
            return true;
        }
        let reached = furthest.and_then(|status| self.step(status));
        let has_reached = |first: OrderStatus| self.step(first) <= reached;
        if self.is_end(now) {
            let begins_again = self.again_from.is_some_and(|again| self.step(again) <= self.step(next));
            let goes_back = now == OrderStatus::Delivered && next == OrderStatus::Returned;
            return goes_back || (begins_again && now == OrderStatus::Delivered && self.step(next).is_some());
        }
        if let Some((_, first)) = self.ends.iter().find(|(end, _)| *end == next) {
            return has_reached(*first) || *first == OrderStatus::Pending;
        }
        self.detours.contains(&next) || self.step(next) >= reached
    }

    /// Whether nothing comes after this status by itself.
    #[must_use]
    pub fn is_end(&self, status: OrderStatus) -> bool {
        self.path.last() == Some(&status) || self.ends.iter().any(|(end, _)| *end == status)
    }

    /// Its place on the usual way.
    #[must_use]
    pub fn step(&self, status: OrderStatus) -> Option<usize> {
        self.path.iter().position(|step| *step == status)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use OrderStatus as S;

    #[test]
    fn steps_may_be_left_out_and_none_is_gone_back() {
        let way = OrderType::Standard.workflow();
        assert!(way.permits(Some(S::Confirmed), Some(S::Confirmed), S::Shipped));
        assert!(!way.permits(Some(S::Shipped), Some(S::Shipped), S::Processing));
        assert!(way.permits(None, None, S::OutForDelivery));
    }

    #[test]
    fn from_a_detour_the_way_goes_on_and_not_back() {
        let way = OrderType::Standard.workflow();
        assert!(way.permits(Some(S::Delayed), Some(S::Shipped), S::OutForDelivery));
        assert!(way.permits(Some(S::Delayed), Some(S::Shipped), S::Exception));
        assert!(!way.permits(Some(S::Delayed), Some(S::Shipped), S::Picking));
    }

    #[test]
    fn an_end_is_one_but_for_goods_that_come_back() {
        let way = OrderType::Standard.workflow();
        assert!(!way.permits(Some(S::Cancelled), Some(S::Paid), S::Shipped));
        assert!(!way.permits(Some(S::Delivered), Some(S::Delivered), S::Shipped));
        assert!(way.permits(Some(S::Delivered), Some(S::Delivered), S::Returned));
        assert!(!way.permits(Some(S::Paid), Some(S::Paid), S::Returned));
    }

    #[test]
    fn nobody_carries_what_is_digital() {
        let way = OrderType::Digital.workflow();
        assert!(!way.permits(Some(S::Paid), Some(S::Paid), S::Shipped));
        assert!(way.permits(Some(S::Paid), Some(S::Paid), S::Delivered));
    }

    #[test]
    fn a_subscription_begins_again() {
        let way = OrderType::Subscription.workflow();
        assert!(way.permits(Some(S::Delivered), Some(S::Delivered), S::Processing));
        assert!(!way.permits(Some(S::Delivered), Some(S::Delivered), S::Pending));
        assert!(!way.permits(Some(S::Cancelled), Some(S::Paid), S::Processing));
    }

    #[test]
    fn every_type_is_found_by_its_name() {
        for kind in OrderType::ALL {
            assert_eq!(OrderType::from_name(&kind.name().to_uppercase()), Some(kind));
        }
    }
}
