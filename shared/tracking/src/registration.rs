//! What is kept of an order from the moment it is first seen: carriers know only a number, so that everything else a message needs comes
//! from here.

use domain::{
    Carrier, Content, Event, Item, Language, Order, OrderId, OrderType, Parcel, Recipient, Saying, Teller,
    TrackingNumber, UserId,
};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// No order has more parcels: what is beyond is not followed.
pub const MOST_PARCELS: usize = 50;

/// An order as its pipeline told it.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Registration {
    /// Whose it is; none for a guest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
    /// An address that wins over the customer's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// A phone number that wins over the customer's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// The language of its messages, where the pipeline asked for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// Which way it goes.
    #[serde(default)]
    pub order_type: OrderType,
    /// The order: what was bought, for how much, where it goes.
    pub order: Order,
    /// Its parcels, in the order in which they were told.
    #[serde(default)]
    pub parcels: Vec<RegisteredParcel>,
    /// When the event happened that was told last.
    pub told_at: Timestamp,
}

/// A parcel as the order's pipeline told it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RegisteredParcel {
    /// Its number, in the one spelling by which it is found.
    pub number: TrackingNumber,
    /// Its number as the pipeline writes it: messages of ours are the same fact as the pipeline's only with the same spelling.
    pub spelling: String,
    /// Who carries it, as the pipeline names them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier_name: Option<String>,
    /// What is in it.
    #[serde(default)]
    pub items: Vec<Item>,
    /// Which parcel of the order it is, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<u32>,
    /// How many the order has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
}

impl RegisteredParcel {
    /// A parcel that can be followed.
    fn of(parcel: &Parcel) -> Option<Self> {
        let spelling = parcel.tracking_number.clone()?;
        Some(Self {
            number: TrackingNumber::try_from(spelling.as_str()).ok()?,
            spelling,
            carrier_name: parcel.carrier.clone(),
            items: parcel.items.clone(),
            place: parcel.number,
            count: parcel.count,
        })
    }

    /// Who carries it, as far as we know them.
    #[must_use]
    pub fn carrier(&self) -> Option<Carrier> {
        carriers::carrier_of(self.carrier_name.as_deref(), self.number.as_str())
    }
}

/// What an event of the pipeline is to the order that it is about.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// The order.
    pub registration: Registration,
    /// What it says of the status.
    pub saying: Option<Saying>,
}

impl Told {
    /// What this event tells of an order; nothing for those that are about none.
    #[must_use]
    pub fn of(event: &Event, order_type: OrderType, heard_at: Timestamp) -> Option<Self> {
        let (order, parcel, status, expected, reason) = match &event.content {
            Content::OrderConfirmation(order) => (order, None, Some(domain::OrderStatus::Confirmed), None, None),
            Content::OrderStatus(update) => (
                &update.order,
                update.parcel.as_ref(),
                Some(update.status),
                update.estimated_delivery,
                update.reason.clone(),
            ),
            Content::Payment(payment) => {
                let paid = payment.outcome == domain::PaymentOutcome::Succeeded;
                (
                    &payment.order,
                    None,
                    paid.then_some(domain::OrderStatus::Paid),
                    None,
                    None,
                )
            }
            Content::Payout(_)
            | Content::Promotional(_)
            | Content::Maintenance(_)
            | Content::Account(_)
            | Content::LowStock(_)
            | Content::Test => return None,
        };
        let Recipient { user, email, phone } = event.recipient.clone();
        let parcel = parcel.and_then(RegisteredParcel::of);
        let saying =
            status.map(|status| said_by_pipeline(status, expected, reason, parcel.as_ref(), event.at, heard_at));
        Some(Self {
            registration: Registration {
                user,
                email,
                phone,
                language: event.language,
                order_type,
                order: order.clone(),
                parcels: parcel.into_iter().collect(),
                told_at: event.at,
            },
            saying,
        })
    }
}

fn said_by_pipeline(
    status: domain::OrderStatus,
    expected: Option<Date>,
    reason: Option<String>,
    parcel: Option<&RegisteredParcel>,
    at: Timestamp,
    heard_at: Timestamp,
) -> Saying {
    Saying {
        at,
        heard_at,
        parcel: parcel.map(|parcel| parcel.number.clone()),
        status: Some(status),
        detail: None,
        expected,
        by: Teller::Pipeline { reason },
    }
}

impl Registration {
    /// The order.
    #[must_use]
    pub const fn id(&self) -> &OrderId {
        &self.order.id
    }

    /// The parcel with this number.
    #[must_use]
    pub fn parcel(&self, number: &TrackingNumber) -> Option<&RegisteredParcel> {
        self.parcels.iter().find(|parcel| parcel.number == *number)
    }

    /// Takes over what another event of the same order tells. What is told later wins; what it leaves out stays. Whose the order is
    /// never changes: a stranger's event about it moves neither contact nor owner.
    pub fn merge(&mut self, other: Self) {
        let is_later = other.told_at >= self.told_at;
        let belongs = match &self.user {
            Some(_) => other.user == self.user,
            // A guest is known by an address alone.
            None => shares(&self.email, &other.email) || shares(&self.phone, &other.phone),
        };
        if belongs {
            prefer(&mut self.user, other.user, is_later);
            prefer(&mut self.email, other.email, is_later);
            prefer(&mut self.phone, other.phone, is_later);
            prefer(&mut self.language, other.language, is_later);
        }
        let (old, new) = (&mut self.order, other.order);
        prefer(&mut old.customer_name, new.customer_name, is_later);
        prefer(&mut old.total, new.total, is_later);
        prefer(&mut old.subtotal, new.subtotal, is_later);
        prefer(&mut old.tax, new.tax, is_later);
        prefer_all(&mut old.items, new.items, is_later);
        prefer_all(&mut old.shipping_address, new.shipping_address, is_later);
        if other.order_type != OrderType::Standard {
            self.order_type = other.order_type;
        }
        for parcel in other.parcels {
            let has_room = self.parcels.len() < MOST_PARCELS;
            let known = self.parcels.iter_mut().find(|known| known.number == parcel.number);
            match known {
                Some(known) => {
                    prefer(&mut known.carrier_name, parcel.carrier_name, is_later);
                    prefer_all(&mut known.items, parcel.items, is_later);
                    prefer(&mut known.place, parcel.place, is_later);
                    prefer(&mut known.count, parcel.count, is_later);
                }
                None if has_room => self.parcels.push(parcel),
                None => {}
            }
        }
        self.told_at = self.told_at.max(other.told_at);
    }
}

fn shares(known: &Option<String>, told: &Option<String>) -> bool {
    let (Some(known), Some(told)) = (known, told) else {
        return false;
    };
    known.trim().to_lowercase() == told.trim().to_lowercase()
}

fn prefer<T>(old: &mut Option<T>, new: Option<T>, is_later: bool) {
    if new.is_some() && (is_later || old.is_none()) {
        *old = new;
    }
}

fn prefer_all<T>(old: &mut Vec<T>, new: Vec<T>, is_later: bool) {
    if !new.is_empty() && (is_later || old.is_empty()) {
        *old = new;
    }
}

impl std::fmt::Debug for Registration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registration")
            .field("order", &self.order.id)
            .field("parcels", &self.parcels.len())
            .finish_non_exhaustive()
    }
}
