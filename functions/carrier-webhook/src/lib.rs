//! The address that carriers call: a call is proven on its raw bytes, then kept and queued at once, and answered, within a second. What it
//! means for an order is worked out later, by others.

mod addresses;
mod config;
mod desk;
mod ports;
mod routes;
#[cfg(test)]
mod tests;

pub use addresses::{Addresses, InvalidAddresses};
pub use config::Config;
pub use desk::Desk;
pub use ports::{Archive, KeysLoad, Queue};
pub use routes::{LARGEST_BODY, router};
