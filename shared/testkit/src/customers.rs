//! Customers in memory: what they asked for, and what speaks against their addresses.

use domain::ports::{Customers, CustomersLoad, SuppressionsKeep, Unavailable};
use domain::{Contact, Preferences, Suppression, UserId};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;

/// Customers in memory.
#[derive(Debug, Default)]
pub struct MemoryCustomers {
    /// What they stored.
    pub stored: RefCell<HashMap<UserId, Preferences>>,
    /// What speaks against their addresses.
    pub suppressions: RefCell<HashMap<Contact, Suppression>>,
    /// Whether they can be reached.
    pub is_out_of_reach: Cell<bool>,
}

impl MemoryCustomers {
    fn reach(&self) -> Result<(), Unavailable> {
        match self.is_out_of_reach.get() {
            true => Err(Unavailable::new(
                "read customers",
                "the table is told to be out of reach",
            )),
            false => Ok(()),
        }
    }
}

impl CustomersLoad for MemoryCustomers {
    async fn load(&self, users: &[UserId], contacts: &[Contact]) -> Result<Customers, Unavailable> {
        self.reach()?;
        let (stored, suppressions) = (self.stored.borrow(), self.suppressions.borrow());
        Ok(Customers {
            preferences: users
                .iter()
                .filter_map(|user| Some((user.clone(), stored.get(user)?.clone())))
                .collect(),
            suppressions: contacts
                .iter()
                .filter_map(|contact| Some((contact.clone(), suppressions.get(contact)?.clone())))
                .collect(),
        })
    }
}

impl SuppressionsKeep for MemoryCustomers {
    async fn look_up(&self, contact: &Contact) -> Result<Option<Suppression>, Unavailable> {
        self.reach()?;
        Ok(self.suppressions.borrow().get(contact).cloned())
    }

    async fn keep(&self, contact: &Contact, next: &Suppression) -> Result<bool, Unavailable> {
        self.reach()?;
        let mut suppressions = self.suppressions.borrow_mut();
        let version = suppressions.get(contact).map_or(0, |known| known.version);
        let is_next = version.checked_add(1) == Some(next.version);
        if is_next {
            suppressions.insert(contact.clone(), next.clone());
        }
        Ok(is_next)
    }
}
