//! How long an event waits until SES has it: queues, pollers, functions and the senders' own pace in virtual time, from one seed.
//!
//! The pace is the one of the senders: [`Traffic::window`] and [`Window::grant`](domain::Window::grant); the waits of what got no permit are
//! those of [`RetryPolicy`]. Not in it: faults, quiet hours, time in which the provider asks for patience, environments that end.

use domain::{Asked, Channel, RetryPolicy, Traffic};
use fastrand::Rng;
use jiff::Timestamp;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap, VecDeque};

use super::figures::{FIRST_CALLS, Figures};
use super::limits::{FIRST_POLLERS, Lane};
use super::{Limits, aws};

/// Virtual time, in microseconds from the beginning.
type Micros = u64;

const SECOND: Micros = 1_000_000;

/// When the virtual time begins. Any moment does.
const BEGINNING_SECOND: i64 = 1_795_000_000;

/// What a notification is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A confirmation of an order or a failed payment: it has a lane of its own.
    Urgent,
    /// A change of an order's status, on the normal lane.
    Normal,
    /// One of many on the normal lane.
    Bulk,
    /// The copy of an urgent event that the normal lane gets as well: the orchestrator finds it in the ledger and lets it go.
    Copy,
}

/// Notifications that are published.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Arrivals {
    /// What they are.
    pub kind: Kind,
    /// From when on.
    pub from_second: f64,
    /// How many a second, on average, at random moments.
    pub per_second: f64,
    /// How many in all.
    pub count: u32,
}

/// What is played through.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// What is published.
    pub arrivals: Vec<Arrivals>,
    /// What is measured and assumed.
    pub figures: Figures,
    /// The limits.
    pub limits: Limits,
    /// E-mails a second that SES allows.
    pub ses_rate: f64,
    /// For so long it is watched.
    pub seconds: f64,
    /// Where chance begins.
    pub seed: u64,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Seconds from event to hand-over, in order, by kind; what was not handed over is left out.
    pub waits: BTreeMap<Kind, Vec<f64>>,
    /// So many were published, by kind.
    pub published: BTreeMap<Kind, usize>,
    /// When the last one was handed over.
    pub last_second: f64,
    /// The most that were handed over in one second.
    pub most_in_a_second: u32,
    /// The most questions for permits in one second: each is a write to one item.
    pub most_asks_in_a_second: u32,
    /// Receives of deliveries by senders.
    pub receives: u64,
    /// The most receives of one delivery.
    pub most_receives: u32,
    /// The most deliveries of the normal lane that were hidden at once.
    pub most_hidden: usize,
    /// Environments that were started.
    pub environments: usize,
}

impl Outcome {
    /// Within so many seconds this part of all that were published were handed over; nothing when they were not.
    #[must_use]
    pub fn seconds_of(&self, kind: Kind, part: f64) -> Option<f64> {
        let published = self.published.get(&kind).copied().unwrap_or(0);
        let nth = (published as f64 * part).ceil() - 1.0;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a place in a list, not below zero"
        )]
        let nth = nth.max(0.0) as usize;
        self.waits.get(&kind)?.get(nth).copied()
    }
}

#[derive(Debug, Clone, Copy)]
struct Message {
    kind: Kind,
    published_at: Micros,
    receive_count: u32,
}

/// What happens at a moment.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Happening {
    /// A message can be received from this queue.
    Ready { queue: usize, message: usize },
    /// This batch has been collected for long enough.
    WindowEnds { queue: usize, batch: u64 },
    /// An invocation is over.
    Done { queue: usize, environment: usize },
    /// A queue may get more pollers.
    Grow { queue: usize },
}

/// Queues, in the order in which they stand in [`Play::queues`].
const TO_ORCHESTRATOR: usize = 0;
const TO_SENDER: usize = 2;
const URGENT: usize = 1;

struct Queue {
    lane: Lane,
    ready: VecDeque<usize>,
    /// Pollers that wait for a first message.
    idle: u32,
    pollers: u32,
    collecting: VecDeque<(u64, Vec<usize>)>,
    hidden: usize,
}

#[derive(Default)]
struct Environment {
    /// The window and lane that gave no more permits.
    used_up: Option<(i64, bool)>,
}

#[derive(Default)]
struct Function {
    environments: Vec<Environment>,
    idle: Vec<usize>,
}

struct Play<'a> {
    scenario: &'a Scenario,
    traffic: Traffic,
    policy: RetryPolicy,
    rng: Rng,
    now: Micros,
    nth: u64,
    batches: u64,
    agenda: BinaryHeap<Reverse<(Micros, u64, Happening)>>,
    messages: Vec<Message>,
    queues: Vec<Queue>,
    orchestrators: Function,
    senders: Function,
    asked: HashMap<i64, Asked>,
    asks: HashMap<Micros, u32>,
    handed_over: HashMap<Micros, u32>,
    outcome: Outcome,
}

/// Plays it through.
#[must_use]
pub fn play(scenario: &Scenario) -> Outcome {
    let mut play = Play::of(scenario);
    play.publish();
    for queue in 0..play.queues.len() {
        play.after(SECOND, Happening::Grow { queue });
    }
    let end = micros(scenario.seconds);
    while let Some(Reverse((at, _, happening))) = play.agenda.pop() {
        if at > end {
            break;
        }
        play.now = at;
        play.happen(happening);
    }
    play.outcome()
}

impl<'a> Play<'a> {
    fn of(scenario: &'a Scenario) -> Self {
        let limits = &scenario.limits;
        let lanes = [
            limits.orchestrator.normal,
            limits.orchestrator.urgent,
            limits.sender.normal,
            limits.sender.urgent,
        ];
        let queue = |lane: Lane| {
            let pollers = lane.most_at_once.min(FIRST_POLLERS);
            Queue {
                lane,
                ready: VecDeque::new(),
                idle: pollers,
                pollers,
                collecting: VecDeque::new(),
                hidden: 0,
            }
        };
        Self {
            scenario,
            traffic: Traffic {
                limit: scenario.ses_rate,
                ..Traffic::usual(Channel::Email)
            },
            policy: RetryPolicy::default(),
            rng: Rng::with_seed(scenario.seed),
            now: 0,
            nth: 0,
            batches: 0,
            agenda: BinaryHeap::new(),
            messages: Vec::new(),
            queues: lanes.into_iter().map(queue).collect(),
            orchestrators: Function::default(),
            senders: Function::default(),
            asked: HashMap::new(),
            asks: HashMap::new(),
            handed_over: HashMap::new(),
            outcome: Outcome {
                waits: BTreeMap::new(),
                published: BTreeMap::new(),
                last_second: 0.0,
                most_in_a_second: 0,
                most_asks_in_a_second: 0,
                receives: 0,
                most_receives: 0,
                most_hidden: 0,
                environments: 0,
            },
        }
    }

    fn publish(&mut self) {
        for arrivals in &self.scenario.arrivals {
            let mut at = arrivals.from_second;
            for _ in 0..arrivals.count {
                // Moments at random: the gaps are exponential.
                at -= (1.0 - self.rng.f64()).ln() / arrivals.per_second;
                self.publish_one(arrivals.kind, micros(at));
            }
            *self.outcome.published.entry(arrivals.kind).or_default() += arrivals.count as usize;
        }
    }

    fn publish_one(&mut self, kind: Kind, at: Micros) {
        let lanes: &[(Kind, usize)] = match kind {
            Kind::Urgent => &[(Kind::Urgent, TO_ORCHESTRATOR + URGENT), (Kind::Copy, TO_ORCHESTRATOR)],
            Kind::Normal => &[(Kind::Normal, TO_ORCHESTRATOR)],
            Kind::Bulk => &[(Kind::Bulk, TO_ORCHESTRATOR)],
            Kind::Copy => &[],
        };
        for (kind, queue) in lanes {
            let message = self.messages.len();
            self.messages.push(Message {
                kind: *kind,
                published_at: at,
                receive_count: 0,
            });
            let then = at + self.arrival();
            self.at(then, Happening::Ready { queue: *queue, message });
        }
    }

    fn at(&mut self, at: Micros, happening: Happening) {
        self.nth += 1;
        self.agenda.push(Reverse((at, self.nth, happening)));
    }

    fn after(&mut self, wait: Micros, happening: Happening) {
        self.at(self.now + wait, happening);
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Ready { queue, message } => {
                let was_received = self
                    .messages
                    .get(message)
                    .is_some_and(|message| message.receive_count > 0);
                let found = self.queue(queue);
                found.hidden = found.hidden.saturating_sub(usize::from(was_received));
                found.ready.push_back(message);
                self.poll(queue);
            }
            Happening::WindowEnds { queue, batch } => {
                let collecting = &mut self.queue(queue).collecting;
                if let Some(place) = collecting.iter().position(|(id, _)| *id == batch)
                    && let Some((_, messages)) = collecting.remove(place)
                {
                    self.invoke(queue, &messages);
                }
            }
            Happening::Done { queue, environment } => {
                self.function(queue).idle.push(environment);
                self.queue(queue).idle += 1;
                self.poll(queue);
            }
            Happening::Grow { queue } => {
                let found = self.queue(queue);
                if !found.ready.is_empty() {
                    let more =
                        (aws::MORE_BATCHES_PER_MINUTE / 60).min(found.lane.most_at_once.saturating_sub(found.pollers));
                    found.pollers += more;
                    found.idle += more;
                }
                self.poll(queue);
                self.after(SECOND, Happening::Grow { queue });
            }
        }
    }

    /// Pollers take what is ready: a batch that is being collected or a poller that waits, whichever chance finds.
    fn poll(&mut self, queue: usize) {
        loop {
            let chance = self.rng.u64(..);
            let batch = self.batches;
            let found = self.queue(queue);
            let (idle, collecting) = (u64::from(found.idle), found.collecting.len() as u64);
            if found.ready.is_empty() || idle + collecting == 0 {
                return;
            }
            let most = found.lane.batch as usize;
            let nth = chance % (idle + collecting);
            let place = nth.checked_sub(idle).and_then(|place| usize::try_from(place).ok());
            let taken = place.and_then(|place| found.collecting.remove(place));
            let is_new = taken.is_none();
            let (id, mut messages) = taken.unwrap_or((batch, Vec::with_capacity(most)));
            // A receive brings what is there, and a poller whose batch is open receives again for each that comes.
            while messages.len() < most
                && let Some(message) = found.ready.pop_front()
            {
                messages.push(message);
            }
            found.idle -= u32::from(is_new);
            let window = micros(found.lane.window_seconds);
            if messages.len() == most || window == 0 {
                self.invoke(queue, &messages);
            } else {
                found.collecting.push_back((id, messages));
                if is_new {
                    self.batches += 1;
                    self.after(window, Happening::WindowEnds { queue, batch: id });
                }
            }
        }
    }

    fn invoke(&mut self, queue: usize, messages: &[usize]) {
        let cold = micros(self.scenario.figures.assumed.cold_start_milliseconds / 1e3);
        let function = self.function(queue);
        let warm = function.idle.pop();
        let environment = warm.unwrap_or(function.environments.len());
        if warm.is_none() {
            function.environments.push(Environment::default());
        }
        let begin = self.now + if warm.is_none() { cold } else { 0 };
        for message in messages {
            if let Some(message) = self.messages.get_mut(*message) {
                message.receive_count += 1;
            }
        }
        let done = match queue < TO_SENDER {
            true => self.orchestrate(queue, messages, begin),
            false => self.send(queue, environment, messages, begin),
        };
        self.at(done, Happening::Done { queue, environment });
    }

    fn orchestrate(&mut self, queue: usize, messages: &[usize], begin: Micros) -> Micros {
        let Scenario { figures, limits, .. } = self.scenario;
        let done = begin + micros(figures.orchestrator_seconds(limits, messages.len() as f64));
        for message in messages {
            let Some(found) = self.messages.get_mut(*message) else {
                continue;
            };
            found.receive_count = 0;
            if found.kind != Kind::Copy {
                let then = done + self.arrival();
                self.at(
                    then,
                    Happening::Ready {
                        queue: queue + TO_SENDER,
                        message: *message,
                    },
                );
            }
        }
        done
    }

    fn send(&mut self, queue: usize, environment: usize, messages: &[usize], begin: Micros) -> Micros {
        let Scenario { figures, limits, .. } = self.scenario;
        self.outcome.receives += messages.len() as u64;
        let dynamo = micros(figures.assumed.dynamo_milliseconds / 1e3);
        let is_urgent = queue == TO_SENDER + URGENT;
        let (granted, mut time) = self.permits(environment, is_urgent, messages.len(), begin, dynamo);
        let (go, wait) = messages.split_at(granted.min(messages.len()));
        if !go.is_empty() {
            // Claimed, and looked at once more.
            time += 2 * dynamo;
            let first = FIRST_CALLS.min(go.len());
            let (first, rest) = go.split_at(first);
            for wave in [first, rest] {
                time += micros(figures.processor_seconds(
                    limits,
                    figures.measured.sender.cpu_microseconds_per_email,
                    wave.len() as f64,
                ));
                let mut slowest = time;
                for message in wave {
                    let answered = time + self.between(figures.assumed.ses_milliseconds);
                    slowest = slowest.max(answered);
                    self.hand_over(*message, answered);
                }
                time = slowest;
            }
            time += dynamo;
        }
        if !wait.is_empty() {
            time += micros(figures.assumed.queue_milliseconds / 1e3);
            for message in wait {
                self.hide(queue, *message, begin, time);
            }
        }
        time
    }

    /// How many of a batch may go, and when that is known.
    fn permits(
        &mut self,
        environment: usize,
        is_urgent: bool,
        count: usize,
        begin: Micros,
        ask: Micros,
    ) -> (usize, Micros) {
        let window = self.traffic.window(moment(begin));
        let this_one = Some((window.name, is_urgent));
        let memory = self.senders.environments.get_mut(environment);
        if memory.as_ref().is_some_and(|memory| memory.used_up == this_one) {
            return (0, begin);
        }
        *self.asks.entry(begin / SECOND).or_default() += 1;
        let asked = self.asked.entry(window.name).or_default();
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        match is_urgent {
            true => asked.urgent += count,
            false => asked.normal += count,
        }
        let granted = window.grant(is_urgent, count, *asked);
        if granted < count
            && let Some(memory) = memory
        {
            memory.used_up = this_one;
        }
        (granted as usize, begin + ask)
    }

    fn hand_over(&mut self, message: usize, at: Micros) {
        let Some(found) = self.messages.get(message) else {
            return;
        };
        let wait = at.saturating_sub(found.published_at);
        let seconds = wait as f64 / 1e6;
        self.outcome.waits.entry(found.kind).or_default().push(seconds);
        self.outcome.most_receives = self.outcome.most_receives.max(found.receive_count);
        self.outcome.last_second = self.outcome.last_second.max(at as f64 / 1e6);
        *self.handed_over.entry(at / SECOND).or_default() += 1;
    }

    /// Hides what got no permit until it may ask again, in whole seconds.
    fn hide(&mut self, queue: usize, message: usize, begin: Micros, from: Micros) {
        let Some(found) = self.messages.get(message).copied() else {
            return;
        };
        let now = moment(begin);
        let next = self.traffic.window(now).ends_at;
        let chance = self.rng.f64();
        let then = match queue == TO_SENDER + URGENT {
            true => next
                .saturating_add(jiff::SignedDuration::from_secs_f64(chance))
                .unwrap_or(next),
            false => self
                .policy
                .again_after_throttle(found.receive_count, chance, now)
                .max(next),
        };
        let seconds = then.duration_since(now).as_secs_f64().ceil();
        self.at(from + micros(seconds), Happening::Ready { queue, message });
        let hidden = &mut self.queue(queue).hidden;
        *hidden += 1;
        let hidden = *hidden;
        if queue == TO_SENDER {
            self.outcome.most_hidden = self.outcome.most_hidden.max(hidden);
        }
    }

    fn outcome(mut self) -> Outcome {
        self.outcome
            .waits
            .values_mut()
            .for_each(|waits| waits.sort_unstable_by(f64::total_cmp));
        self.outcome.most_in_a_second = self.handed_over.values().copied().max().unwrap_or(0);
        self.outcome.most_asks_in_a_second = self.asks.values().copied().max().unwrap_or(0);
        self.outcome.environments = self.orchestrators.environments.len() + self.senders.environments.len();
        self.outcome
    }

    fn arrival(&mut self) -> Micros {
        self.between(self.scenario.figures.assumed.arrival_milliseconds)
    }

    fn between(&mut self, [least, most]: [f64; 2]) -> Micros {
        micros((least + (most - least) * self.rng.f64()) / 1e3)
    }

    #[expect(clippy::indexing_slicing, reason = "four queues, named by constants")]
    fn queue(&mut self, queue: usize) -> &mut Queue {
        &mut self.queues[queue]
    }

    fn function(&mut self, queue: usize) -> &mut Function {
        match queue < TO_SENDER {
            true => &mut self.orchestrators,
            false => &mut self.senders,
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "hours at most, and never before the beginning"
)]
fn micros(seconds: f64) -> Micros {
    (seconds * 1e6) as Micros
}

fn moment(at: Micros) -> Timestamp {
    let at = i64::try_from(at).unwrap_or(i64::MAX);
    Timestamp::from_microsecond(at.saturating_add(BEGINNING_SECOND * 1_000_000)).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::tests::today;
    use super::*;

    fn scenario(arrivals: Vec<Arrivals>, ses_rate: f64, seconds: f64) -> Scenario {
        let (figures, limits) = today();
        Scenario {
            arrivals,
            figures,
            limits,
            ses_rate,
            seconds,
            seed: 67,
        }
    }

    fn arrivals(kind: Kind, from_second: f64, per_second: f64, count: u32) -> Arrivals {
        Arrivals {
            kind,
            from_second,
            per_second,
            count,
        }
    }

    #[test]
    fn one_seed_gives_one_outcome() {
        let scenario = scenario(vec![arrivals(Kind::Normal, 0.0, 5.0, 500)], 14.0, 3_600.0);
        assert_eq!(play(&scenario), play(&scenario));
    }

    #[test]
    fn everything_is_handed_over_once_and_never_faster_than_the_provider_allows() {
        let all = vec![
            arrivals(Kind::Bulk, 0.0, 1_000.0, 500),
            arrivals(Kind::Urgent, 1.0, 1.0, 60),
        ];
        let outcome = play(&scenario(all, 14.0, 7_200.0));
        let handed_over = |kind| outcome.waits.get(&kind).map_or(0, Vec::len);
        assert_eq!((handed_over(Kind::Bulk), handed_over(Kind::Urgent)), (500, 60));
        // Permits of two windows may be used in one second, because a call takes part of it.
        assert!(outcome.most_in_a_second <= 28, "{}", outcome.most_in_a_second);
    }

    #[test]
    fn one_a_second_leaves_within_seconds() {
        let outcome = play(&scenario(vec![arrivals(Kind::Normal, 0.0, 1.0, 600)], 14.0, 1_200.0));
        let slow = outcome.seconds_of(Kind::Normal, 0.99);
        assert!(slow.is_some_and(|seconds| seconds < 60.0), "{slow:?}");
    }

    #[test]
    fn what_is_urgent_passes_fifty_thousand_that_wait() {
        let all = vec![
            arrivals(Kind::Bulk, 0.0, 5_000.0, 50_000),
            arrivals(Kind::Urgent, 30.0, 1.0, 300),
        ];
        let outcome = play(&scenario(all, 14.0, 400.0));
        let most = outcome.seconds_of(Kind::Urgent, 0.9);
        assert!(most.is_some_and(|seconds| seconds < 10.0), "{most:?}");
    }

    #[test]
    fn what_is_not_handed_over_in_time_has_no_percentile() {
        let outcome = play(&scenario(vec![arrivals(Kind::Bulk, 0.0, 5_000.0, 5_000)], 14.0, 60.0));
        assert_eq!(outcome.seconds_of(Kind::Bulk, 0.99), None);
    }
}
