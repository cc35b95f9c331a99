//! What is known of the customers of a batch: each is asked about once, and nobody is asked about in vain.

use domain::ports::{Customers, CustomersLoad, Unavailable};
use domain::{Contact, UserId};

/// What is known of these customers and contacts, each named once or more.
pub(crate) async fn load_for<P: CustomersLoad>(
    port: &P,
    users: impl Iterator<Item = &UserId>,
    contacts: impl Iterator<Item = Contact>,
) -> Result<Customers, Unavailable> {
    let mut users: Vec<UserId> = users.cloned().collect();
    users.sort_unstable();
    users.dedup();
    let mut contacts: Vec<Contact> = contacts.collect();
    contacts.sort_unstable();
    contacts.dedup();
    match users.is_empty() && contacts.is_empty() {
        true => Ok(Customers::default()),
        false => port.load(&users, &contacts).await,
    }
}
