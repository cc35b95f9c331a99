//! Release: what waits in the room goes to its queue shortly before its time.
//!
//! A delivery is handed over first and forgotten afterwards: whatever breaks in between, it comes a second time, and only a claim
//! sends. A look into the room reaches a little ahead, and the queue hides what it gets until the very second.

use domain::ports::{Bury, Clock, DeadLetter, Deferred, HandOver, Unavailable, WaitingRoom};
use domain::{DeliveryRequest, Place, chain};
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};

/// How far ahead a look reaches: over the next look, even if that one fails.
const AHEAD: SignedDuration = SignedDuration::from_mins(2);

/// Kept free at the end of an invocation, for a page that has been begun.
const LAST_PAGE: SignedDuration = SignedDuration::from_secs(10);

/// A release, over its ports.
pub struct Release<'a, W, Q, D, C> {
    /// Where deliveries wait.
    pub room: &'a W,
    /// Where they go.
    pub queues: &'a Q,
    /// Where those go that nobody can read.
    pub dead_letters: &'a D,
    /// The time.
    pub clock: &'a C,
    /// When this invocation is killed.
    pub deadline: Timestamp,
}

/// How a release went.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Released {
    /// Deliveries that are on their queues.
    pub released: u64,
    /// Entries that nobody can read, which the dead letter queue has.
    pub refused: u64,
    /// For how long the oldest of those that were found had been due.
    pub overdue: SignedDuration,
    /// Parts of the room that could not be looked through.
    pub unseen: u64,
    /// What could not be done, for the log: the next release does it.
    pub undone: Vec<String>,
}

impl<W, Q, D, C> Release<'_, W, Q, D, C>
where
    W: WaitingRoom,
    Q: HandOver,
    D: Bury,
    C: Clock,
{
    /// Releases what is due in all parts of the room. Doing it twice at once does no harm.
    pub async fn release(&self) -> Released {
        let shards: Vec<String> = Place::shards().collect();
        let parts = join_all(shards.iter().map(|shard| self.release_part(shard))).await;
        parts.into_iter().fold(Released::default(), |all, part| Released {
            released: all.released + part.released,
            refused: all.refused + part.refused,
            overdue: all.overdue.max(part.overdue),
            unseen: all.unseen + part.unseen,
            undone: [all.undone, part.undone].concat(),
        })
    }

    async fn release_part(&self, shard: &str) -> Released {
        let mut told = Released::default();
        let mut behind: Option<Place> = None;
        let latest = self.deadline.saturating_sub(LAST_PAGE).unwrap_or(Timestamp::MIN);
        loop {
            let now = self.clock.now();
            if now > latest {
                told.unseen = 1;
                told.undone.push("no time left in this invocation".to_owned());
                return told;
            }
            let by = now.saturating_add(AHEAD).unwrap_or(now);
            let page = match self.room.due(shard, by, behind.as_ref()).await {
                Ok(page) => page,
                Err(error) => {
                    told.unseen = 1;
                    told.undone.push(chain(&error));
                    return told;
                }
            };
            let Some(last) = page.last() else { return told };
            behind = Some(last.place.clone());
            let waited = page.iter().filter_map(|deferred| deferred.place.until());
            let overdue = waited.map(|until| now.duration_since(until)).max();
            told.overdue = told.overdue.max(overdue.unwrap_or(SignedDuration::ZERO));
            self.release_page(page, &mut told).await;
        }
    }

    async fn release_page(&self, page: Vec<Deferred>, told: &mut Released) {
        let now = self.clock.now();
        let (mut requests, mut letters) = (Vec::new(), Vec::new());
        for deferred in page {
            match DeliveryRequest::from_wire(&deferred.text) {
                Ok(request) => {
                    // What was woken is due at its place's moment, whatever its request says.
                    let delay = deferred.place.until().map(|until| until.duration_since(now));
                    let delay = delay.unwrap_or(SignedDuration::ZERO).max(SignedDuration::ZERO);
                    requests.push((deferred.place, (request, delay)));
                }
                Err(reason) => {
                    let letter = DeadLetter {
                        body: deferred.text,
                        reason,
                        id: None,
                        is_urgent: false,
                    };
                    letters.push((deferred.place, letter));
                }
            }
        }
        let (released, requests): (Vec<Place>, Vec<_>) = requests.into_iter().unzip();
        let released = match requests.is_empty() {
            true => Vec::new(),
            false => settled(released, self.queues.hand_over(&requests).await, told),
        };
        let (refused, letters): (Vec<Place>, Vec<_>) = letters.into_iter().unzip();
        let refused = match letters.is_empty() {
            true => Vec::new(),
            false => settled(refused, self.dead_letters.bury(&letters).await, told),
        };
        told.released += released.len() as u64;
        told.refused += refused.len() as u64;
        let places = [released, refused].concat();
        if !places.is_empty() {
            let forgotten = self.room.forget(&places).await;
            settled(places, forgotten, told);
        }
    }
}

/// The places with which all went well; the others are told of.
fn settled(places: Vec<Place>, answers: Vec<Result<(), Unavailable>>, told: &mut Released) -> Vec<Place> {
    let settled = places
        .into_iter()
        .zip(answers)
        .filter_map(|(place, answer)| match answer {
            Ok(()) => Some(place),
            Err(error) => {
                told.undone.push(chain(&error));
                None
            }
        });
    settled.collect()
}
