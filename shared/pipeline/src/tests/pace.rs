//! The pace that senders share, and the breaker.

use domain::ports::{Account, AccountFacts, SendAnswer, TrafficShare, Trial, Unavailable, Valves};
use domain::{Breaker, Channel, DeliveryRequest, State, Traffic};
use jiff::SignedDuration;
use std::cell::{Cell, RefCell};
use testkit::{ScriptedCourier, at, confirmation};

use super::{House, NOW, text_of};
use crate::{SendVerdict, Waiting, Watch};

fn trouble() -> SendAnswer {
    SendAnswer::AccountTrouble {
        reason: "SendingPausedException".to_owned(),
    }
}

fn throttled() -> SendAnswer {
    SendAnswer::Throttled {
        reason: "TooManyRequestsException".to_owned(),
    }
}

/// So many orders, each with an e-mail waiting.
async fn waiting(house: &House, count: usize) -> Vec<DeliveryRequest> {
    let texts: Vec<String> = (0..count)
        .map(|n| text_of(&confirmation("ana", &n.to_string(), at(NOW))))
        .collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    house.take(&texts).await;
    house.queues.requests.borrow().clone()
}

fn always(answer: SendAnswer) -> ScriptedCourier {
    let courier = ScriptedCourier::new(Channel::Email, []);
    *courier.afterwards.borrow_mut() = Some(answer);
    courier
}

#[tokio::test]
async fn trouble_with_the_account_opens_the_breaker_within_three_calls() {
    let house = House::new();
    let requests = waiting(&house, 10).await;
    let courier = always(trouble());
    let report = house.send("a", &courier, &requests).await;
    assert_eq!(courier.offered.borrow().len(), 3);
    assert!(house.traffic.of(Channel::Email).breaker.is_open());
    assert!(
        report.alarms[0].contains("SendingPausedException"),
        "{:?}",
        report.alarms
    );
    assert!(
        report
            .verdicts
            .iter()
            .all(|verdict| matches!(verdict, SendVerdict::Again(..)))
    );
    let tries: u32 = requests.iter().map(|request| house.email(request).failures).sum();
    assert_eq!((tries, report.counts.breaker_opened), (0, 1));
}

#[tokio::test]
async fn behind_an_open_breaker_nothing_is_claimed_or_offered() {
    let house = House::new();
    let requests = waiting(&house, 4).await;
    let open = Traffic::usual(Channel::Email).troubled("SendingPausedException", &house.policy, at(NOW));
    house.traffic.put(
        Channel::Email,
        Traffic {
            breaker: open,
            ..Traffic::usual(Channel::Email)
        },
    );
    let courier = ScriptedCourier::new(Channel::Email, []);
    let report = house.send("a", &courier, &requests).await;
    assert_eq!((courier.offered.borrow().len(), report.counts.held_back), (0, 4));
    assert!(requests.iter().all(|request| house.email(request).attempt == 0));
}

#[tokio::test]
async fn three_rejections_in_a_row_are_the_accounts_and_fail_nobody() {
    let house = House::new();
    let requests = waiting(&house, 5).await;
    let courier = always(SendAnswer::Rejected {
        reason: "MessageRejected".to_owned(),
    });
    let report = house.send("a", &courier, &requests).await;
    assert_eq!((courier.offered.borrow().len(), report.counts.failed), (3, 0));
    assert!(house.traffic.of(Channel::Email).breaker.is_open());
}

#[tokio::test]
async fn rejections_in_a_row_are_counted_across_batches() {
    let house = House::new();
    let requests = waiting(&house, 3).await;
    let courier = always(SendAnswer::Rejected {
        reason: "MessageRejected".to_owned(),
    });
    for request in &requests {
        house.send("a", &courier, std::slice::from_ref(request)).await;
    }
    let states: Vec<State> = requests.iter().map(|request| house.email(request).state).collect();
    assert_eq!(states, [State::Failed, State::Failed, State::Queued]);
    assert!(house.traffic.of(Channel::Email).breaker.is_open());
}

#[tokio::test]
async fn a_single_rejection_between_acceptances_is_the_messages_own() {
    let house = House::new();
    let requests = waiting(&house, 3).await;
    let rejected = SendAnswer::Rejected {
        reason: "MessageRejected".to_owned(),
    };
    let courier = ScriptedCourier::new(Channel::Email, [rejected]);
    let report = house.send("a", &courier, &requests).await;
    assert_eq!((report.counts.failed, report.counts.accepted), (1, 2));
    assert!(!house.traffic.of(Channel::Email).breaker.is_open());
}

#[tokio::test]
async fn a_provider_that_asks_for_patience_is_asked_no_more_and_all_slow_down() {
    let house = House::new();
    let requests = waiting(&house, 10).await;
    let courier = always(throttled());
    let before = house.traffic.of(Channel::Email).pace(at(NOW));
    let report = house.send("a", &courier, &requests).await;
    assert_eq!((courier.offered.borrow().len(), report.counts.throttled), (3, 3));
    assert!(house.traffic.of(Channel::Email).pace(at(NOW)) <= before / 2.0);
}

#[tokio::test]
async fn what_gets_no_permit_is_not_claimed_and_comes_again() {
    let house = House::new();
    let requests = waiting(&house, 20).await;
    let courier = ScriptedCourier::new(Channel::Email, []);
    let report = house.send("a", &courier, &requests).await;
    // 14 permits in a second, 3 of them for the urgent lane.
    assert_eq!((report.counts.accepted, report.counts.held_back), (11, 9));
    let (_, untouched): (Vec<_>, Vec<_>) = requests
        .into_iter()
        .partition(|request| house.email(request).attempt > 0);
    assert_eq!(untouched.len(), 9);
    house.clock.advance(SignedDuration::from_secs(1));
    let report = house.send("b", &courier, &untouched).await;
    assert_eq!(report.counts.accepted, 9);
}

#[tokio::test]
async fn an_urgent_message_passes_those_that_wait() {
    let house = House::new();
    let requests = waiting(&house, 21).await;
    let courier = ScriptedCourier::new(Channel::Email, []);
    house.send("a", &courier, &requests[..20]).await;
    let urgent = [Waiting {
        text: requests[20].to_wire(),
        is_urgent: true,
        receive_count: 1,
    }];
    let report = house.sender("b", &courier, 30).work(&urgent).await;
    assert_eq!(report.counts.accepted, 1);
}

#[tokio::test]
async fn if_nobody_knows_the_pace_the_providers_answers_are_enough() {
    let house = House::new();
    let requests = waiting(&house, 20).await;
    house.traffic.is_out_of_reach.set(true);
    let courier = ScriptedCourier::new(Channel::Email, []);
    let report = house.send("a", &courier, &requests).await;
    assert_eq!(report.counts.accepted, 20);
}

/// The account and its queues in the hands of a test.
struct Account1 {
    trouble: RefCell<Option<String>>,
    is_flowing: Cell<bool>,
}

impl AccountFacts for Account1 {
    async fn ask(&self, _channel: Channel) -> Result<Account, Unavailable> {
        Ok(Account {
            limit: 50.0,
            trouble: self.trouble.borrow().clone(),
        })
    }
}

impl Valves for Account1 {
    async fn set(&self, _channel: Channel, is_flowing: bool) -> Result<(), Unavailable> {
        self.is_flowing.set(is_flowing);
        Ok(())
    }
}

/// A trial delivery of the first request.
struct FirstOf<'a>(&'a House, &'a ScriptedCourier, &'a DeliveryRequest);

impl Trial for FirstOf<'_> {
    async fn run(&self, _channel: Channel) -> Result<bool, Unavailable> {
        let Self(house, courier, request) = self;
        let trial = crate::Sending {
            is_trial: true,
            ..house.sender("trial", *courier, 30)
        };
        let waiting = Waiting {
            text: request.to_wire(),
            is_urgent: false,
            receive_count: 1,
        };
        trial.work(&[waiting]).await;
        Ok(true)
    }
}

#[tokio::test]
async fn a_held_channel_flows_again_after_one_trial_that_meets_no_trouble() {
    let house = House::new();
    let requests = waiting(&house, 2).await;
    let courier = ScriptedCourier::new(Channel::Email, [trouble(), trouble(), trouble()]);
    house.send("a", &courier, &requests).await;
    let account = Account1 {
        trouble: RefCell::new(None),
        is_flowing: Cell::new(true),
    };
    let trial = FirstOf(&house, &courier, &requests[0]);
    let watch = Watch {
        account: &account,
        traffic: &house.traffic,
        valves: &account,
        trial: &trial,
        policy: &house.policy,
        clock: &house.clock,
    };
    let watched = watch.look_after(Channel::Email).await;
    assert!(watched.is_held && !account.is_flowing.get(), "{watched:?}");
    // The first trial meets the third trouble of the script, the second one goes through.
    house.clock.advance(SignedDuration::from_secs(60));
    assert!(watch.look_after(Channel::Email).await.is_held);
    house.clock.advance(SignedDuration::from_secs(60));
    let calls = courier.offered.borrow().len();
    assert!(
        watch.look_after(Channel::Email).await.is_held,
        "too early for another trial"
    );
    assert_eq!(courier.offered.borrow().len(), calls);
    house.clock.advance(SignedDuration::from_secs(60));
    let watched = watch.look_after(Channel::Email).await;
    assert!(!watched.is_held && account.is_flowing.get(), "{watched:?}");
    let traffic = house.traffic.of(Channel::Email);
    assert_eq!(
        (&traffic.breaker, traffic.limit.to_bits()),
        (&Breaker::Closed, 50.0_f64.to_bits())
    );
    assert_eq!(house.email(&requests[0]).state, State::Sent);
}

#[tokio::test]
async fn an_account_that_says_itself_that_it_may_not_send_is_held_before_anybody_tries() {
    let house = House::new();
    let account = Account1 {
        trouble: RefCell::new(Some("the daily quota is used up".to_owned())),
        is_flowing: Cell::new(true),
    };
    let courier = ScriptedCourier::new(Channel::Email, []);
    let request = house.queued(&confirmation("ana", "1", at(NOW))).await;
    let trial = FirstOf(&house, &courier, &request);
    let watch = Watch {
        account: &account,
        traffic: &house.traffic,
        valves: &account,
        trial: &trial,
        policy: &house.policy,
        clock: &house.clock,
    };
    assert!(watch.look_after(Channel::Email).await.is_held);
    house.clock.advance(SignedDuration::from_secs(3_600));
    assert!(watch.look_after(Channel::Email).await.is_held);
    assert!(courier.offered.borrow().is_empty() && !account.is_flowing.get());
}

/// Valves at which another watch, whose trial went through, closes the breaker just before they are shut.
struct AnotherWasFaster<'a>(&'a House, Cell<bool>);

impl Valves for AnotherWasFaster<'_> {
    async fn set(&self, channel: Channel, is_flowing: bool) -> Result<(), Unavailable> {
        if !is_flowing {
            TrafficShare::set_breaker(&self.0.traffic, channel, &Breaker::Closed).await?;
        }
        self.1.set(is_flowing);
        Ok(())
    }
}

#[tokio::test]
async fn two_watches_at_once_leave_the_queues_held_no_longer_than_a_minute() {
    let house = House::new();
    let requests = waiting(&house, 1).await;
    let courier = ScriptedCourier::new(Channel::Email, [trouble()]);
    house.send("a", &courier, &requests).await;
    let account = Account1 {
        trouble: RefCell::new(None),
        is_flowing: Cell::new(true),
    };
    let valves = AnotherWasFaster(&house, Cell::new(true));
    let trial = FirstOf(&house, &courier, &requests[0]);
    let watch = Watch {
        account: &account,
        traffic: &house.traffic,
        valves: &valves,
        trial: &trial,
        policy: &house.policy,
        clock: &house.clock,
    };
    watch.look_after(Channel::Email).await;
    assert!(!valves.1.get());
    // The next look, a minute later, finds a closed breaker and shut valves.
    let watched = watch.look_after(Channel::Email).await;
    assert!(!watched.is_held && valves.1.get(), "{watched:?}");
}

/// The provider's list of numbers that want nothing.
struct List(Vec<domain::Contact>);

impl domain::ports::OptOutList for List {
    async fn read(&self) -> Result<Vec<domain::Contact>, Unavailable> {
        Ok(self.0.clone())
    }
}

#[tokio::test]
async fn numbers_that_opted_out_at_the_provider_are_taken_over_once() {
    let house = House::new();
    let number = domain::Contact::of(Channel::Sms, "+34600123456");
    let list = List(vec![number.clone(), domain::Contact::of(Channel::Sms, "+40712345678")]);
    let first = crate::take_over_opt_outs(&list, &house.customers, &house.clock).await;
    assert_eq!(first.unwrap(), 2);
    assert_eq!(
        crate::take_over_opt_outs(&list, &house.customers, &house.clock)
            .await
            .unwrap(),
        0
    );
    let suppressions = house.customers.suppressions.borrow();
    let hold = suppressions[&number].in_force(at(NOW)).unwrap();
    assert_eq!((hold.reason.name(), hold.until), ("sms_opted_out", None));
}

#[tokio::test]
async fn lifting_an_opt_out_here_does_not_lift_it_there() {
    let house = House::new();
    let number = domain::Contact::of(Channel::Sms, "+34600123456");
    let list = List(vec![number.clone()]);
    crate::take_over_opt_outs(&list, &house.customers, &house.clock)
        .await
        .unwrap();
    let lifted = house.customers.suppressions.borrow()[&number].lifted("ana", "asked for it", at(NOW));
    house.customers.suppressions.borrow_mut().insert(number.clone(), lifted);
    house.clock.advance(SignedDuration::from_hours(24));
    let again = crate::take_over_opt_outs(&list, &house.customers, &house.clock).await;
    assert_eq!(again.unwrap(), 1);
}
