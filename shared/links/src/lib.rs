//! Signed addresses of a customer's own pages: who holds one may do there what it says, without an account.

mod keys;
mod pages;
mod token;

pub use keys::{InvalidLink, InvalidLinkKeys, LinkKeys};
pub use pages::{InvalidPublicUrl, Pages};
pub use token::{OrderToken, Purpose, Token};
