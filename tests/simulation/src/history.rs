//! Random histories: a seed decides what is published, by whom and how often, what goes wrong, and when.

use domain::{AfterDoubt, Channel, NotificationType, OrderStatus, Preferences, QuietHours, RetryPolicy, Zone};
use fastrand::Rng;
use invariants::{Counts, Verdict};
use serde_json::{Value, json};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::faults::{Faults, Operation};
use crate::publication::{Customer, Fact, Publication, set};
use crate::setting::{Reports, Setting};
use crate::simulation::{DAY_MS, Simulation};
use crate::world::{BEGINNING, Mood, timestamp};

const MINUTE_MS: i64 = 60_000;

/// Whatever goes wrong by chance goes wrong within this time.
const STORM_MS: i64 = 180 * MINUTE_MS;

/// What came of many histories.
#[derive(Debug, Default)]
pub struct Summary {
    /// How many were run.
    pub histories: u64,
    /// The seeds of those that break something, with what the judge says; the first ones.
    pub failures: Vec<(u64, String)>,
    /// How many break something.
    pub broken: u64,
    /// Deliveries accepted more than once that may have been.
    pub exempt: u64,
    /// How much happened in all of them.
    pub counts: Counts,
    /// Calls of ports.
    pub calls: u64,
    /// Calls that went wrong.
    pub faults: u64,
    /// Queues that a person had to let flow, because they were held although no breaker was open.
    pub held_in_vain: u64,
    /// The seeds of such histories; the first ones.
    pub held_seeds: Vec<u64>,
}

/// The first failures are enough.
const SHOWN: usize = 5;

/// Runs the histories of so many seeds from this one on. `told` is called now and then with the number done so far.
pub fn histories(from: u64, count: u64, threads: usize, told: impl Fn(u64) + Sync) -> Summary {
    let next = AtomicU64::new(0);
    let is_enough = AtomicBool::new(false);
    let whole = Mutex::new(Summary::default());
    std::thread::scope(|scope| {
        for _thread in 0..threads {
            scope.spawn(|| {
                let mut own = Summary::default();
                loop {
                    let nth = next.fetch_add(1, Ordering::Relaxed);
                    if nth >= count || is_enough.load(Ordering::Relaxed) {
                        break;
                    }
                    own.add(from + nth);
                    is_enough.fetch_or(own.failures.len() >= SHOWN, Ordering::Relaxed);
                    told(nth + 1);
                }
                if let Ok(mut whole) = whole.lock() {
                    whole.merge(own);
                }
            });
        }
    });
    whole.into_inner().unwrap_or_default()
}

impl Summary {
    fn add(&mut self, seed: u64) {
        self.histories += 1;
        let judged = catch_unwind(AssertUnwindSafe(|| {
            let simulation = history(seed);
            let verdict = simulation.verdict();
            let faults = simulation.fired().len() as u64;
            (verdict, simulation.calls() as u64, faults, simulation.held_in_vain())
        }));
        let (verdict, calls, faults, held_in_vain): (Verdict, u64, u64, u64) = match judged {
            Ok(judged) => judged,
            Err(_panic) => {
                self.broken += 1;
                self.failures
                    .push((seed, "the engine panicked outside of a record".to_owned()));
                return;
            }
        };
        self.calls += calls;
        self.faults += faults;
        self.held_in_vain += held_in_vain;
        if held_in_vain > 0 && self.held_seeds.len() < SHOWN {
            self.held_seeds.push(seed);
        }
        self.exempt += verdict.exempt.len() as u64;
        self.counts += verdict.counts;
        if !verdict.holds() {
            self.broken += 1;
            self.failures.push((seed, verdict.to_string()));
        }
    }

    fn merge(&mut self, other: Self) {
        self.histories += other.histories;
        self.broken += other.broken;
        self.exempt += other.exempt;
        self.counts += other.counts;
        self.calls += other.calls;
        self.faults += other.faults;
        self.held_in_vain += other.held_in_vain;
        self.held_seeds.extend(other.held_seeds);
        self.held_seeds.sort_unstable();
        self.held_seeds.truncate(SHOWN);
        self.failures.extend(other.failures);
        self.failures.sort_unstable_by_key(|(seed, _)| *seed);
        self.failures.truncate(SHOWN);
    }
}

/// Seeds from this one on tell histories in which publishers ask for inboxes as well as for e-mails and text messages.
pub const WITH_INBOXES: u64 = 1 << 40;

/// The history of this seed, at its end: after everything has settled, an operator has redriven everything twice 20 days
/// later, and everything has settled again.
#[must_use]
pub fn history(seed: u64) -> Simulation {
    let mut rng = Rng::with_seed(seed ^ 0x5EED_0000_0000_0000);
    let simulation = Simulation::new(setting(seed, &mut rng));
    let mut writer = Writer {
        simulation: &simulation,
        channels: match seed < WITH_INBOXES {
            true => &Channel::METERED,
            false => &Channel::OFFERED,
        },
        rng,
        // Chance of its own, so that what else happens under a seed is what happened before there were quiet hours.
        night: Rng::with_seed(seed ^ 0x0DD0_0000_0000_0000),
        facts: 0,
        customers: Vec::new(),
    };
    writer.write();
    simulation.settle();
    simulation.wait(20 * DAY_MS);
    simulation.redrive_twice();
    simulation
}

/// What is agreed before the history of this seed.
fn setting(seed: u64, rng: &mut Rng) -> Setting {
    let probability = one_of(rng, &[0.0, 0.002, 0.01, 0.03, 0.08]);
    let reports = Reports {
        send_lost: one_of(rng, &[0.0, 0.0, 0.1, 0.5]),
        send_late: one_of(rng, &[0.0, 0.0, 0.3]),
        send_twice: one_of(rng, &[0.0, 0.2]),
        delivered: one_of(rng, &[0.0, 0.5, 1.0]),
        bounced: one_of(rng, &[0.0, 0.0, 0.2]),
        complained: one_of(rng, &[0.0, 0.0, 0.1]),
        quick: one_of(rng, &[0.0, 0.5]),
        older_form: one_of(rng, &[0.0, 0.3]),
        logged: one_of(rng, &[0.0, 0.8]),
    };
    let moods = (0..one_of(rng, &[0, 0, 1, 2])).map(|_| {
        let from = rng.i64(0..60 * MINUTE_MS);
        let to = from + rng.i64(1..60) * MINUTE_MS;
        let often = one_of(rng, &[0.1, 0.5, 0.95]);
        let mood = match rng.u32(0..5) {
            0 => Mood::Throttling(often),
            1 => Mood::Suspended { says_so: rng.bool() },
            2 => Mood::Failing(often),
            3 => Mood::OutOfReach(often),
            _ => Mood::Rejecting(often),
        };
        (from, to, mood)
    });
    let moods = moods.collect();
    let outages = (0..one_of(rng, &[0, 0, 0, 1, 2])).map(|_| {
        let from = one_of(rng, &[0, 0, 5 * MINUTE_MS]) + rng.i64(0..5_000);
        let to = from + one_of(rng, &[500, 5_000, MINUTE_MS, 10 * MINUTE_MS]);
        let operation = one_of(
            rng,
            &[
                Operation::Advance,
                Operation::Advance,
                Operation::Record,
                Operation::HandOver,
                Operation::Bury,
                Operation::LoadCustomers,
                Operation::LoadNews,
                Operation::LoadLedger,
                Operation::LookAtTraffic,
                Operation::AskForPermits,
                Operation::KeepSuppression,
            ],
        );
        (from, to, operation)
    });
    let outages = outages.collect();
    Setting {
        seed,
        faults: Faults::Random {
            probability,
            until_ms: BEGINNING + STORM_MS,
        },
        policy: RetryPolicy {
            after_doubt: one_of(
                rng,
                &[
                    AfterDoubt::Resend,
                    AfterDoubt::Resend,
                    AfterDoubt::Resend,
                    AfterDoubt::Hold,
                ],
            ),
            ..RetryPolicy::default()
        },
        limit: one_of(rng, &[None, None, Some(1.0), Some(200.0)]),
        skew_ms: one_of(rng, &[0, 0, 1_000, 10 * MINUTE_MS]),
        old_of_ten: one_of(rng, &[0, 0, 5]),
        twice: one_of(rng, &[0.0, 0.02, 0.3]),
        undeleted: one_of(rng, &[0.0, 0.0, 0.05]),
        reports,
        moods,
        outages,
        panics_at: None,
        watched_until: one_of(rng, &[0, 0, 30 * MINUTE_MS]),
        is_traced: false,
    }
}

fn one_of<T: Copy>(rng: &mut Rng, choices: &[T]) -> T {
    #[expect(clippy::indexing_slicing, reason = "one of them")]
    choices[rng.usize(0..choices.len())]
}

struct Writer<'s> {
    simulation: &'s Simulation,
    rng: Rng,
    channels: &'static [Channel],
    night: Rng,
    facts: u32,
    customers: Vec<(Customer, bool)>,
}

impl Writer<'_> {
    fn write(&mut self) {
        for number in 1..=self.rng.u32(1..=4) {
            let customer = Customer(number);
            self.simulation.register(customer);
            let has_address = self.rng.bool();
            let preferences = Preferences {
                choices: [((Channel::Email, NotificationType::Promotional), true)].into(),
                email: has_address.then(|| customer.email()),
                phone: has_address.then(|| customer.phone()),
                ..Preferences::default()
            };
            self.simulation.store(customer, preferences);
            self.write_nights(customer);
            self.customers.push((customer, has_address));
        }
        for order in 0..self.rng.u32(1..=3) {
            self.write_order(order);
        }
        if self.rng.u32(0..3) == 0 {
            self.write_campaign();
        }
        if self.rng.u32(0..3) == 0 {
            self.write_key();
        }
        for _ in 0..one_of(&mut self.rng, &[0, 0, 1, 3]) {
            self.write_poison();
        }
        for _ in 0..one_of(&mut self.rng, &[0, 0, 1, 2]) {
            let (customer, _) = one_of(&mut self.rng, &self.customers);
            let channel = one_of(&mut self.rng, self.channels);
            let at = self.a_moment();
            self.simulation.opt_out(at, customer, channel);
        }
    }

    /// Every other customer keeps quiet hours, and some of those change their minds. Everything begins at 11:00 in Madrid.
    fn write_nights(&mut self, customer: Customer) {
        let nights = one_of(&mut self.night, &[0, 0, 1, 1, 2]);
        let mut at = 0;
        for _ in 0..nights {
            let (start, end) = one_of(
                &mut self.night,
                &[
                    ("22:00", "08:00"),
                    ("10:00", "14:00"),
                    ("11:30", "11:50"),
                    ("09:00", "07:00"),
                    ("12:00", "12:00"),
                ],
            );
            let zone = one_of(
                &mut self.night,
                &["Europe/Madrid", "Europe/Madrid", "Asia/Kathmandu", "America/St_Johns"],
            );
            if let (Ok(hours), Ok(zone)) = (QuietHours::between(start, end), Zone::try_from(zone)) {
                self.simulation.keep_quiet(at, customer, hours, zone);
            }
            at += one_of(&mut self.night, &[10_000, 5 * MINUTE_MS, 50 * MINUTE_MS]);
        }
    }

    /// Most of what happens happens at once.
    fn a_moment(&mut self) -> i64 {
        match self.rng.u32(0..4) {
            0 => self.rng.i64(0..60 * MINUTE_MS),
            1 => self.rng.i64(0..5 * MINUTE_MS),
            _ => self.rng.i64(0..5_000),
        }
    }

    fn next_fact(&mut self) -> u32 {
        self.facts += 1;
        self.facts
    }

    /// An order and some of what happens to it, not always told in order.
    fn write_order(&mut self, nth: u32) {
        use OrderStatus as Status;
        let (customer, has_address) = one_of(&mut self.rng, &self.customers);
        let order = format!("order-{nth}");
        let mut happens_at = self.a_moment();
        if self.rng.bool() {
            let fact = Fact::confirmation(self.next_fact(), customer, &order, happens_at).by(self.channels);
            self.publish(&fact, has_address);
        }
        let way = [
            Status::Processing,
            Status::Shipped,
            Status::OutForDelivery,
            Status::Delivered,
            Status::Delayed,
            Status::Cancelled,
        ];
        for status in way {
            if self.rng.u32(0..3) > 0 {
                continue;
            }
            happens_at += one_of(&mut self.rng, &[0, 1_000, 10 * MINUTE_MS]);
            let fact = Fact::status(self.next_fact(), customer, &order, status, happens_at).by(self.channels);
            self.publish(&fact, has_address);
        }
    }

    /// Publishes a fact once or more, each time a little differently.
    fn publish(&mut self, fact: &Fact, has_address: bool) {
        self.simulation.expect(fact);
        for _time in 0..one_of(&mut self.rng, &[1, 1, 2, 3]) {
            let mut event = fact.event();
            let published_at = match self.rng.u32(0..4) {
                // Late, and so perhaps after what came later.
                0 => fact.at_ms + self.a_moment(),
                _ => fact.at_ms,
            };
            if self.rng.u32(0..3) == 0 {
                set(
                    &mut event,
                    "timestamp",
                    json!(timestamp(BEGINNING + published_at).to_string()),
                );
            }
            if has_address && self.rng.bool() {
                set(&mut event, "recipientEmail", Value::Null);
                set(&mut event, "recipientPhone", Value::Null);
            }
            if self.rng.u32(0..4) == 0 {
                set(&mut event, "priority", json!("urgent"));
            }
            match self.rng.u32(0..8) {
                0 => set(&mut event, "channels", json!(["email"])),
                1 => set(&mut event, "channels", json!(["sms", "push"])),
                2 => {
                    let then = published_at + one_of(&mut self.rng, &[30_000, 40 * MINUTE_MS, 3 * DAY_MS]);
                    set(
                        &mut event,
                        "scheduledFor",
                        json!(timestamp(BEGINNING + then).to_string()),
                    );
                }
                _ => {}
            }
            let mut publication = fact.published_as(&event);
            if self.rng.u32(0..4) == 0 {
                publication.text = enveloped(&publication.text, published_at);
            }
            let copies = one_of(&mut self.rng, &[1, 1, 1, 2]);
            self.simulation.publish(published_at, publication, copies);
        }
    }

    fn write_campaign(&mut self) {
        let (customer, has_address) = one_of(&mut self.rng, &self.customers);
        let at_ms = self.a_moment();
        let fact = Fact {
            number: self.next_fact(),
            customer,
            notification_type: NotificationType::Promotional,
            status: None,
            order: "campaign-1".to_owned(),
            at_ms,
            channels: self.channels,
        };
        self.publish(&fact, has_address);
    }

    /// One explicit key, under which a publisher says two different things.
    fn write_key(&mut self) {
        let (customer, _) = one_of(&mut self.rng, &self.customers);
        let number = self.next_fact();
        for order in ["key-a", "key-a", "key-b"] {
            if self.rng.u32(0..4) == 0 {
                continue;
            }
            let at_ms = self.a_moment();
            let fact = Fact::status(number, customer, order, OrderStatus::Shipped, at_ms).by(self.channels);
            self.simulation.expect(&fact);
            let mut event = fact.event();
            set(&mut event, "idempotencyKey", json!("one-key"));
            if self.rng.u32(0..3) == 0 {
                set(&mut event, "priority", json!("urgent"));
            }
            self.simulation.publish(at_ms, fact.published_as(&event), 1);
        }
    }

    /// Something that nobody can read.
    fn write_poison(&mut self) {
        let (text, is_urgent) = match self.rng.u32(0..8) {
            0 => (r#"{"notificationType":"order_confirmation","#.to_owned(), false),
            1 => ("[".repeat(5_000), false),
            2 => (format!("{}1{}", r#"{"a":"#.repeat(200), "}".repeat(200)), false),
            3 => (
                json!({"notificationType": "order_confirmation", "userId": ["nobody"], "orderData": 7}).to_string(),
                true,
            ),
            4 => (
                r#"{"notificationType":"payment_failed","userId":"customer-1","orderData":{"orderId":"1","totalAmount":1e999999999}}"#
                    .to_owned(),
                true,
            ),
            5 => (
                "{\"notificationType\":\"order_status_update\",\"userId\":\"customer-1\",\"orderData\":{\"orderId\":\"\u{FFFE}\",\"status\":\"shipped\"}}"
                    .to_owned(),
                false,
            ),
            6 => (
                json!({"notificationType": "teleported", "userId": "customer-1", "priority": "urgent"}).to_string(),
                true,
            ),
            _ => (String::new(), false),
        };
        let at = self.a_moment();
        let publication = Publication {
            text,
            fact: None,
            is_urgent,
        };
        self.simulation.publish(at, publication, 1);
    }
}

/// The text in the envelope of SNS.
fn enveloped(text: &str, at_ms: i64) -> String {
    json!({
        "Type": "Notification",
        "TopicArn": "arn:aws:sns:eu-west-1:0:notifications",
        "Message": text,
        "Timestamp": timestamp(BEGINNING + at_ms).to_string(),
    })
    .to_string()
}
