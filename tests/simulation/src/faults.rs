//! Faults: what can go wrong at a call of a port, and when.

use std::fmt;

/// A call of a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Operation {
    /// Preferences and suppressions are read.
    LoadCustomers,
    /// A suppression is read.
    LookUpSuppression,
    /// A suppression is written.
    KeepSuppression,
    /// Notifications are read.
    LoadLedger,
    /// News of orders are read.
    LoadNews,
    /// Notifications are opened.
    Record,
    /// Deliveries are moved.
    Advance,
    /// Deliveries are handed over.
    HandOver,
    /// Deliveries are put into the waiting room.
    Defer,
    /// A part of the waiting room is looked into.
    LookIntoRoom,
    /// What was handed over is forgotten by the waiting room.
    ForgetDeferred,
    /// Letters are buried.
    Bury,
    /// Messages are hidden.
    HoldBack,
    /// Texts are put on a queue.
    Enqueue,
    /// Deliveries are found by message id.
    FindMessages,
    /// A message id is kept.
    KeepMessage,
    /// What the account may send is read.
    LookAtTraffic,
    /// Permits are asked for.
    AskForPermits,
    /// The pace is lowered.
    SlowDown,
    /// The breaker is set.
    SetBreaker,
    /// The limit is set.
    SetLimit,
    /// The provider is asked about the account.
    AskAccount,
    /// The queues of a channel are held, or let flow.
    SetValve,
    /// One message is taken to its sender.
    Trial,
    /// The provider is called.
    Send,
}

/// What a call does to the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    Read,
    /// Counts or hides: what is lost costs time, and nothing else.
    Hint,
    Write,
    Provider,
}

impl Operation {
    const fn sort(self) -> Sort {
        match self {
            Self::LoadCustomers
            | Self::LookUpSuppression
            | Self::LoadLedger
            | Self::LoadNews
            | Self::LookIntoRoom
            | Self::FindMessages
            | Self::LookAtTraffic
            | Self::AskAccount => Sort::Read,
            Self::AskForPermits | Self::HoldBack | Self::SlowDown | Self::SetLimit | Self::Trial => Sort::Hint,
            Self::KeepSuppression
            | Self::Record
            | Self::Advance
            | Self::HandOver
            | Self::Defer
            | Self::ForgetDeferred
            | Self::Bury
            | Self::Enqueue
            | Self::KeepMessage
            | Self::SetBreaker
            | Self::SetValve => Sort::Write,
            Self::Send => Sort::Provider,
        }
    }
}

/// When it goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Phase {
    /// Before the other side has done anything.
    Before,
    /// After the other side has done it, before its reply arrives.
    After,
    /// After the reply has arrived.
    Replied,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// The caller is killed.
    Killed,
    /// The connection breaks. Before: none was made, or the request never left.
    Broken,
    /// The answer is a 500.
    Error500,
    /// The answer asks for patience.
    Throttled,
    /// It takes 26 seconds, and a provider's caller has stopped waiting after ten.
    Slow,
    /// The caller's process stands still for 200 seconds, longer than its lease and than its messages are hidden.
    Frozen,
    /// The answer is that this will never work.
    Refused,
    /// The answer speaks of the account.
    Trouble,
    /// The caller is told that it failed, and it happens two seconds later all the same.
    Late,
    /// The reply is lost and the SDK asks a second time, so that it happens twice; the second answer arrives.
    Repeated,
    /// The first entry of a batch fails, the others do not.
    Part,
}

/// A fault: what, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fault {
    /// What goes wrong.
    pub kind: Kind,
    /// When.
    pub phase: Phase,
}

impl Fault {
    /// This, then.
    #[must_use]
    pub const fn new(kind: Kind, phase: Phase) -> Self {
        Self { kind, phase }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Killed => "killed",
            Kind::Broken => "connection broken",
            Kind::Error500 => "500",
            Kind::Throttled => "throttled",
            Kind::Slow => "slow",
            Kind::Frozen => "frozen",
            Kind::Refused => "refused",
            Kind::Trouble => "account trouble",
            Kind::Late => "late",
            Kind::Repeated => "repeated",
            Kind::Part => "one of a batch",
        };
        let phase = match self.phase {
            Phase::Before => "before",
            Phase::After => "after acceptance",
            Phase::Replied => "after the reply",
        };
        write!(f, "{kind} {phase}")
    }
}

const fn at(kind: Kind, phase: Phase) -> Fault {
    Fault { kind, phase }
}

const READ: &[Fault] = &[
    at(Kind::Killed, Phase::Before),
    at(Kind::Error500, Phase::Before),
    at(Kind::Slow, Phase::After),
    at(Kind::Frozen, Phase::Replied),
];

const HINT: &[Fault] = &[
    at(Kind::Killed, Phase::Before),
    at(Kind::Killed, Phase::Replied),
    at(Kind::Error500, Phase::Before),
    at(Kind::Broken, Phase::After),
    at(Kind::Slow, Phase::After),
];

const WRITE: &[Fault] = &[
    at(Kind::Killed, Phase::Before),
    at(Kind::Killed, Phase::After),
    at(Kind::Killed, Phase::Replied),
    at(Kind::Error500, Phase::Before),
    at(Kind::Broken, Phase::After),
    at(Kind::Slow, Phase::Before),
    at(Kind::Slow, Phase::After),
    at(Kind::Frozen, Phase::Before),
    at(Kind::Frozen, Phase::Replied),
    at(Kind::Late, Phase::Before),
    at(Kind::Repeated, Phase::After),
];

/// The same, and what can happen to a batch of several.
const WRITE_MANY: &[Fault] = &[
    at(Kind::Killed, Phase::Before),
    at(Kind::Killed, Phase::After),
    at(Kind::Killed, Phase::Replied),
    at(Kind::Error500, Phase::Before),
    at(Kind::Broken, Phase::After),
    at(Kind::Slow, Phase::Before),
    at(Kind::Slow, Phase::After),
    at(Kind::Frozen, Phase::Before),
    at(Kind::Frozen, Phase::Replied),
    at(Kind::Late, Phase::Before),
    at(Kind::Repeated, Phase::After),
    at(Kind::Part, Phase::Before),
    at(Kind::Part, Phase::After),
];

const PROVIDER: &[Fault] = &[
    at(Kind::Killed, Phase::Before),
    at(Kind::Killed, Phase::After),
    at(Kind::Killed, Phase::Replied),
    at(Kind::Broken, Phase::Before),
    at(Kind::Broken, Phase::After),
    at(Kind::Error500, Phase::Before),
    at(Kind::Error500, Phase::After),
    at(Kind::Throttled, Phase::Before),
    at(Kind::Slow, Phase::Before),
    at(Kind::Slow, Phase::After),
    at(Kind::Frozen, Phase::Before),
    at(Kind::Frozen, Phase::Replied),
    at(Kind::Refused, Phase::Before),
    at(Kind::Trouble, Phase::Before),
];

/// Every phase with every kind.
pub const COMBINATIONS: usize = 3 * 11;

/// The faults that mean something at this call and differ from each other to its caller. A 500, a throttle and a refusal of a
/// table or queue are one and the same to a port, and what has no effect looks the same before and after it.
#[must_use]
pub const fn meaningful(operation: Operation, entries: usize) -> &'static [Fault] {
    match operation.sort() {
        Sort::Read => READ,
        Sort::Hint => HINT,
        Sort::Write if entries > 1 => WRITE_MANY,
        Sort::Write => WRITE,
        Sort::Provider => PROVIDER,
    }
}

/// Which calls go wrong.
#[derive(Clone, Debug, Default)]
pub enum Faults {
    /// None.
    #[default]
    None,
    /// These, by the number of the call.
    At(Vec<(usize, Fault)>),
    /// Any, by chance, until a moment.
    Random {
        /// How likely one is.
        probability: f64,
        /// Milliseconds of the true clock.
        until_ms: i64,
    },
}
