//! Tests of the way of a parcel over memory twins.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test ends at what it did not expect"
)]

mod faults;
mod hand;
mod news;
mod orders_of_arrival;
mod patrol;
mod registration;
mod world;
