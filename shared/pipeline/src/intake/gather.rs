//! Gathering: the messages of a batch are read, each for itself, and those that tell the same fact are put together.

use domain::{Event, NotificationId, TraceContext};
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{Incoming, Intake, IntakeVerdict};
use crate::{Refusal, read_event};

/// One fact of a batch, and all messages that tell it.
pub(super) struct Fact {
    pub(super) id: NotificationId,
    pub(super) event: Event,
    pub(super) members: Vec<usize>,
    /// The first message's: the fact is told once.
    pub(super) trace: Option<TraceContext>,
}

/// Facts of different ids, which may be worked on at once.
pub(super) type Wave = Vec<Fact>;

impl<P, L, Q, D, C> Intake<'_, P, L, Q, D, C> {
    /// Reads every message. Messages under one explicit key that tell different things come in different waves, so that the
    /// ledger judges which of them it knows.
    pub(super) fn gather(&self, batch: &[Incoming]) -> (Vec<Wave>, Vec<(usize, IntakeVerdict)>) {
        let mut waves: Vec<Wave> = Vec::new();
        let mut refused = Vec::new();
        for (index, incoming) in batch.iter().enumerate() {
            // A panic is that message's own: its neighbours go on.
            let read = catch_unwind(AssertUnwindSafe(|| self.read(incoming)));
            match read.unwrap_or_else(|_panic| {
                Err(Refusal::one(
                    "message",
                    "expected an event that can be read; reading it failed",
                ))
            }) {
                Ok((id, event)) => put(
                    &mut waves,
                    Fact {
                        id,
                        event,
                        members: vec![index],
                        trace: incoming.trace,
                    },
                ),
                Err(refusal) => refused.push((index, IntakeVerdict::Refused(refusal))),
            }
        }
        (waves, refused)
    }

    fn read(&self, incoming: &Incoming) -> Result<(NotificationId, Event), Refusal> {
        let mut event = read_event(&incoming.text, incoming.published_at, self.reading)?;
        if let Some(only) = self.only {
            event.channels = Some(if event.asks_for(only) { vec![only] } else { Vec::new() });
        }
        Ok((event.notification_id(&self.reading.shop.zone), event))
    }
}

fn put(waves: &mut Vec<Wave>, told: Fact) {
    for wave in waves.iter_mut() {
        match wave.iter_mut().find(|fact| fact.id == told.id) {
            None => return wave.push(told),
            Some(fact) if is_same(&fact.event, &told.event) => {
                fact.event.channels = both(fact.event.channels.take(), told.event.channels);
                return fact.members.extend(told.members);
            }
            Some(_other_content) => {}
        }
    }
    waves.push(vec![told]);
}

/// Whether two events of one id tell the same: under an explicit key only what the customer would read says so.
fn is_same(first: &Event, second: &Event) -> bool {
    first.idempotency_key.is_none() || first.fingerprint() == second.fingerprint()
}

/// All channels that either event allows.
fn both<C: PartialEq>(first: Option<Vec<C>>, second: Option<Vec<C>>) -> Option<Vec<C>> {
    let (mut channels, more) = (first?, second?);
    for channel in more {
        if !channels.contains(&channel) {
            channels.push(channel);
        }
    }
    Some(channels)
}
