//! What each type of event must and may say.

use domain::{
    AccountChange, Campaign, Content, Currency, Item, Maintenance, NotificationType, Order, OrderId, OrderStatus,
    Parcel, Payment, PaymentOutcome, Payout, PayoutOutcome, Product, StatusUpdate,
};
use rust_decimal::Decimal;
use serde_json::{Map, Value};

use crate::read::fields::{Fields, Within, kind_of};

/// No order is longer; its message could not be read.
const MAX_ITEMS: usize = 500;

/// Reads the content that belongs to the event's type. What is wrong is noted in the fields.
pub(crate) fn read_content(fields: &mut Fields<'_>) -> Option<Content> {
    let (notification_type, implied_status) = read_type(fields)?;
    match notification_type {
        NotificationType::OrderConfirmation => read_order(fields).map(Content::OrderConfirmation),
        NotificationType::OrderStatusUpdate => read_status_update(fields, implied_status).map(Content::OrderStatus),
        NotificationType::PaymentSucceeded => read_payment(fields, PaymentOutcome::Succeeded),
        NotificationType::PaymentFailed => read_payment(fields, PaymentOutcome::Failed),
        NotificationType::PaymentRefunded => read_payment(fields, PaymentOutcome::Refunded),
        NotificationType::PaymentProcessing => read_payment(fields, PaymentOutcome::Processing),
        NotificationType::PayoutProcessed => read_payout(fields, PayoutOutcome::Processed),
        NotificationType::PayoutFailed => read_payout(fields, PayoutOutcome::Failed),
        NotificationType::AccountUpdate => read_account(fields),
        NotificationType::LowStock => read_product(fields),
        NotificationType::Promotional => read_campaign(fields),
        NotificationType::SystemMaintenance => read_maintenance(fields),
        NotificationType::Test => Some(read_test(fields)),
    }
}

/// The type, under its name or an older one, and the status that an older type implies.
fn read_type(fields: &mut Fields<'_>) -> Option<(NotificationType, Option<OrderStatus>)> {
    let (mut field, mut value) = fields.within(fields.top(), "notificationType");
    if value.is_none() {
        (field, value) = match fields.within(fields.top(), "type") {
            older @ (_, Some(_)) => older,
            (_, None) => ("notificationType".to_owned(), None),
        };
    }
    let expected = format!(
        "expected one of {}",
        NotificationType::ALL.map(NotificationType::name).join(", ")
    );
    let text = match value {
        Some(value) => fields.line(&field, Some(value)),
        None => None,
    };
    let found = text.and_then(|text| match text.to_ascii_lowercase().as_str() {
        "order_cancelled" => Some((NotificationType::OrderStatusUpdate, Some(OrderStatus::Cancelled))),
        "delivery_delayed" => Some((NotificationType::OrderStatusUpdate, Some(OrderStatus::Delayed))),
        name => NotificationType::from_name(name).map(|notification_type| (notification_type, None)),
    });
    fields.known(&field, found, &expected)
}

fn read_order(fields: &mut Fields<'_>) -> Option<Order> {
    let currency = read_currency(fields);
    let mut money = |name: &str| {
        let (field, value) = fields.of_order(name);
        fields.money(&field, value, currency)
    };
    let (total, subtotal, tax) = (money("totalAmount"), money("subtotal"), money("taxAmount"));
    let (field, value) = fields.of_order("items");
    let items = read_items(fields, &field, value, currency);
    let (field, value) = fields.of_order("customerName");
    let customer_name = fields.line(&field, value);
    let (field, value) = fields.of_order("shippingAddress");
    let shipping_address = read_address(fields, &field, value);
    let at = fields.timestamp("timestamp");
    let (field, value) = fields.of_order("orderId");
    let id = fields.id(&field, value);
    if id.is_none() && !fields.has_problem_with(&[&field]) {
        fields.refuse(&field, "expected the order's id, got nothing");
    }
    let id = id.and_then(|id| fields.checked(&field, OrderId::try_from(id)))?;
    Some(Order {
        id,
        customer_name,
        items,
        total,
        subtotal,
        tax,
        shipping_address,
        at,
    })
}

fn read_currency(fields: &mut Fields<'_>) -> Currency {
    let (field, value) = fields.of_order("currency");
    fields.currency(&field, value)
}

fn read_items(fields: &mut Fields<'_>, path: &str, value: Option<&Value>, currency: Currency) -> Vec<Item> {
    let items = match value {
        None => return Vec::new(),
        Some(Value::Array(items)) if items.len() <= MAX_ITEMS => items,
        Some(Value::Array(items)) => {
            fields.refuse(path, format!("expected at most {MAX_ITEMS} items, got {}", items.len()));
            return Vec::new();
        }
        Some(other) => {
            fields.refuse(path, format!("expected a list of items, got {}", kind_of(other)));
            return Vec::new();
        }
    };
    let mut read = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let path = format!("{path}[{index}]");
        let Value::Object(item) = item else {
            fields.refuse(path, format!("expected an object, got {}", kind_of(item)));
            continue;
        };
        read.extend(read_item(fields, &path, item, currency));
    }
    read
}

fn read_item(fields: &mut Fields<'_>, path: &str, item: &Map<String, Value>, currency: Currency) -> Option<Item> {
    let of = |name: &str| {
        (
            format!("{path}.{name}"),
            item.get(name).filter(|value| !value.is_null()),
        )
    };
    let (field, value) = of("name");
    let name = match value {
        Some(value) => fields.line(&field, Some(value)),
        None => None,
    };
    let name = match (name, fields.has_problem_with(&[&field])) {
        (None, false) => fields.known(&field, None, "expected the item's name, got nothing"),
        (name, _) => name,
    };
    let (field, value) = of("quantity");
    let quantity = fields.decimal(&field, value);
    if quantity.is_some_and(|quantity| quantity <= Decimal::ZERO) {
        fields.refuse(&field, "expected a quantity above zero");
    }
    let (field, value) = of("price");
    let price = fields.money(&field, value, currency);
    Some(Item {
        name: name?,
        quantity: quantity.unwrap_or(Decimal::ONE),
        price,
    })
}

/// An address: a text, a list of lines, or an object whose texts are put in the order in which a letter shows them.
fn read_address(fields: &mut Fields<'_>, path: &str, value: Option<&Value>) -> Vec<String> {
    const ORDER: [&str; 17] = [
        "name",
        "recipient",
        "company",
        "line1",
        "street",
        "address",
        "address1",
        "addressLine1",
        "line2",
        "address2",
        "addressLine2",
        "postalCode",
        "zip",
        "zipCode",
        "city",
        "state",
        "country",
    ];
    match value {
        None => Vec::new(),
        Some(Value::Object(address)) => ORDER
            .iter()
            .filter_map(|name| {
                fields.line(
                    &format!("{path}.{name}"),
                    address.get(*name).filter(|value| !value.is_null()),
                )
            })
            .collect(),
        Some(Value::Array(lines)) => lines
            .iter()
            .enumerate()
            .filter_map(|(index, line)| fields.line(&format!("{path}[{index}]"), Some(line)))
            .collect(),
        Some(text) => fields
            .block(path, Some(text))
            .map(|text| {
                text.lines()
                    .map(domain::clean_line)
                    .filter(|line| !line.is_empty())
                    .collect()
            })
            .unwrap_or_default(),
    }
}

fn read_status_update(fields: &mut Fields<'_>, implied: Option<OrderStatus>) -> Option<StatusUpdate> {
    let currency = read_currency(fields);
    let (field, value) = fields.of_order("status");
    let status = match implied {
        Some(status) => Some(status),
        None => {
            let text = fields.line(&field, value);
            if text.is_none() && !fields.has_problem_with(&[&field]) {
                fields.refuse(&field, "expected the order's new status, got nothing");
            }
            text.and_then(|text| fields.checked(&field, OrderStatus::read(&text)))
        }
    };
    let mut line = |name: &str| {
        let (field, value) = fields.of_order(name);
        fields.line(&field, value)
    };
    let (tracking_number, carrier, reason) = (line("trackingNumber"), line("carrier"), line("reason"));
    let mut count = |name: &str| {
        let (field, value) = fields.of_order(name);
        fields.count(&field, value)
    };
    let (number, of) = (count("parcelNumber"), count("parcelCount"));
    if let (Some(number), Some(of)) = (number, of)
        && number > of
    {
        let (field, _) = fields.of_order("parcelNumber");
        fields.refuse(field, "expected at most parcelCount");
    }
    let (field, value) = fields.of_order("parcelItems");
    let items = read_items(fields, &field, value, currency);
    let (field, value) = fields.of_order("estimatedDelivery");
    let estimated_delivery = fields.day(&field, value);
    let order = read_order(fields);
    let parcel = Parcel {
        tracking_number,
        carrier,
        items,
        number,
        count: of,
    };
    let names_parcel =
        parcel.tracking_number.is_some() || parcel.carrier.is_some() || !parcel.items.is_empty() || number.is_some();
    Some(StatusUpdate {
        order: order?,
        status: status?,
        parcel: Some(parcel).filter(|_| names_parcel),
        estimated_delivery,
        reason,
    })
}

fn read_payment(fields: &mut Fields<'_>, outcome: PaymentOutcome) -> Option<Content> {
    let currency = read_currency(fields);
    let (field, value) = fields.of_order("paymentId");
    let payment_id = fields.id(&field, value);
    let (field, value) = fields.of_order("paymentMethod");
    let method = fields.line(&field, value);
    let (field, value) = fields.of_order("reason");
    let reason = fields.line(&field, value);
    let (field, value) = fields.of_order("retryUrl");
    let retry_url = fields.url(&field, value);
    let (field, value) = fields.of_order("refundAmount");
    let refund = fields.money(&field, value, currency);
    let order = read_order(fields)?;
    Some(Content::Payment(Payment {
        outcome,
        order,
        payment_id,
        method,
        retry_url,
        refund,
        reason,
    }))
}

fn read_payout(fields: &mut Fields<'_>, outcome: PayoutOutcome) -> Option<Content> {
    let place = fields.object("payout");
    let (field, value) = fields.within(place, "currency");
    let currency = fields.currency(&field, value);
    let (field, value) = fields.within(place, "amount");
    let amount = fields.money(&field, value, currency);
    let period = optional_line(fields, place, "period");
    let id = required_id(fields, place, "id", "expected the payout's id, got nothing")?;
    Some(Content::Payout(Payout {
        outcome,
        id,
        amount,
        period,
    }))
}

fn read_account(fields: &mut Fields<'_>) -> Option<Content> {
    let place = fields.object("account");
    let (field, value) = fields.within(place, "url");
    let url = fields.url(&field, value);
    let change = required_line(fields, place, "change", "expected what changed, got nothing")?;
    Some(Content::Account(AccountChange { change, url }))
}

fn read_product(fields: &mut Fields<'_>) -> Option<Content> {
    let place = fields.object("product");
    let mut number = |name: &str| {
        let (field, value) = fields.within(place, name);
        fields.decimal(&field, value)
    };
    let (stock, threshold) = (number("stock"), number("threshold"));
    let name = optional_line(fields, place, "name");
    let sku = required_id(
        fields,
        place,
        "sku",
        "expected the product's stock-keeping unit, got nothing",
    )?;
    Some(Content::LowStock(Product {
        sku,
        name,
        stock,
        threshold,
    }))
}

fn read_campaign(fields: &mut Fields<'_>) -> Option<Content> {
    let place = fields.object("campaign");
    let (field, value) = fields.within(place, "id");
    let id = fields.id(&field, value);
    let (field, value) = fields.within(place, "body");
    let body = fields.block(&field, value);
    let (field, value) = fields.within(place, "url");
    let url = fields.url(&field, value);
    let title = required_line(fields, place, "title", "expected the campaign's title, got nothing")?;
    Some(Content::Promotional(Campaign { id, title, body, url }))
}

fn read_maintenance(fields: &mut Fields<'_>) -> Option<Content> {
    let place = fields.object("maintenance");
    let mut moment = |name: &str| {
        let (field, value) = fields.within(place, name);
        fields.moment(&field, value)
    };
    let (start, end) = (moment("start"), moment("end"));
    let (field, value) = fields.within(place, "body");
    let body = fields.block(&field, value);
    if start.is_none()
        && body.is_none()
        && !fields.has_problem_with(&["maintenance", "maintenance.start", "maintenance.body"])
    {
        fields.refuse(
            "maintenance.start",
            "expected when the maintenance starts, or maintenance.body, got nothing",
        );
    }
    Some(Content::Maintenance(Maintenance { start, end, body }))
}

fn read_test(fields: &mut Fields<'_>) -> Content {
    let (field, value) = fields.within(fields.top(), "channels");
    if value.is_none() {
        fields.refuse(field, "expected the channels to try, got nothing");
    }
    Content::Test
}

fn optional_line(fields: &mut Fields<'_>, place: Within<'_>, name: &str) -> Option<String> {
    let (field, value) = fields.within(place, name);
    fields.line(&field, value)
}

fn required_line(fields: &mut Fields<'_>, place: Within<'_>, name: &str, expected: &str) -> Option<String> {
    let (field, value) = fields.within(place, name);
    let text = fields.line(&field, value);
    if text.is_none() && !fields.has_problem_with(&[&field]) {
        fields.refuse(field, expected);
    }
    text
}

fn required_id(fields: &mut Fields<'_>, place: Within<'_>, name: &str, expected: &str) -> Option<String> {
    let (field, value) = fields.within(place, name);
    let text = fields.id(&field, value);
    if text.is_none() && !fields.has_problem_with(&[&field]) {
        fields.refuse(field, expected);
    }
    text
}
