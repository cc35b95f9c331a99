//! The rig: plays Lambda and AWS for a function's process, and measures it.
//!
//! One process holds Lambda's Runtime API and the endpoints of DynamoDB, SQS and SES. It starts a bootstrap, whatever that is
//! written in, feeds it batches, and reads from the kernel and from its own counters what that took.

use jiff::Timestamp;

pub mod aws;
pub mod baseline;
pub mod ceiling;
pub mod dynamo;
pub mod http;
pub mod jobs;
pub mod machine;
pub mod measure;
pub mod process;
pub mod report;
pub mod runtime_api;
pub mod server;
pub mod subject;

/// Milliseconds since 1970.
#[must_use]
pub fn wall_clock_ms() -> i64 {
    now().as_millisecond()
}

/// What time it is: a deadline and a moment of an event are told to another process, which looks at its own clock.
#[expect(
    clippy::disallowed_methods,
    reason = "the rig stands for the outside world, of which the clock is a part"
)]
#[must_use]
pub fn now() -> Timestamp {
    Timestamp::now()
}
