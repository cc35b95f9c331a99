//! Orders and parcels as schema.org describes them, so that mail programs can show them beside the message.
//!
//! Types and statuses: <https://schema.org/Order>, <https://schema.org/ParcelDelivery>, <https://schema.org/OrderStatus>; their use
//! in e-mail: Gmail's "E-mail markup" reference.

use domain::{Content, Item, Money, Order, OrderStatus, StatusUpdate};
use serde::Serialize;

use crate::facts::{seen, tracking_page};
use crate::shop::Shop;

const CONTEXT: &str = "http://schema.org";

/// Mail programs show few; an order of 500 must not fill the message.
const MOST_OFFERS: usize = 20;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OrderData {
    #[serde(rename = "@context", skip_serializing_if = "Option::is_none")]
    context: Option<&'static str>,
    #[serde(rename = "@type")]
    kind: &'static str,
    merchant: Named,
    order_number: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    order_status: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    order_date: Option<String>,
    #[serde(flatten)]
    price: Option<Price>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    accepted_offer: Vec<Offer>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ParcelData {
    #[serde(rename = "@context")]
    context: &'static str,
    #[serde(rename = "@type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    carrier: Option<Named>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tracking_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tracking_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected_arrival_until: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    item_shipped: Vec<Named>,
    part_of_order: OrderData,
}

#[derive(Serialize)]
struct Named {
    #[serde(rename = "@type")]
    kind: &'static str,
    name: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Offer {
    #[serde(rename = "@type")]
    kind: &'static str,
    item_offered: Named,
    #[serde(flatten)]
    price: Option<Price>,
    eligible_quantity: Quantity,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Price {
    price: String,
    price_currency: String,
}

#[derive(Serialize)]
struct Quantity {
    #[serde(rename = "@type")]
    kind: &'static str,
    value: String,
}

/// The data as JSON that may stand in a `<script>`, for messages about an order's way; nothing for others.
pub(crate) fn json_ld(content: &Content, shop: &Shop) -> Option<String> {
    let json = match content {
        Content::OrderConfirmation(order) => {
            serde_json::to_string(&order_data(order, shop, Some(OrderStatus::Processing), true))
        }
        Content::OrderStatus(update) if update.parcel.is_some() && travels(update.status) => {
            serde_json::to_string(&parcel_data(update, shop))
        }
        Content::OrderStatus(update) => {
            serde_json::to_string(&order_data(&update.order, shop, Some(update.status), true))
        }
        Content::Payment(_)
        | Content::Payout(_)
        | Content::Promotional(_)
        | Content::Maintenance(_)
        | Content::Account(_)
        | Content::LowStock(_)
        | Content::Test => return None,
    };
    // In a script nothing is escaped by HTML: no letter may be left that could end it.
    json.ok().map(|json| {
        json.replace('<', "\\u003c")
            .replace('>', "\\u003e")
            .replace('&', "\\u0026")
    })
}

const fn travels(status: OrderStatus) -> bool {
    use OrderStatus as Status;
    match status {
        Status::Shipped
        | Status::OutForDelivery
        | Status::Delivered
        | Status::Delayed
        | Status::Exception
        | Status::Returned => true,
        Status::Pending
        | Status::Paid
        | Status::Confirmed
        | Status::Processing
        | Status::Picking
        | Status::Packed
        | Status::Cancelled => false,
    }
}

fn order_data(order: &Order, shop: &Shop, status: Option<OrderStatus>, is_whole: bool) -> OrderData {
    let offers = order.items.iter().take(MOST_OFFERS).filter(|_| is_whole);
    OrderData {
        context: is_whole.then_some(CONTEXT),
        kind: "Order",
        merchant: named("Organization", &shop.name),
        order_number: text(order.id.as_str()),
        order_status: status.map(|status| format!("{CONTEXT}/{}", status_name(status))),
        order_date: order.at.filter(|_| is_whole).map(|at| at.to_string()),
        price: order.total.filter(|_| is_whole).map(price),
        accepted_offer: offers.map(offer).collect(),
    }
}

fn parcel_data(update: &StatusUpdate, shop: &Shop) -> ParcelData {
    let parcel = update.parcel.as_ref();
    let carrier = parcel.and_then(|parcel| parcel.carrier.as_deref().and_then(seen));
    let number = parcel.and_then(|parcel| parcel.tracking_number.as_deref().and_then(seen));
    let items = parcel.map(|parcel| parcel.items.as_slice()).unwrap_or_default();
    ParcelData {
        context: CONTEXT,
        kind: "ParcelDelivery",
        carrier: carrier.map(|carrier| named("Organization", carriers::carrier_name(&carrier).unwrap_or(&carrier))),
        tracking_number: number.as_deref().map(text),
        tracking_url: parcel.and_then(tracking_page),
        expected_arrival_until: update.estimated_delivery.map(|day| day.to_string()),
        item_shipped: items
            .iter()
            .take(MOST_OFFERS)
            .map(|item| named("Product", &item.name))
            .collect(),
        part_of_order: order_data(&update.order, shop, Some(update.status), false),
    }
}

fn offer(item: &Item) -> Offer {
    Offer {
        kind: "Offer",
        item_offered: named("Product", &item.name),
        price: item.price.map(price),
        eligible_quantity: Quantity {
            kind: "QuantitativeValue",
            value: item.quantity.to_string(),
        },
    }
}

fn price(money: Money) -> Price {
    Price {
        price: money.amount.to_string(),
        price_currency: money.currency.code().to_owned(),
    }
}

fn named(kind: &'static str, name: &str) -> Named {
    Named { kind, name: text(name) }
}

/// One clean line of at most 120 letters, like what the message itself shows.
fn text(text: &str) -> String {
    seen(text).unwrap_or_default().chars().take(120).collect()
}

const fn status_name(status: OrderStatus) -> &'static str {
    use OrderStatus as Status;
    match status {
        Status::Pending => "OrderPaymentDue",
        Status::Paid | Status::Confirmed | Status::Processing | Status::Picking | Status::Packed => "OrderProcessing",
        Status::Shipped | Status::OutForDelivery | Status::Delayed => "OrderInTransit",
        Status::Delivered => "OrderDelivered",
        Status::Exception => "OrderProblem",
        Status::Cancelled => "OrderCancelled",
        Status::Returned => "OrderReturned",
    }
}
