//! Preferences remembered for some seconds: an order tells several things at once, and each would ask for the same customer.

use domain::ports::{Clock, Customers, CustomersLoad, Unavailable};
use domain::{Contact, Preferences, UserId};
use jiff::{SignedDuration, Timestamp};
use std::cell::RefCell;
use std::collections::HashMap;

/// For how long. What a customer switches off meanwhile is still not sent: senders ask again, and remember nothing. What they
/// switch on may be missed for so long.
const LIFE: SignedDuration = SignedDuration::from_secs(3);

/// More customers than this are not remembered at once: what an order tells comes together, and memory is paid for.
const MOST: usize = 500;

/// Customers whose preferences are remembered for some seconds; what speaks against addresses is asked for every time.
#[derive(Debug)]
pub struct RememberedCustomers<P, C> {
    customers: P,
    clock: C,
    remembered: RefCell<HashMap<UserId, Remembered>>,
}

#[derive(Debug, Clone)]
struct Remembered {
    until: Timestamp,
    /// None for a customer who stored nothing.
    preferences: Option<Preferences>,
}

impl<P, C: Clock> RememberedCustomers<P, C> {
    /// These customers, by this clock.
    #[must_use]
    pub fn new(customers: P, clock: C) -> Self {
        Self {
            customers,
            clock,
            remembered: RefCell::default(),
        }
    }

    /// What is remembered of these customers, and those of whom nothing is.
    fn recall(&self, users: &[UserId]) -> (HashMap<UserId, Preferences>, Vec<UserId>) {
        let now = self.clock.now();
        let mut remembered = self.remembered.borrow_mut();
        remembered.retain(|_, entry| entry.until > now);
        let (mut known, mut unknown) = (HashMap::new(), Vec::new());
        for user in users {
            match remembered.get(user) {
                None => unknown.push(user.clone()),
                Some(entry) => known.extend(entry.preferences.clone().map(|preferences| (user.clone(), preferences))),
            }
        }
        (known, unknown)
    }

    fn remember(&self, users: Vec<UserId>, found: &HashMap<UserId, Preferences>, asked_at: Timestamp) {
        let until = asked_at.saturating_add(LIFE).unwrap_or(asked_at);
        let mut remembered = self.remembered.borrow_mut();
        if remembered.len().saturating_add(users.len()) > MOST {
            remembered.clear();
        }
        for user in users {
            let preferences = found.get(&user).cloned();
            remembered.insert(user, Remembered { until, preferences });
        }
    }
}

impl<P: CustomersLoad, C: Clock> CustomersLoad for RememberedCustomers<P, C> {
    async fn load(&self, users: &[UserId], contacts: &[Contact]) -> Result<Customers, Unavailable> {
        let (mut known, unknown) = self.recall(users);
        if unknown.is_empty() && contacts.is_empty() {
            return Ok(Customers {
                preferences: known,
                ..Customers::default()
            });
        }
        let asked_at = self.clock.now();
        let mut found = self.customers.load(&unknown, contacts).await?;
        self.remember(unknown, &found.preferences, asked_at);
        known.extend(std::mem::take(&mut found.preferences));
        Ok(Customers {
            preferences: known,
            ..found
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Language, Suppression, SuppressionReason};
    use futures_util::FutureExt;
    use testkit::{HandClock, MemoryCustomers, at};

    fn ana() -> UserId {
        UserId::try_from("ana").unwrap()
    }

    fn customers() -> RememberedCustomers<MemoryCustomers, HandClock> {
        RememberedCustomers::new(MemoryCustomers::default(), HandClock::at(at(100)))
    }

    fn speaking(language: Language) -> Preferences {
        Preferences {
            language: Some(language),
            ..Preferences::default()
        }
    }

    fn language(customers: &RememberedCustomers<MemoryCustomers, HandClock>) -> Option<Language> {
        let found = customers.load(&[ana()], &[]).now_or_never().unwrap().unwrap();
        found.preferences.get(&ana())?.language
    }

    #[test]
    fn what_was_read_is_remembered_for_three_seconds() {
        let customers = customers();
        assert_eq!(language(&customers), None);
        customers
            .customers
            .stored
            .borrow_mut()
            .insert(ana(), speaking(Language::Ro));
        assert_eq!(
            language(&customers),
            None,
            "that nothing is stored is remembered as well"
        );
        customers.clock.advance(SignedDuration::from_secs(3));
        assert_eq!(language(&customers), Some(Language::Ro));
        customers
            .customers
            .stored
            .borrow_mut()
            .insert(ana(), speaking(Language::Ru));
        assert_eq!(language(&customers), Some(Language::Ro));
    }

    #[test]
    fn what_speaks_against_an_address_is_asked_for_every_time() {
        let customers = customers();
        let contact = Contact::of(domain::Channel::Email, "ana@example.com");
        let load = || {
            customers
                .load(&[ana()], std::slice::from_ref(&contact))
                .now_or_never()
                .unwrap()
                .unwrap()
        };
        assert!(load().suppressions.is_empty());
        let strike = domain::Strike {
            reason: SuppressionReason::Complaint,
            at: at(100),
            source: "m-1".to_owned(),
        };
        let suppression = Suppression::default()
            .after(&strike, &domain::SuppressionPolicy::default())
            .unwrap();
        customers
            .customers
            .suppressions
            .borrow_mut()
            .insert(contact.clone(), suppression);
        assert_eq!(load().suppressions.len(), 1);
    }

    #[test]
    fn a_table_out_of_reach_is_not_remembered_as_empty() {
        let customers = customers();
        customers
            .customers
            .stored
            .borrow_mut()
            .insert(ana(), speaking(Language::Ro));
        customers.customers.is_out_of_reach.set(true);
        assert!(customers.load(&[ana()], &[]).now_or_never().unwrap().is_err());
        customers.customers.is_out_of_reach.set(false);
        assert_eq!(language(&customers), Some(Language::Ro));
    }

    #[test]
    fn no_more_are_remembered_than_there_is_room_for() {
        let customers = customers();
        for nth in 0..5_000 {
            let user = UserId::try_from(format!("user-{nth}")).unwrap();
            customers.load(&[user], &[]).now_or_never().unwrap().unwrap();
            assert!(customers.remembered.borrow().len() <= MOST);
        }
    }
}
