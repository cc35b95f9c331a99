//! What a customer asked for, merged over the defaults: a missing key means the default, a stored key is obeyed.

use std::collections::BTreeMap;

use crate::{Channel, Content, Language, Night, NotificationType, OrderStatus, QuietHours, Zone};

/// What one customer stored. Everything may be missing; [`Preferences::wants`] fills in the defaults.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Preferences {
    /// Choices per channel and type, other than status updates.
    pub choices: BTreeMap<(Channel, NotificationType), bool>,
    /// Choices for status updates per channel.
    pub status_choices: BTreeMap<Channel, StatusChoice>,
    /// The customer's e-mail address as stored.
    pub email: Option<String>,
    /// The customer's phone number as stored.
    pub phone: Option<String>,
    /// Whether the customer has shown that the number is theirs.
    pub phone_verified: bool,
    /// The customer's language.
    pub language: Option<Language>,
    /// The customer's time zone.
    pub zone: Option<Zone>,
    /// The hours in which nothing may ring.
    pub quiet_hours: Option<QuietHours>,
}

/// A choice for status updates: one for all, or one per status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StatusChoice {
    /// One answer for every status.
    All(bool),
    /// An answer for the statuses named; the others follow the default.
    PerStatus(BTreeMap<OrderStatus, bool>),
}

impl Preferences {
    /// Whether the customer wants this content by this channel.
    #[must_use]
    pub fn wants(&self, channel: Channel, content: &Content) -> bool {
        let stored = match content.status() {
            None => self.choices.get(&(channel, content.notification_type())).copied(),
            Some(status) => match self.status_choices.get(&channel) {
                Some(StatusChoice::All(choice)) => Some(*choice),
                Some(StatusChoice::PerStatus(choices)) => choices.get(&status).copied(),
                None => None,
            },
        };
        stored.unwrap_or_else(|| default_choice(channel, content))
    }

    /// The customer's night; the shop's where the customer chose none.
    #[must_use]
    pub fn night(&self, shop: &Night) -> Night {
        Night {
            hours: self.quiet_hours.unwrap_or(shop.hours),
            zone: self.zone.clone().unwrap_or_else(|| shop.zone.clone()),
        }
    }
}

/// The choice of a customer who never chose.
fn default_choice(channel: Channel, content: &Content) -> bool {
    use NotificationType as Type;
    let is = |on: &[Channel]| on.contains(&channel);
    match content.notification_type() {
        Type::OrderConfirmation | Type::PaymentSucceeded | Type::PaymentRefunded => {
            is(&[Channel::Email, Channel::Push, Channel::InApp])
        }
        Type::PaymentFailed => true,
        Type::PaymentProcessing => is(&[Channel::InApp]),
        Type::PayoutProcessed | Type::PayoutFailed | Type::AccountUpdate | Type::LowStock | Type::SystemMaintenance => {
            is(&[Channel::Email, Channel::InApp])
        }
        Type::Promotional => false,
        Type::OrderStatusUpdate => content
            .status()
            .is_some_and(|status| default_for_status(channel, status)),
    }
}

/// The short list of statuses that are worth an SMS keeps the bill low; in-app shows them all.
fn default_for_status(channel: Channel, status: OrderStatus) -> bool {
    use OrderStatus as Status;
    match status {
        Status::Shipped | Status::OutForDelivery | Status::Delivered | Status::Delayed | Status::Exception => true,
        Status::Confirmed | Status::Cancelled | Status::Returned => channel != Channel::Sms,
        Status::Processing => matches!(channel, Channel::Email | Channel::InApp),
        Status::Pending | Status::Paid | Status::Picking | Status::Packed => channel == Channel::InApp,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        AccountChange, Campaign, Maintenance, Order, OrderId, Payment, PaymentOutcome, Payout, PayoutOutcome, Product,
        StatusUpdate,
    };

    fn order() -> Order {
        Order {
            id: OrderId::try_from("1").unwrap(),
            customer_name: None,
            items: Vec::new(),
            total: None,
            subtotal: None,
            tax: None,
            shipping_address: Vec::new(),
            at: None,
        }
    }

    fn update(status: OrderStatus) -> Content {
        Content::OrderStatus(StatusUpdate {
            order: order(),
            status,
            parcel: None,
            estimated_delivery: None,
            reason: None,
        })
    }

    fn payment(outcome: PaymentOutcome) -> Content {
        Content::Payment(Payment {
            outcome,
            order: order(),
            payment_id: None,
            method: None,
            retry_url: None,
            refund: None,
            reason: None,
        })
    }

    fn payout(outcome: PayoutOutcome) -> Content {
        Content::Payout(Payout {
            outcome,
            id: "p".to_owned(),
            amount: None,
            period: None,
        })
    }

    /// On or off by e-mail, SMS, push, in-app: what a customer gets who never chose.
    fn defaults(content: &Content) -> [bool; 4] {
        Channel::ALL.map(|channel| Preferences::default().wants(channel, content))
    }

    #[test]
    fn the_defaults_by_type_are_those_of_the_contract() {
        let (on, off) = (true, false);
        let campaign = Campaign {
            id: None,
            title: "t".to_owned(),
            body: None,
            url: None,
        };
        let maintenance = Maintenance {
            start: None,
            end: None,
            body: None,
        };
        let account = AccountChange {
            change: "c".to_owned(),
            url: None,
        };
        let product = Product {
            sku: "s".to_owned(),
            name: None,
            stock: None,
            threshold: None,
        };
        for (content, expected) in [
            (Content::OrderConfirmation(order()), [on, off, on, on]),
            (payment(PaymentOutcome::Succeeded), [on, off, on, on]),
            (payment(PaymentOutcome::Refunded), [on, off, on, on]),
            (payment(PaymentOutcome::Failed), [on, on, on, on]),
            (payment(PaymentOutcome::Processing), [off, off, off, on]),
            (payout(PayoutOutcome::Processed), [on, off, off, on]),
            (payout(PayoutOutcome::Failed), [on, off, off, on]),
            (Content::Account(account), [on, off, off, on]),
            (Content::LowStock(product), [on, off, off, on]),
            (Content::Promotional(campaign), [off, off, off, off]),
            (Content::Maintenance(maintenance), [on, off, off, on]),
        ] {
            assert_eq!(defaults(&content), expected, "{}", content.notification_type());
        }
    }

    #[test]
    fn the_defaults_by_status_are_those_of_the_contract() {
        use OrderStatus as Status;
        let (on, off) = (true, false);
        for (status, expected) in [
            (Status::Confirmed, [on, off, on, on]),
            (Status::Processing, [on, off, off, on]),
            (Status::Shipped, [on, on, on, on]),
            (Status::OutForDelivery, [on, on, on, on]),
            (Status::Delivered, [on, on, on, on]),
            (Status::Delayed, [on, on, on, on]),
            (Status::Exception, [on, on, on, on]),
            (Status::Cancelled, [on, off, on, on]),
            (Status::Returned, [on, off, on, on]),
            (Status::Pending, [off, off, off, on]),
            (Status::Paid, [off, off, off, on]),
            (Status::Picking, [off, off, off, on]),
            (Status::Packed, [off, off, off, on]),
        ] {
            assert_eq!(defaults(&update(status)), expected, "{status}");
        }
    }

    #[test]
    fn a_stored_key_is_obeyed_and_a_missing_one_means_the_default() {
        let per_status = StatusChoice::PerStatus([(OrderStatus::Shipped, false), (OrderStatus::Packed, true)].into());
        let preferences = Preferences {
            choices: [((Channel::Email, NotificationType::OrderConfirmation), false)].into(),
            status_choices: [(Channel::Email, per_status), (Channel::Sms, StatusChoice::All(true))].into(),
            ..Preferences::default()
        };
        assert!(!preferences.wants(Channel::Email, &Content::OrderConfirmation(order())));
        assert!(preferences.wants(Channel::Push, &Content::OrderConfirmation(order())));
        assert!(!preferences.wants(Channel::Email, &update(OrderStatus::Shipped)));
        assert!(preferences.wants(Channel::Email, &update(OrderStatus::Packed)));
        assert!(preferences.wants(Channel::Email, &update(OrderStatus::Delivered)));
        assert!(preferences.wants(Channel::Sms, &update(OrderStatus::Pending)));
    }
}
