//! Tests of the whole: fixtures, template, and journeys on the local stack.
//!
//! The journeys under `stack` need a stack of their own, with the fault proxy: `make test` starts and stops it.
#![expect(
    clippy::disallowed_methods,
    reason = "tests read the clock and the environment of the stack"
)]
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test ends at what it did not expect"
)]

mod fixtures;
mod metrics;
mod open_api;
mod operators;
mod permissions;
mod stack;
mod template;
