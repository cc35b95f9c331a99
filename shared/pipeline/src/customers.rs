//! What the customers of a batch asked for: each is asked about once, and nobody is asked about in vain.

use domain::ports::{PreferencesLoad, Unavailable};
use domain::{Preferences, UserId};
use std::collections::HashMap;

/// The preferences of these customers, each named once or more.
pub(crate) async fn load_for<P: PreferencesLoad>(
    port: &P,
    users: impl Iterator<Item = &UserId>,
) -> Result<HashMap<UserId, Preferences>, Unavailable> {
    let mut users: Vec<UserId> = users.cloned().collect();
    users.sort_unstable();
    users.dedup();
    match users.is_empty() {
        true => Ok(HashMap::new()),
        false => port.load(&users).await,
    }
}
