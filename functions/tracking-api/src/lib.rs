//! The tracking API: where orders stand.
//!
//! [`router`] answers customers who are logged in under `/orders`, whoever holds a parcel's number with its postal code or a signed link
//! under `/orders/track` and `/track`, and those who run the shop under `/admin/orders`; [`document`] describes what it answers
//! (OpenAPI 3.1).
//!
//! What a caller may not see looks, to the byte, like what does not exist, and the same is read for it.

mod active;
mod by_hand;
mod config;
mod door;
mod open_api;
mod postal_code;
mod public;
mod routes;
mod status;
#[cfg(test)]
mod tests;
mod timeline;
mod view;
mod wishes;

pub use config::{Config, PublicTracking, Settings};
pub use door::{Door, Store};
pub use open_api::document;
pub use routes::{LARGEST_BODY, router};
