//! The ledger, with the same conditions as the table, and what the judge is told of it.

use domain::ports::{Advanced, DeadLetter, Recorded, Step};
use domain::{Channel, News, Notification, NotificationId, OrderId, Traffic};
use invariants::{What, Word, Writer};
use jiff::Timestamp;
use std::collections::HashMap;

use crate::invocation::Function;
use crate::port::Port;
use crate::publication::fact_key;
use crate::queues::{Lane, Letter, Tag, Taken};
use crate::world::{ROUNDS, State, Unlearnt, Who, owner_number, snapshot};

/// Opens a notification, unless it is there.
pub(crate) fn record(state: &mut State, who: &Who, notification: &Notification) -> Recorded {
    if let Some(known) = state.ledger.get(&notification.id) {
        return Recorded::AlreadyThere(Box::new(known.clone()));
    }
    let mut notification = notification.clone();
    if who.is_old {
        notification.parcel = None;
    }
    if let Some(fact) = state.facts.get(&fact_key(
        notification.user.as_ref(),
        notification.notification_type,
        notification.order.as_ref(),
        notification.status,
    )) {
        let fact = *fact;
        state.fact_of.insert(notification.id, fact);
    }
    let by = owner_number(&notification.recorded_by).unwrap_or(who.owner);
    for (channel, delivery) in &notification.deliveries {
        let delivery_key = state.key(notification.id, *channel);
        state.tell(What::Opened {
            delivery: delivery_key,
            state: Word::Borrowed(delivery.state.name()),
            reason: delivery.reason.clone().map(Word::Owned),
            by: Writer::Invocation(by),
        });
    }
    if let Some(channel) = notification.deliveries.keys().next() {
        let key = state.key(notification.id, *channel);
        state.unlearnt_by(
            who,
            by,
            Unlearnt {
                invocation: who.invocation,
                by,
                key,
                next: None,
            },
        );
    }
    state.ledger.insert(notification.id, notification);
    Recorded::Created
}

/// Writes a step's next value, if its guard admits the current one.
pub(crate) fn advance(state: &mut State, who: &Who, step: &Step) -> Advanced {
    let known = state.ledger.get_mut(&step.id);
    let Some(current) = known.and_then(|known| known.deliveries.get_mut(&step.channel)) else {
        return Advanced::Unknown;
    };
    if !step.guard.admits(current) {
        return Advanced::Refused(Box::new(current.clone()));
    }
    let mut next = step.next.clone();
    if who.is_old {
        next.trail.clear();
        next.written = None;
    }
    let before = std::mem::replace(current, next.clone());
    let delivery = state.key(step.id, step.channel);
    let writers_now = state.now + who.skew_ms;
    let its_own = next.lease.as_ref().and_then(|lease| owner_number(&lease.owner));
    let by = its_own
        .filter(|owner| owner / ROUNDS == who.invocation)
        .unwrap_or(who.owner);
    let writer = match who.is_operator {
        true => Writer::Operator,
        false => Writer::Invocation(by),
    };
    let came_to = next.state != before.state;
    state.tell(What::Moved {
        delivery,
        from: snapshot(&before, writers_now),
        to: snapshot(&next, writers_now),
        by: writer,
    });
    if next.state.is_accepted() {
        let message_id = next.message_id.as_deref();
        state
            .acceptances
            .retain(|acceptance| acceptance.key != delivery || Some(acceptance.text.as_str()) != message_id);
    }
    // Claims and details are counted by nobody.
    if came_to && next.state != domain::State::Sending && !who.is_operator {
        state.unlearnt_by(
            who,
            by,
            Unlearnt {
                invocation: who.invocation,
                by,
                key: delivery,
                next: Some(step.next.clone()),
            },
        );
    }
    Advanced::Done
}

/// News of these orders.
pub(crate) fn news(state: &State, orders: &[(OrderId, Timestamp)]) -> HashMap<OrderId, Vec<News>> {
    let of = |order: &OrderId, since: Timestamp| {
        let is_meant =
            |known: &&Notification| known.order.as_ref() == Some(order) && known.at.as_second() >= since.as_second();
        state.ledger.values().filter(is_meant).map(News::from).collect()
    };
    orders
        .iter()
        .map(|(order, since)| (order.clone(), of(order, *since)))
        .collect()
}

impl State {
    fn unlearnt_by(&mut self, who: &Who, by: u64, unlearnt: Unlearnt) {
        if self.is_running(who.invocation) {
            self.unlearnt.push(unlearnt);
        } else if !who.is_operator && who.invocation > 0 {
            self.tell(What::Unanswered {
                delivery: unlearnt.key,
                by,
            });
        }
    }

    /// A writer has learnt that its notification is new.
    pub(crate) fn learn_record(&mut self, invocation: u64, id: NotificationId) {
        let key = self.key(id, Channel::Email);
        self.unlearnt.retain(|unlearnt| {
            unlearnt.invocation != invocation || unlearnt.next.is_some() || unlearnt.key.fact != key.fact
        });
    }

    /// A writer has had an answer to its step, or none.
    pub(crate) fn learn_step(&mut self, invocation: u64, step: &Step, advanced: Option<&Advanced>) {
        let key = self.key(step.id, step.channel);
        let owner = step.next.lease.as_ref().and_then(|lease| owner_number(&lease.owner));
        let is_of_owner = owner.is_some_and(|owner| owner / ROUNDS == invocation);
        let is_learnt = match advanced {
            Some(Advanced::Done) => true,
            // An owner knows its own words. What anybody may write, another may have written.
            Some(Advanced::Refused(current)) => **current == step.next && is_of_owner,
            Some(Advanced::Unknown) | None => false,
        };
        if is_learnt {
            self.unlearnt.retain(|unlearnt| {
                unlearnt.invocation != invocation || unlearnt.key != key || unlearnt.next.as_ref() != Some(&step.next)
            });
        }
        if advanced.is_none() && step.next.state.is_accepted() {
            for acceptance in &mut self.acceptances {
                acceptance.was_tried |= acceptance.invocation == invocation && acceptance.key == key;
            }
        }
    }

    pub(crate) fn traffic(&mut self, channel: Channel) -> &mut Traffic {
        #[expect(clippy::indexing_slicing, reason = "one for each that is metered")]
        &mut self.traffic[channel.position().min(1)]
    }
}

fn same(one: &Tag, other: &Tag) -> bool {
    one.publication.is_some() && one.publication == other.publication
}

impl Port {
    /// From now on this invocation writes under this name.
    pub(crate) fn take_name(&self, owner: &str) {
        if let Some(owner) = owner_number(owner)
            && owner / ROUNDS == self.desk.invocation.get()
        {
            self.desk.owner.set(owner);
        }
    }

    /// The letters with the queues in which they go, and with what the recorder knows of their messages.
    pub(crate) fn addressed(&self, letters: &[DeadLetter]) -> Vec<(Lane, DeadLetter, Tag)> {
        let function = self.desk.function;
        let state = self.world.look();
        let mut batch: Vec<_> = state
            .invocations
            .get(&self.desk.invocation.get())
            .map(|invocation| invocation.batch().to_vec())
            .unwrap_or_default();
        let mut addressed: Vec<(Lane, DeadLetter, Tag)> = Vec::with_capacity(letters.len());
        for letter in letters {
            // Of messages with the same words, one that has no letter yet.
            let is_its_own = |taken: &&Taken| *taken.body == *letter.body;
            let has_letter = |taken: &Taken| {
                let of_message = |other: &Letter| other.tag.publication == taken.tag.publication;
                state.letters.iter().any(of_message) || addressed.iter().any(|(_, _, tag)| same(tag, &taken.tag))
            };
            let place = batch
                .iter()
                .position(|taken| is_its_own(&taken) && !has_letter(taken))
                .or_else(|| batch.iter().position(|taken| is_its_own(&taken)));
            let tag = place.map(|place| batch.swap_remove(place).tag).unwrap_or_default();
            let lane = match function {
                Function::Orchestrator if letter.is_urgent => Lane::NotificationsUrgent,
                Function::Orchestrator => Lane::Notifications,
                Function::DeliveryEvents | Function::AccountMonitor | Function::Operator => Lane::DeliveryEvents,
                Function::EmailSender | Function::SmsSender | Function::InAppSender => {
                    Lane::of_channel(function.channel(), letter.is_urgent)
                }
                Function::Waker => Lane::Sms,
            };
            addressed.push((lane, letter.clone(), tag));
        }
        addressed
    }
}
