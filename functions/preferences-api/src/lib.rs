//! The preferences API: what customers ask for and look up about their own notifications, logged in.
//!
//! [`router`] answers under `/notifications`; [`document`] describes what it answers (OpenAPI 3.1).

mod choices;
mod config;
mod history;
mod open_api;
mod outside;
mod phone;
mod ports;
mod preferences;
mod routes;
mod test_message;
#[cfg(test)]
mod tests;

pub use config::Config;
pub use open_api::document;
pub use outside::Outside;
pub use routes::{LARGEST_BODY, router};
