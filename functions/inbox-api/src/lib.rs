//! The inbox API: the notes of a customer who is logged in, read, counted and marked.
//!
//! [`router`] answers under `/notifications`; [`document`] describes what it answers (OpenAPI 3.1).

mod config;
mod open_api;
mod reading;
mod routes;
#[cfg(test)]
mod tests;

pub use config::Config;
pub use open_api::document;
pub use routes::{LARGEST_BODY, router};
