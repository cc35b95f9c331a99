//! What is agreed before a run.

use domain::RetryPolicy;

use crate::faults::{Faults, Operation};
use crate::world::Mood;

/// What is agreed before a run.
#[derive(Clone, Debug)]
pub struct Setting {
    /// Where all chance comes from.
    pub seed: u64,
    /// Which calls of ports go wrong.
    pub faults: Faults,
    /// When deliveries are tried again.
    pub policy: RetryPolicy,
    /// Messages per second that the account may send; what a new account may if nothing is said.
    pub limit: Option<f64>,
    /// How far the clock of a process may be off, in milliseconds, either way.
    pub skew_ms: i64,
    /// How many of ten processes are of the version before.
    pub old_of_ten: u32,
    /// How likely a queue gives a message out twice.
    pub twice: f64,
    /// How likely the queue does not hear that a message is done.
    pub undeleted: f64,
    /// What becomes of the provider's reports.
    pub reports: Reports,
    /// What the provider is like, by the time since the beginning (from, to, in milliseconds).
    pub moods: Vec<(i64, i64, Mood)>,
    /// Calls that fail all the time for a while, by the time since the beginning (from, to, in milliseconds); every other one
    /// has its effect all the same.
    pub outages: Vec<(i64, i64, Operation)>,
    /// The order whose message makes the courier panic.
    pub panics_at: Option<String>,
    /// Whether the account is looked after every minute, and until when (milliseconds since the beginning).
    pub watched_until: i64,
    /// Whether the calls of ports are written down.
    pub is_traced: bool,
}

impl Default for Setting {
    fn default() -> Self {
        Self {
            seed: 1,
            faults: Faults::None,
            policy: RetryPolicy::default(),
            limit: None,
            skew_ms: 0,
            old_of_ten: 0,
            twice: 0.0,
            undeleted: 0.0,
            reports: Reports::default(),
            moods: Vec::new(),
            outages: Vec::new(),
            panics_at: None,
            watched_until: 0,
            is_traced: false,
        }
    }
}

/// What becomes of the provider's reports. Probabilities.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reports {
    /// A `Send` event never comes.
    pub send_lost: f64,
    /// It comes late: up to three hours.
    pub send_late: f64,
    /// It comes twice.
    pub send_twice: f64,
    /// The message is reported as delivered.
    pub delivered: f64,
    /// It bounces for good, or for a passing reason.
    pub bounced: f64,
    /// Its recipient complains.
    pub complained: f64,
    /// What comes after the `Send` event comes at once, and not after a while.
    pub quick: f64,
    /// A report is in the older form, which has no tags.
    pub older_form: f64,
    /// A text message has an entry in the delivery log.
    pub logged: f64,
}

impl Reports {
    /// `Send` events come within a second, text messages are logged, and nothing else is reported.
    pub const ON_TIME: Self = Self {
        send_lost: 0.0,
        send_late: 0.0,
        send_twice: 0.0,
        delivered: 0.0,
        bounced: 0.0,
        complained: 0.0,
        quick: 0.0,
        older_form: 0.0,
        logged: 1.0,
    };

    /// No `Send` event ever comes.
    pub const LOST: Self = Self {
        send_lost: 1.0,
        ..Self::ON_TIME
    };
}

impl Default for Reports {
    fn default() -> Self {
        Self::ON_TIME
    }
}
