//! The waiting room in memory, and calls that can be made to fail.

use domain::ports::{Defer, Deferred, Unavailable, WaitingRoom, WakeAll};
use domain::{DeliveryRequest, Place, UserId};
use jiff::Timestamp;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

/// So many are given at a time.
const PAGE: usize = 7;

/// The waiting room in memory.
#[derive(Debug, Default)]
pub struct MemoryWaitingRoom {
    /// What waits, and for whom.
    pub waiting: RefCell<BTreeMap<Place, (Option<UserId>, String)>>,
    /// How many of the next entries fail without having any effect.
    pub failing: Cell<u32>,
    /// How many of the next entries have their effect, and then fail.
    pub losing_replies: Cell<u32>,
}

impl MemoryWaitingRoom {
    /// The requests that wait, the earliest first.
    #[must_use]
    pub fn requests(&self) -> Vec<DeliveryRequest> {
        let waiting = self.waiting.borrow();
        let mut requests: Vec<DeliveryRequest> = waiting
            .values()
            .filter_map(|(_, text)| DeliveryRequest::from_wire(text).ok())
            .collect();
        requests.sort_by_key(|request| request.not_before);
        requests
    }

    fn answer<T>(&self, write: impl FnOnce() -> T) -> Result<T, Unavailable> {
        let is_one_left = |count: &Cell<u32>| {
            let left = count.get();
            count.set(left.saturating_sub(1));
            left > 0
        };
        let failed = || Unavailable::new("use the waiting room", "it is told to fail");
        if is_one_left(&self.failing) {
            return Err(failed());
        }
        let written = write();
        match is_one_left(&self.losing_replies) {
            true => Err(failed()),
            false => Ok(written),
        }
    }
}

impl Defer for MemoryWaitingRoom {
    async fn defer(&self, requests: &[DeliveryRequest]) -> Vec<Result<(), Unavailable>> {
        let put = |request: &DeliveryRequest| {
            let until = request.not_before.unwrap_or(request.handed_over_at);
            let place = Place::of(request.id, request.channel, until);
            let entry = (request.user.clone(), request.to_wire());
            self.waiting.borrow_mut().insert(place, entry);
        };
        requests.iter().map(|request| self.answer(|| put(request))).collect()
    }
}

impl WaitingRoom for MemoryWaitingRoom {
    async fn due(&self, shard: &str, by: Timestamp, behind: Option<&Place>) -> Result<Vec<Deferred>, Unavailable> {
        self.answer(|| {
            let (waiting, end) = (self.waiting.borrow(), Place::after_all_due_by(by));
            let is_due = |place: &Place| {
                place.shard == shard && place.wake < end && behind.is_none_or(|behind| place.wake > behind.wake)
            };
            let due = waiting.iter().filter(|(place, _)| is_due(place)).take(PAGE);
            due.map(|(place, (_, text))| Deferred {
                place: place.clone(),
                text: text.clone(),
            })
            .collect()
        })
    }

    async fn forget(&self, places: &[Place]) -> Vec<Result<(), Unavailable>> {
        let forget = |place: &Place| {
            self.waiting.borrow_mut().remove(place);
        };
        places.iter().map(|place| self.answer(|| forget(place))).collect()
    }
}

impl WakeAll for MemoryWaitingRoom {
    async fn wake_all_of(&self, user: &UserId, now: Timestamp) -> Result<u64, Unavailable> {
        self.answer(|| {
            let mut waiting = self.waiting.borrow_mut();
            let is_theirs = |entry: &(Option<UserId>, String)| entry.0.as_ref() == Some(user);
            let all = waiting.iter().filter(|(_, entry)| is_theirs(entry));
            let places: Vec<Place> = all.map(|(place, _)| place.clone()).collect();
            for place in &places {
                if let Some(entry) = waiting.remove(place) {
                    waiting.insert(place.waking_at(now), entry);
                }
            }
            places.len() as u64
        })
    }
}
