//! Waiting: what may not ring now goes back to wait, and what is taken up before its time is decided upon again.

use domain::ports::{
    Bury, Clock, Courier, Customers, CustomersLoad, Defer, LedgerAdvance, OrderNews, TrafficShare, Unavailable,
};
use domain::{Delivery, DeliveryRequest, LONGEST_DELAY, Preferences, State, Wait, chain};
use jiff::{SignedDuration, Timestamp};

use super::claim::Met;
use super::{Held, Sending, SendingCounts};
use crate::customers::load_for;

/// Quiet hours begin and end in whole minutes.
const LESS_THAN_A_MINUTE: SignedDuration = SignedDuration::from_secs(59);

/// Whether a wait is too long for a queue, so that the room has it.
pub(super) fn is_long(until: Timestamp, now: Timestamp) -> bool {
    until.duration_since(now) > LONGEST_DELAY
}

impl<P, L, D, C, M, T, W> Sending<'_, P, L, D, C, M, T, W>
where
    P: CustomersLoad,
    L: LedgerAdvance + OrderNews,
    D: Bury,
    C: Clock,
    M: Courier,
    T: TrafficShare,
    W: Defer,
{
    /// By when everything that is taken up now has reached the provider, or never will.
    pub(super) fn time_left(&self) -> SignedDuration {
        let left = self.deadline.duration_since(self.clock.now());
        left.clamp(SignedDuration::ZERO, LESS_THAN_A_MINUTE)
    }

    /// Puts into the room what is to wait for long, before the ledger says so and the queue forgets it. What the room does not
    /// take stays with the queue.
    pub(super) async fn let_wait(&self, held: &[Held<'_>], mut next: Vec<Delivery>) -> Vec<Delivery> {
        let now = self.clock.now();
        let mut waiting = Vec::new();
        for (held, next) in held.iter().zip(&mut next) {
            let until = next.claimable_at.filter(|_until| next.state == State::Deferred);
            if let Some(until) = until.filter(|until| is_long(*until, now)) {
                waiting.push((held.request.waiting_until(until), &held.delivery, next));
            }
        }
        let requests: Vec<DeliveryRequest> = waiting.iter().map(|(request, ..)| request.clone()).collect();
        for ((_, delivery, next), put) in waiting.into_iter().zip(self.put(&requests).await) {
            if let Err(error) = put {
                *next = self.wait_a_while(delivery, &chain(&error));
            }
        }
        next
    }

    async fn put(&self, requests: &[DeliveryRequest]) -> Vec<Result<(), Unavailable>> {
        match requests.is_empty() {
            true => Vec::new(),
            false => self.room.defer(requests).await,
        }
    }

    /// What becomes of deliveries whose message came before their time: a customer's quiet hours may have changed, or the event
    /// was repeated as urgent. Nobody holds them.
    pub(super) async fn decide_again<'r>(
        &self,
        early: Vec<(&'r DeliveryRequest, Delivery)>,
        counts: &mut SendingCounts,
    ) -> Vec<(&'r DeliveryRequest, Met)> {
        let customers = match self.look_at_customers_of(&early).await {
            Ok(customers) => customers,
            Err(error) => {
                let why = chain(&error);
                let again = early
                    .into_iter()
                    .map(|(request, _)| (request, self.met_again(request, &why)));
                return again.collect();
            }
        };
        let now = self.clock.now();
        let mut decided = Vec::with_capacity(early.len());
        let mut waiting = Vec::new();
        for (request, current) in early {
            match self.wait_of(request, &current, &customers, now) {
                None => {
                    let next = current.awake(now);
                    let met = self
                        .move_on(request, &current, next, State::Deferred.alone(), counts)
                        .await;
                    decided.push((request, met));
                }
                Some(wait) => waiting.push((request, current, wait)),
            }
        }
        let long = waiting.iter().filter(|(_, _, wait)| is_long(wait.until, now));
        let requests: Vec<DeliveryRequest> = long
            .map(|(request, _, wait)| request.waiting_until(wait.until))
            .collect();
        let mut put = self.put(&requests).await.into_iter();
        for (request, current, wait) in waiting {
            let put = match is_long(wait.until, now) {
                true => put.next(),
                false => Some(Ok(())),
            };
            let met = match put {
                Some(Err(error)) => self.met_again(request, &chain(&error)),
                None => self.met_again(request, "the waiting room did not say whether it took it"),
                Some(Ok(())) if is_the_same(&current, wait) => Met::Ended(self.ended(request.id, &current)),
                Some(Ok(())) => {
                    let next = current.defer(wait, now);
                    self.move_on(request, &current, next, State::Deferred.alone(), counts)
                        .await
                }
            };
            decided.push((request, met));
        }
        decided
    }

    async fn look_at_customers_of(&self, early: &[(&DeliveryRequest, Delivery)]) -> Result<Customers, Unavailable> {
        let asked = early.iter().filter(|(_, current)| current.waits_for_quiet_hours());
        let users = asked.filter_map(|(request, _)| request.user.as_ref());
        load_for(self.customers, users, std::iter::empty()).await
    }

    /// For what a deferred delivery waits by now. What the event scheduled waits for that, and then its night is looked at.
    fn wait_of(
        &self,
        request: &DeliveryRequest,
        current: &Delivery,
        customers: &Customers,
        now: Timestamp,
    ) -> Option<Wait> {
        if !current.waits_for_quiet_hours() {
            return current.claimable_at.map(|until| Wait {
                until,
                is_for_quiet_hours: false,
            });
        }
        let nobody = Preferences::default();
        let known = request.user.as_ref().and_then(|user| customers.preferences.get(user));
        request.wait(known.unwrap_or(&nobody), self.night, self.time_left(), now)
    }

    fn met_again(&self, request: &DeliveryRequest, why: &str) -> Met {
        Met::Ended(self.come_again(request.id, why))
    }
}

/// Whether this is what the ledger says of it already, in milliseconds as the ledger keeps it.
fn is_the_same(current: &Delivery, wait: Wait) -> bool {
    current.claimable_at.map(Timestamp::as_millisecond) == Some(wait.until.as_millisecond())
        && current.waits_for_quiet_hours() == wait.is_for_quiet_hours
}
