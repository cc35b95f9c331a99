//! Handing over: to its queue what is due soon, to the waiting room what is not.

use domain::ports::{Defer, HandOver, Unavailable};
use domain::{DeliveryRequest, LONGEST_DELAY};
use jiff::SignedDuration;

/// The senders' queues, and the room for what is due later than they can wait.
#[derive(Debug, Clone)]
pub struct QueuesAndRoom<Q, W> {
    /// The queues.
    pub queues: Q,
    /// The room.
    pub room: W,
}

impl<Q: HandOver, W: Defer> HandOver for QueuesAndRoom<Q, W> {
    async fn hand_over(&self, requests: &[(DeliveryRequest, SignedDuration)]) -> Vec<Result<(), Unavailable>> {
        let is_long = |delay: &SignedDuration| *delay > LONGEST_DELAY;
        let later: Vec<DeliveryRequest> = requests
            .iter()
            .filter(|(_, delay)| is_long(delay))
            .map(|(request, _)| request.clone())
            .collect();
        let soon: Vec<(DeliveryRequest, SignedDuration)> =
            requests.iter().filter(|(_, delay)| !is_long(delay)).cloned().collect();
        let mut deferred = match later.is_empty() {
            true => Vec::new(),
            false => self.room.defer(&later).await,
        }
        .into_iter();
        let mut queued = match soon.is_empty() {
            true => Vec::new(),
            false => self.queues.hand_over(&soon).await,
        }
        .into_iter();
        let untold = || {
            Err(Unavailable::new(
                "hand over a delivery",
                "nobody said whether it was taken",
            ))
        };
        let answers = requests.iter().map(|(_, delay)| match is_long(delay) {
            true => deferred.next(),
            false => queued.next(),
        });
        answers.map(|answer| answer.unwrap_or_else(untold)).collect()
    }
}
