//! The way of an event, over the ports and without AWS.
//!
//! ```text
//! bytes ─read─▶ Event ─decide─▶ Plan ─record─▶ ledger ─hand over─▶ queue ─claim─▶ write ─send─▶ settle ─▶ ledger
//! ```
//!
//! [`Intake`] is the first half, [`Sending`] the second. Both take a batch and give a verdict per record.

mod customers;
mod intake;
mod read;
mod sending;

pub use intake::{Decided, Incoming, Intake, IntakeCounts, IntakeReport, IntakeVerdict, Lane};
pub use read::{Problem, Reading, Refusal, read_event};
pub use sending::{SendVerdict, Sending, SendingCounts, SendingReport, Waiting};

#[cfg(test)]
mod tests;
