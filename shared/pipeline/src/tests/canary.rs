//! Canaries over memory twins.

use domain::ports::LedgerRecord as _;
use domain::{Channel, Dependency, Flight, Landing, Notification, NotificationType, State, UserId};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use testkit::{HandClock, MemoryDependencies, MemoryFlightLog, MemoryFrontDoor, MemoryLedger, at, shop_defaults};

use super::NOW;
use crate::{Canary, Flown, Reading, checkup, read_event};

struct Aviary {
    ledger: MemoryLedger,
    log: MemoryFlightLog,
    door: MemoryFrontDoor,
    clock: HandClock,
    reading: Reading,
    user: UserId,
}

impl Aviary {
    fn new() -> Self {
        Self {
            ledger: MemoryLedger::default(),
            log: MemoryFlightLog::default(),
            door: MemoryFrontDoor::default(),
            clock: HandClock::at(at(NOW)),
            reading: Reading {
                shop: shop_defaults(),
                admin_topic: None,
                admin_email: None,
            },
            user: UserId::try_from("e-com67-canary").unwrap(),
        }
    }

    async fn fly(&self, slot: Timestamp) -> Flown {
        let canary = Canary {
            ledger: &self.ledger,
            log: &self.log,
            door: &self.door,
            clock: &self.clock,
            reading: &self.reading,
            user: &self.user,
            email: "success@simulator.amazonses.com",
        };
        canary.fly(slot).await
    }

    /// Writes down what the rest of the system would: this canary's e-mail, in this state.
    async fn record(&self, flight: &Flight, state: State) {
        let delivery = domain::Delivery {
            state,
            ..domain::Delivery::queued(self.clock.now_after(2))
        };
        let record = Notification {
            id: flight.id,
            user: Some(self.user.clone()),
            notification_type: NotificationType::Test,
            order: None,
            status: None,
            parcel: None,
            at: flight.published_at,
            recorded_at: flight.published_at,
            recorded_by: "request/1".to_owned(),
            fingerprint: None,
            deliveries: BTreeMap::from([(Channel::Email, delivery)]),
        };
        self.ledger.record(&[record]).await.remove(0).unwrap();
    }
}

trait After {
    fn now_after(&self, seconds: i64) -> Timestamp;
}

impl After for HandClock {
    fn now_after(&self, seconds: i64) -> Timestamp {
        use domain::ports::Clock as _;
        self.now() + SignedDuration::from_secs(seconds)
    }
}

fn slot(nth: i64) -> Timestamp {
    at(NOW + nth * 300)
}

fn landing(flown: &Flown) -> Option<&Landing> {
    flown.before.as_ref().map(|(_, landing)| landing)
}

fn why(flown: &Flown) -> &str {
    match landing(flown) {
        Some(Landing::Lost(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_first_canary_flies_and_nothing_is_judged() {
    let aviary = Aviary::new();
    let flown = aviary.fly(slot(0)).await;
    assert!(flown.before.is_none() && flown.trouble.is_none());
    assert_eq!(aviary.door.take().len(), 1);
}

#[tokio::test]
async fn the_event_is_a_test_by_e_mail_and_urgent_and_the_ledger_will_know_it_by_the_same_id() {
    let aviary = Aviary::new();
    let flown = aviary.fly(slot(0)).await;
    let [event] = aviary.door.take().try_into().unwrap();
    let read = read_event(&event, at(NOW + 7), &aviary.reading).unwrap();
    assert_eq!(
        (read.content.notification_type(), read.channels.clone()),
        (NotificationType::Test, Some(vec![Channel::Email]))
    );
    assert!(read.is_urgent() && read.passes_quiet_hours());
    assert_eq!(read.idempotency_key.as_deref(), Some("canary/2026-11-20T10:00:00Z"));
    assert_eq!(read.notification_id(&aviary.reading.shop.zone), flown.next.unwrap().id);
}

#[tokio::test]
async fn a_canary_that_was_handed_over_is_a_success_of_the_next_run() {
    let aviary = Aviary::new();
    let first = aviary.fly(slot(0)).await.next.unwrap();
    aviary.record(&first, State::Sent).await;
    aviary.clock.set(slot(1));
    let second = aviary.fly(slot(1)).await;
    assert_eq!(
        landing(&second),
        Some(&Landing::HandedOver(SignedDuration::from_secs(2)))
    );
    assert_ne!(second.next.unwrap().id, first.id);
}

#[tokio::test]
async fn a_canary_that_still_waits_or_never_came_in_is_a_failure_of_the_next_run() {
    let aviary = Aviary::new();
    let first = aviary.fly(slot(0)).await.next.unwrap();
    aviary.record(&first, State::Queued).await;
    assert_eq!(why(&aviary.fly(slot(1)).await), "its e-mail is queued");
    assert_eq!(why(&aviary.fly(slot(2)).await), "the ledger has never heard of it");
}

#[tokio::test]
async fn a_run_that_is_made_again_publishes_and_judges_nothing() {
    let aviary = Aviary::new();
    aviary.fly(slot(0)).await;
    aviary.fly(slot(1)).await;
    aviary.door.take();
    assert_eq!(aviary.fly(slot(1)).await, Flown::default());
    assert_eq!(aviary.fly(slot(0)).await, Flown::default());
    assert!(aviary.door.take().is_empty());
}

#[tokio::test]
async fn a_door_that_is_shut_is_one_failure_and_not_two() {
    let aviary = Aviary::new();
    let first = aviary.fly(slot(0)).await.next.unwrap();
    aviary.record(&first, State::Delivered).await;
    aviary.door.is_shut.set(true);
    let shut = aviary.fly(slot(1)).await;
    assert!(matches!(landing(&shut), Some(Landing::HandedOver(_))));
    assert_eq!(
        shut.trouble.as_deref(),
        Some("could not publish an event: the door is told to be shut")
    );
    aviary.door.is_shut.set(false);
    assert_eq!(why(&aviary.fly(slot(2)).await), "the ledger has never heard of it");
}

#[tokio::test]
async fn without_the_log_of_flights_every_run_fails() {
    let aviary = Aviary::new();
    aviary.log.is_out_of_reach.set(true);
    let blind = aviary.fly(slot(0)).await;
    assert!(why(&blind).starts_with("no other can follow it"), "{blind:?}");
    aviary.log.is_out_of_reach.set(false);
    aviary.log.is_read_only.set(true);
    let mute = aviary.fly(slot(0)).await;
    assert!(why(&mute).starts_with("no other can follow it"), "{mute:?}");
    assert!(aviary.door.take().is_empty());
}

#[tokio::test]
async fn a_ledger_that_does_not_answer_is_a_failure_and_the_next_canary_flies() {
    let aviary = Aviary::new();
    aviary.fly(slot(0)).await;
    aviary.ledger.fail(1);
    let flown = aviary.fly(slot(1)).await;
    assert!(why(&flown).starts_with("nobody knows what became of it"), "{flown:?}");
    assert!(flown.next.is_some());
}

#[tokio::test]
async fn everything_is_asked_and_what_is_down_says_why() {
    let dependencies = MemoryDependencies::default();
    dependencies.break_down(Dependency::Ses, "sending is disabled for the account");
    let health = checkup(&dependencies, &HandClock::at(at(NOW))).await;
    assert_eq!(health.len(), Dependency::ALL.len());
    let down: Vec<(Dependency, String)> = health
        .iter()
        .filter_map(|health| Some((health.dependency, health.why()?)))
        .collect();
    assert_eq!(
        down,
        [(
            Dependency::Ses,
            "the only one: sending is disabled for the account".to_owned()
        )]
    );
}

#[tokio::test]
async fn what_never_answers_is_down_and_holds_up_nobody() {
    let dependencies = MemoryDependencies::default();
    dependencies.fall_silent(Dependency::DynamoDb);
    let health = checkup(&dependencies, &HandClock::at(at(NOW))).await;
    assert_eq!(health[0].why().as_deref(), Some("dynamodb: no answer within 10 s"));
    assert!(health[1..].iter().all(|health| !health.is_down()));
}
