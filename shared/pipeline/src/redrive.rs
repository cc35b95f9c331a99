//! Redrive: a dead letter goes back to its queue, if the ledger agrees; safely twice, and weeks later.
//!
//! The ledger says `queued` under the next generation before the message travels, and the letter leaves the dead letter queue
//! last. Whatever breaks in between, the next redrive takes it up where it was.

use domain::ports::{Advanced, Clock, Enqueue, LedgerAdvance, LedgerLoad, Step, Unavailable};
use domain::{DeliveryRequest, Guard, NotificationId, State};

/// A redrive, over its ports.
pub struct Redrive<'a, L, Q, C> {
    /// What is known of the deliveries.
    pub ledger: &'a L,
    /// The queue to which they go back.
    pub queue: &'a Q,
    /// The time.
    pub clock: &'a C,
    /// Who redrives, and why: kept with the delivery.
    pub by: &'a str,
}

/// A dead letter.
#[derive(Clone)]
pub struct Letter {
    /// Its body.
    pub body: String,
    /// Why it is there; nothing when SQS itself moved it.
    pub reason: Option<String>,
}

/// What a redrive makes of a letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Redriven {
    /// It is on its queue again. The letter may go.
    Again(NotificationId, u32),
    /// Nothing is left to do about it: its delivery stands like this. The letter may go.
    Settled(NotificationId, State),
    /// An event that was never taken in is on its queue again. The letter may go.
    Event,
    /// It would come straight back. The letter stays.
    Stays(String),
}

impl<L, Q, C> Redrive<'_, L, Q, C>
where
    L: LedgerLoad + LedgerAdvance,
    Q: Enqueue,
    C: Clock,
{
    /// Sends a delivery's letter back.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when it is not known how far that came: redrive it again.
    pub async fn delivery(&self, letter: &Letter) -> Result<Redriven, Unavailable> {
        let Ok(request) = DeliveryRequest::from_wire(&letter.body) else {
            return Ok(Redriven::Stays(
                letter
                    .reason
                    .clone()
                    .unwrap_or_else(|| "no delivery of ours".to_owned()),
            ));
        };
        let known = self.ledger.load(&[request.id]).await?;
        let delivery = known
            .get(&request.id)
            .and_then(|notification| notification.deliveries.get(&request.channel));
        let Some(delivery) = delivery else {
            return Ok(Redriven::Stays("not in the ledger".to_owned()));
        };
        if !delivery.state.is_open() && delivery.state != State::Parked {
            return Ok(Redriven::Settled(request.id, delivery.state));
        }
        let mut generation = delivery.generation;
        if delivery.state == State::Parked {
            let guard = Guard::In {
                attempt: delivery.attempt,
                states: State::Parked.alone(),
            };
            let next = delivery.redrive(self.by, self.clock.now());
            generation = next.generation;
            let step = Step::of(&request, guard, delivery.clone(), next);
            match self.ledger.advance(&[step]).await.pop() {
                Some(Ok(Advanced::Done)) => {}
                // Somebody else redrove it, or a late report says that it was sent.
                Some(Ok(Advanced::Refused(current))) if current.state.is_open() => generation = current.generation,
                Some(Ok(Advanced::Refused(current))) => return Ok(Redriven::Settled(request.id, current.state)),
                Some(Ok(Advanced::Unknown)) | None => return Ok(Redriven::Stays("not in the ledger".to_owned())),
                Some(Err(error)) => return Err(error),
            }
        }
        // Its message may be lost; one too many finds the delivery claimed or settled.
        self.put_back(&letter.body).await?;
        Ok(Redriven::Again(request.id, generation))
    }

    /// Sends an event's letter back: one that was refused would be refused again.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when it may or may not be on its queue: redrive it again.
    pub async fn event(&self, letter: &Letter) -> Result<Redriven, Unavailable> {
        if let Some(reason) = &letter.reason {
            return Ok(Redriven::Stays(reason.clone()));
        }
        self.put_back(&letter.body).await?;
        Ok(Redriven::Event)
    }

    async fn put_back(&self, body: &str) -> Result<(), Unavailable> {
        let missing = || Unavailable::new("put a message on its queue", "the queue did not say whether it took it");
        self.queue
            .enqueue(&[body.to_owned()])
            .await
            .pop()
            .unwrap_or_else(|| Err(missing()))
    }
}

impl std::fmt::Debug for Letter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Letter")
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}
