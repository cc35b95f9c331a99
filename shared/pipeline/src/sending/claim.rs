//! Claiming: who may send what, and what becomes of everything else.

use domain::ports::{
    Advanced, Bury, Clock, Courier, CustomersLoad, Defer, LedgerAdvance, OrderNews, Step, TrafficShare,
};
use domain::{Delivery, DeliveryRequest, Encounter, Guard, Lease, NotificationId, State, chain};
use jiff::{SignedDuration, Timestamp};

use super::{Ended, Held, NO_TIME_LEFT, Sending, SendingCounts};

/// Room for clocks that differ, between the end of an invocation and the end of its leases.
const LEASE_MARGIN: SignedDuration = SignedDuration::from_secs(60);

/// Between a claim that failed and the next one.
const PAUSE: SignedDuration = SignedDuration::from_millis(200);

/// A claim is offered again at the attempt that the ledger shows; more rounds than this mean that others are busy with it.
const CLAIM_ROUNDS: usize = 4;

/// What a refused claim leads to.
pub(super) enum Met {
    Held(Delivery),
    Claimable(Delivery),
    /// Deferred, and its time has not come.
    Early(Delivery),
    Ended(Ended),
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
    /// Claims what can be claimed; everything else gets its verdict here.
    pub(super) async fn claim<'r>(
        &self,
        requests: Vec<&'r DeliveryRequest>,
        counts: &mut SendingCounts,
    ) -> (Vec<Held<'r>>, Vec<(NotificationId, Ended)>) {
        let mut held = Vec::new();
        let mut met = Vec::new();
        // The queue message is written right after the record, so that a first claim knows the delivery without reading it.
        let mut open: Vec<(&DeliveryRequest, Delivery)> = requests
            .into_iter()
            .map(|request| (request, request.opening_delivery()))
            .collect();
        let mut last_error = None;
        for _round in 0..CLAIM_ROUNDS {
            if open.is_empty() {
                break;
            }
            // What is claimed now could not be offered any more; the next invocation has all its time.
            if self.is_too_late_to_offer() {
                last_error.get_or_insert_with(|| NO_TIME_LEFT.to_owned());
                break;
            }
            if last_error.take().is_some() {
                self.clock.pause(PAUSE).await;
            }
            let steps: Vec<Step> = open
                .iter()
                .map(|(request, delivery)| self.claim_step(request, delivery))
                .collect();
            let answers = self.ledger.advance(&steps).await;
            let mut again = Vec::new();
            let mut early = Vec::new();
            for (((request, delivery), step), answer) in open.into_iter().zip(steps).zip(answers) {
                match answer {
                    Ok(Advanced::Done) => held.push(Held {
                        request,
                        delivery: step.next,
                    }),
                    Ok(Advanced::Refused(current)) => match self.encounter(request, *current, counts).await {
                        Met::Held(delivery) => held.push(Held { request, delivery }),
                        Met::Claimable(delivery) => again.push((request, delivery)),
                        Met::Early(delivery) => early.push((request, delivery)),
                        Met::Ended(ended) => met.push((request.id, ended)),
                    },
                    Ok(Advanced::Unknown) => met.push((request.id, Ended::foreign())),
                    // It may have been written: offered again, it is written now, or recognised as ours.
                    Err(error) => {
                        last_error = Some(chain(&error));
                        again.push((request, delivery));
                    }
                }
            }
            for (request, decided) in self.decide_again(early, counts).await {
                match decided {
                    Met::Held(delivery) => held.push(Held { request, delivery }),
                    Met::Claimable(delivery) => again.push((request, delivery)),
                    // Somebody else has just decided otherwise: it is looked at anew.
                    Met::Early(_) => met.push((request.id, self.come_again(request.id, "its time has not come"))),
                    Met::Ended(ended) => met.push((request.id, ended)),
                }
            }
            open = again;
        }
        let why = last_error.unwrap_or_else(|| "others are busy with it".to_owned());
        met.extend(
            open.into_iter()
                .map(|(request, _)| (request.id, self.come_again(request.id, &why))),
        );
        (held, met)
    }

    fn claim_step(&self, request: &DeliveryRequest, delivery: &Delivery) -> Step {
        let until = self.deadline.saturating_add(LEASE_MARGIN).unwrap_or(Timestamp::MAX);
        let lease = Lease {
            owner: self.owner.to_owned(),
            until,
        };
        let (guard, next) = delivery.claim(lease, self.clock.now());
        Step::of(request, guard, delivery.clone(), next)
    }

    /// What follows when a claim was refused.
    async fn encounter(&self, request: &DeliveryRequest, current: Delivery, counts: &mut SendingCounts) -> Met {
        let now = self.clock.now();
        match current.encounter(self.owner, self.policy.doubt_of(request.channel), now) {
            Encounter::Claimable => Met::Claimable(current),
            Encounter::Ours => Met::Held(current),
            Encounter::Wait(_) if current.state == State::Deferred => Met::Early(current),
            Encounter::Finished | Encounter::OwedToDeadLetters | Encounter::Wait(_) => {
                Met::Ended(self.ended(request.id, &current))
            }
            Encounter::LeaseOver => {
                let next = current.doubt("the sender that held it is gone", now);
                self.move_on(request, &current, next, &[State::Sending], counts).await
            }
            Encounter::DoubtOver => {
                let next = current.end_doubt(request.channel, self.policy, now);
                self.move_on(request, &current, next, &[State::InDoubt], counts).await
            }
        }
    }

    /// Moves a delivery that nobody holds, and says what that makes of its message.
    pub(super) async fn move_on(
        &self,
        request: &DeliveryRequest,
        from: &Delivery,
        next: Delivery,
        states: &'static [State],
        counts: &mut SendingCounts,
    ) -> Met {
        let guard = Guard::In {
            attempt: from.attempt,
            states,
        };
        let step = Step::of(request, guard, from.clone(), next.clone());
        let current = match self.ledger.advance(&[step]).await.pop() {
            Some(Ok(Advanced::Done)) => {
                counts.in_doubt += u64::from(next.state == State::InDoubt);
                counts.resent_in_doubt += u64::from(next.state == State::Queued && from.state == State::InDoubt);
                counts.deferred += u64::from(next.state == State::Deferred);
                counts.failed += u64::from(next.state.is_failure());
                counts.failed_in_doubt += u64::from(next.state.is_failure());
                next
            }
            // Anybody may write this. What looks like ours may be another's, written in the same millisecond: it counts there.
            Some(Ok(Advanced::Refused(current))) => *current,
            Some(Ok(Advanced::Unknown)) | None => return Met::Ended(Ended::foreign()),
            Some(Err(error)) => return Met::Ended(self.come_again(request.id, &chain(&error))),
        };
        let is_claimable = current.encounter(self.owner, self.policy.doubt_of(request.channel), self.clock.now())
            == Encounter::Claimable;
        if is_claimable {
            Met::Claimable(current)
        } else {
            Met::Ended(self.ended(request.id, &current))
        }
    }
}
