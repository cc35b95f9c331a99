//! Queues and dead letters in memory.

use domain::DeliveryRequest;
use domain::ports::{Bury, DeadLetter, HandOver, Unavailable};
use jiff::SignedDuration;
use std::cell::{Cell, RefCell};

/// The channels' queues in memory.
#[derive(Debug, Default)]
pub struct MemoryQueues {
    /// Everything that was handed over.
    pub requests: RefCell<Vec<DeliveryRequest>>,
    /// For how long each of them is hidden.
    pub delays: RefCell<Vec<SignedDuration>>,
    /// How many of the next requests are not taken.
    pub refusing: Cell<u32>,
}

impl HandOver for MemoryQueues {
    async fn hand_over(&self, requests: &[(DeliveryRequest, SignedDuration)]) -> Vec<Result<(), Unavailable>> {
        requests
            .iter()
            .map(|(request, delay)| {
                if self.refusing.get() > 0 {
                    self.refusing.set(self.refusing.get() - 1);
                    return Err(Unavailable::new("hand over a delivery", "the queue is told to refuse"));
                }
                self.requests.borrow_mut().push(request.clone());
                self.delays.borrow_mut().push(*delay);
                Ok(())
            })
            .collect()
    }
}

/// The dead letter queue in memory.
#[derive(Debug, Default)]
pub struct MemoryDeadLetters {
    /// Everything that was buried.
    pub letters: RefCell<Vec<DeadLetter>>,
    /// Whether it can be reached.
    pub is_out_of_reach: Cell<bool>,
}

impl Bury for MemoryDeadLetters {
    async fn bury(&self, letters: &[DeadLetter]) -> Vec<Result<(), Unavailable>> {
        letters
            .iter()
            .map(|letter| {
                if self.is_out_of_reach.get() {
                    return Err(Unavailable::new(
                        "put a message into the dead letter queue",
                        "it is told to be out of reach",
                    ));
                }
                self.letters.borrow_mut().push(letter.clone());
                Ok(())
            })
            .collect()
    }
}
