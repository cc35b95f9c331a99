//! The message: HTML and plain text from the templates of `bench/rivals/message`, compiled once.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, Value};
use rust_decimal::Decimal;
use serde::Serialize;

use crate::order::Order;

const SHOP_URL: &str = "https://shop.example.com";
const PAGES_URL: &str = "https://pages.example.com";
const SUPPORT_EMAIL: &str = "help@example.com";

/// The templates.
#[derive(Debug)]
pub(crate) struct Templates(Environment<'static>);

/// A finished e-mail.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) subject: String,
    pub(crate) html: String,
    pub(crate) text: String,
    pub(crate) unsubscribe_url: String,
}

/// What the templates read.
#[derive(Debug, Serialize)]
struct Facts<'a> {
    subject: &'a str,
    order_id: &'a str,
    customer_name: &'a str,
    items: Vec<Row<'a>>,
    item_count: u32,
    subtotal: Option<String>,
    tax: Option<String>,
    total: String,
    placed_on: Option<String>,
    address: Option<Vec<&'a str>>,
    shop_url: &'a str,
    support_email: &'a str,
    preferences_url: String,
    unsubscribe_url: &'a str,
}

#[derive(Debug, Serialize)]
struct Row<'a> {
    name: &'a str,
    quantity: u32,
    amount: String,
}

impl Templates {
    pub(crate) fn compile() -> Result<Self, minijinja::Error> {
        let mut environment = Environment::new();
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?;
        environment.set_syntax(syntax);
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.add_template(
            "order_confirmation.html",
            include_str!("../../message/order_confirmation.html"),
        )?;
        environment.add_template(
            "order_confirmation.txt",
            include_str!("../../message/order_confirmation.txt"),
        )?;
        Ok(Self(environment))
    }

    pub(crate) fn write(&self, order: &Order, notification_id: &str) -> Result<Message, minijinja::Error> {
        let money = |amount: Decimal| format!("{amount:.2} {}", order.currency);
        let subject = format!("We have received your order {}", order.order_id);
        let unsubscribe_url = format!("{PAGES_URL}/unsubscribe/{notification_id}");
        let items = order.items.iter().map(|item| Row {
            name: &item.name,
            quantity: item.quantity,
            amount: money(item.price.0 * Decimal::from(item.quantity)),
        });
        let address = order.shipping_address.as_deref();
        let facts = Value::from(Serde(Facts {
            subject: &subject,
            order_id: &order.order_id,
            customer_name: order.customer_name.as_deref().unwrap_or("customer"),
            items: items.collect(),
            item_count: order.items.iter().map(|item| item.quantity).sum(),
            subtotal: order.subtotal.map(|amount| money(amount.0)),
            tax: order.tax_amount.map(|amount| money(amount.0)),
            total: money(order.total_amount.0),
            placed_on: order.timestamp.map(|at| at.strftime("%-d %B %Y").to_string()),
            address: address.map(|address| address.split(',').map(str::trim).collect()),
            shop_url: SHOP_URL,
            support_email: SUPPORT_EMAIL,
            preferences_url: format!("{PAGES_URL}/preferences/{notification_id}"),
            unsubscribe_url: &unsubscribe_url,
        }));
        Ok(Message {
            html: self.0.get_template("order_confirmation.html")?.render(&facts)?,
            text: self.0.get_template("order_confirmation.txt")?.render(&facts)?,
            subject,
            unsubscribe_url,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(customer_name: &str) -> Order {
        serde_json::from_value(serde_json::json!({
            "orderId": "ES-20261102-1001",
            "customerName": customer_name,
            "items": [{"name": "Cable USB-C, 2 m", "quantity": 3, "price": "8.95"}],
            "totalAmount": 26.85,
            "shippingAddress": "Calle de Fuencarral 45, 28004 Madrid",
            "timestamp": "2026-11-02T09:15:00Z",
        }))
        .unwrap()
    }

    #[test]
    fn a_message_tells_the_order_in_html_and_in_text() {
        let message = Templates::compile().unwrap().write(&order("Ana"), "id").unwrap();
        for told in [
            "Ana",
            "Cable USB-C, 2 m",
            "26.85 EUR",
            "28004 Madrid",
            "2 November 2026",
        ] {
            assert!(message.html.contains(told) && message.text.contains(told), "{told}");
        }
    }

    #[test]
    fn a_name_cannot_become_markup() {
        let message = Templates::compile().unwrap().write(&order("<b>Ana"), "id").unwrap();
        assert!(message.html.contains("&lt;b&gt;Ana"));
    }
}
