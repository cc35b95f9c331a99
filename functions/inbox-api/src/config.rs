//! Every variable that the inbox API reads.

use lambda::{InvalidVariable, Variables};
use web::Identity;

/// What the inbox API needs to know.
#[derive(Debug)]
pub struct Config {
    /// `JWT_ISSUER`, `JWT_AUDIENCE`, `JWT_USER_CLAIM`, `JWT_ROLES_CLAIM`, `ADMIN_ROLE`.
    pub identity: Identity,
    /// `INBOX_TABLE`.
    pub inbox_table: String,
}

impl Config {
    /// Reads them.
    ///
    /// # Errors
    ///
    /// [`InvalidVariable`] for the first that is wrong.
    pub fn read(variables: &Variables) -> Result<Self, InvalidVariable> {
        Ok(Self {
            identity: Identity::read(variables)?,
            inbox_table: variables.text("INBOX_TABLE")?,
        })
    }
}
