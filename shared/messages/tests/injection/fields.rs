//! Messages in which every text from outside is one text of ours, or only one of them.

use domain::{
    AccountChange, Campaign, Content, Currency, Item, Language, Maintenance, Money, Order, OrderId, OrderStatus,
    Parcel, Payment, PaymentOutcome, Payout, PayoutOutcome, Product, StatusUpdate, Zone,
};
use messages::{Links, Reader, Shop};
use rust_decimal::Decimal;

/// What stands in the fields that are not under attack.
pub(crate) const HARMLESS: &str = "Harmless";
pub(crate) const HARMLESS_PAGE: &str = "https://harmless.example/page";

/// How many structures there are.
pub(crate) const STRUCTURES: usize = 9;

/// Every field of a structure that comes from outside, the shop's and the reader's own included.
pub(crate) fn fields(structure: usize) -> Vec<&'static str> {
    let everywhere = [
        "shop.name",
        "shop.url",
        "shop.logo",
        "shop.colour",
        "shop.address",
        "shop.email",
        "links.unsubscribe",
        "links.preferences",
    ];
    let order = ["order.id", "order.customer", "order.item", "order.address"];
    let own: &[&'static str] = match structure {
        0 => &[],
        1 => &["parcel.carrier", "parcel.number", "parcel.item", "reason"],
        2 => &["payment.id", "payment.method", "payment.retry", "reason"],
        3 => &["payout.id", "payout.period"],
        4 => &["campaign.id", "campaign.title", "campaign.body", "campaign.url"],
        5 => &["maintenance.body"],
        6 => &["account.change", "account.url"],
        7 => &["product.sku", "product.name"],
        _ => &[],
    };
    let order: &[&'static str] = if structure < 3 { &order } else { &[] };
    [&everywhere, order, own].concat()
}

/// What is put into the fields.
#[derive(Debug, Clone)]
pub(crate) struct Fill<'a> {
    /// Which variant of the structure: status, outcome, language, which address leads where.
    pub(crate) turn: usize,
    pub(crate) text: &'a str,
    pub(crate) body: &'a str,
    pub(crate) order_id: &'a str,
    /// Two addresses, which take turns.
    pub(crate) pages: [&'a str; 2],
    /// The only field that is filled so; the others are harmless.
    pub(crate) only: Option<&'static str>,
}

impl Fill<'_> {
    fn is_meant(&self, field: &str) -> bool {
        self.only.is_none_or(|only| only == field)
    }

    fn text(&self, field: &str) -> String {
        if self.is_meant(field) {
            self.text.to_owned()
        } else {
            format!("{HARMLESS} {field}")
        }
    }

    fn body(&self, field: &str) -> String {
        if self.is_meant(field) { self.body } else { HARMLESS }.to_owned()
    }

    /// The address in that field.
    pub(crate) fn page(&self, field: &str, place: usize) -> String {
        let page = self.pages[(place + self.turn) % 2];
        if self.is_meant(field) { page } else { HARMLESS_PAGE }.to_owned()
    }

    /// The only address that the message itself leads to.
    pub(crate) fn link(&self, structure: usize) -> Option<String> {
        match structure {
            2 => Some(self.page("payment.retry", 0)),
            4 => Some(self.page("campaign.url", 0)),
            6 => Some(self.page("account.url", 0)),
            _ => None,
        }
    }

    /// Whether the tracking number is that of a carrier whose page is known.
    pub(crate) fn has_known_carrier(&self) -> bool {
        self.turn.is_multiple_of(3) && self.only.is_none_or(|only| only == "parcel.number")
    }

    pub(crate) fn shop(&self) -> Shop {
        Shop {
            name: self.text("shop.name"),
            url: Some(self.page("shop.url", 0)),
            support_email: self.text("shop.email"),
            logo_url: Some(self.page("shop.logo", 1)).filter(|_| !self.turn.is_multiple_of(5)),
            colour: Some(self.text("shop.colour")),
            address: Some(self.text("shop.address")),
        }
    }

    pub(crate) fn reader(&self) -> Reader {
        Reader {
            language: Language::ALL[self.turn % 4],
            zone: Zone::utc(),
            links: Links {
                unsubscribe: Some(self.page("links.unsubscribe", 0)),
                preferences: Some(self.page("links.preferences", 1)),
            },
        }
    }

    fn order(&self) -> Order {
        let id = if self.is_meant("order.id") {
            self.order_id
        } else {
            HARMLESS
        };
        Order {
            id: OrderId::try_from(id).unwrap(),
            customer_name: Some(self.text("order.customer")),
            items: vec![item(&self.text("order.item")), item(&self.text("order.item"))],
            total: Some(euros("22.00")),
            subtotal: Some(euros("20.00")),
            tax: Some(euros("2.00")),
            shipping_address: vec![self.text("order.address"); 3],
            at: Some("2026-11-23T10:30:00Z".parse().unwrap()),
        }
    }

    pub(crate) fn content(&self, structure: usize) -> Content {
        let outcomes = [
            PaymentOutcome::Succeeded,
            PaymentOutcome::Failed,
            PaymentOutcome::Refunded,
            PaymentOutcome::Processing,
        ];
        match structure {
            0 => Content::OrderConfirmation(self.order()),
            1 => Content::OrderStatus(StatusUpdate {
                order: self.order(),
                status: OrderStatus::ALL[self.turn % OrderStatus::ALL.len()],
                parcel: Some(Parcel {
                    tracking_number: Some(self.text("parcel.number")),
                    carrier: Some(if self.has_known_carrier() {
                        "dpd".to_owned()
                    } else {
                        self.text("parcel.carrier")
                    }),
                    items: vec![item(&self.text("parcel.item"))],
                    number: Some(1),
                    count: Some(2),
                }),
                estimated_delivery: Some("2026-11-27".parse().unwrap()),
                reason: Some(self.text("reason")),
            }),
            2 => Content::Payment(Payment {
                outcome: outcomes[self.turn % 4],
                order: self.order(),
                payment_id: Some(self.text("payment.id")),
                method: Some(self.text("payment.method")),
                retry_url: Some(self.page("payment.retry", 0)),
                refund: Some(euros("10.00")),
                reason: Some(self.text("reason")),
            }),
            3 => Content::Payout(Payout {
                outcome: [PayoutOutcome::Processed, PayoutOutcome::Failed][self.turn % 2],
                id: self.text("payout.id"),
                amount: Some(euros("100.00")),
                period: Some(self.text("payout.period")),
            }),
            4 => Content::Promotional(Campaign {
                id: Some(self.text("campaign.id")),
                title: self.text("campaign.title"),
                body: Some(self.body("campaign.body")),
                url: Some(self.page("campaign.url", 0)),
            }),
            5 => Content::Maintenance(Maintenance {
                start: Some("2026-11-28T01:00:00Z".parse().unwrap()),
                end: Some("2026-11-28T04:30:00Z".parse().unwrap()),
                body: Some(self.body("maintenance.body")),
            }),
            6 => Content::Account(AccountChange {
                change: self.text("account.change"),
                url: Some(self.page("account.url", 0)),
            }),
            7 => Content::LowStock(Product {
                sku: self.text("product.sku"),
                name: Some(self.text("product.name")),
                stock: Some(Decimal::from(3)),
                threshold: Some(Decimal::from(5)),
            }),
            _ => Content::Test,
        }
    }
}

fn item(name: &str) -> Item {
    Item {
        name: name.to_owned(),
        quantity: Decimal::from(2),
        price: Some(euros("5.00")),
    }
}

fn euros(amount: &str) -> Money {
    Money {
        amount: amount.parse().unwrap(),
        currency: Currency::try_from("EUR").unwrap(),
    }
}
