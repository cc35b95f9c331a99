//! The world: a true clock that jumps from one due thing to the next, and everything that stands still in between.

use domain::ports::SendAnswer;
use domain::{Channel, Contact, Delivery, Notification, NotificationId, Preferences, Suppression, Traffic, UserId};
use invariants::{Entry, Key, Snapshot, What, Word};
use jiff::Timestamp;
use std::cell::{Ref, RefCell, RefMut};
use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashMap, HashSet};
use std::rc::Rc;

use crate::faults::{Fault, Faults, Operation};
use crate::invocation::{Invocation, Process};
use crate::provider::Acceptance;
use crate::queues::{Lane, Letter, Queue};
use crate::room::{Kept, Room};
use crate::setting::Setting;

/// When every run begins: 2026-11-20T10:00:00Z, in milliseconds since 1970.
pub const BEGINNING: i64 = 1_795_168_800_000;

/// The true clock, and everything else.
pub(crate) struct World {
    state: RefCell<State>,
    /// What was agreed before the run.
    pub(crate) setting: Setting,
}

/// Everything that stands still between two due things.
pub(crate) struct State {
    pub(crate) now: i64,
    pub(crate) rng: fastrand::Rng,
    agenda: BinaryHeap<Planned>,
    planned: u64,
    pub(crate) chronicle: Vec<Entry>,
    // The calls of ports.
    pub(crate) faults: Faults,
    pub(crate) calls: usize,
    pub(crate) trace: Vec<(Operation, usize)>,
    pub(crate) fired: Vec<(Operation, Fault)>,
    // Functions.
    pub(crate) invocations: HashMap<u64, Invocation>,
    pub(crate) started: u64,
    pub(crate) idle: [Vec<Process>; 8],
    pub(crate) is_watch_due: bool,
    // Queues.
    pub(crate) queues: [Queue; Lane::ALL.len()],
    pub(crate) letters: Vec<Letter>,
    pub(crate) numbers: u64,
    // Tables.
    pub(crate) ledger: HashMap<NotificationId, Notification>,
    pub(crate) preferences: HashMap<UserId, Preferences>,
    pub(crate) suppressions: HashMap<Contact, Suppression>,
    pub(crate) message_ids: HashMap<String, (NotificationId, Channel)>,
    pub(crate) room: Room,
    pub(crate) traffic: [Traffic; 2],
    pub(crate) asked: HashMap<(usize, i64), domain::Asked>,
    // The provider.
    pub(crate) messages_accepted: u64,
    /// The notes in inboxes, by the number of the first put.
    pub(crate) notes: HashMap<NotificationId, u64>,
    /// What was accepted and is not written down yet.
    pub(crate) acceptances: Vec<Acceptance>,
    /// What was written without its writer learning of it.
    pub(crate) unlearnt: Vec<Unlearnt>,
    // What the scenario knows.
    pub(crate) facts: HashMap<String, u32>,
    pub(crate) fact_of: HashMap<NotificationId, u32>,
    pub(crate) user_numbers: HashMap<UserId, u32>,
    pub(crate) contact_numbers: HashMap<Contact, u32>,
    /// Facts that a publisher has called urgent.
    pub(crate) urgent: HashSet<u32>,
    /// The quiet hours of customers, one after the other.
    pub(crate) nights: HashMap<u32, Vec<Kept>>,
    /// Contacts whose suppression is told to end by itself, in milliseconds.
    pub(crate) held_until: HashMap<(u32, &'static str), i64>,
}

/// A write whose writer has not learnt of it.
pub(crate) struct Unlearnt {
    pub(crate) invocation: u64,
    pub(crate) by: u64,
    pub(crate) key: Key,
    pub(crate) next: Option<Delivery>,
}

/// Who calls a port.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Who {
    pub(crate) invocation: u64,
    /// The number by which the ledger names it now.
    pub(crate) owner: u64,
    pub(crate) skew_ms: i64,
    pub(crate) is_old: bool,
    pub(crate) is_operator: bool,
    pub(crate) is_sender: bool,
}

impl Who {
    /// Whoever wrote before the run.
    pub(crate) const fn nobody() -> Self {
        Self {
            invocation: 0,
            owner: 0,
            skew_ms: 0,
            is_old: false,
            is_operator: false,
            is_sender: false,
        }
    }
}

/// What a due thing does to its world.
pub(crate) type Happening = Box<dyn FnOnce(&Rc<World>)>;

/// Something that is due.
pub(crate) enum Due {
    /// An invocation goes on.
    Wake(u64),
    /// A queue is looked into.
    Pump(Lane),
    /// An invocation's time is over.
    Deadline(u64),
    /// Anything else.
    Do(Happening),
}

struct Planned {
    at: i64,
    nth: u64,
    due: Due,
}

impl PartialEq for Planned {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Planned {}

impl PartialOrd for Planned {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Planned {
    fn cmp(&self, other: &Self) -> Ordering {
        // The heap gives the greatest first.
        (other.at, other.nth).cmp(&(self.at, self.nth))
    }
}

impl World {
    pub(crate) fn new(setting: Setting) -> Rc<Self> {
        let mut traffic = [Traffic::usual(Channel::Email), Traffic::usual(Channel::Sms)];
        if let Some(limit) = setting.limit {
            traffic.iter_mut().for_each(|traffic| traffic.limit = limit);
        }
        let state = State {
            now: BEGINNING,
            rng: fastrand::Rng::with_seed(setting.seed),
            agenda: BinaryHeap::new(),
            planned: 0,
            chronicle: Vec::with_capacity(128),
            faults: setting.faults.clone(),
            calls: 0,
            trace: Vec::new(),
            fired: Vec::new(),
            invocations: HashMap::new(),
            started: 0,
            idle: Default::default(),
            is_watch_due: false,
            queues: Lane::ALL.map(Queue::new),
            letters: Vec::new(),
            numbers: 0,
            ledger: HashMap::new(),
            preferences: HashMap::new(),
            suppressions: HashMap::new(),
            message_ids: HashMap::new(),
            room: Room::default(),
            traffic,
            asked: HashMap::new(),
            messages_accepted: 0,
            notes: HashMap::new(),
            acceptances: Vec::new(),
            unlearnt: Vec::new(),
            facts: HashMap::new(),
            fact_of: HashMap::new(),
            user_numbers: HashMap::new(),
            contact_numbers: HashMap::new(),
            urgent: HashSet::new(),
            nights: HashMap::new(),
            held_until: HashMap::new(),
        };
        Rc::new(Self {
            state: RefCell::new(state),
            setting,
        })
    }

    pub(crate) fn state(&self) -> RefMut<'_, State> {
        self.state.borrow_mut()
    }

    pub(crate) fn look(&self) -> Ref<'_, State> {
        self.state.borrow()
    }

    /// Lets happen what is due until this moment; whether nothing is left.
    pub(crate) fn run(self: &Rc<Self>, until: i64) -> bool {
        loop {
            let due = {
                let mut state = self.state();
                match state.agenda.peek() {
                    None => return true,
                    Some(next) if next.at > until => {
                        state.now = until;
                        return false;
                    }
                    Some(_) => {}
                }
                let Some(next) = state.agenda.pop() else { return true };
                state.now = next.at;
                next.due
            };
            match due {
                Due::Wake(invocation) => self.wake(invocation),
                Due::Pump(lane) => self.pump(lane),
                Due::Deadline(invocation) => self.deadline(invocation),
                Due::Do(what) => what(self),
            }
        }
    }
}

impl World {
    /// The clock shows this moment, whether or not anything was due until then.
    pub(crate) fn pass_to(self: &Rc<Self>, moment: i64) {
        self.run(moment);
        let mut state = self.state();
        state.now = state.now.max(moment);
    }
}

impl State {
    pub(crate) fn plan(&mut self, at: i64, due: Due) {
        let nth = self.planned;
        self.planned += 1;
        self.agenda.push(Planned { at, nth, due });
    }

    pub(crate) fn tell(&mut self, what: What) {
        let at_ms = self.now - BEGINNING;
        self.chronicle.push(Entry { at_ms, what });
    }

    /// A number that nothing else has.
    pub(crate) fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        probability > 0.0 && self.rng.f64() < probability
    }

    pub(crate) fn is_running(&self, invocation: u64) -> bool {
        self.invocations.contains_key(&invocation)
    }

    /// The delivery as the judge knows it.
    pub(crate) fn key(&mut self, id: NotificationId, channel: Channel) -> Key {
        let fact = match self.fact_of.get(&id) {
            Some(fact) => *fact,
            None => {
                // Nobody expected it.
                let fact = u32::try_from(1_000_000 + self.fact_of.len()).unwrap_or(u32::MAX);
                self.fact_of.insert(id, fact);
                fact
            }
        };
        Key {
            fact,
            channel: channel.name(),
        }
    }
}

/// What the judge sees of a delivery.
pub(crate) fn snapshot(delivery: &Delivery, now_ms: i64) -> Snapshot {
    Snapshot {
        state: Word::Borrowed(delivery.state.name()),
        attempt: delivery.attempt,
        generation: delivery.generation,
        owner: delivery.lease.as_ref().and_then(|lease| owner_number(&lease.owner)),
        reason: delivery.reason.clone().map(Word::Owned),
        claimable: delivery.claimable_at.is_some_and(|at| at.as_millisecond() <= now_ms),
    }
}

/// `invocation-7.2` is round 2 of invocation 7.
pub(crate) fn owner_number(owner: &str) -> Option<u64> {
    let (invocation, round) = owner.strip_prefix("invocation-")?.split_once('.')?;
    Some(invocation.parse::<u64>().ok()? * ROUNDS + round.parse::<u64>().ok()?)
}

/// No invocation has more rounds: ten messages, each by itself.
pub(crate) const ROUNDS: u64 = 16;

pub(crate) fn timestamp(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::MAX)
}

/// What a provider is like for a while.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mood {
    /// It asks for patience, so often.
    Throttling(f64),
    /// It refuses the account. Whether it says so when asked about the account.
    Suspended {
        /// Whether asking about the account tells.
        says_so: bool,
    },
    /// It answers 500, so often; every other one is accepted all the same.
    Failing(f64),
    /// Connections to it break before anything is written, so often.
    OutOfReach(f64),
    /// It calls messages bad, so often.
    Rejecting(f64),
}

pub(crate) fn throttled() -> SendAnswer {
    SendAnswer::Throttled {
        reason: "TooManyRequestsException".to_owned(),
    }
}
