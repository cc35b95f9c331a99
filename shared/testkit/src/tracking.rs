//! Orders, parcels, their outbox and the patrol's log in memory, with the same conditions as the table. Calls can be made to fail, and
//! others to come in between.

use carriers::Call;
use domain::ports::{Enqueue, Unavailable};
use domain::{Carrier, OrderId, Saying, SayingId, TrackingNumber, UserId};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::future::Future;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use tracking::ports::{
    CarrierCalls, Kept, OrderFile, OrdersFind, OrdersKeep, Outbox, OutgoingNews, ParcelFile, ParcelNote, ParcelsKeep,
    PatrolLog, Watch, WishesKeep,
};
use tracking::{DeliveryWishes, OrderRecord, ParcelRecord, Spent, WatchedParcel, Watching};

/// How a call goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It has no effect.
    Fails,
    /// It has its effect, and nobody is told.
    LosesReply,
}

/// Whoever comes in between.
type Intruder = Box<dyn FnOnce(&MemoryTracking) + Send>;

/// Everything that the way of a parcel keeps, in memory. A router may share it between its tasks.
#[derive(Default)]
pub struct MemoryTracking {
    state: Mutex<State>,
    faults: Mutex<Faults>,
    intruder: Mutex<Option<Intruder>>,
}

#[derive(Default)]
struct State {
    orders: BTreeMap<OrderId, StoredOrder>,
    parcels: BTreeMap<TrackingNumber, StoredParcel>,
    due: BTreeSet<(Carrier, Timestamp, TrackingNumber)>,
    outbox: BTreeMap<(OrderId, String), (Timestamp, String)>,
    written: Vec<(OrderId, OutgoingNews)>,
    spent: HashMap<Carrier, Spent>,
}

#[derive(Default)]
struct StoredOrder {
    record: Option<OrderRecord>,
    sayings: BTreeMap<SayingId, Saying>,
}

#[derive(Default)]
struct StoredParcel {
    record: Option<ParcelRecord>,
    orders: Vec<OrderId>,
    sayings: BTreeMap<SayingId, Saying>,
    watching: Watching,
    last_heard_at: Option<Timestamp>,
    has_ended: bool,
}

#[derive(Default)]
struct Faults {
    calls: u64,
    failing: u32,
    losing_replies: u32,
    nth: Option<(u64, Fault)>,
}

impl Faults {
    fn next(&mut self) -> Option<Fault> {
        self.calls += 1;
        if let Some((nth, fault)) = self.nth
            && nth == self.calls
        {
            self.nth = None;
            return Some(fault);
        }
        if self.failing > 0 {
            self.failing -= 1;
            return Some(Fault::Fails);
        }
        if self.losing_replies > 0 {
            self.losing_replies -= 1;
            return Some(Fault::LosesReply);
        }
        None
    }
}

impl State {
    /// Changes a parcel, and keeps the index of what is due in step.
    fn change<T>(&mut self, number: &TrackingNumber, change: impl FnOnce(&mut StoredParcel) -> T) -> T {
        let parcel = self.parcels.entry(number.clone()).or_default();
        if let Some((carrier, due_at)) = parcel.is_due() {
            self.due.remove(&(carrier, due_at, number.clone()));
        }
        let changed = change(parcel);
        if let Some((carrier, due_at)) = parcel.is_due() {
            self.due.insert((carrier, due_at, number.clone()));
        }
        changed
    }
}

impl StoredParcel {
    /// Whose round looks after it, and when; nothing once its way is over.
    fn is_due(&self) -> Option<(Carrier, Timestamp)> {
        let carrier = self.record.as_ref()?.carrier?;
        let due_at = self.watching.due_at.filter(|_| !self.has_ended)?;
        Some((carrier, due_at))
    }

    fn watched(&self, number: &TrackingNumber) -> Option<WatchedParcel> {
        let record = self.record.as_ref()?;
        Some(WatchedParcel {
            number: number.clone(),
            carrier: record.carrier?,
            registered_at: record.registered_at,
            last_heard_at: self.last_heard_at,
            watching: self.watching.clone(),
        })
    }
}

impl MemoryTracking {
    /// The next calls fail without having any effect.
    pub fn fail(&self, calls: u32) {
        held(&self.faults).failing = calls;
    }

    /// The next calls have their effect, and then fail.
    pub fn lose_replies(&self, calls: u32) {
        held(&self.faults).losing_replies = calls;
    }

    /// Of all calls from now on the nth, counted from 1, goes wrong.
    pub fn fail_at(&self, nth: u64, fault: Fault) {
        let mut faults = held(&self.faults);
        faults.nth = Some((faults.calls + nth, fault));
    }

    /// How many calls there were so far.
    #[must_use]
    pub fn calls(&self) -> u64 {
        held(&self.faults).calls
    }

    /// Just before the next order is written, or the next calls are counted, somebody else does this.
    pub fn before_the_next_write(&self, intruder: impl FnOnce(&Self) + Send + 'static) {
        *held(&self.intruder) = Some(Box::new(intruder));
    }

    /// What is kept of an order.
    #[must_use]
    pub fn order(&self, order: &OrderId) -> Option<OrderRecord> {
        held(&self.state).orders.get(order)?.record.clone()
    }

    /// All news that were ever written, the oldest first, whether they still wait or not.
    #[must_use]
    pub fn news(&self) -> Vec<(OrderId, OutgoingNews)> {
        held(&self.state).written.clone()
    }

    /// A parcel that somebody looks after.
    #[must_use]
    pub fn watched(&self, number: &TrackingNumber) -> Option<WatchedParcel> {
        let state = held(&self.state);
        let parcel = state.parcels.get(number)?;
        parcel.is_due()?;
        parcel.watched(number)
    }

    /// A call that finds and changes.
    async fn answer<T>(&self, doing: &'static str, work: impl FnOnce(&mut State) -> T) -> Result<T, Unavailable> {
        let fault = held(&self.faults).next();
        step_aside().await;
        if fault == Some(Fault::Fails) {
            return Err(Unavailable::new(doing, "it is told to fail"));
        }
        let answer = work(&mut held(&self.state));
        match fault {
            Some(_) => Err(Unavailable::new(doing, "the reply is told to be lost")),
            None => Ok(answer),
        }
    }

    fn let_intrude(&self) {
        let intruder = held(&self.intruder).take();
        if let Some(intruder) = intruder {
            intruder(self);
        }
    }
}

impl fmt::Debug for MemoryTracking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryTracking").finish_non_exhaustive()
    }
}

/// What a thread left behind that panicked is still a state.
fn held<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Lets whatever runs beside this go on first, as every call over a network does.
async fn step_aside() {
    let mut has_waited = false;
    std::future::poll_fn(|context| {
        if has_waited {
            return Poll::Ready(());
        }
        has_waited = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

fn put_absent(known: &mut BTreeMap<SayingId, Saying>, sayings: &[Saying]) {
    for saying in sayings {
        known.entry(saying.id()).or_insert_with(|| saying.clone());
    }
}

impl OrdersKeep for MemoryTracking {
    async fn read_order(&self, order: &OrderId) -> Result<OrderFile, Unavailable> {
        self.answer("read an order", |state| {
            let stored = state.orders.get(order);
            stored.map_or_else(OrderFile::default, |stored| OrderFile {
                record: stored.record.clone(),
                sayings: stored.sayings.values().cloned().collect(),
            })
        })
        .await
    }

    async fn say(&self, order: &OrderId, sayings: &[Saying]) -> Result<(), Unavailable> {
        self.answer("keep what was said of an order", |state| {
            let stored = state.orders.entry(order.clone()).or_default();
            put_absent(&mut stored.sayings, sayings);
        })
        .await
    }

    async fn keep(
        &self,
        before: Option<&OrderRecord>,
        after: &OrderRecord,
        news: &[OutgoingNews],
    ) -> Result<Kept, Unavailable> {
        self.let_intrude();
        self.answer("write an order", |state| {
            let order = after.registration.id();
            let stored = state.orders.entry(order.clone()).or_default();
            if stored.record.as_ref().map(|record| record.version) != before.map(|record| record.version) {
                return Kept::Stale;
            }
            stored.record = Some(after.clone());
            for news in news {
                let place = (order.clone(), news.key.clone());
                state.outbox.insert(place, (after.updated_at, news.event.clone()));
                state.written.push((order.clone(), news.clone()));
            }
            Kept::Done
        })
        .await
    }
}

impl ParcelsKeep for MemoryTracking {
    async fn read_parcel(&self, number: &TrackingNumber) -> Result<ParcelFile, Unavailable> {
        self.answer("read a parcel", |state| {
            let stored = state.parcels.get(number);
            stored.map_or_else(ParcelFile::default, |stored| ParcelFile {
                record: stored.record.clone(),
                orders: stored.orders.clone(),
                sayings: stored.sayings.values().cloned().collect(),
            })
        })
        .await
    }

    async fn hear(&self, number: &TrackingNumber, sayings: &[Saying]) -> Result<(), Unavailable> {
        self.answer("keep what was said of a parcel", |state| {
            let stored = state.parcels.entry(number.clone()).or_default();
            put_absent(&mut stored.sayings, sayings);
        })
        .await
    }

    async fn claim(
        &self,
        number: &TrackingNumber,
        order: &OrderId,
        carrier: Option<Carrier>,
        now: Timestamp,
    ) -> Result<(), Unavailable> {
        self.answer("claim a parcel", |state| {
            state.change(number, |parcel| {
                if !parcel.orders.contains(order) {
                    parcel.orders.push(order.clone());
                }
                match &mut parcel.record {
                    Some(record) => record.carrier = record.carrier.or(carrier),
                    None => {
                        parcel.record = Some(ParcelRecord {
                            carrier,
                            registered_at: now,
                        });
                        parcel.watching.due_at = Some(now);
                    }
                }
            });
        })
        .await
    }

    async fn note(&self, number: &TrackingNumber, note: &ParcelNote) -> Result<(), Unavailable> {
        self.answer("note where a parcel stands", |state| {
            state.change(number, |parcel| {
                parcel.last_heard_at = note.last_heard_at;
                parcel.has_ended = note.has_ended;
            });
        })
        .await
    }
}

impl OrdersFind for MemoryTracking {
    async fn latest_of(&self, user: &UserId, most: u16) -> Result<Vec<OrderRecord>, Unavailable> {
        self.answer("find a customer's orders", |state| {
            let records = state.orders.values().filter_map(|stored| stored.record.as_ref());
            let is_theirs = |record: &&OrderRecord| record.registration.user.as_ref() == Some(user);
            let mut theirs: Vec<OrderRecord> = records.filter(is_theirs).cloned().collect();
            theirs.sort_by_key(|record| std::cmp::Reverse(record.updated_at));
            theirs.truncate(most.into());
            theirs
        })
        .await
    }
}

impl WishesKeep for MemoryTracking {
    async fn wish(&self, before: &OrderRecord, wishes: &DeliveryWishes) -> Result<Kept, Unavailable> {
        self.let_intrude();
        self.answer("keep what a customer wishes", |state| {
            let stored = state.orders.get_mut(before.registration.id());
            let record = stored.and_then(|stored| stored.record.as_mut());
            match record.filter(|record| record.version == before.version) {
                Some(record) => {
                    record.wishes = Some(wishes.clone());
                    record.version += 1;
                    Kept::Done
                }
                None => Kept::Stale,
            }
        })
        .await
    }
}

impl Watch for MemoryTracking {
    async fn due(&self, carrier: Carrier, now: Timestamp, most: usize) -> Result<Vec<WatchedParcel>, Unavailable> {
        self.answer("find parcels to look after", |state| {
            let due = state.due.iter().skip_while(|(other, ..)| *other < carrier);
            due.take_while(|(other, due_at, _)| *other == carrier && *due_at <= now)
                .take(most)
                .filter_map(|(.., number)| state.parcels.get(number)?.watched(number))
                .collect()
        })
        .await
    }

    async fn reschedule(&self, parcel: &WatchedParcel, next: &Watching) -> Result<(), Unavailable> {
        self.answer("note when to look after a parcel", |state| {
            state.change(&parcel.number, |stored| {
                if stored.watching == parcel.watching {
                    stored.watching = next.clone();
                }
            });
        })
        .await
    }
}

impl PatrolLog for MemoryTracking {
    async fn spent(&self, carrier: Carrier) -> Result<Spent, Unavailable> {
        self.answer("read what a carrier was asked", |state| {
            state.spent.get(&carrier).cloned().unwrap_or_default()
        })
        .await
    }

    async fn spend(&self, carrier: Carrier, before: &Spent, after: &Spent) -> Result<Kept, Unavailable> {
        self.let_intrude();
        self.answer("write what a carrier is asked", |state| {
            let spent = state.spent.entry(carrier).or_default();
            if spent.version != before.version {
                return Kept::Stale;
            }
            *spent = after.clone();
            Kept::Done
        })
        .await
    }
}

impl Outbox for MemoryTracking {
    async fn waiting(&self, before: Timestamp, most: u16) -> Result<Vec<(OrderId, OutgoingNews)>, Unavailable> {
        self.answer("find news that wait", |state| {
            let waiting = state.outbox.iter().filter(|(_, (written_at, _))| *written_at < before);
            let news = |((order, key), (_, event)): (&(OrderId, String), &(Timestamp, String))| {
                let (key, event) = (key.clone(), event.clone());
                (order.clone(), OutgoingNews { key, event })
            };
            waiting.take(most.into()).map(news).collect()
        })
        .await
    }

    async fn published(&self, order: &OrderId, key: &str) -> Result<(), Unavailable> {
        self.answer("take news away", |state| {
            state.outbox.remove(&(order.clone(), key.to_owned()));
        })
        .await
    }
}

/// A queue in memory, for tasks that share it.
#[derive(Debug, Default)]
pub struct MemoryTexts {
    texts: Mutex<Vec<String>>,
    refusing: Mutex<u32>,
}

impl MemoryTexts {
    /// The next texts are not taken.
    pub fn refuse(&self, texts: u32) {
        *held(&self.refusing) = texts;
    }

    /// Takes out everything that is there.
    #[must_use]
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *held(&self.texts))
    }
}

impl Enqueue for MemoryTexts {
    async fn enqueue(&self, texts: &[String]) -> Vec<Result<(), Unavailable>> {
        let put = |text: &String| {
            let mut refusing = held(&self.refusing);
            if *refusing > 0 {
                *refusing -= 1;
                return Err(Unavailable::new("put a message on its queue", "it is told to refuse"));
            }
            held(&self.texts).push(text.clone());
            Ok(())
        };
        texts.iter().map(put).collect()
    }
}

/// Carriers that answer as a test says: a status and a body, or nothing.
pub struct ScriptedCarriers<F>(pub F);

impl<F: Fn(&Call) -> Option<(u16, Vec<u8>)>> ScriptedCarriers<F> {
    fn answer(&self, call: &Call) -> Result<(u16, Vec<u8>), Unavailable> {
        self.0(call).ok_or_else(|| Unavailable::new("call a carrier", "it is told not to answer"))
    }
}

impl<F> fmt::Debug for ScriptedCarriers<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScriptedCarriers").finish_non_exhaustive()
    }
}

impl<F: Fn(&Call) -> Option<(u16, Vec<u8>)>> CarrierCalls for ScriptedCarriers<F> {
    fn call(&self, call: &Call) -> impl Future<Output = Result<(u16, Vec<u8>), Unavailable>> + Send {
        let answer = self.answer(call);
        async move {
            step_aside().await;
            answer
        }
    }
}
