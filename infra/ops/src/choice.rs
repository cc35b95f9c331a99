//! What a customer wants now of a type by a channel, and whether that was chosen or is the default.

use domain::{
    AccountChange, Campaign, Channel, Content, Maintenance, NotificationType, Order, OrderId, OrderStatus, Payment,
    PaymentOutcome, Payout, PayoutOutcome, Preferences, Product, StatusChoice, StatusUpdate,
};
use serde::Serialize;

/// What a customer wants now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Choice {
    pub(crate) is_wanted: bool,
    /// Whether the customer said so; otherwise it is the default.
    pub(crate) is_stored: bool,
}

impl Choice {
    /// Nothing where the type needs a status and none is known, and where nobody chooses.
    pub(crate) fn of(
        preferences: &Preferences,
        channel: Channel,
        kind: NotificationType,
        status: Option<OrderStatus>,
    ) -> Option<Self> {
        let content = content_of(kind, status)?;
        let is_stored = match status {
            None => preferences.choices.contains_key(&(channel, kind)),
            Some(status) => match preferences.status_choices.get(&channel) {
                Some(StatusChoice::All(_)) => true,
                Some(StatusChoice::PerStatus(choices)) => choices.contains_key(&status),
                None => false,
            },
        };
        Some(Self {
            is_wanted: preferences.wants(channel, &content),
            is_stored,
        })
    }
}

/// The least content of a type: preferences look at no more than type and status.
fn content_of(kind: NotificationType, status: Option<OrderStatus>) -> Option<Content> {
    let order = || {
        Some(Order {
            id: OrderId::try_from("-").ok()?,
            customer_name: None,
            items: Vec::new(),
            total: None,
            subtotal: None,
            tax: None,
            shipping_address: Vec::new(),
            at: None,
        })
    };
    let payment = |outcome| {
        Some(Content::Payment(Payment {
            outcome,
            order: order()?,
            payment_id: None,
            method: None,
            retry_url: None,
            refund: None,
            reason: None,
        }))
    };
    let payout = |outcome| {
        Some(Content::Payout(Payout {
            outcome,
            id: String::new(),
            amount: None,
            period: None,
        }))
    };
    match kind {
        NotificationType::OrderConfirmation => order().map(Content::OrderConfirmation),
        NotificationType::OrderStatusUpdate => Some(Content::OrderStatus(StatusUpdate {
            order: order()?,
            status: status?,
            parcel: None,
            estimated_delivery: None,
            reason: None,
        })),
        NotificationType::PaymentSucceeded => payment(PaymentOutcome::Succeeded),
        NotificationType::PaymentFailed => payment(PaymentOutcome::Failed),
        NotificationType::PaymentRefunded => payment(PaymentOutcome::Refunded),
        NotificationType::PaymentProcessing => payment(PaymentOutcome::Processing),
        NotificationType::PayoutProcessed => payout(PayoutOutcome::Processed),
        NotificationType::PayoutFailed => payout(PayoutOutcome::Failed),
        NotificationType::AccountUpdate => Some(Content::Account(AccountChange {
            change: String::new(),
            url: None,
        })),
        NotificationType::LowStock => Some(Content::LowStock(Product {
            sku: String::new(),
            name: None,
            stock: None,
            threshold: None,
        })),
        NotificationType::Promotional => Some(Content::Promotional(Campaign {
            id: None,
            title: String::new(),
            body: None,
            url: None,
        })),
        NotificationType::SystemMaintenance => Some(Content::Maintenance(Maintenance {
            start: None,
            end: None,
            body: None,
        })),
        NotificationType::Test => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_that_can_be_chosen_has_a_choice_of_its_own() {
        for kind in NotificationType::ALL.into_iter().filter(|kind| kind.can_be_chosen()) {
            let status = (kind == NotificationType::OrderStatusUpdate).then_some(OrderStatus::Shipped);
            assert_eq!(content_of(kind, status).unwrap().notification_type(), kind);
            assert!(
                Choice::of(&Preferences::default(), Channel::Email, kind, status)
                    .is_some_and(|choice| !choice.is_stored)
            );
        }
        let tests = Choice::of(&Preferences::default(), Channel::Email, NotificationType::Test, None);
        assert_eq!(tests, None);
    }

    #[test]
    fn a_stored_choice_is_told_from_the_default() {
        let mut preferences = Preferences::default();
        let choices = [(OrderStatus::Shipped, false)].into();
        preferences
            .status_choices
            .insert(Channel::Sms, StatusChoice::PerStatus(choices));
        let of = |status| {
            Choice::of(
                &preferences,
                Channel::Sms,
                NotificationType::OrderStatusUpdate,
                Some(status),
            )
            .unwrap()
        };
        let (stored, default) = (of(OrderStatus::Shipped), of(OrderStatus::Delivered));
        assert_eq!((stored.is_wanted, stored.is_stored), (false, true));
        assert_eq!((default.is_wanted, default.is_stored), (true, false));
    }
}
