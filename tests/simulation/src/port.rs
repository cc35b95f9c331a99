//! Every port, as the process at one desk sees it: a call takes its time, can be cut off before and after it has done its
//! work, and is counted.

use domain::ports::{
    Account, AccountFacts, Advanced, Bury, Clock, Courier, Customers, CustomersLoad, DeadLetter, Defer, Deferred,
    Draft, Enqueue, HandOver, HoldBack, LedgerAdvance, LedgerLoad, LedgerRecord, MessageLookUp, NotWritten, OrderNews,
    Recorded, SendAnswer, Step, SuppressionsKeep, TrafficKeep, TrafficShare, Trial, Unavailable, Valves, WaitingRoom,
    WakeAll,
};
use domain::{
    Asked, Breaker, Channel, Contact, DeliveryRequest, News, Notification, NotificationId, OrderId, Place, Slowed,
    SmsEncoding, SmsSize, State as Stands, Suppression, Traffic, UserId, Window, Written,
};
use jiff::{SignedDuration, Timestamp};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use testkit::recorded::Note;

use crate::faults::{Fault, Faults, Kind, Operation, Phase, meaningful};
use crate::invocation::{Desk, Ended, Function};
use crate::queues::{Lane, Tag};
use crate::world::{BEGINNING, Due, Mood, State, Who, World, timestamp};
use crate::{ledger, people, queues, room};

/// How large every text message is.
const ONE_SEGMENT: SmsSize = SmsSize {
    encoding: SmsEncoding::Gsm7,
    segments: 1,
};

/// How much longer a slow call takes.
const SLOW_MS: i64 = 26_000;

/// A write that was reported as failed takes effect after this time.
const LATE_MS: i64 = 2_000;

/// A process remembers so long what it saw of the traffic.
const REMEMBERED_MS: i64 = 10_000;

/// Every port of one process.
#[derive(Clone)]
pub(crate) struct Port {
    pub(crate) world: Rc<World>,
    pub(crate) desk: Rc<Desk>,
}

impl std::fmt::Debug for Port {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Port")
            .field("function", &self.desk.function)
            .finish_non_exhaustive()
    }
}

fn failed() -> Unavailable {
    Unavailable::new("use a port", "the simulation wants it so")
}

impl Port {
    pub(crate) fn who(&self) -> Who {
        let desk = &self.desk;
        Who {
            invocation: desk.invocation.get(),
            owner: desk.owner.get(),
            skew_ms: desk.skew_ms,
            is_old: desk.is_old,
            is_operator: desk.function == Function::Operator,
            is_sender: desk.function.is_sender(),
        }
    }

    /// Counts a call, and says what goes wrong with it.
    pub(crate) fn begin(&self, operation: Operation, entries: usize) -> Option<Fault> {
        let mut state = self.world.state();
        let number = state.calls;
        state.calls += 1;
        if self.world.setting.is_traced {
            state.trace.push((operation, entries));
        }
        let now = state.now - BEGINNING;
        let mut outages = self.world.setting.outages.iter();
        let is_out = outages.any(|(from, to, out)| *out == operation && (*from..*to).contains(&now));
        let out = is_out.then(|| match state.rng.bool() {
            true => Fault::new(Kind::Error500, Phase::Before),
            false => Fault::new(Kind::Broken, Phase::After),
        });
        let fault = match &state.faults {
            Faults::None => None,
            Faults::At(faults) => faults.iter().find(|(call, _)| *call == number).map(|(_, fault)| *fault),
            Faults::Random { probability, until_ms } => {
                let (probability, is_over) = (*probability, state.now >= *until_ms);
                let is_person = self.desk.function == Function::Operator;
                match !is_over && !is_person && state.chance(probability) {
                    true => state.rng.choice(meaningful(operation, entries)).copied(),
                    false => None,
                }
            }
        };
        let fault = out
            .or(fault)
            .filter(|fault| meaningful(operation, entries).contains(fault));
        state.fired.extend(fault.map(|fault| (operation, fault)));
        fault
    }

    /// How long a request takes to get there, and its answer to come back.
    pub(crate) fn ways(&self, operation: Operation) -> (i64, i64) {
        let mut state = self.world.state();
        if operation == Operation::Send {
            (state.rng.i64(20..80), state.rng.i64(10..40))
        } else {
            (state.rng.i64(1..6), state.rng.i64(1..6))
        }
    }

    async fn read<T>(&self, operation: Operation, look: impl FnOnce(&mut State, &Who) -> T) -> Result<T, Unavailable> {
        let kind = self.begin(operation, 1).map(|fault| fault.kind);
        if kind == Some(Kind::Killed) {
            self.die().await;
        }
        let (there, back) = self.ways(operation);
        self.sleep(there).await;
        if matches!(kind, Some(Kind::Error500 | Kind::Broken)) {
            self.sleep(back).await;
            return Err(failed());
        }
        let seen = look(&mut self.world.state(), &self.who());
        self.sleep(back + if kind == Some(Kind::Slow) { SLOW_MS } else { 0 })
            .await;
        if kind == Some(Kind::Frozen) {
            self.freeze().await;
        }
        Ok(seen)
    }

    /// A write has its effect once its request has left, whatever becomes of the caller.
    async fn write<I, T>(
        &self,
        operation: Operation,
        items: &[I],
        effect: fn(&mut State, &Who, &I) -> T,
    ) -> Vec<Result<T, Unavailable>>
    where
        I: Clone + 'static,
        T: 'static,
    {
        let fault = self.begin(operation, items.len());
        let is = |kind, phase| fault == Some(Fault::new(kind, phase));
        let none = || items.iter().map(|_| Err(failed())).collect();
        if is(Kind::Killed, Phase::Before) {
            self.die().await;
        }
        if is(Kind::Frozen, Phase::Before) {
            self.freeze().await;
        }
        let (mut there, back) = self.ways(operation);
        if is(Kind::Error500, Phase::Before) {
            self.sleep(there + back).await;
            return none();
        }
        if is(Kind::Slow, Phase::Before) {
            there += SLOW_MS;
        }
        let now = self.world.look().now;
        let answers = Rc::new(RefCell::new(Vec::with_capacity(items.len())));
        let (who, items_there, heard) = (self.who(), items.to_vec(), Rc::clone(&answers));
        let (skips, repeats) = (is(Kind::Part, Phase::Before), is(Kind::Repeated, Phase::After));
        let takes_effect_at = now + there + if is(Kind::Late, Phase::Before) { LATE_MS } else { 0 };
        let happens = move |world: &Rc<World>| {
            let mut state = world.state();
            let mut heard = heard.borrow_mut();
            for _time in 0..=u32::from(repeats) {
                heard.clear();
                for (index, item) in items_there.iter().enumerate() {
                    let is_skipped = skips && index == 0;
                    heard.push((!is_skipped).then(|| effect(&mut state, &who, item)));
                }
            }
        };
        self.world.state().plan(takes_effect_at, Due::Do(Box::new(happens)));
        if is(Kind::Late, Phase::Before) {
            self.sleep(there + back).await;
            return none();
        }
        if is(Kind::Killed, Phase::After) {
            self.sleep_until(takes_effect_at).await;
            self.die().await;
        }
        let slow = if is(Kind::Slow, Phase::After) { SLOW_MS } else { 0 };
        self.sleep_until(takes_effect_at + back + slow).await;
        if is(Kind::Killed, Phase::Replied) {
            self.die().await;
        }
        if is(Kind::Frozen, Phase::Replied) {
            self.freeze().await;
        }
        if is(Kind::Broken, Phase::After) {
            return none();
        }
        let is_first_lost = is(Kind::Part, Phase::After);
        let answers: Vec<Option<T>> = answers.take();
        let told = answers.into_iter().enumerate().map(|(index, answer)| {
            let answer = answer.filter(|_| !(is_first_lost && index == 0));
            answer.ok_or_else(failed)
        });
        told.collect()
    }

    async fn write_one<I, T>(
        &self,
        operation: Operation,
        item: I,
        effect: fn(&mut State, &Who, &I) -> T,
    ) -> Result<T, Unavailable>
    where
        I: Clone + 'static,
        T: 'static,
    {
        let mut told = self.write(operation, &[item], effect).await;
        told.pop().unwrap_or_else(|| Err(failed()))
    }

    /// Keeps from which delivery a message is.
    pub(crate) async fn keep_message(&self, message_id: &str, id: NotificationId, channel: Channel) {
        let item = (message_id.to_owned(), id, channel);
        let effect = |state: &mut State, _who: &Who, (message_id, id, channel): &(String, NotificationId, Channel)| {
            state.message_ids.insert(message_id.clone(), (*id, *channel));
        };
        // Unkept, the reports about it are unmatched.
        let _unkept = self.write_one(Operation::KeepMessage, item, effect).await;
    }

    fn remember(&self, channel: Channel, traffic: Option<Traffic>) {
        let now = self.now_ms();
        if let Some(place) = self.desk.traffic.borrow_mut().get_mut(channel.position()) {
            *place = traffic.map(|traffic| (now, traffic));
        }
    }

    fn remembered(&self, channel: Channel) -> Option<Traffic> {
        if self.desk.function == Function::AccountMonitor {
            return None;
        }
        let known = self.desk.traffic.borrow();
        let (at, traffic) = known.get(channel.position())?.as_ref()?;
        (self.now_ms() - at < REMEMBERED_MS).then(|| traffic.clone())
    }

    fn tag_of_letter(&self) -> (Lane, Tag) {
        match self.desk.letter.borrow().as_ref() {
            Some(letter) => (letter.lane, letter.tag),
            None => (Lane::DeliveryEvents, Tag::default()),
        }
    }
}

impl Clock for Port {
    fn now(&self) -> Timestamp {
        timestamp(self.world.look().now + self.desk.skew_ms)
    }

    fn chance(&self) -> f64 {
        self.world.state().rng.f64()
    }

    async fn pause(&self, duration: SignedDuration) {
        self.pause_for(duration).await;
    }
}

impl CustomersLoad for Port {
    async fn load(&self, users: &[UserId], contacts: &[Contact]) -> Result<Customers, Unavailable> {
        self.read(Operation::LoadCustomers, |state, who| {
            people::load(state, who, users, contacts)
        })
        .await
    }
}

impl SuppressionsKeep for Port {
    async fn look_up(&self, contact: &Contact) -> Result<Option<Suppression>, Unavailable> {
        self.read(Operation::LookUpSuppression, |state, _| {
            state.suppressions.get(contact).cloned()
        })
        .await
    }

    async fn keep(&self, contact: &Contact, next: &Suppression) -> Result<bool, Unavailable> {
        let item = (contact.clone(), next.clone());
        self.write_one(Operation::KeepSuppression, item, people::suppress).await
    }
}

impl LedgerLoad for Port {
    async fn load(&self, ids: &[NotificationId]) -> Result<HashMap<NotificationId, Notification>, Unavailable> {
        let look = |state: &mut State, _: &Who| {
            let known = ids.iter().filter_map(|id| Some((*id, state.ledger.get(id)?.clone())));
            known.collect()
        };
        self.read(Operation::LoadLedger, look).await
    }
}

impl OrderNews for Port {
    async fn since(&self, orders: &[(OrderId, Timestamp)]) -> Result<HashMap<OrderId, Vec<News>>, Unavailable> {
        self.read(Operation::LoadNews, |state, _| ledger::news(state, orders))
            .await
    }
}

impl LedgerRecord for Port {
    async fn record(&self, notifications: &[Notification]) -> Vec<Result<Recorded, Unavailable>> {
        if let Some(first) = notifications.first() {
            self.take_name(&first.recorded_by);
        }
        let told = self.write(Operation::Record, notifications, ledger::record).await;
        let mut state = self.world.state();
        for (notification, recorded) in notifications.iter().zip(&told) {
            let is_learnt = match recorded {
                Ok(Recorded::Created) => true,
                Ok(Recorded::AlreadyThere(known)) => {
                    known.recorded_by == notification.recorded_by && known.fingerprint == notification.fingerprint
                }
                Err(_) => false,
            };
            if is_learnt {
                state.learn_record(self.desk.invocation.get(), notification.id);
            }
        }
        drop(state);
        told
    }
}

impl LedgerAdvance for Port {
    async fn advance(&self, steps: &[Step]) -> Vec<Result<Advanced, Unavailable>> {
        let claims = steps.iter().filter(|step| step.next.state == Stands::Sending);
        if let Some(lease) = claims.filter_map(|step| step.next.lease.as_ref()).next() {
            self.take_name(&lease.owner);
        }
        let told = self.write(Operation::Advance, steps, ledger::advance).await;
        let mut state = self.world.state();
        for (step, advanced) in steps.iter().zip(&told) {
            state.learn_step(self.desk.invocation.get(), step, advanced.as_ref().ok());
        }
        drop(state);
        told
    }
}

impl HandOver for Port {
    async fn hand_over(&self, requests: &[(DeliveryRequest, SignedDuration)]) -> Vec<Result<(), Unavailable>> {
        self.write(Operation::HandOver, requests, queues::hand_over).await
    }
}

impl Defer for Port {
    async fn defer(&self, requests: &[DeliveryRequest]) -> Vec<Result<(), Unavailable>> {
        self.write(Operation::Defer, requests, room::defer).await
    }
}

impl WaitingRoom for Port {
    async fn due(&self, shard: &str, by: Timestamp, behind: Option<&Place>) -> Result<Vec<Deferred>, Unavailable> {
        self.read(Operation::LookIntoRoom, |state, _| room::due(state, shard, by, behind))
            .await
    }

    async fn forget(&self, places: &[Place]) -> Vec<Result<(), Unavailable>> {
        self.write(Operation::ForgetDeferred, places, room::forget).await
    }
}

impl WakeAll for Port {
    async fn wake_all_of(&self, user: &UserId, now: Timestamp) -> Result<u64, Unavailable> {
        self.write_one(Operation::Defer, (user.clone(), now), room::wake_all)
            .await
    }
}

impl Bury for Port {
    async fn bury(&self, letters: &[DeadLetter]) -> Vec<Result<(), Unavailable>> {
        let items = self.addressed(letters);
        self.write(Operation::Bury, &items, queues::bury).await
    }
}

impl HoldBack for Port {
    async fn hold_back(&self, queue_url: &str, waits: &[(String, i64)]) {
        let items: Vec<(String, String, i64)> = waits
            .iter()
            .map(|(receipt, seconds)| (queue_url.to_owned(), receipt.clone(), *seconds))
            .collect();
        self.write(Operation::HoldBack, &items, queues::hold_back).await;
    }
}

impl Enqueue for Port {
    async fn enqueue(&self, texts: &[String]) -> Vec<Result<(), Unavailable>> {
        let (lane, tag) = self.tag_of_letter();
        let items: Vec<(Lane, Rc<str>, Tag)> = texts.iter().map(|text| (lane, text.as_str().into(), tag)).collect();
        self.write(Operation::Enqueue, &items, queues::enqueue).await
    }
}

impl MessageLookUp for Port {
    async fn find(&self, message_ids: &[String]) -> Result<HashMap<String, (NotificationId, Channel)>, Unavailable> {
        let look = |state: &mut State, _: &Who| {
            let found = message_ids
                .iter()
                .filter_map(|id| Some((id.clone(), *state.message_ids.get(id)?)));
            found.collect()
        };
        self.read(Operation::FindMessages, look).await
    }
}

impl TrafficShare for Port {
    async fn look(&self, channel: Channel) -> Result<Traffic, Unavailable> {
        if let Some(traffic) = self.remembered(channel) {
            return Ok(traffic);
        }
        let traffic = self
            .read(Operation::LookAtTraffic, |state, _| state.traffic(channel).clone())
            .await?;
        // An open breaker is not remembered: whoever finds it closed goes on at once.
        self.remember(
            channel,
            Some(traffic.clone()).filter(|traffic| !traffic.breaker.is_open()),
        );
        Ok(traffic)
    }

    async fn ask(&self, channel: Channel, window: &Window, is_urgent: bool, count: u32) -> Result<Asked, Unavailable> {
        let item = (channel.position(), window.name, is_urgent, count);
        let effect = |state: &mut State, _who: &Who, (channel, window, is_urgent, count): &(usize, i64, bool, u32)| {
            if state.asked.len() > 10_000 {
                state.asked.clear();
            }
            let asked = state.asked.entry((*channel, *window)).or_default();
            match is_urgent {
                true => asked.urgent += count,
                false => asked.normal += count,
            }
            *asked
        };
        self.write_one(Operation::AskForPermits, item, effect).await
    }

    async fn slow_down(&self, channel: Channel, slowed: Slowed) -> Result<(), Unavailable> {
        self.remember(channel, None);
        let effect = |state: &mut State, _who: &Who, (channel, slowed): &(Channel, Slowed)| {
            let least = SignedDuration::from_secs(1);
            let traffic = state.traffic(*channel);
            let is_known = traffic
                .slowed
                .is_some_and(|known| slowed.at.duration_since(known.at) < least);
            if !is_known {
                traffic.slowed = Some(*slowed);
            }
        };
        self.write_one(Operation::SlowDown, (channel, slowed), effect).await
    }

    async fn set_breaker(&self, channel: Channel, breaker: &Breaker) -> Result<(), Unavailable> {
        self.remember(channel, None);
        let effect = |state: &mut State, _who: &Who, (channel, breaker): &(Channel, Breaker)| {
            state.traffic(*channel).breaker = breaker.clone();
            if breaker.is_open() {
                // The bell.
                let at = state.now + 50;
                state.plan(at, Due::Do(Box::new(|world| world.watch_soon(0))));
            }
        };
        self.write_one(Operation::SetBreaker, (channel, breaker.clone()), effect)
            .await
    }
}

impl Note for Port {
    async fn note(&self, message_id: &str, id: NotificationId, channel: Channel) {
        self.keep_message(message_id, id, channel).await;
    }
}

impl TrafficKeep for Port {
    async fn set_limit(&self, channel: Channel, limit: f64) -> Result<(), Unavailable> {
        let effect = |state: &mut State, _who: &Who, (channel, limit): &(Channel, f64)| {
            state.traffic(*channel).limit = *limit;
        };
        self.write_one(Operation::SetLimit, (channel, limit), effect).await
    }
}

impl AccountFacts for Port {
    async fn ask(&self, channel: Channel) -> Result<Account, Unavailable> {
        let limit = self.world.setting.limit.unwrap_or(Traffic::usual(channel).limit);
        let moods = &self.world.setting.moods;
        let look = |state: &mut State, _: &Who| {
            let now = state.now - BEGINNING;
            let is_told = moods
                .iter()
                .any(|(from, to, mood)| *mood == (Mood::Suspended { says_so: true }) && (*from..*to).contains(&now));
            Account {
                limit,
                trouble: is_told.then(|| "the account is under review".to_owned()),
            }
        };
        self.read(Operation::AskAccount, look).await
    }
}

impl Valves for Port {
    async fn set(&self, channel: Channel, is_flowing: bool) -> Result<(), Unavailable> {
        self.write_one(Operation::SetValve, (channel, is_flowing), queues::set_valve)
            .await
    }
}

impl Trial for Port {
    async fn run(&self, channel: Channel) -> Result<bool, Unavailable> {
        self.write_one(Operation::Trial, (), |_state, _who, ()| ()).await?;
        let Some((lane, taken)) = self.world.take_one(channel) else {
            return Ok(false);
        };
        let number = self.world.start_on(lane, vec![taken], true);
        Ended {
            world: &self.world,
            number,
            waiting: self.desk.invocation.get(),
            is_registered: false,
        }
        .await;
        Ok(true)
    }
}

impl Courier for Port {
    type Message = ();

    fn channel(&self) -> Channel {
        self.desk.function.channel()
    }

    #[expect(clippy::panic, reason = "what a panicking record costs is what is looked at")]
    async fn write(&self, request: &DeliveryRequest) -> Result<Draft<()>, NotWritten> {
        if let Some(panics_at) = &self.world.setting.panics_at
            && request
                .content
                .order()
                .is_some_and(|order| order.id.as_str() == panics_at)
        {
            panic!("a record that panics, as the scenario asks for");
        }
        Ok(Draft {
            message: (),
            written: match request.channel {
                Channel::Sms => Written::sms(request.language, "built-in", ONE_SEGMENT),
                Channel::Email | Channel::Push | Channel::InApp => Written::email(request.language, "built-in"),
            },
        })
    }

    async fn send(&self, request: &DeliveryRequest, (): &()) -> SendAnswer {
        self.offer(request).await
    }
}
