//! Functions: processes that keep their doors, and invocations that can be killed between any two calls.

use domain::ports::Clock as _;
use domain::{Channel, Traffic};
use invariants::{What, Word};
use jiff::SignedDuration;
use lambda::{Call, FeedbackDoor, IntakeDoor, QueueMessage, Reply, SendingDoor, Traces};
use pipeline::{Letter as DeadMessage, QueuesAndRoom, Redrive, Redriven, SenderMemory, Unpaced, Watch};
use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use testkit::recorded::Script;
use testkit::{MemoryAllowance, MemoryInbox};

use crate::port::Port;
use crate::queues::{Lane, Letter, Taken};
use crate::world::{Due, ROUNDS, World, timestamp};

/// How long an invocation may take.
const TIME_MS: i64 = 30_000;

/// A process serves so many invocations, then another one takes its place.
const SERVES: u32 = 40;

/// Which function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    Orchestrator,
    EmailSender,
    SmsSender,
    InAppSender,
    DeliveryEvents,
    AccountMonitor,
    Waker,
    Operator,
}

impl Function {
    pub(crate) const fn is_sender(self) -> bool {
        matches!(self, Self::EmailSender | Self::SmsSender | Self::InAppSender)
    }

    pub(crate) const fn channel(self) -> Channel {
        match self {
            Self::SmsSender => Channel::Sms,
            Self::InAppSender => Channel::InApp,
            Self::Orchestrator
            | Self::EmailSender
            | Self::DeliveryEvents
            | Self::AccountMonitor
            | Self::Waker
            | Self::Operator => Channel::Email,
        }
    }
}

/// What a process is, and what it does just now.
pub(crate) struct Desk {
    pub(crate) function: Function,
    pub(crate) skew_ms: i64,
    pub(crate) is_old: bool,
    pub(crate) invocation: Cell<u64>,
    /// The number by which the ledger names it now.
    pub(crate) owner: Cell<u64>,
    /// Whether it is to be killed as soon as it stands still.
    pub(crate) is_doomed: Cell<bool>,
    pub(crate) frozen_until: Cell<i64>,
    /// What this process remembers of the traffic, and since when.
    pub(crate) traffic: RefCell<[Option<(i64, Traffic)>; 2]>,
    /// Where the operator's messages go.
    pub(crate) letter: RefCell<Option<Letter>>,
    served: Cell<u32>,
}

/// A process.
pub(crate) struct Process {
    pub(crate) desk: Rc<Desk>,
    door: Rc<Door>,
}

type Events = IntakeDoor<Port, Port, QueuesAndRoom<Port, Port>, Port, Port, Port>;
type Notes = SendingDoor<Port, Port, Port, Port, Unpaced, Port, Port, Port>;
type Deliveries = SendingDoor<Port, Port, Port, Port, Port, Port, Port, Port>;

enum Door {
    Intake(Box<Events>),
    Sending(Box<Deliveries>),
    Unpaced(Box<Notes>),
    Feedback(Box<FeedbackDoor<Port, Port, Port, Port, Port, Port, Port>>),
    Bare(Port),
}

type Work = Pin<Box<dyn Future<Output = Outcome>>>;

/// An invocation that has not ended.
pub(crate) struct Invocation {
    work: Option<Work>,
    process: Process,
    lane: Option<Lane>,
    is_trial: bool,
    batch: Vec<Taken>,
    rounds: u64,
    deadline: i64,
    waiting: Vec<u64>,
}

impl Invocation {
    /// What it works on, so that a letter can be told from its message.
    pub(crate) fn batch(&self) -> &[Taken] {
        &self.batch
    }
}

/// How an invocation ended.
#[derive(Default)]
struct Outcome {
    /// Messages that have to come again; all of them if nothing is said.
    failures: Option<HashSet<String>>,
    counts: Vec<(String, u64)>,
}

impl Outcome {
    fn of(reply: Reply) -> Self {
        let failures = reply.value.ok().map(|value| {
            let failures = value.get("batchItemFailures").and_then(|failures| failures.as_array());
            let ids = failures.into_iter().flatten();
            ids.filter_map(|failure| failure.get("itemIdentifier")?.as_str().map(str::to_owned))
                .collect()
        });
        let counts = reply.metrics.counts();
        Self {
            failures,
            counts: counts.map(|(name, count)| (name.to_owned(), count)).collect(),
        }
    }
}

impl World {
    /// Wakes a function up for messages of its queue.
    pub(crate) fn start_on(self: &Rc<Self>, lane: Lane, batch: Vec<Taken>, is_trial: bool) -> u64 {
        let process = self.process(lane.function());
        let number = self.begin_invocation(&process);
        let deadline = self.look().now + TIME_MS;
        let messages: Vec<QueueMessage> = batch
            .iter()
            .map(|taken| QueueMessage {
                origin: None,
                trace: None,
                id: Some(format!("m-{}", taken.id)),
                receipt_handle: Some(format!("r-{}-{}", taken.id, taken.receipt)),
                queue_arn: lane.arn(),
                text: taken.body.to_string(),
                sent_at: Some(timestamp(taken.sent_at)),
                receive_count: taken.receives,
            })
            .collect();
        let fresh = batch.iter().filter(|taken| taken.receives <= 1).count();
        let rounds = u64::from(fresh > 0) + (batch.len() - fresh) as u64;
        let call = Call {
            payload: String::new(),
            owner: format!("invocation-{number}"),
            deadline: timestamp(deadline),
            traces: Traces::default(),
        };
        let door = Rc::clone(&process.door);
        let work: Work = Box::pin(async move {
            match door.as_ref() {
                Door::Intake(door) => Outcome::of(door.take_queue(messages, &call).await),
                Door::Sending(door) if is_trial => Outcome::of(door.try_out(messages, &call).await),
                Door::Sending(door) => Outcome::of(door.work(messages, &call).await),
                Door::Unpaced(door) => Outcome::of(door.work(messages, &call).await),
                Door::Feedback(door) => Outcome::of(door.work(messages).await),
                Door::Bare(_) => Outcome::default(),
            }
        });
        self.start(
            number,
            Invocation {
                work: Some(work),
                process,
                lane: Some(lane),
                is_trial,
                batch,
                rounds,
                deadline,
                waiting: Vec::new(),
            },
        );
        number
    }

    /// Looks after the account, both channels; and again in a minute while it is of use.
    pub(crate) fn watch_soon(&self, delay_ms: i64) {
        let mut state = self.state();
        if !state.is_watch_due {
            state.is_watch_due = true;
            let at = state.now + delay_ms;
            state.plan(at, Due::Do(Box::new(|world| world.watch())));
        }
    }

    fn watch(self: &Rc<Self>) {
        self.state().is_watch_due = false;
        let policy = self.setting.policy.clone();
        self.start_bare(Function::AccountMonitor, async move |port: Port| {
            for channel in Channel::METERED {
                let watch = Watch {
                    account: &port,
                    traffic: &port,
                    valves: &port,
                    trial: &port,
                    clock: &port,
                    policy: &policy,
                };
                watch.look_after(channel).await;
            }
        });
        self.watch_on();
    }

    fn watch_on(&self) {
        let is_of_use = {
            let state = self.look();
            let is_watched = state.now - crate::world::BEGINNING < self.setting.watched_until;
            let is_held = state.traffic.iter().any(|traffic| traffic.breaker.is_open())
                || state.queues.iter().any(|queue| !queue.is_flowing);
            is_watched || is_held
        };
        if is_of_use {
            self.watch_soon(60_000);
        }
    }

    /// Plays the script to which all twins are held, and tells the answers.
    pub(crate) fn play(self: &Rc<Self>, run: u64) -> Rc<RefCell<String>> {
        let told = Rc::new(RefCell::new(String::new()));
        let answers = Rc::clone(&told);
        self.start_bare(Function::AccountMonitor, async move |port: Port| {
            let script = Script {
                ledger: &port,
                customers: &port,
                messages: &port,
                traffic: &port,
                // No scenario limits text messages.
                allowance: &MemoryAllowance::default(),
                // Nothing here reads an inbox.
                inbox: &MemoryInbox::default(),
                room: &port,
                run,
            };
            let text = script.play().await;
            answers.replace(text);
        });
        told
    }

    /// An operator redrives every letter that can be; `forgets` says whether the letters are deleted in the end.
    pub(crate) fn redrive(self: &Rc<Self>, forgets: bool) {
        self.start_bare(Function::Operator, async move |port: Port| {
            let letters: Vec<Letter> = port.world.look().letters.clone();
            for letter in letters {
                port.desk.letter.replace(Some(letter.clone()));
                let redrive = Redrive {
                    ledger: &port,
                    queue: &port,
                    clock: &port,
                    by: "redriven by a person",
                };
                let message = DeadMessage {
                    body: letter.body.to_string(),
                    reason: letter.reason.clone(),
                };
                let is_delivery = letter.lane.function().is_sender();
                let done = match is_delivery {
                    true => redrive.delivery(&message).await,
                    false => redrive.event(&message).await,
                };
                let Ok(done) = done else { continue };
                let mut state = port.world.state();
                if let (Redriven::Again(_, generation), Some(delivery)) = (&done, letter.tag.delivery) {
                    state.tell(What::Redriven {
                        delivery,
                        generation: *generation,
                    });
                }
                if forgets && !matches!(done, Redriven::Stays(_)) {
                    state.letters.retain(|other| other.number != letter.number);
                }
            }
        });
    }

    pub(crate) fn start_bare<F, W>(self: &Rc<Self>, function: Function, work: W)
    where
        W: FnOnce(Port) -> F + 'static,
        F: Future<Output = ()>,
    {
        let process = self.process(function);
        let number = self.begin_invocation(&process);
        let door = Rc::clone(&process.door);
        let work: Work = Box::pin(async move {
            if let Door::Bare(port) = door.as_ref() {
                work(port.clone()).await;
            }
            Outcome {
                failures: Some(HashSet::new()),
                counts: Vec::new(),
            }
        });
        let now = self.look().now;
        let is_person = function == Function::Operator;
        let time = if is_person { 3_600_000 } else { 60_000 };
        self.start(
            number,
            Invocation {
                work: Some(work),
                process,
                lane: None,
                is_trial: false,
                batch: Vec::new(),
                rounds: 1,
                deadline: now + time,
                waiting: Vec::new(),
            },
        );
    }

    fn begin_invocation(&self, process: &Process) -> u64 {
        let mut state = self.state();
        state.started += 1;
        let number = state.started;
        let desk = &process.desk;
        desk.invocation.set(number);
        desk.owner.set(number * ROUNDS);
        number
    }

    fn start(&self, number: u64, invocation: Invocation) {
        let mut state = self.state();
        let now = state.now;
        state.plan(now, Due::Wake(number));
        state.plan(invocation.deadline, Due::Deadline(number));
        state.invocations.insert(number, invocation);
    }

    fn process(self: &Rc<Self>, function: Function) -> Process {
        let mut state = self.state();
        #[expect(clippy::indexing_slicing, reason = "one for each")]
        let idle = state.idle[function as usize].pop();
        if let Some(process) = idle {
            return process;
        }
        let is_person = function == Function::Operator;
        let skew = if is_person { 0 } else { self.setting.skew_ms };
        let desk = Rc::new(Desk {
            function,
            skew_ms: if skew == 0 { 0 } else { state.rng.i64(-skew..=skew) },
            is_old: !is_person && self.setting.old_of_ten > 0 && state.rng.u32(0..10) < self.setting.old_of_ten,
            invocation: Cell::new(0),
            owner: Cell::new(0),
            is_doomed: Cell::new(false),
            frozen_until: Cell::new(0),
            traffic: RefCell::new([None, None]),
            letter: RefCell::new(None),
            served: Cell::new(0),
        });
        drop(state);
        let port = Port {
            world: Rc::clone(self),
            desk: Rc::clone(&desk),
        };
        Process {
            desk,
            door: Rc::new(self.door(function, &port)),
        }
    }

    fn door(&self, function: Function, port: &Port) -> Door {
        let policy = self.setting.policy.clone();
        let lanes = |normal: Lane, urgent: Lane| aws::ChannelQueues {
            normal: normal.url(),
            urgent: urgent.url(),
        };
        match function {
            Function::Orchestrator => Door::Intake(Box::new(IntakeDoor {
                customers: port.clone(),
                ledger: port.clone(),
                queues: QueuesAndRoom {
                    queues: port.clone(),
                    room: port.clone(),
                },
                dead_letters: port.clone(),
                reading: crate::publication::reading(),
                only: None,
                policy,
                visibility: port.clone(),
                lanes: Some(lanes(Lane::Notifications, Lane::NotificationsUrgent)),
                clock: port.clone(),
            })),
            Function::EmailSender | Function::SmsSender => Door::Sending(Box::new(SendingDoor {
                customers: port.clone(),
                ledger: port.clone(),
                dead_letters: port.clone(),
                courier: port.clone(),
                traffic: port.clone(),
                room: port.clone(),
                night: crate::publication::reading().shop.night(),
                policy,
                visibility: port.clone(),
                lanes: lanes(
                    Lane::of_channel(function.channel(), false),
                    Lane::of_channel(function.channel(), true),
                ),
                clock: port.clone(),
                memory: SenderMemory::default(),
            })),
            Function::InAppSender => Door::Unpaced(Box::new(SendingDoor {
                customers: port.clone(),
                ledger: port.clone(),
                dead_letters: port.clone(),
                courier: port.clone(),
                traffic: Unpaced,
                room: port.clone(),
                night: crate::publication::reading().shop.night(),
                policy,
                visibility: port.clone(),
                lanes: lanes(Lane::InApp, Lane::InAppUrgent),
                clock: port.clone(),
                memory: SenderMemory::default(),
            })),
            Function::DeliveryEvents => Door::Feedback(Box::new(FeedbackDoor {
                ledger: port.clone(),
                messages: port.clone(),
                suppressions: port.clone(),
                dead_letters: port.clone(),
                queue: port.clone(),
                queue_url: Lane::DeliveryEvents.url(),
                visibility: port.clone(),
                policy,
                clock: port.clone(),
            })),
            Function::AccountMonitor | Function::Waker | Function::Operator => Door::Bare(port.clone()),
        }
    }

    /// An invocation goes on until it waits again, ends, or is killed.
    pub(crate) fn wake(self: &Rc<Self>, number: u64) {
        let (mut work, desk) = {
            let mut state = self.state();
            let now = state.now;
            let Some(invocation) = state.invocations.get_mut(&number) else {
                return;
            };
            let desk = Rc::clone(&invocation.process.desk);
            if desk.frozen_until.get() > now {
                let until = desk.frozen_until.get();
                state.plan(until, Due::Wake(number));
                return;
            }
            let Some(work) = invocation.work.take() else { return };
            (work, desk)
        };
        let progress = work.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        if desk.is_doomed.get() {
            drop(work);
            self.kill(number);
            return;
        }
        match progress {
            Poll::Pending => {
                if let Some(invocation) = self.state().invocations.get_mut(&number) {
                    invocation.work = Some(work);
                }
            }
            Poll::Ready(outcome) => {
                drop(work);
                self.finish(number, outcome);
            }
        }
    }

    pub(crate) fn deadline(self: &Rc<Self>, number: u64) {
        {
            let mut state = self.state();
            let now = state.now;
            let Some(invocation) = state.invocations.get(&number) else {
                return;
            };
            // Time that a process stood still does not count, or nothing frozen would ever wake up again.
            let frozen_until = invocation.process.desk.frozen_until.get();
            if frozen_until + TIME_MS > now {
                state.plan(frozen_until + TIME_MS, Due::Deadline(number));
                return;
            }
        }
        self.kill(number);
    }

    /// An invocation ends without a word, and its process with it.
    fn kill(self: &Rc<Self>, number: u64) {
        let Some(invocation) = self.state().invocations.remove(&number) else {
            return;
        };
        let mut state = self.state();
        for round in 0..invocation.rounds {
            state.tell(What::Killed {
                by: number * ROUNDS + round,
            });
        }
        state.lose_replies_of(number);
        state.unlearnt.retain(|unlearnt| unlearnt.invocation != number);
        drop(state);
        self.release(&invocation);
        if invocation.process.desk.function == Function::AccountMonitor {
            self.watch_on();
        }
    }

    fn finish(self: &Rc<Self>, number: u64, outcome: Outcome) {
        let Some(invocation) = self.state().invocations.remove(&number) else {
            return;
        };
        let mut state = self.state();
        let is_person = invocation.process.desk.function == Function::Operator;
        if !is_person {
            let counts = outcome
                .counts
                .into_iter()
                .map(|(name, count)| (Word::Owned(name), count));
            let counts = counts.collect();
            state.tell(What::Metrics {
                by: number * ROUNDS,
                counts,
            });
        }
        state.forget_replies_of(number);
        let mut unlearnt = std::mem::take(&mut state.unlearnt);
        unlearnt.retain(|unlearnt| {
            let is_its_own = unlearnt.invocation == number;
            if is_its_own && !is_person {
                state.tell(What::Unanswered {
                    delivery: unlearnt.key,
                    by: unlearnt.by,
                });
            }
            !is_its_own
        });
        state.unlearnt = unlearnt;
        if let (Some(lane), Some(failures)) = (invocation.lane, &outcome.failures) {
            for taken in &invocation.batch {
                if !failures.contains(&format!("m-{}", taken.id)) {
                    state.done(lane, taken, self.setting.undeleted);
                }
            }
        }
        drop(state);
        self.release(&invocation);
        if invocation.process.desk.function == Function::AccountMonitor {
            self.watch_on();
        }
        let desk = &invocation.process.desk;
        desk.served.set(desk.served.get() + 1);
        if desk.served.get() < SERVES {
            let mut state = self.state();
            let function = desk.function as usize;
            #[expect(clippy::indexing_slicing, reason = "one for each")]
            state.idle[function].push(invocation.process);
        }
    }

    fn release(&self, invocation: &Invocation) {
        let mut state = self.state();
        let now = state.now;
        for waiting in &invocation.waiting {
            state.plan(now, Due::Wake(*waiting));
        }
        if let (Some(lane), false) = (invocation.lane, invocation.is_trial) {
            let queue = state.queue(lane);
            queue.running = queue.running.saturating_sub(1);
            state.plan(now, Due::Pump(lane));
        }
    }
}

/// Waits for another invocation to end; whether it ended by itself is for its messages to tell.
pub(crate) struct Ended<'w> {
    pub(crate) world: &'w World,
    pub(crate) number: u64,
    pub(crate) waiting: u64,
    pub(crate) is_registered: bool,
}

impl Future for Ended<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.world.state();
        match state.invocations.get_mut(&self.number) {
            None => Poll::Ready(()),
            Some(invocation) => {
                if !self.is_registered {
                    invocation.waiting.push(self.waiting);
                }
                drop(state);
                self.is_registered = true;
                Poll::Pending
            }
        }
    }
}

/// Waits until a moment of the true clock.
pub(crate) struct Sleep<'w> {
    pub(crate) world: &'w World,
    pub(crate) until: i64,
    pub(crate) invocation: u64,
    pub(crate) is_set: bool,
}

impl Future for Sleep<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.world.state();
        if state.now >= self.until {
            return Poll::Ready(());
        }
        if !self.is_set {
            state.plan(self.until, Due::Wake(self.invocation));
        }
        drop(state);
        self.is_set = true;
        Poll::Pending
    }
}

impl Port {
    /// The process's own clock, for what it tells itself.
    pub(crate) fn now_ms(&self) -> i64 {
        self.now().as_millisecond()
    }

    pub(crate) async fn sleep(&self, ms: i64) {
        let until = self.world.look().now + ms;
        self.sleep_until(until).await;
    }

    pub(crate) async fn sleep_until(&self, until: i64) {
        Sleep {
            world: &self.world,
            until,
            invocation: self.desk.invocation.get(),
            is_set: false,
        }
        .await;
    }

    /// The process is killed here.
    pub(crate) async fn die(&self) {
        self.desk.is_doomed.set(true);
        std::future::pending::<()>().await;
    }

    /// The process stands still.
    pub(crate) async fn freeze(&self) {
        let until = self.world.look().now + 200_000;
        self.desk.frozen_until.set(until);
        self.sleep_until(until).await;
    }

    pub(crate) async fn pause_for(&self, duration: SignedDuration) {
        let ms = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 4);
        self.sleep(ms.max(0)).await;
    }
}
