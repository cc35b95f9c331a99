//! Orders of people who do not exist, for tests and the gallery.

use domain::{Content, Currency, Item, Language, Money, Order, OrderId, OrderStatus, Parcel, StatusUpdate, Zone};
use jiff::civil::date;
use messages::{Reader, Shop};

/// The statuses that customers are told.
pub(crate) const STATUSES: [OrderStatus; 10] = [
    OrderStatus::Pending,
    OrderStatus::Confirmed,
    OrderStatus::Processing,
    OrderStatus::Shipped,
    OrderStatus::OutForDelivery,
    OrderStatus::Delivered,
    OrderStatus::Delayed,
    OrderStatus::Exception,
    OrderStatus::Cancelled,
    OrderStatus::Returned,
];

pub(crate) fn shop() -> Shop {
    Shop {
        name: "E-Com67".to_owned(),
        url: Some("https://shop.example".to_owned()),
        support_email: "help@shop.example".to_owned(),
        logo_url: None,
        colour: None,
        address: None,
    }
}

pub(crate) fn reader(language: Language) -> Reader {
    Reader {
        language,
        zone: Zone::try_from("Europe/Madrid").unwrap(),
        links: messages::Links::default(),
    }
}

pub(crate) fn euros(amount: &str) -> Money {
    Money {
        amount: amount.parse().unwrap(),
        currency: Currency::try_from("EUR").unwrap(),
    }
}

fn item(name: &str, quantity: &str, price: &str) -> Item {
    Item {
        name: name.to_owned(),
        quantity: quantity.parse().unwrap(),
        price: Some(euros(price)),
    }
}

/// Only the order's number is known.
pub(crate) fn bare_order() -> Order {
    Order {
        id: OrderId::try_from("1001").unwrap(),
        customer_name: None,
        items: Vec::new(),
        total: None,
        subtotal: None,
        tax: None,
        shipping_address: Vec::new(),
        at: None,
    }
}

/// Everything is known.
pub(crate) fn full_order() -> Order {
    Order {
        id: OrderId::try_from("ORD-2026-004217").unwrap(),
        customer_name: Some("María José Núñez".to_owned()),
        items: vec![
            item("Wireless headphones, black", "1", "59.90"),
            item(
                "USB-C cable, braided, 2 m, with a velcro strap and a lifetime guarantee",
                "2",
                "9.95",
            ),
            item("Desk lamp", "2", "24.5"),
        ],
        total: Some(euros("128.80")),
        subtotal: Some(euros("106.45")),
        tax: Some(euros("22.35")),
        shipping_address: vec![
            "María José Núñez".to_owned(),
            "Calle de Alcalá 45, 3.º B".to_owned(),
            "28014 Madrid".to_owned(),
        ],
        at: Some("2026-11-23T23:30:00Z".parse().unwrap()),
    }
}

/// News about an order of which only the number is known.
pub(crate) fn bare_update(status: OrderStatus) -> StatusUpdate {
    StatusUpdate {
        order: bare_order(),
        status,
        parcel: None,
        estimated_delivery: None,
        reason: None,
    }
}

/// News with everything that an event of this status tells.
pub(crate) fn full_update(status: OrderStatus) -> StatusUpdate {
    let has_parcel = !matches!(
        status,
        OrderStatus::Pending | OrderStatus::Confirmed | OrderStatus::Processing | OrderStatus::Cancelled
    );
    let reasons = [
        (OrderStatus::Delayed, "Snow on the roads"),
        (OrderStatus::Exception, "Nobody was at home"),
        (OrderStatus::Cancelled, "The lamp is sold out"),
    ];
    let reason = reasons
        .into_iter()
        .find(|(of, _)| *of == status)
        .map(|(_, reason)| reason.to_owned());
    StatusUpdate {
        order: full_order(),
        status,
        parcel: has_parcel.then(first_parcel),
        estimated_delivery: Some(date(2026, 11, 27)),
        reason,
    }
}

/// One of two parcels, with two of five items.
pub(crate) fn first_parcel() -> Parcel {
    Parcel {
        tracking_number: Some("RR123456785ES".to_owned()),
        carrier: Some("correos".to_owned()),
        items: vec![item(
            "USB-C cable, braided, 2 m, with a velcro strap and a lifetime guarantee",
            "2",
            "9.95",
        )],
        number: Some(1),
        count: Some(2),
    }
}

/// Every content that has templates, bare and full.
pub(crate) fn all_contents() -> Vec<Content> {
    let confirmations = [bare_order(), full_order()].map(Content::OrderConfirmation);
    let updates = STATUSES
        .into_iter()
        .flat_map(|status| [bare_update(status), full_update(status)])
        .map(Content::OrderStatus);
    confirmations.into_iter().chain(updates).collect()
}
