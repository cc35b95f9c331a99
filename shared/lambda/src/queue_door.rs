//! The door of functions that work on the messages of a queue one by one: each has its own verdict, and its own end.

use domain::RetryPolicy;
use domain::ports::{Bury, Clock, DeadLetter, HoldBack};
use futures_util::FutureExt;
use lambda_runtime::Error;
use serde_json::Value;
use std::panic::AssertUnwindSafe;

use crate::invocation::BatchAnswer;
use crate::journey::{Arrival, Journeys};
use crate::outcomes::Outcomes;
use crate::segment::End;
use crate::sending_door::seconds_until;
use crate::{QueueMessage, Traces};

/// A message over which the function stumbles so often is buried.
const MOST_STUMBLES: u32 = 3;

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is worked on, and this came of it: ids, statuses and counts, fit for a log.
    Done(String),
    /// It could not be worked on now, for this reason.
    Again(String),
    /// It will never be worked on, for this reason.
    Refused(String),
}

/// What is behind the door.
#[derive(Debug)]
pub struct QueueDoor<D, V, C> {
    /// Where goes what will never be worked on.
    pub dead_letters: D,
    /// Holds messages back.
    pub visibility: V,
    /// When to try again.
    pub policy: RetryPolicy,
    /// The time.
    pub clock: C,
}

impl<D: Bury, V: HoldBack, C: Clock> QueueDoor<D, V, C> {
    /// Works on the messages of this queue, one after the other; the answer names those that have to come again. What became of
    /// each is told to its trace.
    ///
    /// # Errors
    ///
    /// When a message that has to come again cannot be named, so that the whole batch has to.
    pub async fn work_each(
        &self,
        queue_url: &str,
        messages: &[QueueMessage],
        traces: &Traces,
        work: impl AsyncFn(&QueueMessage) -> Verdict,
    ) -> Result<Value, Error> {
        let mut answer = BatchAnswer::default();
        let mut waits = Vec::new();
        let journeys = Journeys::begin(traces, messages, &self.clock);
        let mut outcomes = Outcomes::default();
        let mut arrivals = Vec::with_capacity(messages.len());
        for message in messages {
            let verdict = AssertUnwindSafe(work(message)).catch_unwind().await;
            let verdict = verdict.unwrap_or_else(|_panic| {
                tracing::error!("a message was stumbled over");
                match message.receive_count >= MOST_STUMBLES {
                    true => Verdict::Refused("the function stumbles over it".to_owned()),
                    false => Verdict::Again("the function stumbled over it".to_owned()),
                }
            });
            let verdict = match verdict {
                Verdict::Refused(why) => self.bury(message, why).await,
                Verdict::Done(_) | Verdict::Again(_) => verdict,
            };
            if let Verdict::Again(_) = &verdict {
                let now = self.clock.now();
                let at = self
                    .policy
                    .again_after_throttle(message.receive_count, self.clock.chance(), now);
                answer.add(message);
                waits.extend(
                    message
                        .receipt_handle
                        .clone()
                        .map(|receipt| (receipt, seconds_until(at, now))),
                );
            }
            let (word, end) = match &verdict {
                Verdict::Done(_) => ("done", End::Well),
                Verdict::Again(_) => ("again", End::Fault),
                Verdict::Refused(_) => ("refused", End::Error),
            };
            arrivals.push(Arrival {
                about: None,
                channel: None,
                outcome: word.to_owned(),
                end,
            });
            let told = match verdict {
                Verdict::Done(what) => what,
                Verdict::Again(why) => format!("again ({why})"),
                Verdict::Refused(why) => format!("refused ({why})"),
            };
            outcomes.add(told, None);
        }
        if !waits.is_empty() {
            self.visibility.hold_back(queue_url, &waits).await;
        }
        tracing::info!(outcomes = %outcomes, "worked on {} messages", outcomes.count());
        journeys.end(arrivals.into_iter());
        answer.value()
    }

    /// A message is settled only when its letter is written.
    async fn bury(&self, message: &QueueMessage, why: String) -> Verdict {
        let letter = DeadLetter {
            body: message.text.clone(),
            reason: why.clone(),
            id: None,
            is_urgent: false,
        };
        match self.dead_letters.bury(&[letter]).await.into_iter().next() {
            Some(Ok(())) => Verdict::Refused(why),
            Some(Err(error)) => Verdict::Again(format!("{why}, and {}", domain::chain(&error))),
            None => Verdict::Again(why),
        }
    }
}
