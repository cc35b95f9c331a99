//! Which business fact an event tells: two events that tell the same one get the same notification id.

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::{
    Campaign, Content, EmailAddress, Event, Maintenance, NotificationId, OrderStatus, PhoneNumber, Recipient, Zone,
};

/// A hash of what the customer would read. Two events under one explicit idempotency key must agree on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// A hash as the ledger kept it.
    #[must_use]
    pub const fn from_stored(hash: String) -> Self {
        Self(hash)
    }

    /// The hash as 32 hexadecimal digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Event {
    /// The id of the notification that this event asks for.
    ///
    /// It depends on the recipient (the customer, else the normalised address) and on the fact alone, never on message ids
    /// or on the moment of publishing. `zone` is the shop's: it says where a day begins, for facts that count by the day.
    #[must_use]
    pub fn notification_id(&self, zone: &Zone) -> NotificationId {
        let mut fact = Fact::new();
        fact.add(&recipient_key(&self.recipient));
        if let Some(key) = &self.idempotency_key {
            fact.add("key").add(key);
        } else {
            self.add_derived_key(&mut fact, zone);
        }
        NotificationId::from_digest(fact.digest())
    }

    /// A hash of what the customer would read, without the moment of publishing.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        let mut fact = Fact::new();
        fact.add(&as_read(&self.content));
        Fingerprint(fact.digest().iter().map(|byte| format!("{byte:02x}")).collect())
    }

    fn add_derived_key(&self, fact: &mut Fact, zone: &Zone) {
        let day = |at: Timestamp| at.to_zoned(zone.tz().clone()).date().to_string();
        fact.add(self.content.notification_type().name());
        match &self.content {
            Content::OrderConfirmation(order) => {
                fact.add(order.id.as_str());
            }
            Content::OrderStatus(update) => {
                fact.add(update.order.id.as_str());
                if let Some(event_id) = &self.event_id {
                    fact.add("event").add(event_id);
                    return;
                }
                let number = update
                    .parcel
                    .as_ref()
                    .and_then(|parcel| parcel.tracking_number.as_deref());
                fact.add(number.unwrap_or_default()).add(update.status.name());
                match update.status {
                    OrderStatus::Delayed => {
                        fact.add(
                            &update
                                .estimated_delivery
                                .map(|date| date.to_string())
                                .unwrap_or_default(),
                        );
                    }
                    OrderStatus::Exception | OrderStatus::OutForDelivery => {
                        fact.add(&day(self.at));
                    }
                    OrderStatus::Pending
                    | OrderStatus::Paid
                    | OrderStatus::Confirmed
                    | OrderStatus::Processing
                    | OrderStatus::Picking
                    | OrderStatus::Packed
                    | OrderStatus::Shipped
                    | OrderStatus::Delivered
                    | OrderStatus::Cancelled
                    | OrderStatus::Returned => {}
                }
            }
            Content::Payment(payment) => {
                fact.add(payment.order.id.as_str());
                match &payment.payment_id {
                    Some(id) => fact.add("payment").add(id),
                    None => fact.add("day").add(&day(self.at)),
                };
            }
            Content::Payout(payout) => {
                fact.add(&payout.id);
            }
            Content::Promotional(Campaign { id: Some(id), .. }) => {
                fact.add("id").add(id);
            }
            Content::Maintenance(Maintenance { start: Some(start), .. }) => {
                fact.add("start").add(&start.to_string());
            }
            Content::LowStock(product) => {
                fact.add(&product.sku).add(&day(self.at));
            }
            Content::Account(_) if self.event_id.is_some() => {
                fact.add("event").add(self.event_id.as_deref().unwrap_or_default());
            }
            Content::Promotional(_) | Content::Maintenance(_) | Content::Account(_) => {
                fact.add("text").add(&as_read(&self.content));
            }
        }
    }
}

/// The customer, else the normalised address: who counts as the same recipient.
fn recipient_key(recipient: &Recipient) -> String {
    if let Some(user) = &recipient.user {
        return format!("user:{user}");
    }
    if let Some(email) = &recipient.email {
        let normalised = EmailAddress::try_from(email.as_str()).map(|address| address.normalised());
        return format!(
            "email:{}",
            normalised.unwrap_or_else(|_invalid| email.trim().to_lowercase())
        );
    }
    let phone = recipient.phone.as_deref().unwrap_or_default();
    let normalised = PhoneNumber::try_from(phone).map(String::from);
    format!(
        "phone:{}",
        normalised.unwrap_or_else(|_invalid| phone.trim().to_owned())
    )
}

/// The content as text, without the moment of publishing, so that a repetition reads the same.
fn as_read(content: &Content) -> String {
    let mut content = content.clone();
    match &mut content {
        Content::OrderConfirmation(order) => order.at = None,
        Content::OrderStatus(update) => update.order.at = None,
        Content::Payment(payment) => payment.order.at = None,
        Content::Payout(_)
        | Content::Promotional(_)
        | Content::Maintenance(_)
        | Content::Account(_)
        | Content::LowStock(_) => {}
    }
    serde_json::to_string(&content).unwrap_or_else(|_never_for_plain_data| format!("{content:?}"))
}

/// Parts of a fact, each preceded by its length, so that ("ab", "c") and ("a", "bc") differ.
struct Fact(Sha256);

impl Fact {
    fn new() -> Self {
        Self(Sha256::new_with_prefix(b"order-notification/1"))
    }

    fn add(&mut self, part: &str) -> &mut Self {
        self.0
            .update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        self.0.update(part.as_bytes());
        self
    }

    fn digest(&self) -> [u8; 16] {
        let digest = self.0.clone().finalize();
        let mut first = [0; 16];
        first.iter_mut().zip(digest.iter()).for_each(|(to, from)| *to = *from);
        first
    }
}
