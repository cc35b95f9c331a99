//! The waiting room, and whoever wakes what waits there; and the judge's own idea of when nothing may ring.

use domain::ports::{Deferred, WakeAll as _};
use domain::{Channel, Contact, DeliveryRequest, NotificationType, Place, QuietHours, UserId, Zone};
use invariants::Key;
use jiff::Timestamp;
use pipeline::Release;
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::invocation::Function;
use crate::port::Port;
use crate::publication::Customer;
use crate::queues;
use crate::world::{Due, State, Who, World, timestamp};

/// The waker comes every minute. Here it comes while there is somebody to wake.
const MINUTE_MS: i64 = 60_000;

/// So many are seen at a time.
const PAGE: usize = 7;

/// A message that was looked at once more just before it was offered may take as long to be accepted: its process may stand still.
const ON_ITS_WAY_MS: i64 = 240_000;

/// What waits.
#[derive(Default)]
pub(crate) struct Room {
    waiting: BTreeMap<Place, (Option<UserId>, String)>,
    /// When it is looked into next.
    waker_at: Option<i64>,
}

/// A customer's quiet hours, and since when.
pub(crate) struct Kept {
    since: i64,
    hours: QuietHours,
    zone: Zone,
}

impl Room {
    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    fn first(&self) -> Option<i64> {
        self.waiting
            .keys()
            .filter_map(Place::until)
            .map(Timestamp::as_millisecond)
            .min()
    }
}

/// A delivery is put there.
pub(crate) fn defer(state: &mut State, who: &Who, request: &DeliveryRequest) {
    let until = request.not_before.unwrap_or(request.handed_over_at);
    let place = Place::of(request.id, request.channel, until);
    let entry = (request.user.clone(), queues::wire(who, request));
    state.room.waiting.insert(place, entry);
    state.plan_waker();
}

/// What is due in one part, from behind a place on.
pub(crate) fn due(state: &State, shard: &str, by: Timestamp, behind: Option<&Place>) -> Vec<Deferred> {
    let end = Place::after_all_due_by(by);
    let is_due = |place: &Place| {
        place.shard == shard && place.wake < end && behind.is_none_or(|behind| place.wake > behind.wake)
    };
    let due = state.room.waiting.iter().filter(|(place, _)| is_due(place)).take(PAGE);
    due.map(|(place, (_, text))| Deferred {
        place: place.clone(),
        text: text.clone(),
    })
    .collect()
}

/// What was handed over is forgotten.
pub(crate) fn forget(state: &mut State, _who: &Who, place: &Place) {
    state.room.waiting.remove(place);
}

/// Everything of a customer is due now.
pub(crate) fn wake_all(state: &mut State, _who: &Who, (user, now): &(UserId, Timestamp)) -> u64 {
    let theirs = state
        .room
        .waiting
        .iter()
        .filter(|(_, (whose, _))| whose.as_ref() == Some(user));
    let places: Vec<Place> = theirs.map(|(place, _)| place.clone()).collect();
    for place in &places {
        if let Some(entry) = state.room.waiting.remove(place) {
            state.room.waiting.insert(place.waking_at(*now), entry);
        }
    }
    state.plan_waker();
    places.len() as u64
}

impl State {
    fn plan_waker(&mut self) {
        let Some(first) = self.room.first() else { return };
        let at = (first - MINUTE_MS).max(self.now + 1);
        if self.room.waker_at.is_none_or(|planned| planned > at) {
            self.room.waker_at = Some(at);
            self.plan(at, Due::Do(Box::new(move |world| world.wake_room(at))));
        }
    }

    /// A customer keeps these hours from now on.
    pub(crate) fn keep_quiet(&mut self, customer: Customer, hours: QuietHours, zone: &Zone) {
        let Some(user) = customer.user() else { return };
        let preferences = self.preferences.entry(user).or_default();
        preferences.quiet_hours = Some(hours);
        preferences.zone = Some(zone.clone());
        let since = self.now;
        self.nights.entry(customer.0).or_default().push(Kept {
            since,
            hours,
            zone: zone.clone(),
        });
    }

    /// Whether the provider takes something now that should not ring, whatever clock its sender goes by: the hours are read off a
    /// clock on the wall, not reckoned as the engine does.
    pub(crate) fn rings_at_night(&self, delivery: Key, to: &Contact, kind: NotificationType, skew_ms: i64) -> bool {
        let rings = match to.channel() {
            Channel::Sms | Channel::Push => true,
            Channel::Email => kind == NotificationType::Promotional,
            Channel::InApp => false,
        };
        if !rings || self.urgent.contains(&delivery.fact) {
            return false;
        }
        let nights = self
            .contact_numbers
            .get(to)
            .and_then(|customer| self.nights.get(customer));
        let Some(nights) = nights else { return false };
        let began = self.now - ON_ITS_WAY_MS - skew_ms;
        let in_force = nights.iter().enumerate().filter(|(nth, _)| {
            let next = nights.get(nth + 1);
            next.is_none_or(|next| next.since > began)
        });
        let mut in_force = in_force.map(|(_, night)| night).peekable();
        let moments = [began, self.now, self.now + skew_ms];
        let is_kept_long = in_force.peek().is_some_and(|night| night.since <= began);
        is_kept_long && in_force.all(|night| moments.iter().all(|moment| night.is_quiet(*moment)))
    }
}

impl Kept {
    fn is_quiet(&self, moment: i64) -> bool {
        let shown = self.zone.tz().to_datetime(timestamp(moment));
        let minutes = |time: jiff::civil::Time| i64::from(time.hour()) * 60 + i64::from(time.minute());
        let (start, end) = (minutes(self.hours.start()), minutes(self.hours.end()));
        (minutes(shown.time()) - start).rem_euclid(1_440) < (end - start).rem_euclid(1_440)
    }
}

impl World {
    /// Looks into the room, and again while there is somebody to wake.
    fn wake_room(self: &Rc<Self>, planned: i64) {
        {
            let mut state = self.state();
            if state.room.waker_at != Some(planned) {
                return;
            }
            if state.room.waiting.is_empty() {
                state.room.waker_at = None;
                return;
            }
            let next = state
                .room
                .first()
                .map(|first| (first - MINUTE_MS).max(planned + MINUTE_MS));
            state.room.waker_at = next;
            if let Some(at) = next {
                state.plan(at, Due::Do(Box::new(move |world| world.wake_room(at))));
            }
        }
        let deadline = timestamp(planned + MINUTE_MS);
        self.start_bare(Function::Waker, async move |port: Port| {
            let release = Release {
                room: &port,
                queues: &port,
                dead_letters: &port,
                clock: &port,
                deadline,
            };
            release.release().await;
        });
    }

    /// A customer keeps other hours from now on, and what waits for them is looked at again.
    pub(crate) fn change_night(self: &Rc<Self>, customer: Customer, hours: QuietHours, zone: &Zone) {
        self.state().keep_quiet(customer, hours, zone);
        let Some(user) = customer.user() else { return };
        self.start_bare(Function::Operator, async move |port: Port| {
            let now = timestamp(port.world.look().now);
            // Whoever changes them does it again until it has worked.
            while port.wake_all_of(&user, now).await.is_err() {}
        });
    }

    /// How many wait.
    pub(crate) fn waiting_in_room(&self) -> u64 {
        self.look().room.len() as u64
    }
}
