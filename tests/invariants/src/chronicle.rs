//! What a run tells about itself, entry by entry, and what was left at its end.

use std::borrow::Cow;
use std::fmt;

/// A word of the system under test. Borrowed where it is a constant, so that recording it costs nothing.
pub type Word = Cow<'static, str>;

/// One thing that happened in a run. Its place in the chronicle says when: the moment is for the reader.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Milliseconds, by the true clock of the run.
    pub at_ms: i64,
    /// What happened.
    pub what: What,
}

/// What can happen.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// A publisher gave a message to the topic or queue, or made a direct call that was answered.
    Published {
        /// The number of this publication. The copies that a topic makes of it share the number.
        message: u64,
        /// The fact that it is about, known to the scenario without asking the code under test; `None` if nobody can read it.
        fact: Option<u32>,
    },
    /// A source queue deleted a message or a copy of it, or moved it to its dead letters.
    SourceForgot {
        /// The number of the publication.
        message: u64,
        /// Where it went.
        to: Forgotten,
    },
    /// The ledger holds a delivery for the first time: attempt 0, generation 0, nobody's.
    Opened {
        /// Which one.
        delivery: Key,
        /// Its first state.
        state: Word,
        /// Why it is not to be sent, if so.
        reason: Option<Word>,
        /// Who wrote it.
        by: Writer,
    },
    /// The ledger replaced a value. A write that was refused is no entry; one whose reply was lost is.
    Moved {
        /// Which delivery.
        delivery: Key,
        /// What the ledger held until now.
        from: Snapshot,
        /// What it holds from now on.
        to: Snapshot,
        /// Who wrote it.
        by: Writer,
    },
    /// A sender has read what a customer wants, and what speaks against the customer's addresses.
    Looked {
        /// Whose wishes.
        customer: u32,
        /// The invocation that read them.
        by: u64,
    },
    /// A call to the provider begins.
    Offered {
        /// For which delivery.
        delivery: Key,
        /// To whom.
        customer: u32,
        /// The invocation that calls: the number by which the ledger names an owner.
        by: u64,
    },
    /// The provider accepted a message, whether or not its answer ever arrives.
    Accepted {
        /// For which delivery.
        delivery: Key,
        /// The provider's number for it.
        message_id: u64,
        /// The invocation that called.
        by: u64,
    },
    /// The provider was called and did not accept.
    Refused {
        /// For which delivery.
        delivery: Key,
        /// The invocation that called.
        by: u64,
    },
    /// Nobody wrote an acceptance down: its answer never reached the caller, or the caller ended before it could.
    ReplyLost {
        /// For which delivery.
        delivery: Key,
        /// The provider's number for it.
        message_id: u64,
    },
    /// What became of the provider's `Send` event about a message.
    SendEvent {
        /// For which delivery.
        delivery: Key,
        /// The provider's number for the message.
        message_id: u64,
        /// What became of it.
        fate: Fate,
    },
    /// An opt-out or a suppression was acknowledged: no call may begin for this customer and channel by a sender that reads
    /// the customer's wishes from now on, or not at all.
    OptedOut {
        /// Whose.
        customer: u32,
        /// Of what.
        channel: &'static str,
    },
    /// The customer asked for the channel again: calls may begin from now on.
    OptedIn {
        /// Whose.
        customer: u32,
        /// Of what.
        channel: &'static str,
    },
    /// The provider accepted what rings, in the customer's quiet hours, and no publisher had called it urgent. Whoever records a run
    /// knows the hours and the zone, and allows for clocks that differ.
    RangAtNight {
        /// Which delivery.
        delivery: Key,
    },
    /// A letter came into a dead letter queue, put there by us or by SQS.
    DeadLettered {
        /// Which queue.
        queue: Word,
        /// The publication that it is a copy of, if it is one.
        message: Option<u64>,
        /// The delivery that it is about, if it is about one.
        delivery: Option<Key>,
        /// The reason that it carries.
        reason: Option<Word>,
    },
    /// The operator was told that a parked delivery is queued again.
    Redriven {
        /// Which one.
        delivery: Key,
        /// In which generation.
        generation: u32,
    },
    /// The metrics line of a finished invocation.
    Metrics {
        /// Which one.
        by: u64,
        /// Name and count.
        counts: Vec<(Word, u64)>,
    },
    /// An invocation was killed: its metrics line is lost.
    Killed {
        /// The number under which it wrote. If it wrote under several, there is an entry for each.
        by: u64,
    },
    /// The ledger took a write, and the writer ended without learning of it: it could not count what it had done.
    Unanswered {
        /// What it wrote about.
        delivery: Key,
        /// The number under which it wrote.
        by: u64,
    },
    /// A line in a log, metrics lines included.
    LogLine {
        /// The whole line.
        text: String,
    },
}

/// Which delivery: one channel of one fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The number that stands for the notification's id. An id that the scenario did not expect gets a number of its own.
    pub fact: u32,
    /// `email`, `sms` or another word of the ledger.
    pub channel: &'static str,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the {} of fact {}", self.channel, self.fact)
    }
}

/// What the ledger holds of a delivery.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// The word for its state.
    pub state: Word,
    /// Claims so far.
    pub attempt: u32,
    /// Times that an operator queued it again.
    pub generation: u32,
    /// The invocation that claimed it last, if the ledger still says so.
    pub owner: Option<u64>,
    /// Why it is in this state.
    pub reason: Option<Word>,
    /// Whether its claim time has come, by the clock of whoever writes.
    pub claimable: bool,
}

/// Who writes to the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Writer {
    /// An invocation of any function, by the number by which the ledger names an owner. If an invocation claims as several
    /// owners, it writes as several.
    Invocation(u64),
    /// A person, or a command that a person started.
    Operator,
}

impl fmt::Display for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invocation(number) => write!(f, "invocation {number}"),
            Self::Operator => f.write_str("the operator"),
        }
    }
}

/// How a source queue forgets a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forgotten {
    /// Deleted, because its work was said to be done.
    Done,
    /// Moved to the dead letters by the queue itself.
    DeadLetter,
}

/// What becomes of a `Send` event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The function that reads such events has taken it. An entry for each time.
    Delivered,
    /// It will never come.
    Lost,
}

/// What was left when nothing more could happen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ending {
    /// Every delivery in the ledger.
    pub deliveries: Vec<(Key, Snapshot)>,
    /// Messages in all queues but the dead letters.
    pub waiting_messages: u64,
}

/// What was agreed before the run.
#[derive(Clone, Debug, PartialEq)]
pub struct Terms {
    /// Whether an e-mail in doubt is sent again when its deadline has passed. The other policy holds it as a failure.
    pub resend_in_doubt: bool,
    /// Texts that no log line may hold, in whatever case: addresses, numbers, names. An empty one is ignored.
    pub personal: Vec<String>,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            resend_in_doubt: true,
            personal: Vec::new(),
        }
    }
}
