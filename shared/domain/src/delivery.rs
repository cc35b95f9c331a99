//! A delivery: one channel of one notification, and the arrows along which its state may move.
//!
//! ```text
//! deferred ─▶ queued ─claim─▶ sending ─accepted─▶ sent ─▶ delivered | bounced | complained
//!     ▲         ▲ ▲             ││  │
//!     └─quiet hours─────────────┘│  │
//!               │ └─surely not───┘  └─no answer, or lease over─▶ in_doubt ─▶ sent | queued | failed
//!               └── operator only ── parked ◀─ attempts used up
//! never sent, final: skipped · suppressed · superseded · expired · failed
//! ```
//!
//! What a provider reports later ([`crate::Evidence`]) only moves a delivery on: a message that it speaks of was accepted, whatever
//! we believed, and `sent`, `delivered`, `bounced`, `complained` follow each other in this order, however the reports come.
//!
//! Every arrow is a function from one value to the next. A value is written as a whole, under a [`Guard`] that names what it
//! replaces, so that two writers can never both believe that they won.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;

use crate::{AfterDoubt, Channel, Reason, RetryPolicy, Wait, Written, ports::SendAnswer};

mod learn;
mod trail;

pub use trail::Past;

/// The claim time of a delivery that nobody may claim.
pub const NEVER: Option<Timestamp> = None;

/// A delivery that another sender holds is looked at again after this time: most are settled within a second.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_secs(5);

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Waits for its time.
    Deferred,
    /// May be claimed by a sender, now or after a back-off.
    Queued,
    /// A sender holds it and may be talking to the provider.
    Sending,
    /// The provider may or may not have taken it.
    InDoubt,
    /// The provider accepted it.
    Sent,
    /// The provider delivered it.
    Delivered,
    /// It came back.
    Bounced,
    /// The recipient called it unwanted.
    Complained,
    /// All tries used up; an operator may send it again.
    Parked,
    /// Never sent: not wanted, or nowhere to send it.
    Skipped,
    /// Never sent: the address is suppressed.
    Suppressed,
    /// Never sent: newer news came first.
    Superseded,
    /// Never sent: too old.
    Expired,
    /// Could not be sent, for good.
    Failed,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 14] = [
        Self::Deferred,
        Self::Queued,
        Self::Sending,
        Self::InDoubt,
        Self::Sent,
        Self::Delivered,
        Self::Bounced,
        Self::Complained,
        Self::Parked,
        Self::Skipped,
        Self::Suppressed,
        Self::Superseded,
        Self::Expired,
        Self::Failed,
    ];

    /// The name in the ledger, in results and in logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Deferred => "deferred",
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::InDoubt => "in_doubt",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Bounced => "bounced",
            Self::Complained => "complained",
            Self::Parked => "parked",
            Self::Skipped => "skipped",
            Self::Suppressed => "suppressed",
            Self::Superseded => "superseded",
            Self::Expired => "expired",
            Self::Failed => "failed",
        }
    }

    /// The state of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Whether a sender still has, or will have, something to do.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Deferred | Self::Queued | Self::Sending | Self::InDoubt)
    }

    /// Whether the provider accepted it, whatever became of it afterwards.
    #[must_use]
    pub const fn is_accepted(self) -> bool {
        matches!(self, Self::Sent | Self::Delivered | Self::Bounced | Self::Complained)
    }

    /// This state alone, as a [`Guard`] wants it.
    #[must_use]
    pub fn alone(self) -> &'static [Self] {
        Self::ALL
            .iter()
            .position(|state| *state == self)
            .and_then(|at| Self::ALL.get(at..=at))
            .unwrap_or_default()
    }

    /// Whether it counts among `successfulChannels`: the provider accepted it.
    #[must_use]
    pub const fn is_success(self) -> bool {
        matches!(self, Self::Sent | Self::Delivered)
    }

    /// Whether it counts among `failedChannels`. Opted out, no address, superseded and expired are not failures.
    #[must_use]
    pub const fn is_failure(self) -> bool {
        matches!(self, Self::Parked | Self::Failed | Self::Bounced | Self::Complained)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A sender's right to talk to the provider about one delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Who holds it: one invocation of a sender.
    pub owner: String,
    /// Until when. A lease that is over leads to doubt, never straight to another send.
    pub until: Timestamp,
}

/// One channel of one notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Where it stands.
    pub state: State,
    /// From when it may be claimed; [`NEVER`] while sending and once final.
    pub claimable_at: Option<Timestamp>,
    /// How often it was claimed; tells one claim from the next, and never goes back.
    pub attempt: u32,
    /// How many tries were used up. Throttling and trouble with the account use up none.
    pub failures: u32,
    /// How often an operator sent it again after it was parked.
    pub generation: u32,
    /// Who holds it, or held it last.
    pub lease: Option<Lease>,
    /// The provider's id for the message it accepted.
    pub message_id: Option<String>,
    /// What is kept of the message that was last offered to the provider; nothing before the first offer.
    pub written: Option<Written>,
    /// Why it stands where it stands; a short code or sentence without personal data.
    pub reason: Option<String>,
    /// When it came to stand there.
    pub changed_at: Timestamp,
    /// Whether the dead letter queue has its message (parked deliveries only).
    pub is_dead_lettered: bool,
    /// When the recipient first opened it, where the shop asks the provider to tell.
    pub opened_at: Option<Timestamp>,
    /// When the recipient first followed a link in it, likewise.
    pub clicked_at: Option<Timestamp>,
    /// What lies behind it, oldest first. A delivery that went straight has no past worth a byte.
    pub trail: Vec<Past>,
}

/// What a write replaces: the condition under which the next value may be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Guard {
    /// A claim: of this attempt, and claimable by this moment.
    Claimable {
        /// The attempt count before the claim.
        attempt: u32,
        /// The moment of the claim.
        by: Timestamp,
    },
    /// A move: of this attempt, and in one of these states.
    In {
        /// The attempt count, unchanged by the move.
        attempt: u32,
        /// The states from which the arrow starts.
        states: &'static [State],
    },
    /// A first decision about what was left out until now: never claimed, and skipped for this very reason. The state alone
    /// would not tell a decision that was meanwhile made for another reason.
    SkippedFor {
        /// The reason.
        reason: Reason,
    },
}

impl Guard {
    /// Whether this value may be replaced.
    #[must_use]
    pub fn admits(&self, current: &Delivery) -> bool {
        match self {
            Self::Claimable { attempt, by } => {
                current.attempt == *attempt && current.claimable_at.is_some_and(|at| at <= *by)
            }
            Self::In { attempt, states } => current.attempt == *attempt && states.contains(&current.state),
            Self::SkippedFor { reason } => {
                current.attempt == 0
                    && current.state == State::Skipped
                    && current.reason.as_deref() == Some(reason.code())
            }
        }
    }
}

/// What a sender finds when its claim was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Encounter {
    /// It may be claimed after all, at the attempt found.
    Claimable,
    /// The refusal was the echo of our own claim, whose reply was lost.
    Ours,
    /// Nothing is left to do.
    Finished,
    /// Parked, and its message still owed to the dead letter queue.
    OwedToDeadLetters,
    /// Come back at that moment.
    Wait(Timestamp),
    /// Its owner is gone: doubt.
    LeaseOver,
    /// Nobody settled the doubt in time.
    DoubtOver,
}

impl Delivery {
    fn new(state: State, claimable_at: Option<Timestamp>, now: Timestamp) -> Self {
        Self {
            state,
            claimable_at,
            attempt: 0,
            failures: 0,
            generation: 0,
            lease: None,
            message_id: None,
            written: None,
            reason: None,
            changed_at: now,
            is_dead_lettered: false,
            opened_at: None,
            clicked_at: None,
            trail: Vec::new(),
        }
    }

    /// A new delivery that may be sent at once.
    #[must_use]
    pub fn queued(now: Timestamp) -> Self {
        Self::new(State::Queued, Some(Timestamp::UNIX_EPOCH), now)
    }

    /// A new delivery that waits for its time.
    #[must_use]
    pub fn deferred(wait: Wait, now: Timestamp) -> Self {
        Self::new(State::Deferred, Some(wait.until), now).waiting_for(wait)
    }

    /// A new delivery that will never be sent.
    #[must_use]
    pub fn never_sent(state: State, reason: Reason, now: Timestamp) -> Self {
        Self {
            reason: Some(reason.code().to_owned()),
            ..Self::new(state, NEVER, now)
        }
    }

    /// The claim of this delivery by an owner, with the condition under which it holds.
    #[must_use]
    pub fn claim(&self, lease: Lease, now: Timestamp) -> (Guard, Self) {
        let guard = Guard::Claimable {
            attempt: self.attempt,
            by: now,
        };
        let next = Self {
            attempt: self.attempt.saturating_add(1),
            lease: Some(lease),
            reason: None,
            ..self.moved(State::Sending, NEVER, now)
        };
        (guard, next)
    }

    /// What a sender whose claim (as `owner`) was refused should make of this delivery.
    #[must_use]
    pub fn encounter(&self, owner: &str, in_doubt_for: SignedDuration, now: Timestamp) -> Encounter {
        match self.state {
            State::Deferred | State::Queued => match self.claimable_at {
                Some(at) if at > now => Encounter::Wait(at),
                Some(_) | None => Encounter::Claimable,
            },
            State::Sending => match &self.lease {
                Some(lease) if lease.owner == owner => Encounter::Ours,
                Some(lease) if lease.until > now => {
                    let soon = now.saturating_add(LOOK_AGAIN).unwrap_or(lease.until);
                    Encounter::Wait(lease.until.min(soon))
                }
                Some(_) | None => Encounter::LeaseOver,
            },
            State::InDoubt => {
                let deadline = self.changed_at.saturating_add(in_doubt_for).unwrap_or(Timestamp::MAX);
                if deadline > now {
                    Encounter::Wait(deadline)
                } else {
                    Encounter::DoubtOver
                }
            }
            State::Parked if !self.is_dead_lettered => Encounter::OwedToDeadLetters,
            State::Parked
            | State::Sent
            | State::Delivered
            | State::Bounced
            | State::Complained
            | State::Skipped
            | State::Suppressed
            | State::Superseded
            | State::Expired
            | State::Failed => Encounter::Finished,
        }
    }

    /// The condition under which the owner of the claim may write down how it went. A delivery that others already hold in
    /// doubt is included: its owner, merely slow, knows the truth.
    #[must_use]
    pub const fn owners_guard(&self) -> Guard {
        Guard::In {
            attempt: self.attempt,
            states: &[State::Sending, State::InDoubt],
        }
    }

    /// The same delivery, whose message was offered to the provider, if there was one.
    #[must_use]
    pub fn offered(&self, written: Option<Written>) -> Self {
        Self {
            written: written.or_else(|| self.written.clone()),
            ..self.clone()
        }
    }

    /// What follows from the provider's answer to this delivery's try. `chance` in `0.0..1.0` spreads the back-off.
    #[must_use]
    pub fn settle(&self, answer: &SendAnswer, policy: &RetryPolicy, chance: f64, now: Timestamp) -> Self {
        match answer {
            SendAnswer::Accepted { message_id } => Self {
                message_id: Some(message_id.clone()),
                ..self.moved(State::Sent, NEVER, now)
            },
            SendAnswer::Throttled { reason }
            | SendAnswer::Limited { reason }
            | SendAnswer::AccountTrouble { reason }
            | SendAnswer::Repeatable { reason } => {
                let again = policy.again_after_throttle(self.attempt, chance, now);
                self.moved(State::Queued, Some(again), now).because(reason)
            }
            SendAnswer::NotTaken { reason } => self.spend_a_try(reason, policy, chance, now),
            SendAnswer::Refused { reason } | SendAnswer::Rejected { reason } => {
                self.moved(State::Failed, NEVER, now).because(reason)
            }
            SendAnswer::OptedOut { reason } => self.moved(State::Suppressed, NEVER, now).because(reason),
            SendAnswer::Unknown { reason } => self.doubt(reason, now),
        }
    }

    /// A try that surely did not reach the recipient is used up: queued again after a wait, or parked after the last one.
    #[must_use]
    pub fn spend_a_try(&self, reason: &str, policy: &RetryPolicy, chance: f64, now: Timestamp) -> Self {
        let failures = self.failures.saturating_add(1);
        if failures >= policy.tries {
            return Self {
                failures,
                ..self.park(reason, now)
            };
        }
        let again = policy.again_after_failure(failures, chance, now);
        Self {
            failures,
            ..self.moved(State::Queued, Some(again), now).because(reason)
        }
    }

    /// Gives the delivery back untried: claimable at once, no try used up.
    #[must_use]
    pub fn give_back(&self, reason: &str, now: Timestamp) -> Self {
        self.moved(State::Queued, Some(Timestamp::UNIX_EPOCH), now)
            .because(reason)
    }

    /// Its time has not come after all, or has become another: it waits, and no try is used up.
    #[must_use]
    pub fn defer(&self, wait: Wait, now: Timestamp) -> Self {
        self.moved(State::Deferred, Some(wait.until), now).waiting_for(wait)
    }

    /// Nothing speaks against sending it any more, before the moment for which it waited: claimable at once.
    #[must_use]
    pub fn awake(&self, now: Timestamp) -> Self {
        Self {
            reason: None,
            ..self.moved(State::Queued, Some(Timestamp::UNIX_EPOCH), now)
        }
    }

    /// Whether it waits for the end of quiet hours.
    #[must_use]
    pub fn waits_for_quiet_hours(&self) -> bool {
        self.state == State::Deferred && self.reason.as_deref() == Some(Reason::QuietHours.code())
    }

    fn waiting_for(self, wait: Wait) -> Self {
        let reason = wait.is_for_quiet_hours.then(|| Reason::QuietHours.code().to_owned());
        Self { reason, ..self }
    }

    /// Its owner is gone, or never heard back.
    #[must_use]
    pub fn doubt(&self, reason: &str, now: Timestamp) -> Self {
        self.moved(State::InDoubt, NEVER, now).because(reason)
    }

    /// The doubt was not settled in time. SES most likely never took the e-mail: it is tried again, unless the policy says
    /// to hold it. SNS gives no way to know about an SMS, so that it is never sent again. An inbox that has the note does not
    /// take it twice: it is tried again.
    #[must_use]
    pub fn end_doubt(&self, channel: Channel, policy: &RetryPolicy, now: Timestamp) -> Self {
        let reason = Reason::InDoubt.code();
        match channel {
            Channel::Email if policy.after_doubt == AfterDoubt::Hold => {
                self.moved(State::Failed, NEVER, now).because(reason)
            }
            Channel::Email | Channel::InApp if self.failures.saturating_add(1) >= policy.tries => Self {
                failures: self.failures.saturating_add(1),
                ..self.park(reason, now)
            },
            Channel::Email | Channel::InApp => Self {
                failures: self.failures.saturating_add(1),
                ..self
                    .moved(State::Queued, Some(Timestamp::UNIX_EPOCH), now)
                    .because(reason)
            },
            Channel::Sms | Channel::Push => self.moved(State::Failed, NEVER, now).because(reason),
        }
    }

    /// Sets it aside for an operator.
    #[must_use]
    pub fn park(&self, reason: &str, now: Timestamp) -> Self {
        self.moved(State::Parked, NEVER, now).because(reason)
    }

    /// It will not be sent, for this reason.
    #[must_use]
    pub fn close(&self, state: State, reason: &str, now: Timestamp) -> Self {
        self.moved(state, NEVER, now).because(reason)
    }

    /// The dead letter queue has its message.
    #[must_use]
    pub fn dead_lettered(&self) -> Self {
        Self {
            is_dead_lettered: true,
            ..self.clone()
        }
    }

    /// An operator sends it again: nothing is used up, and the number of its generation tells this from all before.
    #[must_use]
    pub fn redrive(&self, by: &str, now: Timestamp) -> Self {
        Self {
            generation: self.generation.saturating_add(1),
            failures: 0,
            is_dead_lettered: false,
            ..self.moved(State::Queued, Some(Timestamp::UNIX_EPOCH), now).because(by)
        }
    }

    fn moved(&self, state: State, claimable_at: Option<Timestamp>, now: Timestamp) -> Self {
        Self {
            state,
            claimable_at,
            changed_at: now,
            trail: self.trail_on_leaving(),
            ..self.clone()
        }
    }

    fn because(self, reason: &str) -> Self {
        Self {
            reason: Some(reason.to_owned()),
            ..self
        }
    }
}

#[cfg(test)]
mod tests;
