//! A patrol with carriers that count, refuse, and answer as a test says.

use carriers::{AccessToken, Account, Call, Limits, Poll, PollError, Sighting, Subscription, Told};
use domain::ports::Unavailable;
use domain::{Carrier, OrderStatus, ShopDefaults, TrackingEvent, TrackingNumber};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::pin::pin;
use std::sync::{LazyLock, Mutex};
use std::task::{Context, Waker};
use testkit::{HandClock, MemoryTexts, MemoryTracking, ScriptedCarriers, shop_defaults};
use tracking::ports::ParcelsKeep;
use tracking::{CarrierNews, Desk, Patrol, PatrolPolicy, Patrolled};

use crate::world::{hour, number, order, told, told_of};

/// Every carrier that can call does.
static CALLERS: LazyLock<HashSet<Carrier>> = LazyLock::new(|| {
    let all = Carrier::ALL.into_iter();
    all.filter(|carrier| carriers::webhook(*carrier).is_some()).collect()
});

/// A carrier of the tests, with the limits that the real one is asked within.
struct TestPoll {
    carrier: Carrier,
    needs_token: bool,
    subscription: Option<Subscription>,
}

const fn poll_of(carrier: Carrier) -> TestPoll {
    TestPoll {
        carrier,
        needs_token: false,
        subscription: None,
    }
}

static CORREOS: TestPoll = poll_of(Carrier::Correos);
static DPD: TestPoll = poll_of(Carrier::Dpd);
static ROYAL_MAIL: TestPoll = poll_of(Carrier::RoyalMail);
static DHL: TestPoll = poll_of(Carrier::Dhl);
static FEDEX: TestPoll = TestPoll {
    needs_token: true,
    ..poll_of(Carrier::Fedex)
};
static CORREOS_EXPRESS: TestPoll = TestPoll {
    needs_token: true,
    ..poll_of(Carrier::CorreosExpress)
};
static UPS: TestPoll = TestPoll {
    subscription: Some(Subscription {
        lives_for: SignedDuration::from_hours(14 * 24),
        parcels_per_call: 100,
    }),
    ..poll_of(Carrier::Ups)
};

fn test_poll(carrier: Carrier) -> Option<&'static TestPoll> {
    [&CORREOS, &DPD, &ROYAL_MAIL, &DHL, &FEDEX, &CORREOS_EXPRESS, &UPS]
        .into_iter()
        .find(|poll| poll.carrier == carrier)
}

fn polls(carrier: Carrier) -> Option<&'static dyn Poll> {
    test_poll(carrier).map(|poll| poll as &dyn Poll)
}

/// The limits of the carrier itself.
pub(crate) fn limits(carrier: Carrier) -> Limits {
    carriers::poll(carrier).unwrap().limits()
}

impl TestPoll {
    fn to(&self, kind: Kind, token: Option<&str>, numbers: &[TrackingNumber]) -> Call {
        let numbers: Vec<&str> = numbers.iter().map(TrackingNumber::as_str).collect();
        Call {
            method: "POST",
            url: format!("https://{}.example/{kind:?}", self.carrier),
            headers: vec![("Authorization", token.unwrap_or_default().to_owned())],
            body: Some(numbers.join(",")),
        }
    }
}

impl Poll for TestPoll {
    fn limits(&self) -> Limits {
        limits(self.carrier)
    }

    fn token_call(&self, _account: &Account) -> Option<Call> {
        self.needs_token.then(|| self.to(Kind::Token, None, &[]))
    }

    fn read_token(&self, status: u16, body: &[u8]) -> Result<AccessToken, PollError> {
        if status != 200 {
            return Err(PollError::of_status(status));
        }
        let (value, seconds) = std::str::from_utf8(body).unwrap().split_once(' ').unwrap();
        Ok(AccessToken {
            value: value.to_owned(),
            lives_for: SignedDuration::from_secs(seconds.parse().unwrap()),
        })
    }

    fn call(&self, _account: &Account, token: Option<&str>, numbers: &[TrackingNumber]) -> Call {
        self.to(Kind::Ask, token, numbers)
    }

    fn read(
        &self,
        status: u16,
        body: &[u8],
        asked: &[TrackingNumber],
        _now: Timestamp,
    ) -> Result<Vec<Sighting>, PollError> {
        if status != 200 {
            return Err(PollError::of_status(status));
        }
        let events: Vec<TrackingEvent> = serde_json::from_slice(body).unwrap();
        let sighting = |number: &TrackingNumber| {
            let of_it: Vec<TrackingEvent> = events.iter().filter(|event| event.number == *number).cloned().collect();
            Sighting {
                number: number.clone(),
                told: match of_it.is_empty() {
                    true => Told::NotFound,
                    false => Told::Events(of_it),
                },
            }
        };
        Ok(asked.iter().map(sighting).collect())
    }

    fn subscription(&self) -> Option<Subscription> {
        self.subscription
    }

    fn subscribe_call(&self, _account: &Account, token: Option<&str>, numbers: &[TrackingNumber]) -> Option<Call> {
        self.subscription.map(|_| self.to(Kind::Subscribe, token, numbers))
    }

    fn read_subscribed(
        &self,
        status: u16,
        _body: &[u8],
        asked: &[TrackingNumber],
    ) -> Result<Vec<TrackingNumber>, PollError> {
        match status {
            200 => Ok(asked.to_vec()),
            status => Err(PollError::of_status(status)),
        }
    }
}

/// What a carrier was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Token,
    Ask,
    Subscribe,
}

/// A call that a carrier saw.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ask {
    pub(crate) at: Timestamp,
    pub(crate) carrier: Carrier,
    pub(crate) kind: Kind,
    pub(crate) numbers: Vec<String>,
}

/// A patrol, its store, its clock, and the carriers.
pub(crate) struct Beat {
    pub(crate) store: MemoryTracking,
    pub(crate) clock: HandClock,
    pub(crate) queue: MemoryTexts,
    pub(crate) accounts: HashMap<Carrier, Account>,
    pub(crate) policy: PatrolPolicy,
    tokens: Mutex<HashMap<Carrier, (String, Timestamp)>>,
    shop: ShopDefaults,
    asked: RefCell<Vec<Ask>>,
    status: Cell<Option<u16>>,
    subscription_status: Cell<u16>,
    token_status: Cell<u16>,
    token_life: Cell<SignedDuration>,
    valid_tokens: RefCell<HashMap<String, Timestamp>>,
    granted: RefCell<HashMap<String, Timestamp>>,
    says: RefCell<Vec<TrackingEvent>>,
    slowness: Cell<SignedDuration>,
    heard: Cell<usize>,
}

impl Beat {
    pub(crate) fn new() -> Self {
        Self {
            store: MemoryTracking::default(),
            clock: HandClock::at(hour(0)),
            queue: MemoryTexts::default(),
            accounts: Carrier::ALL.map(|carrier| (carrier, Account::default())).into(),
            // Whether a carrier calls us makes no difference, but where a test asks for it.
            policy: PatrolPolicy {
                silence_of_callers: SignedDuration::ZERO,
                ..PatrolPolicy::default()
            },
            tokens: Mutex::default(),
            shop: shop_defaults(),
            asked: RefCell::default(),
            status: Cell::new(Some(200)),
            subscription_status: Cell::new(200),
            token_status: Cell::new(200),
            token_life: Cell::new(SignedDuration::from_mins(55)),
            valid_tokens: RefCell::default(),
            granted: RefCell::default(),
            says: RefCell::default(),
            slowness: Cell::new(SignedDuration::ZERO),
            heard: Cell::new(0),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        use domain::ports::Clock;
        self.clock.now()
    }

    /// The pipeline tells of an order with this parcel.
    pub(crate) async fn register(&self, id: &str, number: &str, carrier: &str) {
        let event = told(
            -1,
            id,
            "processing",
            json!({"trackingNumber": number, "carrier": carrier}),
        );
        self.desk().take_told(told_of(&event, self.now())).await.unwrap();
    }

    /// Somebody registered this parcel; nobody looks at its order.
    pub(crate) async fn register_quietly(&self, text: &str, carrier: &str) {
        let carrier = carriers::carrier_of(Some(carrier), text);
        self.store
            .claim(&number(text), &order("1"), carrier, self.now())
            .await
            .unwrap();
    }

    fn desk(&self) -> Desk<'_, MemoryTracking, HandClock> {
        Desk {
            store: &self.store,
            clock: &self.clock,
            zone: &self.shop.zone,
        }
    }

    pub(crate) async fn round(&self, carrier: Carrier) -> Patrolled {
        self.try_round(carrier).await.unwrap()
    }

    pub(crate) async fn try_round(&self, carrier: Carrier) -> Result<Patrolled, Unavailable> {
        let http = ScriptedCarriers(|call: &Call| self.answer(call));
        let patrol = Patrol {
            parcels: &self.store,
            log: &self.store,
            http: &http,
            queue: &self.queue,
            clock: &self.clock,
            polls,
            accounts: &self.accounts,
            callers: &CALLERS,
            policy: self.policy,
            tokens: &self.tokens,
        };
        patrol.round(carrier).await
    }

    /// The desk takes everything that is on the queue.
    pub(crate) async fn deliver(&self) {
        for text in self.queue.take() {
            let CarrierNews::V1 { heard_at, events } = CarrierNews::read(&text).unwrap();
            self.heard.set(self.heard.get() + events.len());
            self.desk().take_tracking(&events, heard_at).await.unwrap();
        }
    }

    /// How many events the desk has taken.
    pub(crate) fn events(&self) -> usize {
        self.heard.get()
    }

    /// The statuses of all news.
    pub(crate) fn told(&self) -> Vec<String> {
        let status = |text: &str| {
            let event: Value = serde_json::from_str(text).unwrap();
            event["orderData"]["status"].as_str().unwrap().to_owned()
        };
        self.store.news().iter().map(|(_, news)| status(&news.event)).collect()
    }

    /// What carriers answer from now on: a status, or nothing.
    pub(crate) fn answer_with(&self, status: Option<u16>) {
        self.status.set(status);
    }

    pub(crate) fn refuse_subscriptions(&self, status: u16) {
        self.subscription_status.set(status);
    }

    pub(crate) fn refuse_tokens(&self, refuses: bool) {
        self.token_status.set(if refuses { 401 } else { 200 });
    }

    pub(crate) fn tokens_live_for(&self, life: SignedDuration) {
        self.token_life.set(life);
    }

    /// The carriers, not we.
    pub(crate) fn forget_tokens(&self) {
        self.valid_tokens.borrow_mut().clear();
    }

    pub(crate) fn take_for_each_answer(&self, slowness: SignedDuration) {
        self.slowness.set(slowness);
    }

    /// DPD has this to say of a parcel.
    pub(crate) fn will_say(&self, text: &str, status: OrderStatus, at: Timestamp) {
        let mut event = TrackingEvent::new(Carrier::Dpd, number(text), at);
        event.status = Some(status);
        event.code = Some(status.name().to_owned());
        self.says.borrow_mut().push(event);
    }

    pub(crate) fn granted_until(&self, number: &str) -> Timestamp {
        self.granted.borrow()[number]
    }

    /// Every call that carriers saw.
    pub(crate) fn asked(&self) -> Vec<Ask> {
        self.asked.borrow().clone()
    }

    fn answer(&self, call: &Call) -> Option<(u16, Vec<u8>)> {
        let (host, path) = call.url["https://".len()..].split_once('/').unwrap();
        let carrier = Carrier::from_name(host.trim_end_matches(".example")).unwrap();
        let kind = [Kind::Token, Kind::Ask, Kind::Subscribe]
            .into_iter()
            .find(|kind| format!("{kind:?}") == path)
            .unwrap();
        let body = call.body.as_deref().unwrap_or_default();
        let numbers: Vec<String> = body.split(',').map(str::to_owned).collect();
        let now = self.now();
        self.asked.borrow_mut().push(Ask {
            at: now,
            carrier,
            kind,
            numbers: numbers.clone(),
        });
        self.clock.advance(self.slowness.get());
        let status = self.status.get()?;
        if status != 200 {
            return Some((status, Vec::new()));
        }
        let token = &call.headers[0].1;
        let knows_us = self.valid_tokens.borrow().get(token).is_some_and(|until| *until > now);
        let needs_token = test_poll(carrier).unwrap().needs_token;
        match kind {
            Kind::Token => {
                let (value, life) = (format!("token-{now}"), self.token_life.get());
                self.valid_tokens.borrow_mut().insert(value.clone(), now + life);
                Some((
                    self.token_status.get(),
                    format!("{value} {}", life.as_secs()).into_bytes(),
                ))
            }
            Kind::Ask | Kind::Subscribe if needs_token && !knows_us => Some((401, Vec::new())),
            Kind::Subscribe => {
                let status = self.subscription_status.get();
                let until = now + test_poll(carrier).unwrap().subscription.unwrap().lives_for;
                if status == 200 {
                    self.granted
                        .borrow_mut()
                        .extend(numbers.into_iter().map(|number| (number, until)));
                }
                Some((status, Vec::new()))
            }
            Kind::Ask => {
                let says = self.says.borrow();
                let of_these: Vec<&TrackingEvent> = says
                    .iter()
                    .filter(|event| numbers.iter().any(|number| number == event.number.as_str()))
                    .collect();
                Some((200, serde_json::to_vec(&of_these).unwrap()))
            }
        }
    }

    /// Holds every call against every window, wherever it begins, and the number of parcels in each.
    pub(crate) fn assert_limits(&self, carrier: Carrier) {
        let limits = limits(carrier);
        let asked = self.asked.borrow();
        let calls: Vec<&Ask> = asked.iter().filter(|ask| ask.carrier == carrier).collect();
        for window in limits.windows {
            let most = usize::try_from(window.calls).unwrap();
            for (first, beyond) in calls.iter().zip(calls.iter().skip(most)) {
                let apart = beyond.at.duration_since(first.at);
                assert!(apart >= window.per, "{carrier}: {window:?} broken at {}", beyond.at);
            }
        }
        let largest = calls
            .iter()
            .filter(|ask| ask.kind == Kind::Ask)
            .map(|ask| ask.numbers.len());
        assert!(largest.max().unwrap_or(0) <= limits.parcels_per_call);
    }

    /// For each parcel that was ever asked for, the longest time in which it was not, from registration to this end.
    pub(crate) fn worst_ages(&self, carrier: Carrier, end: Timestamp) -> HashMap<String, SignedDuration> {
        let mut last: HashMap<String, Timestamp> = HashMap::new();
        let mut worst: HashMap<String, SignedDuration> = HashMap::new();
        let asked = self.asked.borrow();
        let asks = asked
            .iter()
            .filter(|ask| ask.carrier == carrier && ask.kind == Kind::Ask);
        for ask in asks {
            for number in &ask.numbers {
                let before = last.insert(number.clone(), ask.at).unwrap_or(hour(0));
                let age = ask.at.duration_since(before);
                let known = worst.entry(number.clone()).or_default();
                *known = age.max(*known);
            }
        }
        for (number, at) in last {
            let known = worst.entry(number).or_default();
            *known = end.duration_since(at).max(*known);
        }
        worst
    }
}

/// Each minute for so long.
pub(crate) fn minutes(long: SignedDuration) -> impl Iterator<Item = Timestamp> {
    (0..long.as_mins()).map(|minute| hour(0) + SignedDuration::from_mins(minute))
}

/// Does all of it now.
pub(crate) fn at_once<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let std::task::Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}
