//! The way of an event, over the ports and without AWS.
//!
//! ```text
//! bytes ─read─▶ Event ─decide─▶ Plan ─record─▶ ledger ─hand over─▶ queue ─claim─▶ write ─send─▶ settle ─▶ ledger
//! ```
//!
//! [`Intake`] is the first half, [`Sending`] the second, [`Feedback`] what providers report afterwards. All take a batch and
//! give a verdict per record. [`Watch`] looks after the account, [`Redrive`] sends dead letters back,
//! [`Release`] wakes what waits, [`Canary`] and [`checkup`] notice what does not work.

mod canary;
mod checkup;
mod customers;
mod feedback;
mod hand_over;
mod intake;
mod read;
mod redrive;
mod release;
mod remembered;
mod sending;
mod sms_gate;
mod unpaced;
mod watch;

pub use canary::{Canary, Flown};
pub use checkup::checkup;
pub use feedback::{
    Feedback, FeedbackCounts, FeedbackReport, FeedbackVerdict, Happened, InvalidLogs, Reported, entries_of,
};
pub use hand_over::QueuesAndRoom;
pub use intake::{Decided, Incoming, Intake, IntakeCounts, IntakeReport, IntakeVerdict, Lane};
pub use read::{Problem, Reading, Refusal, order_type_of, read_event};
pub use redrive::{Letter, Redrive, Redriven};
pub use release::{Release, Released};
pub use remembered::RememberedCustomers;
pub use sending::{SendVerdict, SenderMemory, Sending, SendingCounts, SendingReport, Waiting};
pub use sms_gate::{SmsGate, SmsGateCounts, SmsRequest};
pub use unpaced::Unpaced;
pub use watch::{Watch, Watched, take_over_opt_outs};

#[cfg(test)]
mod tests;
