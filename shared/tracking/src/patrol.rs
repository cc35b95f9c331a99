//! Looks after parcels whose carriers do not call: asks for them within the carriers' limits, keeps subscriptions alive, notices silence.

use carriers::{Account, Poll, PollError, Sighting, Told};
use domain::ports::{Clock, Enqueue, Unavailable};
use domain::{Carrier, OrderStatus, Saying, Teller, TrackingEvent, TrackingNumber};
use jiff::{SignedDuration, Timestamp};
use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

use crate::ports::{CarrierCalls, Kept, PatrolLog, Watch};
use crate::{CarrierNews, Pace, WatchedParcel, Watching};

/// When to look after a parcel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PatrolPolicy {
    /// A carrier that calls is asked only after this long without a call.
    pub silence_of_callers: SignedDuration,
    /// A parcel of which nothing is heard for this long is somebody's business.
    pub silence_to_report: SignedDuration,
    /// A parcel is followed for no longer than this.
    pub follow_for: SignedDuration,
    /// Whether the customer is told that a silent parcel is late.
    pub tells_customers_of_silence: bool,
    /// No call is begun later than this in a round.
    pub round_takes: SignedDuration,
}

impl Default for PatrolPolicy {
    fn default() -> Self {
        Self {
            silence_of_callers: SignedDuration::from_hours(24),
            silence_to_report: SignedDuration::from_hours(7 * 24),
            follow_for: SignedDuration::from_hours(90 * 24),
            tells_customers_of_silence: false,
            round_takes: SignedDuration::from_secs(40),
        }
    }
}

/// A parcel that moved lately is asked for more often: so long after the last news, and how long until it is asked for again.
const EVERY: [(SignedDuration, SignedDuration); 3] = [
    (SignedDuration::from_hours(24), SignedDuration::from_hours(2)),
    (SignedDuration::from_hours(3 * 24), SignedDuration::from_hours(6)),
    (SignedDuration::from_hours(10 * 24), SignedDuration::from_hours(12)),
];

/// And all others.
const RARELY: SignedDuration = SignedDuration::from_hours(24);

/// A subscription is renewed this long before it ends, so that some days of trouble do not let it lapse.
const RENEW_BEFORE: SignedDuration = SignedDuration::from_hours(3 * 24);

/// After a failure it is asked for again after this long, doubled with each, up to the longest.
const FIRST_AGAIN: SignedDuration = SignedDuration::from_secs(5 * 60);
const LONGEST_AGAIN: SignedDuration = SignedDuration::from_hours(6);

/// The most parcels of one carrier that one round looks at.
const MOST_AT_ONCE: usize = 2_000;

/// The code of what we say ourselves of a parcel that its carrier is silent about.
const SILENT: &str = "e-com67/silent";

/// Whether this is what we say ourselves of a silent parcel.
pub(crate) fn is_silence(saying: &Saying) -> bool {
    matches!(&saying.by, Teller::Carrier { code: Some(code), .. } if code == SILENT)
}

/// Looks after parcels.
#[derive(Debug)]
pub struct Patrol<'p, W, L, H, Q, C> {
    /// Where parcels are kept.
    pub parcels: &'p W,
    /// What carriers were asked so far.
    pub log: &'p L,
    /// Calls carriers.
    pub http: &'p H,
    /// Takes what carriers say.
    pub queue: &'p Q,
    /// The time.
    pub clock: &'p C,
    /// How carriers are asked: [`carriers::poll`].
    pub polls: fn(Carrier) -> Option<&'static dyn Poll>,
    /// Our accounts.
    pub accounts: &'p HashMap<Carrier, Account>,
    /// The carriers that call us: who could, and has no key here, does not.
    pub callers: &'p HashSet<Carrier>,
    /// When to look after a parcel.
    pub policy: PatrolPolicy,
    /// Tokens of carriers, kept between rounds, and until when each is good.
    pub tokens: &'p Mutex<HashMap<Carrier, (String, Timestamp)>>,
}

/// What came of one round for one carrier.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Patrolled {
    /// Parcels whose time had come.
    pub due: u64,
    /// Calls made, those for tokens and subscriptions included.
    pub calls: u64,
    /// Parcels that were asked for and answered.
    pub answered: u64,
    /// Parcels that the carrier does not know.
    pub unknown: u64,
    /// Events handed on.
    pub events: u64,
    /// Those of them whose code no table knows.
    pub unknown_codes: u64,
    /// Parcels subscribed to, for the first time or again.
    pub subscribed: u64,
    /// Parcels newly found silent.
    pub silent: u64,
    /// Parcels followed no longer.
    pub given_up: u64,
    /// Calls that did not work.
    pub failures: u64,
    /// Whether the carrier is left alone for now.
    pub is_resting: bool,
}

/// What is to be done for a parcel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Task {
    Ask,
    Subscribe,
    Nothing,
}

impl<W, L, H, Q, C> Patrol<'_, W, L, H, Q, C>
where
    W: Watch,
    L: PatrolLog,
    H: CarrierCalls,
    Q: Enqueue,
    C: Clock,
{
    /// One round for one carrier.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when our own tables or queues could not be used; the next round begins where this one stopped.
    pub async fn round(&self, carrier: Carrier) -> Result<Patrolled, Unavailable> {
        let mut done = Patrolled::default();
        let Some(poll) = (self.polls)(carrier) else {
            return Ok(done);
        };
        let now = self.clock.now();
        let due = self.parcels.due(carrier, now, MOST_AT_ONCE).await?;
        done.due = due.len() as u64;
        let mut asks = Vec::new();
        let mut subscribes = Vec::new();
        for parcel in due {
            if now.duration_since(parcel.registered_at) > self.policy.follow_for {
                done.given_up += 1;
                let next = Watching {
                    due_at: None,
                    ..parcel.watching.clone()
                };
                self.parcels.reschedule(&parcel, &next).await?;
                continue;
            }
            let parcel = self.notice_silence(parcel, now, &mut done).await?;
            match self.task(&parcel, poll, now) {
                Task::Ask => asks.push(parcel),
                Task::Subscribe => subscribes.push(parcel),
                Task::Nothing => self.reschedule(&parcel, poll, |_watching| {}).await?,
            }
        }
        if asks.is_empty() && subscribes.is_empty() {
            done.is_resting = self.log.spent(carrier).await?.rests(now);
            return Ok(done);
        }
        let Some(account) = self.accounts.get(&carrier) else {
            // Without an account nobody can be asked; whoever calls us still does.
            for parcel in asks.iter().chain(&subscribes) {
                let next = Watching {
                    due_at: now.checked_add(LONGEST_AGAIN).ok(),
                    ..parcel.watching.clone()
                };
                self.parcels.reschedule(parcel, &next).await?;
            }
            return Ok(done);
        };
        self.call(carrier, poll, account, (subscribes, asks), &mut done).await?;
        Ok(done)
    }

    /// Makes as many calls as the carrier allows, the most urgent first.
    async fn call(
        &self,
        carrier: Carrier,
        poll: &dyn Poll,
        account: &Account,
        (subscribes, asks): (Vec<WatchedParcel>, Vec<WatchedParcel>),
        done: &mut Patrolled,
    ) -> Result<(), Unavailable> {
        let pace = Pace(poll.limits());
        let per_subscription = poll
            .subscription()
            .map_or(1, |subscription| subscription.parcels_per_call.max(1));
        let per_call = poll.limits().parcels_per_call.max(1);
        let needs_token = self.token(carrier).is_none() && poll.token_call(account).is_some();
        let wanted =
            usize::from(needs_token) + subscribes.len().div_ceil(per_subscription) + asks.len().div_ceil(per_call);
        let now = self.clock.now();
        let before = self.log.spent(carrier).await?;
        let wanted = u32::try_from(wanted).unwrap_or(u32::MAX);
        let (granted, spent) = pace.grant(&before, wanted, now);
        done.is_resting = before.rests(now);
        // Counted before it is asked: whoever dies in between has asked too little, never too much.
        if granted == 0 || self.log.spend(carrier, &before, &spent).await? == Kept::Stale {
            return Ok(());
        }
        let busy_until = spent.busy_until.unwrap_or(now);
        let mut calls = granted;
        let mut trouble = None;
        if needs_token {
            calls -= 1;
            done.calls += 1;
            self.clock.pause(pace.pause()).await;
            trouble = self.fetch_token(carrier, poll, account).await.err();
            done.failures += u64::from(trouble.is_some());
        }
        // Whether subscribing met trouble that may be its own: a carrier may let itself be asked and not let us subscribe.
        let mut refuses_to_call = None;
        let batches = subscribes
            .chunks(per_subscription)
            .map(|batch| (Task::Subscribe, batch))
            .chain(asks.chunks(per_call).map(|batch| (Task::Ask, batch)));
        for (task, batch) in batches {
            let is_late = self.clock.now().duration_since(now) > self.policy.round_takes;
            if calls == 0 || is_late || trouble.is_some() {
                break;
            }
            if task == Task::Subscribe && refuses_to_call.is_some() {
                continue;
            }
            self.clock.pause(pace.pause()).await;
            // A slow carrier: what follows is the next round's, which may have begun. So is a new token.
            let is_others_turn = self.clock.now() + pace.pause() > busy_until;
            if is_others_turn || (self.token(carrier).is_none() && poll.token_call(account).is_some()) {
                break;
            }
            calls -= 1;
            done.calls += 1;
            let answer = match task {
                Task::Subscribe => self.subscribe(carrier, poll, account, batch, done).await,
                Task::Ask | Task::Nothing => self.ask(carrier, poll, account, batch, done).await,
            };
            if let Err(failure) = answer? {
                done.failures += 1;
                tracing::warn!(carrier = %carrier, error = domain::chain(&failure), "{carrier} did not answer");
                for parcel in batch {
                    self.again_later(parcel).await?;
                }
                if failure == PollError::Unauthorised {
                    self.forget_token(carrier);
                }
                let is_theirs = !matches!(failure, PollError::Refused(_) | PollError::Unreadable(_));
                match task {
                    Task::Subscribe if is_theirs && failure != PollError::Throttled => refuses_to_call = Some(failure),
                    Task::Subscribe | Task::Ask | Task::Nothing => trouble = is_theirs.then_some(failure),
                }
            } else if task == Task::Ask {
                refuses_to_call = None;
            }
        }
        let is_in_trouble = trouble.or(refuses_to_call).is_some();
        let after = spent.after(is_in_trouble, self.clock.now());
        done.is_resting = after.rests(self.clock.now());
        // Lost, it only makes the next round wait until the busy time is over.
        self.log.spend(carrier, &spent, &after).await?;
        Ok(())
    }

    async fn fetch_token(&self, carrier: Carrier, poll: &dyn Poll, account: &Account) -> Result<(), PollError> {
        let Some(call) = poll.token_call(account) else {
            return Ok(());
        };
        let (status, body) = self.http.call(&call).await.map_err(|error| {
            tracing::warn!(carrier = %carrier, error = domain::chain(&error), "{carrier} gave no token");
            PollError::Unavailable(0)
        })?;
        let token = poll.read_token(status, &body).inspect_err(|error| {
            tracing::error!(carrier = %carrier, error = domain::chain(error), "{carrier} gave no token");
        })?;
        let until = self.clock.now().checked_add(token.lives_for).unwrap_or(Timestamp::MAX);
        if let Ok(mut tokens) = self.tokens.lock() {
            tokens.insert(carrier, (token.value, until));
        }
        Ok(())
    }

    async fn ask(
        &self,
        carrier: Carrier,
        poll: &dyn Poll,
        account: &Account,
        batch: &[WatchedParcel],
        done: &mut Patrolled,
    ) -> Result<Result<(), PollError>, Unavailable> {
        let numbers: Vec<TrackingNumber> = batch.iter().map(|parcel| parcel.number.clone()).collect();
        let call = poll.call(account, self.token(carrier).as_deref(), &numbers);
        let (status, body) = match self.http.call(&call).await {
            Ok(answer) => answer,
            Err(_nothing_came) => return Ok(Err(PollError::Unavailable(0))),
        };
        let heard_at = self.clock.now();
        let sightings = match poll.read(status, &body, &numbers, heard_at) {
            Ok(sightings) => sightings,
            Err(error) => return Ok(Err(error)),
        };
        let events = events_of(&sightings, &numbers);
        self.hand_on(&events, heard_at).await?;
        done.events += events.len() as u64;
        done.unknown_codes += events.iter().filter(|event| event.is_unread()).count() as u64;
        done.answered += numbers.len() as u64;
        let unknown = sightings.iter().filter(|sighting| sighting.told == Told::NotFound);
        done.unknown += unknown.count() as u64;
        for parcel in batch {
            self.reschedule(parcel, poll, |watching| {
                watching.asked_at = Some(heard_at);
                watching.failures = 0;
            })
            .await?;
        }
        Ok(Ok(()))
    }

    async fn subscribe(
        &self,
        carrier: Carrier,
        poll: &dyn Poll,
        account: &Account,
        batch: &[WatchedParcel],
        done: &mut Patrolled,
    ) -> Result<Result<(), PollError>, Unavailable> {
        let numbers: Vec<TrackingNumber> = batch.iter().map(|parcel| parcel.number.clone()).collect();
        let token = self.token(carrier);
        let (Some(call), Some(subscription)) = (
            poll.subscribe_call(account, token.as_deref(), &numbers),
            poll.subscription(),
        ) else {
            return Ok(Ok(()));
        };
        let (status, body) = match self.http.call(&call).await {
            Ok(answer) => answer,
            Err(_nothing_came) => return Ok(Err(PollError::Unavailable(0))),
        };
        let subscribed = match poll.read_subscribed(status, &body, &numbers) {
            Ok(subscribed) => subscribed,
            Err(error) => return Ok(Err(error)),
        };
        let until = self.clock.now().checked_add(subscription.lives_for).ok();
        for parcel in batch {
            match subscribed.contains(&parcel.number) {
                true => {
                    done.subscribed += 1;
                    self.reschedule(parcel, poll, |watching| {
                        watching.subscribed_until = until;
                        watching.failures = 0;
                    })
                    .await?;
                }
                false => self.again_later(parcel).await?,
            }
        }
        Ok(Ok(()))
    }

    /// What is to be done for a parcel whose time has come.
    fn task(&self, parcel: &WatchedParcel, poll: &dyn Poll, now: Timestamp) -> Task {
        if poll.subscription().is_some() {
            let until = parcel.watching.subscribed_until;
            let is_in_time = until.is_some_and(|until| until - RENEW_BEFORE > now);
            // A carrier that does not subscribe us may still be asked: every other time.
            let is_second_try = parcel.watching.failures % 2 == 1 && until.is_none_or(|until| until <= now);
            if !is_in_time && (!is_second_try || self.ask_at(parcel) > now) {
                return Task::Subscribe;
            }
        }
        match self.ask_at(parcel) <= now {
            true => Task::Ask,
            false => Task::Nothing,
        }
    }

    /// When to ask for a parcel: of carriers that call, after they were silent; of the others, the sooner the more lately it moved.
    fn ask_at(&self, parcel: &WatchedParcel) -> Timestamp {
        let heard_at = parcel.last_heard_at.unwrap_or(parcel.registered_at);
        let calls_us = self.callers.contains(&parcel.carrier);
        let first = match calls_us {
            true => heard_at + self.policy.silence_of_callers,
            false => parcel.registered_at,
        };
        let Some(asked_at) = parcel.watching.asked_at else {
            return first;
        };
        let silence = asked_at.duration_since(heard_at);
        let every = EVERY.iter().find(|(lately, _)| silence < *lately);
        first.max(asked_at + every.map_or(RARELY, |(_, every)| *every))
    }

    /// Notes what was done, and when to look again.
    async fn reschedule(
        &self,
        parcel: &WatchedParcel,
        poll: &dyn Poll,
        done: impl FnOnce(&mut Watching),
    ) -> Result<(), Unavailable> {
        let mut parcel_after = parcel.clone();
        done(&mut parcel_after.watching);
        let mut due_at = self.ask_at(&parcel_after);
        if poll.subscription().is_some()
            && let Some(until) = parcel_after.watching.subscribed_until
        {
            due_at = due_at.min(until - RENEW_BEFORE);
        }
        // Not in this round again, whatever was reckoned; spread, so that those of one hour do not stay together for ever.
        let soonest = self.clock.now() + SignedDuration::from_secs(60);
        let spread = SignedDuration::from_secs_f64(self.clock.chance() * 300.0);
        parcel_after.watching.due_at = Some(due_at.max(soonest) + spread);
        self.parcels.reschedule(parcel, &parcel_after.watching).await
    }

    /// Asking did not work: again, the later the more often it did not.
    async fn again_later(&self, parcel: &WatchedParcel) -> Result<(), Unavailable> {
        let doublings = parcel.watching.failures.min(7);
        let wait = (FIRST_AGAIN * 2_i32.pow(doublings)).min(LONGEST_AGAIN);
        let wait = wait + SignedDuration::from_secs_f64(self.clock.chance() * wait.as_secs_f64());
        let next = Watching {
            failures: parcel.watching.failures.saturating_add(1),
            due_at: self.clock.now().checked_add(wait).ok(),
            ..parcel.watching.clone()
        };
        self.parcels.reschedule(parcel, &next).await
    }

    /// A parcel of which nothing was heard for long: counted once for each silence, and, if the shop wants that, told.
    async fn notice_silence(
        &self,
        mut parcel: WatchedParcel,
        now: Timestamp,
        done: &mut Patrolled,
    ) -> Result<WatchedParcel, Unavailable> {
        let heard_at = parcel.last_heard_at.unwrap_or(parcel.registered_at);
        let is_silent = now.duration_since(heard_at) > self.policy.silence_to_report;
        let is_reported = parcel.watching.alerted_at.is_some_and(|at| at > heard_at);
        if !is_silent || is_reported {
            return Ok(parcel);
        }
        done.silent += 1;
        let mark = domain::ParcelMark::of(parcel.number.as_str());
        tracing::warn!(carrier = %parcel.carrier, parcel = mark.as_str(), "nothing is heard of a parcel");
        if self.policy.tells_customers_of_silence {
            let mut event = TrackingEvent::new(parcel.carrier, parcel.number.clone(), now);
            event.status = Some(OrderStatus::Delayed);
            event.code = Some(SILENT.to_owned());
            self.hand_on(&[event], now).await?;
            done.events += 1;
        }
        // Noted at once: nobody knows when it is this parcel's turn to be asked for.
        let reported = Watching {
            alerted_at: Some(now),
            ..parcel.watching.clone()
        };
        self.parcels.reschedule(&parcel, &reported).await?;
        parcel.watching = reported;
        Ok(parcel)
    }

    async fn hand_on(&self, events: &[TrackingEvent], heard_at: Timestamp) -> Result<(), Unavailable> {
        let messages = CarrierNews::messages(events, heard_at);
        self.queue.enqueue(&messages).await.into_iter().collect()
    }

    fn token(&self, carrier: Carrier) -> Option<String> {
        let tokens = self.tokens.lock().ok()?;
        let (token, until) = tokens.get(&carrier)?;
        (*until > self.clock.now()).then(|| token.clone())
    }

    fn forget_token(&self, carrier: Carrier) {
        if let Ok(mut tokens) = self.tokens.lock() {
            tokens.remove(&carrier);
        }
    }
}

/// What was told of the parcels that were asked for; what is told of others is not ours to know.
fn events_of(sightings: &[Sighting], asked: &[TrackingNumber]) -> Vec<TrackingEvent> {
    sightings
        .iter()
        .filter(|sighting| asked.contains(&sighting.number))
        .flat_map(|sighting| match &sighting.told {
            Told::Events(events) => events.clone(),
            Told::NotFound => Vec::new(),
        })
        .collect()
}
