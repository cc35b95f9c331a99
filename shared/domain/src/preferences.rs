//! What a customer asked for, merged over the defaults: a missing key means the default, a stored key is obeyed.

use std::collections::BTreeMap;

use crate::{Channel, Content, Language, Night, NotificationType, OrderStatus, QuietHours, Topic, Zone};

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
    /// Whether the customer wants this content by this channel. A test is wanted wherever it is [asked for](crate::Event::asks_for),
    /// whatever is stored.
    #[must_use]
    pub fn wants(&self, channel: Channel, content: &Content) -> bool {
        Topic::of(content).is_none_or(|topic| self.allow(channel, topic))
    }

    /// The customer's night; the shop's where the customer chose none.
    #[must_use]
    pub fn night(&self, shop: &Night) -> Night {
        Night {
            hours: self.quiet_hours.unwrap_or(shop.hours),
            zone: self.zone.clone().unwrap_or_else(|| shop.zone.clone()),
        }
    }

    /// Whether the customer wants to hear of this by this channel: as chosen, else as by default.
    #[must_use]
    pub fn allow(&self, channel: Channel, topic: Topic) -> bool {
        self.choice(channel, topic)
            .unwrap_or_else(|| topic.default_for(channel))
    }

    /// What the customer chose, if anything.
    #[must_use]
    pub fn choice(&self, channel: Channel, topic: Topic) -> Option<bool> {
        match topic {
            Topic::Type(notification_type) => self.choices.get(&(channel, notification_type)).copied(),
            Topic::Status(status) => match self.status_choices.get(&channel)? {
                StatusChoice::All(choice) => Some(*choice),
                StatusChoice::PerStatus(choices) => choices.get(&status).copied(),
            },
        }
    }

    /// Puts a choice in the place of another; `None` goes back to the default. Of status updates it changes this one status alone.
    pub fn choose(&mut self, channel: Channel, topic: Topic, choice: Option<bool>) {
        match (topic, choice) {
            (Topic::Type(notification_type), Some(choice)) => {
                self.choices.insert((channel, notification_type), choice);
            }
            (Topic::Type(notification_type), None) => {
                self.choices.remove(&(channel, notification_type));
            }
            (Topic::Status(status), choice) => {
                let mut choices = self.status_choices(channel);
                match choice {
                    Some(choice) => choices.insert(status, choice),
                    None => choices.remove(&status),
                };
                match choices.is_empty() {
                    true => self.status_choices.remove(&channel),
                    false => self.status_choices.insert(channel, StatusChoice::PerStatus(choices)),
                };
            }
        }
    }

    /// The choices for status updates by this channel, status by status.
    #[must_use]
    pub fn status_choices(&self, channel: Channel) -> BTreeMap<OrderStatus, bool> {
        match self.status_choices.get(&channel) {
            None => BTreeMap::new(),
            Some(StatusChoice::All(choice)) => OrderStatus::ALL.map(|status| (status, *choice)).into(),
            Some(StatusChoice::PerStatus(choices)) => choices.clone(),
        }
    }

    /// Stops everything of one type by one channel, as a link in a message does. Of a type that nobody chooses it stops nothing.
    pub fn stop(&mut self, channel: Channel, notification_type: NotificationType) {
        if notification_type == NotificationType::OrderStatusUpdate {
            self.status_choices.insert(channel, StatusChoice::All(false));
        } else if notification_type.can_be_chosen() {
            self.choose(channel, Topic::Type(notification_type), Some(false));
        }
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
        [Channel::Email, Channel::Sms, Channel::Push, Channel::InApp]
            .map(|channel| Preferences::default().wants(channel, content))
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

    #[test]
    fn nobody_opts_out_of_a_test() {
        let mut preferences = Preferences::default();
        preferences.stop(Channel::Email, NotificationType::Test);
        assert_eq!(preferences, Preferences::default());
        let choices = [Channel::Email, Channel::Sms].map(|channel| ((channel, NotificationType::Test), false));
        preferences.choices.extend(choices);
        for channel in Channel::ALL {
            assert!(preferences.wants(channel, &Content::Test), "{channel}");
        }
    }
}
