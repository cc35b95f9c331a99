//! Which business fact an event tells: two events that tell the same one get the same notification id.

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::{
    Campaign, Content, EmailAddress, Event, Maintenance, NotificationId, OrderStatus, PhoneNumber, Recipient, Zone,
};

/// A hash of what the customer would read. Two events under one explicit idempotency key must agree on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint(String);

/// Which parcel a message is about: a short hash of its tracking number, enough to tell the parcels of one order apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParcelMark(String);

impl ParcelMark {
    /// The mark of the parcel with this tracking number.
    #[must_use]
    pub fn of(tracking_number: &str) -> Self {
        let mut fact = Fact::new();
        fact.add("parcel").add(tracking_number);
        Self(fact.digest().iter().take(4).map(|byte| format!("{byte:02x}")).collect())
    }

    /// A mark as the ledger kept it.
    #[must_use]
    pub const fn from_stored(mark: String) -> Self {
        Self(mark)
    }

    /// Eight hexadecimal digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// To be raised when the same content makes another fingerprint than before, so that a deployment is no conflict.
const FINGERPRINT_VERSION: u32 = 1;

impl Fingerprint {
    /// A hash as the ledger kept it.
    #[must_use]
    pub const fn from_stored(hash: String) -> Self {
        Self(hash)
    }

    /// The version of its making, a dot, and the hash as 32 hexadecimal digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the two are surely of different contents. Those made by different versions cannot be compared.
    #[must_use]
    pub fn contradicts(&self, other: &Self) -> bool {
        self.version() == other.version() && self != other
    }

    fn version(&self) -> Option<&str> {
        self.0.split_once('.').map(|(version, _)| version)
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
        let digest: String = fact.digest().iter().map(|byte| format!("{byte:02x}")).collect();
        Fingerprint(format!("{FINGERPRINT_VERSION}.{digest}"))
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
            Content::Account(_) | Content::Test if self.event_id.is_some() => {
                fact.add("event").add(self.event_id.as_deref().unwrap_or_default());
            }
            Content::Promotional(_) | Content::Maintenance(_) | Content::Account(_) | Content::Test => {
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
        | Content::LowStock(_)
        | Content::Test => {}
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Language, Order, OrderId, Priority, StatusUpdate};

    fn shipped() -> Event {
        let order = Order {
            id: OrderId::try_from("456").unwrap(),
            customer_name: Some("Ana".to_owned()),
            items: Vec::new(),
            total: None,
            subtotal: None,
            tax: None,
            shipping_address: Vec::new(),
            at: None,
        };
        let update = StatusUpdate {
            order,
            status: OrderStatus::Shipped,
            parcel: None,
            estimated_delivery: None,
            reason: None,
        };
        Event {
            recipient: Recipient {
                email: Some("Ana@Example.com".to_owned()),
                ..Recipient::default()
            },
            content: Content::OrderStatus(update),
            at: "2026-11-20T22:30:00Z".parse().unwrap(),
            priority: Priority::Normal,
            language: Some(Language::En),
            channels: None,
            scheduled_for: None,
            idempotency_key: None,
            event_id: None,
        }
    }

    fn madrid() -> Zone {
        Zone::try_from("Europe/Madrid").unwrap()
    }

    fn with_status(status: OrderStatus, at: &str) -> NotificationId {
        let mut event = shipped();
        event.at = at.parse().unwrap();
        if let Content::OrderStatus(update) = &mut event.content {
            update.status = status;
        }
        event.notification_id(&madrid())
    }

    #[test]
    fn ids_and_fingerprints_stay_what_they_are() {
        // Another id makes repetitions across a deployment new facts; another fingerprint asks for another version.
        assert_eq!(
            shipped().notification_id(&madrid()).to_string(),
            "1a6d3189-78c2-8160-b623-5708e665d525"
        );
        assert_eq!(shipped().fingerprint().as_str(), "1.fcf8233fdcc2dda353586b88fe337d9b");
    }

    #[test]
    fn the_moment_of_publishing_and_the_case_of_the_address_make_no_other_fact() {
        let mut again = shipped();
        again.at = "2026-11-25T10:00:00Z".parse().unwrap();
        again.recipient.email = Some("ana@example.com".to_owned());
        again.language = Some(Language::Es);
        assert_eq!(again.notification_id(&madrid()), shipped().notification_id(&madrid()));
    }

    #[test]
    fn a_parcel_that_is_out_again_on_another_day_of_the_shop_is_another_fact() {
        let out = |at| with_status(OrderStatus::OutForDelivery, at);
        assert_eq!(out("2026-11-20T06:00:00Z"), out("2026-11-20T22:59:00Z"));
        assert_ne!(
            out("2026-11-20T22:59:00Z"),
            out("2026-11-20T23:01:00Z"),
            "it is midnight in Madrid at 23:00 UTC"
        );
    }

    #[test]
    fn an_explicit_key_replaces_the_fact() {
        let keyed = |key: &str, status| {
            let mut event = shipped();
            event.idempotency_key = Some(key.to_owned());
            if let Content::OrderStatus(update) = &mut event.content {
                update.status = status;
            }
            event.notification_id(&madrid())
        };
        assert_eq!(keyed("k", OrderStatus::Shipped), keyed("k", OrderStatus::Delivered));
        assert_ne!(keyed("k", OrderStatus::Shipped), keyed("l", OrderStatus::Shipped));
    }

    #[test]
    fn a_test_is_another_fact_under_another_id_and_without_one_always_the_same() {
        let test = |event_id: Option<&str>, key: Option<&str>| {
            let mut event = shipped();
            event.content = Content::Test;
            event.event_id = event_id.map(str::to_owned);
            event.idempotency_key = key.map(str::to_owned);
            event.notification_id(&madrid())
        };
        let ids = [
            test(None, None),
            test(Some("a"), None),
            test(Some("b"), None),
            test(None, Some("a")),
            test(None, Some("b")),
        ];
        let distinct: std::collections::HashSet<_> = ids.iter().collect();
        assert_eq!(distinct.len(), ids.len());
        assert_eq!(test(None, None), ids[0]);
        assert_eq!(test(Some("b"), Some("a")), ids[3]);
    }

    #[test]
    fn fingerprints_of_another_version_contradict_nothing() {
        let print = |text: &str| Fingerprint::from_stored(text.to_owned());
        assert!(print("1.aa").contradicts(&print("1.bb")));
        assert!(!print("1.aa").contradicts(&print("1.aa")));
        assert!(!print("1.aa").contradicts(&print("2.bb")));
    }
}
