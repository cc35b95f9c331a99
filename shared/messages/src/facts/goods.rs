//! Orders, parcels and what is in them.

use domain::{Item, Language, Order, Parcel, StatusUpdate, Zone};
use rust_decimal::{Decimal, prelude::ToPrimitive};
use serde::Serialize;

use super::{name, seen};
use crate::{dates, money};

/// A message lists no more lines than this, so that no mail program cuts it; the others are counted.
const MOST_ITEMS: usize = 50;

/// An address is not longer.
const MOST_ADDRESS_LINES: usize = 8;

/// Longer tracking numbers lead nowhere; those of carriers have at most 35 letters.
const LONGEST_NUMBER: usize = 60;

#[derive(Debug, Default, Serialize)]
pub(crate) struct OrderFacts {
    pub(crate) id: String,
    items: Vec<ItemFacts>,
    /// How many lines are not listed.
    more: usize,
    /// How many pieces, when all are counted and not weighed.
    pieces: Option<u64>,
    subtotal: Option<String>,
    tax: Option<String>,
    total: Option<String>,
    address: Vec<String>,
    /// The day on which it was placed or changed, in the customer's zone.
    date: Option<String>,
}

#[derive(Debug, Serialize)]
struct ItemFacts {
    quantity: String,
    name: String,
    /// Quantity times price.
    amount: Option<String>,
}

#[derive(Debug, Default, Serialize)]
pub(crate) struct ParcelFacts {
    pub(crate) carrier: Option<String>,
    tracking_number: Option<String>,
    /// The carrier's page for the number.
    pub(crate) page: Option<String>,
    items: Vec<ItemFacts>,
    /// How many lines are not listed.
    more: usize,
    pieces: Option<u64>,
    number: Option<u32>,
    count: Option<u32>,
    /// It is one of several, and we know which: number and count are there.
    is_numbered: bool,
    /// It does not hold the whole order.
    is_part: bool,
    /// It holds the whole order, for sure.
    is_whole: bool,
    /// It has the highest number.
    is_last: bool,
}

impl OrderFacts {
    pub(crate) fn of(order: &Order, language: Language, zone: &Zone) -> Self {
        let money = |amount| money::money(language, amount);
        let address = order.shipping_address.iter();
        Self {
            id: name(order.id.as_str()).unwrap_or_default(),
            items: listed(&order.items, language),
            more: order.items.len().saturating_sub(MOST_ITEMS),
            pieces: pieces(&order.items),
            subtotal: order.subtotal.map(money),
            tax: order.tax.map(money),
            total: order.total.map(money),
            address: address.filter_map(|line| name(line)).take(MOST_ADDRESS_LINES).collect(),
            date: order
                .at
                .map(|at| dates::date(language, at.to_zoned(zone.tz().clone()).date())),
        }
    }
}

impl ParcelFacts {
    pub(crate) fn of(update: &StatusUpdate, language: Language) -> Self {
        let Some(parcel) = &update.parcel else {
            return Self::default();
        };
        let carrier = parcel.carrier.as_deref().and_then(name);
        let tracking_number = parcel.tracking_number.as_deref().and_then(name);
        let in_parcel = pieces(&parcel.items);
        let in_order = pieces(&update.order.items);
        let count = parcel.count.filter(|count| *count > 1);
        let number = count.and_then(|count| parcel.number.filter(|n| (1..=count).contains(n)));
        let is_part = count.is_some() || in_parcel < in_order && in_parcel.is_some();
        Self {
            page: tracking_page(parcel),
            carrier: carrier.map(|name| match carriers::carrier_name(&name) {
                Some(known) => known.to_owned(),
                None => name,
            }),
            tracking_number,
            items: listed(&parcel.items, language),
            more: parcel.items.len().saturating_sub(MOST_ITEMS),
            pieces: in_parcel,
            number,
            count,
            is_numbered: number.is_some(),
            is_part,
            is_whole: !is_part && in_parcel.is_some() && in_parcel == in_order,
            is_last: number.is_some() && number == count,
        }
    }
}

/// The carrier's page for the parcel; none for a number that is longer than any.
pub(crate) fn tracking_page(parcel: &Parcel) -> Option<String> {
    let number = seen(parcel.tracking_number.as_deref()?)?;
    let carrier = parcel.carrier.as_deref().and_then(seen);
    match number.chars().count() <= LONGEST_NUMBER {
        true => carriers::tracking_page(carrier.as_deref(), &number),
        false => None,
    }
}

fn listed(items: &[Item], language: Language) -> Vec<ItemFacts> {
    items
        .iter()
        .take(MOST_ITEMS)
        .map(|item| ItemFacts {
            quantity: money::quantity(language, item.quantity),
            name: name(&item.name).unwrap_or_default(),
            amount: item.price.and_then(|price| {
                let amount = price.amount.checked_mul(item.quantity)?;
                Some(money::money(language, domain::Money { amount, ..price }))
            }),
        })
        .collect()
}

/// How many pieces these are; nothing when there are none or something is weighed.
fn pieces(items: &[Item]) -> Option<u64> {
    let mut sum = Decimal::ZERO;
    for item in items {
        if !item.quantity.fract().is_zero() {
            return None;
        }
        sum = sum.checked_add(item.quantity)?;
    }
    sum.to_u64().filter(|pieces| *pieces > 0)
}
