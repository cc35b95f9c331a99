//! A run: a world, what a scenario does to it, and the judge's verdict.

use domain::{Channel, Contact, DeliveryRequest, Notification, Preferences, QuietHours, State as Stands, Zone, decide};
use invariants::{Ending, Entry, Forgotten, Terms, Verdict, What, check};
use jiff::SignedDuration;
use pipeline::read_event;
use std::cell::Cell;
use std::collections::HashMap;
use std::rc::Rc;

use crate::faults::{Fault, Operation};
use crate::publication::{Customer, Fact, Publication, reading};
use crate::queues::{Lane, Tag};
use crate::setting::Setting;
use crate::world::{BEGINNING, Due, Who, World, snapshot, timestamp};
use crate::{ledger, queues};

/// Nothing in the engine waits longer than this: the longest schedule, and being held on top.
const PATIENCE_MS: i64 = 20 * DAY_MS;

/// How long it takes an alarm to make a person act.
const HOUR_MS: i64 = 3_600_000;

/// A day.
pub const DAY_MS: i64 = 86_400_000;

/// So many looks of the watch may themselves meet faults before a person helps.
const LOOKS: u32 = 5;

/// A run.
pub struct Simulation {
    world: Rc<World>,
    held_in_vain: Cell<u64>,
}

impl Simulation {
    /// A world in which nothing has happened.
    #[must_use]
    pub fn new(setting: Setting) -> Self {
        let world = World::new(setting);
        if world.setting.watched_until > 0 {
            world.watch_soon(0);
        }
        Self {
            world,
            held_in_vain: Cell::new(0),
        }
    }

    /// A customer whom the recorder is to know.
    pub fn register(&self, customer: Customer) {
        let mut state = self.world.state();
        state
            .user_numbers
            .extend(customer.user().map(|user| (user, customer.0)));
        for (channel, address) in [(Channel::Email, customer.email()), (Channel::Sms, customer.phone())] {
            let contact = Contact::of(channel, &address);
            state.contact_numbers.insert(contact, customer.0);
        }
    }

    /// What a customer stored before the run.
    pub fn store(&self, customer: Customer, preferences: Preferences) {
        let mut state = self.world.state();
        state
            .preferences
            .extend(customer.user().map(|user| (user, preferences)));
    }

    /// A fact that publishers may speak of.
    pub fn expect(&self, fact: &Fact) {
        self.register(fact.customer);
        self.world.state().facts.insert(fact.key(), fact.number);
    }

    /// Publishes something at this time since the beginning, to the lanes that the topic's filters choose; each lane gets it
    /// so many times.
    pub fn publish(&self, at_ms: i64, publication: Publication, copies: u32) {
        let publish = move |world: &Rc<World>| {
            let mut state = world.state();
            let message = state.number();
            state.tell(What::Published {
                message,
                fact: publication.fact,
            });
            if publication.passes_quiet_hours() {
                state.urgent.extend(publication.fact);
            }
            let tag = Tag {
                publication: Some(message),
                ..Tag::default()
            };
            let lanes = [Lane::Notifications, Lane::NotificationsUrgent];
            for lane in lanes.into_iter().take(1 + usize::from(publication.is_urgent)) {
                for _copy in 0..copies {
                    state.put(lane, publication.text.as_str().into(), tag, 0);
                }
            }
        };
        self.at(at_ms, publish);
    }

    /// Facts that were taken in before the run: they stand in the ledger, and their deliveries wait in the queues. Gives the
    /// number of deliveries.
    pub fn take_in(&self, facts: &[Fact]) -> usize {
        let reading = reading();
        let mut handed_over = 0;
        for fact in facts {
            self.expect(fact);
            let mut state = self.world.state();
            let now = timestamp(state.now);
            let Ok(event) = read_event(&fact.publication().text, now, &reading) else {
                continue;
            };
            let message = state.number();
            state.tell(What::Published {
                message,
                fact: Some(fact.number),
            });
            let nobody = Preferences::default();
            let user = event.recipient.user.as_ref();
            let preferences = user.and_then(|user| state.preferences.get(user)).unwrap_or(&nobody);
            let plan = decide(&event, preferences, &reading.shop, now);
            let notification = Notification::planned(&event, &plan, &reading.shop, "invocation-0.0", now);
            let who = Who::nobody();
            ledger::record(&mut state, &who, &notification);
            for request in DeliveryRequest::planned(&event, &plan, notification.id, now) {
                queues::hand_over(&mut state, &who, &(request, SignedDuration::ZERO));
                handed_over += 1;
            }
            state.tell(What::SourceForgot {
                message,
                to: Forgotten::Done,
            });
        }
        let mut state = self.world.state();
        state.tell(What::Metrics {
            by: 0,
            counts: vec![("NotificationSent".into(), facts.len() as u64)],
        });
        handed_over
    }

    /// A customer wants nothing any more by this channel.
    pub fn opt_out(&self, at_ms: i64, customer: Customer, channel: Channel) {
        self.at(at_ms, move |world| {
            if let Some(user) = customer.user() {
                world.state().opt_out(&user, channel);
            }
        });
    }

    /// A customer keeps quiet hours, or other ones, from this time on, and what waits for them is looked at again.
    pub fn keep_quiet(&self, at_ms: i64, customer: Customer, hours: QuietHours, zone: Zone) {
        self.at(at_ms, move |world| world.change_night(customer, hours, &zone));
    }

    fn at(&self, at_ms: i64, what: impl FnOnce(&Rc<World>) + 'static) {
        self.world.state().plan(BEGINNING + at_ms, Due::Do(Box::new(what)));
    }

    /// What the twins answer to the script that was played to the local stack as well (`testkit::recorded`).
    #[must_use]
    pub fn answers(&self, run: u64) -> String {
        let told = self.world.play(run);
        self.settle();
        told.take()
    }

    /// Lets everything happen until nothing more can. What is held although no breaker is open is left to the watch, which
    /// looks every minute; if it does not let it flow, a person does, and that it came to this is counted.
    pub fn settle(&self) {
        let until = self.now_ms() + BEGINNING + PATIENCE_MS;
        let mut looks = 0;
        loop {
            let next = self.now_ms() + BEGINNING + HOUR_MS;
            let is_quiet = self.world.run(until.min(next));
            let held = self.world.held_in_vain();
            if (is_quiet && held.is_empty()) || self.now_ms() + BEGINNING >= until {
                break;
            }
            if held.is_empty() {
                looks = 0;
            } else if looks < LOOKS {
                looks += 1;
                self.world.watch_soon(0);
            } else {
                looks = 0;
                self.held_in_vain.set(self.held_in_vain.get() + held.len() as u64);
                held.into_iter().for_each(|channel| self.world.let_flow(channel));
            }
        }
    }

    /// How often a person had to let the queues of a channel flow.
    #[must_use]
    pub fn held_in_vain(&self) -> u64 {
        self.held_in_vain.get()
    }

    /// Lets happen what is due until this time since the beginning.
    pub fn run_until(&self, at_ms: i64) {
        self.world.pass_to(BEGINNING + at_ms);
    }

    /// Milliseconds since the beginning.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        self.world.look().now - BEGINNING
    }

    /// Nothing happens for so long.
    pub fn wait(&self, ms: i64) {
        let until = self.world.look().now + ms;
        self.world.pass_to(until);
    }

    /// An operator redrives all dead letters, twice: the first time it breaks off before a letter is deleted.
    pub fn redrive_twice(&self) {
        for forgets in [false, true] {
            self.world.redrive(forgets);
            self.wait(1);
        }
        self.settle();
    }

    /// What the judge says.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let terms = Terms {
            resend_in_doubt: self.world.setting.policy.after_doubt == domain::AfterDoubt::Resend,
            personal: Vec::new(),
        };
        let ending = self.ending();
        check(&self.world.look().chronicle, &ending, &terms)
    }

    fn ending(&self) -> Ending {
        let mut state = self.world.state();
        let now = state.now;
        let ledger = std::mem::take(&mut state.ledger);
        let mut deliveries = Vec::with_capacity(ledger.len() * 2);
        for notification in ledger.values() {
            for (channel, delivery) in &notification.deliveries {
                deliveries.push((state.key(notification.id, *channel), snapshot(delivery, now)));
            }
        }
        state.ledger = ledger;
        deliveries.sort_unstable_by_key(|(key, _)| *key);
        Ending {
            deliveries,
            waiting_messages: state.waiting() + state.room.len() as u64,
        }
    }

    /// The calls of ports so far, with the number of entries in each; told only where the setting asks for it.
    #[must_use]
    pub fn trace(&self) -> Vec<(Operation, usize)> {
        self.world.look().trace.clone()
    }

    /// The number of calls so far.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.world.look().calls
    }

    /// The faults that came to pass.
    #[must_use]
    pub fn fired(&self) -> Vec<(Operation, Fault)> {
        self.world.look().fired.clone()
    }

    /// The chronicle so far, entry by entry.
    pub fn read<T>(&self, read: impl FnOnce(&[Entry]) -> T) -> T {
        read(&self.world.look().chronicle)
    }

    /// How many deliveries of a channel stand where.
    #[must_use]
    pub fn standing(&self, channel: Channel) -> HashMap<Stands, usize> {
        let state = self.world.look();
        let mut standing = HashMap::new();
        for delivery in state.ledger.values().filter_map(|known| known.deliveries.get(&channel)) {
            *standing.entry(delivery.state).or_default() += 1;
        }
        standing
    }

    /// The most failures that any delivery has used up.
    #[must_use]
    pub fn most_failures(&self) -> u32 {
        let state = self.world.look();
        let deliveries = state.ledger.values().flat_map(|known| known.deliveries.values());
        deliveries.map(|delivery| delivery.failures).max().unwrap_or_default()
    }

    /// Letters in the dead letter queues.
    #[must_use]
    pub fn letters(&self) -> usize {
        self.world.look().letters.len()
    }

    /// Whether the queues of a channel flow, and how many of their messages are hidden.
    #[must_use]
    pub fn queues_of(&self, channel: Channel) -> (bool, usize) {
        let state = self.world.look();
        let lanes = [Lane::of_channel(channel, false), Lane::of_channel(channel, true)];
        let of_channel = || state.queues.iter().filter(|queue| lanes.contains(&queue.lane()));
        let hidden = of_channel().map(|queue| queue.hidden(state.now)).sum();
        (of_channel().all(|queue| queue.is_flowing), hidden)
    }

    /// What was agreed before.
    #[must_use]
    pub fn setting(&self) -> &Setting {
        &self.world.setting
    }

    /// Deliveries in the waiting room.
    #[must_use]
    pub fn waiting_in_room(&self) -> u64 {
        self.world.waiting_in_room()
    }

    /// Messages in all queues but the dead letters.
    #[must_use]
    pub fn waiting(&self) -> u64 {
        self.world.look().waiting()
    }
}

impl Drop for Simulation {
    fn drop(&mut self) {
        // Doors know their world, which knows its doors.
        let mut state = self.world.state();
        let invocations = std::mem::take(&mut state.invocations);
        let idle = std::mem::take(&mut state.idle);
        drop(state);
        drop((invocations, idle));
    }
}
