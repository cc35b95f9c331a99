//! News of people who do not exist: what tests, previews and the checks of overrides render.

use domain::{
    AccountChange, Campaign, Content, Currency, Item, Language, Maintenance, Money, NotificationType, Order, OrderId,
    OrderStatus, Parcel, Payment, PaymentOutcome, Payout, PayoutOutcome, Product, StatusUpdate, Zone,
};
use rust_decimal::Decimal;

use crate::{Links, Reader, Shop};

/// A shop with everything that a shop can have.
#[must_use]
pub fn shop() -> Shop {
    Shop {
        name: "E-Com67".to_owned(),
        url: Some("https://shop.example".to_owned()),
        support_email: "help@shop.example".to_owned(),
        logo_url: None,
        colour: Some("#0f6b5c".to_owned()),
        address: Some("E-Com67 S.L., Calle de Alcalá 45, 28014 Madrid".to_owned()),
    }
}

/// A customer in Madrid with pages of their own.
#[must_use]
pub fn reader(language: Language) -> Reader {
    Reader {
        language,
        zone: zone("Europe/Madrid"),
        links: Links {
            unsubscribe: Some("https://api.shop.example/unsubscribe/token".to_owned()),
            preferences: Some("https://api.shop.example/preferences/token".to_owned()),
        },
    }
}

/// The same customer, as a reader of messages of this type: what must be sent has no link to stop it, and neither has a test.
#[must_use]
pub fn reader_of(kind: NotificationType, language: Language) -> Reader {
    let mut reader = reader(language);
    if !kind.can_be_stopped() {
        reader.links.unsubscribe = None;
    }
    reader
}

/// What a message of this type, and with this status, can be about: as little as an event can say, all that it can say, and all
/// of it with names longer than usual.
#[must_use]
pub fn of(kind: NotificationType, status: Option<OrderStatus>) -> Vec<Content> {
    [Extent::Little, Extent::All, Extent::Long]
        .into_iter()
        .filter_map(|extent| content(kind, status, extent))
        .collect()
}

/// The sample that says all that an event can say.
#[must_use]
pub fn full(kind: NotificationType, status: Option<OrderStatus>) -> Option<Content> {
    content(kind, status, Extent::All)
}

/// How much a sample says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    Little,
    All,
    Long,
}

impl Extent {
    /// The value, where anything is said beyond what must be.
    fn says<T>(self, value: T) -> Option<T> {
        (self != Self::Little).then_some(value)
    }

    /// The usual text or the long one.
    fn text(self, usual: &str, long: &str) -> Option<String> {
        self.says(if self == Self::Long { long } else { usual }.to_owned())
    }
}

fn content(kind: NotificationType, status: Option<OrderStatus>, extent: Extent) -> Option<Content> {
    use NotificationType as Type;
    Some(match kind {
        Type::OrderConfirmation => Content::OrderConfirmation(order(extent)?),
        Type::OrderStatusUpdate => Content::OrderStatus(update(status?, extent)?),
        Type::PaymentSucceeded => payment(PaymentOutcome::Succeeded, extent)?,
        Type::PaymentFailed => payment(PaymentOutcome::Failed, extent)?,
        Type::PaymentRefunded => payment(PaymentOutcome::Refunded, extent)?,
        Type::PaymentProcessing => payment(PaymentOutcome::Processing, extent)?,
        Type::PayoutProcessed => payout(PayoutOutcome::Processed, extent)?,
        Type::PayoutFailed => payout(PayoutOutcome::Failed, extent)?,
        Type::AccountUpdate => Content::Account(AccountChange {
            change: match extent {
                Extent::Little | Extent::All => "password_changed".to_owned(),
                Extent::Long => "The delivery address of your account was replaced by a new one.".to_owned(),
            },
            url: extent.text("https://shop.example/account", LONG_LINK),
        }),
        Type::LowStock => Content::LowStock(Product {
            sku: "LAMP-07".to_owned(),
            name: extent.text("Desk lamp", LONG_NAME),
            stock: extent.says(Decimal::from(3)),
            threshold: extent.says(Decimal::from(5)),
        }),
        Type::Promotional => Content::Promotional(Campaign {
            id: extent.says("autumn-2026".to_owned()),
            title: match extent {
                Extent::Little | Extent::All => "Autumn lamps are here".to_owned(),
                Extent::Long => LONG_NAME.to_owned(),
            },
            body: extent.says(
                "The evenings grow longer.\n\nHere is a little light, with free delivery until Sunday.".to_owned(),
            ),
            url: extent.text("https://shop.example/autumn", LONG_LINK),
        }),
        Type::SystemMaintenance => Content::Maintenance(Maintenance {
            start: "2026-11-28T01:00:00Z".parse().ok(),
            end: extent.says("2026-11-28T04:30:00Z".parse().ok()?),
            body: extent.says("We are moving to a faster database.".to_owned()),
        }),
        Type::Test => Content::Test,
    })
}

const LONG_NAME: &str = "USB-C cable, braided, 2 m, with a velcro strap and a lifetime guarantee, in midnight blue";
const LONG_LINK: &str =
    "https://shop.example/account/orders/ORD-2026-0000000000004217/payment?attempt=2&method=card&from=notification";

fn euros(amount: &str) -> Option<Money> {
    Some(Money {
        amount: amount.parse().ok()?,
        currency: Currency::try_from("EUR").ok()?,
    })
}

fn item(name: &str, quantity: i64, price: &str) -> Item {
    Item {
        name: name.to_owned(),
        quantity: Decimal::from(quantity),
        price: euros(price),
    }
}

fn order(extent: Extent) -> Option<Order> {
    let id = match extent {
        Extent::Little => "1001",
        Extent::All => "ORD-2026-004217",
        Extent::Long => "ORD-2026-MADRID-WEB-0000000000004217",
    };
    let items = vec![
        item("Wireless headphones, black", 1, "59.90"),
        item(LONG_NAME, 2, "9.95"),
        item("Desk lamp", 2, "24.50"),
    ];
    let address = ["María José Núñez", "Calle de Alcalá 45, 3.º B", "28014 Madrid"];
    Some(Order {
        id: OrderId::try_from(id).ok()?,
        customer_name: extent.text(
            "María José Núñez",
            "María de los Ángeles Fernández de Córdoba y Castilla-Mendoza",
        ),
        items: extent.says(items).unwrap_or_default(),
        total: extent.says(euros("128.80")?),
        subtotal: extent.says(euros("106.45")?),
        tax: extent.says(euros("22.35")?),
        shipping_address: extent.says(address.map(str::to_owned).to_vec()).unwrap_or_default(),
        at: extent.says("2026-11-23T23:30:00Z".parse().ok()?),
    })
}

fn update(status: OrderStatus, extent: Extent) -> Option<StatusUpdate> {
    use OrderStatus as Status;
    let travels = matches!(
        status,
        Status::Shipped
            | Status::OutForDelivery
            | Status::Delivered
            | Status::Delayed
            | Status::Exception
            | Status::Returned
    );
    let parcel = Parcel {
        tracking_number: Some("RR123456785ES".to_owned()),
        carrier: extent.text("correos", "Transportes Urgentes del Mediterráneo Occidental"),
        items: vec![item(LONG_NAME, 2, "9.95")],
        number: Some(1),
        count: Some(2),
    };
    let reason = match (status, extent) {
        (_, Extent::Little) => None,
        (Status::Delayed, Extent::All) => Some("weather"),
        (Status::Exception, Extent::All) => Some("recipient_absent"),
        (Status::Cancelled, Extent::All) => Some("out_of_stock"),
        (Status::Delayed | Status::Exception | Status::Cancelled, Extent::Long) => {
            Some("The road to the depot is closed after the storm of last night")
        }
        _ => None,
    };
    Some(StatusUpdate {
        order: order(extent)?,
        status,
        parcel: extent.says(parcel).filter(|_| travels),
        estimated_delivery: extent.says("2026-11-27".parse().ok()?),
        reason: reason.map(str::to_owned),
    })
}

fn payment(outcome: PaymentOutcome, extent: Extent) -> Option<Content> {
    let reason = match extent {
        Extent::Little => None,
        Extent::All => Some("insufficient_funds"),
        Extent::Long => Some("The bank asks you to call it about payments to shops abroad"),
    };
    Some(Content::Payment(Payment {
        outcome,
        order: order(extent)?,
        payment_id: extent.says("PAY-88213".to_owned()),
        method: extent.text("card", "Visa •••• 4242, María de los Ángeles Fernández"),
        retry_url: extent
            .text("https://shop.example/orders/4217/pay", LONG_LINK)
            .filter(|_| outcome == PaymentOutcome::Failed),
        refund: extent
            .says(euros("49.00")?)
            .filter(|_| outcome == PaymentOutcome::Refunded),
        reason: reason.filter(|_| outcome == PaymentOutcome::Failed).map(str::to_owned),
    }))
}

fn payout(outcome: PayoutOutcome, extent: Extent) -> Option<Content> {
    Some(Content::Payout(Payout {
        outcome,
        id: "PO-2026-11-0031".to_owned(),
        amount: extent.says(euros("1842.15")?),
        period: extent.text("2026-11", "First half of November 2026, corrected"),
    }))
}

fn zone(name: &str) -> Zone {
    Zone::try_from(name).unwrap_or_else(|_unknown| Zone::utc())
}
