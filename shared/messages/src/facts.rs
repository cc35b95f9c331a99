//! What the words and structures of a message may speak of: the content of an event, made ready to be read.
//!
//! Everything here comes from outside. Each text is cleaned to one line and loses the characters that reorder others;
//! it is handed to the templates as a value and is never a template itself.

use domain::{Content, Item, Language, Order, OrderStatus, StatusUpdate, Zone, clean_line};
use rust_decimal::{Decimal, prelude::ToPrimitive};
use serde::Serialize;

use crate::{
    dates,
    html::{isolated, web_address, without_bidi_controls},
    money,
};

/// The shop in whose name the message is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shop {
    /// What customers call it.
    pub name: String,
    /// Its page, when it has one: http or https.
    pub url: Option<String>,
    /// Where customers write to.
    pub support_email: String,
    /// Its logo, when it has one: the address of an image, https.
    pub logo_url: Option<String>,
    /// Its colour, for buttons and rules: `#rrggbb`; none for ours.
    pub colour: Option<String>,
    /// Its postal address, which many countries ask for in advertising. One line.
    pub address: Option<String>,
}

/// The variables of every template.
#[derive(Debug, Serialize)]
pub(crate) struct Facts {
    pub(crate) language: &'static str,
    pub(crate) shop: ShopFacts,
    /// The customer's name, if the event knows it.
    name: Option<String>,
    pub(crate) order: OrderFacts,
    /// The status by its name; empty when the message is about none.
    status: &'static str,
    pub(crate) parcel: ParcelFacts,
    /// The day on which the parcel is expected, in words.
    day: Option<String>,
    short_day: Option<String>,
    /// Why, in the publisher's words.
    reason: Option<String>,
}

#[derive(Debug, Serialize)]
pub(crate) struct ShopFacts {
    pub(crate) name: String,
    url: Option<String>,
    email: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct OrderFacts {
    pub(crate) id: String,
    items: Vec<ItemFacts>,
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

/// One clean line in its own direction, or nothing.
fn text(text: &str) -> Option<String> {
    let text = clean_line(&without_bidi_controls(text));
    (!text.is_empty()).then_some(text)
}

impl Facts {
    /// What this content tells in this language; nothing for content that has no order.
    pub(crate) fn of(content: &Content, language: Language, zone: &Zone, shop: &Shop) -> Option<Self> {
        let (order, update) = match content {
            Content::OrderConfirmation(order) => (order, None),
            Content::OrderStatus(update) => (&update.order, Some(update)),
            Content::Payment(_)
            | Content::Payout(_)
            | Content::Promotional(_)
            | Content::Maintenance(_)
            | Content::Account(_)
            | Content::LowStock(_) => return None,
        };
        let name = order.customer_name.as_deref().and_then(text);
        let reason = update.and_then(|update| update.reason.as_deref()).and_then(text);
        let day = update.and_then(|update| update.estimated_delivery);
        Some(Self {
            language: language.code(),
            shop: ShopFacts {
                name: text(&shop.name).unwrap_or_default(),
                url: shop.url.as_deref().and_then(web_address),
                email: text(&shop.support_email).unwrap_or_default(),
            },
            name: name.as_deref().map(isolated),
            order: OrderFacts::of(order, language, zone),
            status: update.map_or("", |update| update.status.name()),
            parcel: update.map_or_else(ParcelFacts::default, |update| ParcelFacts::of(update, language)),
            day: day.map(|day| dates::day(language, day)),
            short_day: day.map(|day| dates::short_day(language, day)),
            reason,
        })
    }
}

impl OrderFacts {
    fn of(order: &Order, language: Language, zone: &Zone) -> Self {
        let money = |amount| money::money(language, amount);
        Self {
            id: text(order.id.as_str()).unwrap_or_default(),
            items: items(&order.items, language),
            pieces: pieces(&order.items),
            subtotal: order.subtotal.map(money),
            tax: order.tax.map(money),
            total: order.total.map(money),
            address: order.shipping_address.iter().filter_map(|line| text(line)).collect(),
            date: order
                .at
                .map(|at| dates::date(language, at.to_zoned(zone.tz().clone()).date())),
        }
    }
}

impl ParcelFacts {
    fn of(update: &StatusUpdate, language: Language) -> Self {
        let Some(parcel) = &update.parcel else {
            return Self::default();
        };
        let carrier = parcel.carrier.as_deref().and_then(text);
        let tracking_number = parcel.tracking_number.as_deref().and_then(text);
        let in_parcel = pieces(&parcel.items);
        let in_order = pieces(&update.order.items);
        let count = parcel.count.filter(|count| *count > 1);
        let number = count.and_then(|count| parcel.number.filter(|n| (1..=count).contains(n)));
        let is_part = count.is_some() || in_parcel < in_order && in_parcel.is_some();
        Self {
            page: tracking_number
                .as_deref()
                .and_then(|number| carriers::tracking_page(carrier.as_deref(), number)),
            carrier: carrier.map(|name| match carriers::carrier_name(&name) {
                Some(known) => known.to_owned(),
                None => name,
            }),
            tracking_number,
            items: items(&parcel.items, language),
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

fn items(items: &[Item], language: Language) -> Vec<ItemFacts> {
    items
        .iter()
        .map(|item| ItemFacts {
            quantity: money::quantity(language, item.quantity),
            name: text(&item.name).unwrap_or_default(),
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

/// Which words of a message apply: those of the status, or the only ones there are.
pub(crate) fn section_of(content: &Content) -> &'static str {
    content.status().map_or("message", OrderStatus::name)
}
