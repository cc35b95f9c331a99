//! What the judge says.

use std::fmt;
use std::ops::AddAssign;

use crate::chronicle::{Key, What};

/// What is to be said about one run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verdict {
    /// Every breach. None: all invariants hold.
    pub violations: Vec<Violation>,
    /// Deliveries that were accepted more than once, and may have been.
    pub exempt: Vec<Exempt>,
    /// How much happened, so that a test can see that it tested something.
    pub counts: Counts,
}

impl Verdict {
    /// Whether every invariant holds.
    pub fn holds(&self) -> bool {
        self.violations.is_empty()
    }

    /// Whether this invariant was broken.
    pub fn breaks(&self, invariant: Invariant) -> bool {
        self.violations.iter().any(|violation| violation.invariant == invariant)
    }

    pub(crate) fn breach(&mut self, invariant: Invariant, delivery: Option<Key>, at_ms: Option<i64>, text: String) {
        self.violations.push(Violation {
            invariant,
            delivery,
            at_ms,
            text,
        });
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.holds() {
            f.write_str("All invariants hold.")?;
        }
        for (number, violation) in self.violations.iter().enumerate() {
            if number > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{violation}")?;
        }
        for exempt in &self.exempt {
            write!(f, "\n{exempt}")?;
        }
        Ok(())
    }
}

/// One breach.
#[derive(Clone, Debug, PartialEq)]
pub struct Violation {
    /// Of what.
    pub invariant: Invariant,
    /// By which delivery, if by one.
    pub delivery: Option<Key>,
    /// When, if it was at a moment and not at the end.
    pub at_ms: Option<i64>,
    /// How: a clause without a full stop.
    pub text: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} does not hold", self.invariant)?;
        if let Some(delivery) = self.delivery {
            write!(f, " for {delivery}")?;
        }
        if let Some(at_ms) = self.at_ms {
            write!(f, " at {at_ms} ms")?;
        }
        write!(f, ": {}.", self.text)
    }
}

/// A delivery that was accepted more than once, and may have been: of the earlier acceptances nobody could know.
#[derive(Clone, Debug, PartialEq)]
pub struct Exempt {
    /// Which one.
    pub delivery: Key,
    /// How often it was accepted: one, and every acceptance that was not known when the next call began.
    pub accepted: u32,
    /// A clause that says why, about the first of them.
    pub why: &'static str,
}

impl fmt::Display for Exempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Exempt from I2: {} was accepted {} times, because {}.",
            self.delivery, self.accepted, self.why
        )
    }
}

/// The invariants, by the names that the guarantee gives them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Invariant {
    /// Each delivery ends in exactly one final state, or is parked.
    I1,
    /// At most one accepted send per delivery.
    I2,
    /// Nothing that the source queue has forgotten is missing.
    I3,
    /// No send after an acknowledged opt-out.
    I4,
    /// States move along the arrows only.
    I5,
    /// Metrics and ledger agree.
    I6,
    /// Whatever is parked has a reason and can be sent again safely.
    I7,
    /// No personal data in logs.
    I8,
    /// Nothing rings in quiet hours but what is urgent.
    I9,
}

impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// How much happened. Those of many runs can be added up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Messages given to the topic or queue.
    pub published: u64,
    /// Deliveries that the ledger opened.
    pub opened: u64,
    /// Values that it replaced.
    pub moved: u64,
    /// Of these, claims.
    pub claimed: u64,
    /// Of these, deliveries that came to be in doubt.
    pub in_doubt: u64,
    /// Of these, deliveries that were parked.
    pub parked: u64,
    /// Calls to the provider.
    pub offered: u64,
    /// Calls that were accepted.
    pub accepted: u64,
    /// Calls that were not.
    pub refused: u64,
    /// Acceptances that nobody wrote down.
    pub replies_lost: u64,
    /// Opt-outs that were acknowledged.
    pub opted_out: u64,
    /// Letters in dead letter queues.
    pub dead_lettered: u64,
    /// Parked deliveries that an operator queued again.
    pub redriven: u64,
    /// Invocations that ended with a metrics line.
    pub finished: u64,
    /// Invocations that were killed.
    pub killed: u64,
}

impl Counts {
    pub(crate) fn count(&mut self, what: &What) {
        match what {
            What::Published { .. } => self.published += 1,
            What::Opened { .. } => self.opened += 1,
            What::Moved { from, to, .. } => {
                self.moved += 1;
                let came_to = |state: &str| u64::from(to.state == state && from.state != state);
                self.claimed += came_to("sending");
                self.in_doubt += came_to("in_doubt");
                self.parked += came_to("parked");
            }
            What::Offered { .. } => self.offered += 1,
            What::Accepted { .. } => self.accepted += 1,
            What::Refused { .. } => self.refused += 1,
            What::ReplyLost { .. } => self.replies_lost += 1,
            What::OptedOut { .. } => self.opted_out += 1,
            What::DeadLettered { .. } => self.dead_lettered += 1,
            What::Redriven { .. } => self.redriven += 1,
            What::Metrics { .. } => self.finished += 1,
            What::Killed { .. } => self.killed += 1,
            What::SourceForgot { .. }
            | What::Looked { .. }
            | What::SendEvent { .. }
            | What::OptedIn { .. }
            | What::RangAtNight { .. }
            | What::Unanswered { .. }
            | What::LogLine { .. } => {}
        }
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        let Self {
            published,
            opened,
            moved,
            claimed,
            in_doubt,
            parked,
            offered,
            accepted,
            refused,
            replies_lost,
            opted_out,
            dead_lettered,
            redriven,
            finished,
            killed,
        } = other;
        self.published += published;
        self.opened += opened;
        self.moved += moved;
        self.claimed += claimed;
        self.in_doubt += in_doubt;
        self.parked += parked;
        self.offered += offered;
        self.accepted += accepted;
        self.refused += refused;
        self.replies_lost += replies_lost;
        self.opted_out += opted_out;
        self.dead_lettered += dead_lettered;
        self.redriven += redriven;
        self.finished += finished;
        self.killed += killed;
    }
}
