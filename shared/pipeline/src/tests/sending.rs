//! Sending: at most one accepted message, whatever happens in between.

use domain::ports::{Advanced, Clock as _, Draft, NotWritten, SendAnswer, Step, Unavailable};
use domain::{Channel, Delivery, DeliveryRequest, Language, Lease, News, OrderId, Reason, State, Written};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use testkit::{ScriptedCourier, at, confirmation, email_request, shipped};

use super::{House, NOW, text_of};
use crate::{SendVerdict, Waiting};

fn email_courier(script: impl IntoIterator<Item = SendAnswer>) -> ScriptedCourier {
    ScriptedCourier::new(Channel::Email, script)
}

fn lost() -> SendAnswer {
    SendAnswer::Unknown {
        reason: "no answer".to_owned(),
    }
}

fn accepted() -> SendAnswer {
    SendAnswer::Accepted {
        message_id: "m-1".to_owned(),
    }
}

fn refused() -> SendAnswer {
    SendAnswer::Refused {
        reason: "MessageRejected".to_owned(),
    }
}

fn not_taken() -> SendAnswer {
    SendAnswer::NotTaken {
        reason: "LimitExceededException".to_owned(),
    }
}

/// A courier after whose call the ledger fails for a while.
struct FailsAfterSending<'a>(&'a House, ScriptedCourier, u32);

impl domain::ports::Courier for FailsAfterSending<'_> {
    type Message = ();

    fn channel(&self) -> Channel {
        Channel::Email
    }

    async fn write(&self, request: &DeliveryRequest) -> Result<Draft<()>, NotWritten> {
        self.1.write(request).await
    }

    async fn send(&self, request: &DeliveryRequest, message: &()) -> SendAnswer {
        self.0.ledger.fail(self.2);
        self.1.send(request, message).await
    }
}

#[tokio::test]
async fn an_accepted_message_is_sent_and_its_repetition_is_not() {
    let house = House::new();
    let request = house.queued(&confirmation("ana", "1", at(NOW - 3))).await;
    let courier = email_courier([]);
    let report = house.send("a", &courier, std::slice::from_ref(&request)).await;
    assert_eq!(
        (report.counts.accepted, report.counts.latencies_ms.as_slice()),
        (1, [3_000].as_slice())
    );
    // Handed over in the same moment, so that nothing was waited for.
    assert_eq!(
        (report.counts.delays_ms, report.counts.urgent_delays_ms),
        (vec![], vec![0])
    );
    let again = house.send("b", &courier, &[request.clone(), request.clone()]).await;
    assert!(
        again
            .verdicts
            .iter()
            .all(|verdict| matches!(verdict, SendVerdict::Done(_, State::Sent, None)))
    );
    assert_eq!(courier.offered.borrow().len(), 1);
}

#[tokio::test]
async fn a_lost_reply_never_sends_twice_before_its_deadline() {
    let house = House::new();
    let request = house.queued(&confirmation("ana", "1", at(NOW))).await;
    let courier = email_courier([lost()]);
    let report = house.send("a", &courier, std::slice::from_ref(&request)).await;
    assert_eq!(
        report.verdicts[0],
        SendVerdict::Again(request.id, at(NOW + 900), "no answer".to_owned())
    );
    house.clock.set(at(NOW + 899));
    house.send("b", &courier, std::slice::from_ref(&request)).await;
    assert_eq!(
        (courier.offered.borrow().len(), house.email(&request).state),
        (1, State::InDoubt)
    );
    house.clock.set(at(NOW + 900));
    let report = house.send("c", &courier, std::slice::from_ref(&request)).await;
    assert_eq!((report.counts.resent_in_doubt, report.counts.accepted), (1, 1));
}

/// A ledger in which somebody else writes the same, in the same millisecond, just before.
struct AnotherWasFaster<'a>(&'a testkit::MemoryLedger);

impl domain::ports::LedgerAdvance for AnotherWasFaster<'_> {
    async fn advance(&self, steps: &[Step]) -> Vec<Result<Advanced, Unavailable>> {
        let doubts = steps.iter().filter(|step| step.next.state == State::InDoubt);
        let doubts: Vec<Step> = doubts.cloned().collect();
        self.0.advance(&doubts).await;
        self.0.advance(steps).await
    }
}

impl domain::ports::OrderNews for AnotherWasFaster<'_> {
    async fn since(&self, orders: &[(OrderId, Timestamp)]) -> Result<HashMap<OrderId, Vec<News>>, Unavailable> {
        self.0.since(orders).await
    }
}

#[tokio::test]
async fn a_doubt_that_somebody_else_writes_in_the_same_millisecond_is_counted_there() {
    let house = House::new();
    let request = house.queued(&confirmation("ana", "1", at(NOW))).await;
    let lease = Lease {
        owner: "gone".to_owned(),
        until: at(NOW),
    };
    let (_, held) = house.email(&request).claim(lease, at(NOW));
    house.ledger.put(request.id, Channel::Email, held);
    house.clock.set(at(NOW + 1));
    let (ledger, courier) = (AnotherWasFaster(&house.ledger), email_courier([]));
    let sending = crate::Sending {
        customers: &house.customers,
        ledger: &ledger,
        room: &house.room,
        night: &house.night,
        traffic: &house.traffic,
        dead_letters: &house.dead_letters,
        clock: &house.clock,
        courier: &courier,
        policy: &house.policy,
        owner: "b",
        deadline: at(NOW + 30),
        call_time_out: SignedDuration::from_secs(10),
        memory: &house.memory,
        is_trial: false,
    };
    let batch = [Waiting {
        text: request.to_wire(),
        is_urgent: false,
        receive_count: 2,
    }];
    let report = sending.work(&batch).await;
    assert_eq!(
        (report.counts.in_doubt, house.email(&request).state),
        (0, State::InDoubt)
    );
}

#[tokio::test]
async fn an_sms_in_doubt_is_never_sent_again() {
    let house = House::new();
    house.take(&[&text_of(&shipped("ana", "1", at(NOW)))]).await;
    let request = house.queues.requests.borrow()[1].clone();
    let courier = ScriptedCourier::new(Channel::Sms, [lost()]);
    house.send("a", &courier, std::slice::from_ref(&request)).await;
    house.clock.set(at(NOW + 2_000));
    let report = house.send("b", &courier, std::slice::from_ref(&request)).await;
    assert_eq!(
        report.verdicts[0],
        SendVerdict::Done(request.id, State::Failed, Some("in_doubt".to_owned()))
    );
    assert_eq!((courier.offered.borrow().len(), report.counts.failed), (1, 1));
    assert_eq!(report.counts.failed_in_doubt, 1);
}

#[tokio::test]
async fn refused_for_a_while_is_retried_with_growing_waits_and_sent_once() {
    let house = House::new();
    let request = house.queued(&confirmation("ana", "1", at(NOW))).await;
    let courier = email_courier([not_taken(), not_taken(), not_taken()]);
    let mut waits = Vec::new();
    for owner in ["a", "b", "c"] {
        let before = house.clock.now();
        let report = house.send(owner, &courier, std::slice::from_ref(&request)).await;
        let SendVerdict::Again(_, then, _) = &report.verdicts[0] else {
            panic!("{report:?}")
        };
        waits.push(then.duration_since(before).as_secs());
        house.clock.set(*then);
    }
    let report = house.send("d", &courier, std::slice::from_ref(&request)).await;
    assert_eq!(report.counts.accepted, 1);
    assert!(waits.is_sorted_by(|a, b| a < b), "{waits:?}");
}

#[tokio::test]
async fn refused_for_good_is_parked_and_buried_once_with_the_reason() {
    let house = House::new();
    let request = house.queued(&confirmation("ana", "1", at(NOW))).await;
    let courier = email_courier(std::iter::repeat_n(not_taken(), 9));
    for owner in ["a", "b", "c", "d", "e"] {
        house.send(owner, &courier, std::slice::from_ref(&request)).await;
        house.clock.advance(SignedDuration::from_hours(1));
    }
    assert_eq!(
        (courier.offered.borrow().len(), house.email(&request).state),
        (4, State::Parked)
    );
    let letters = house.dead_letters.letters.borrow();
    assert_eq!(
        (letters.len(), letters[0].reason.as_str()),
        (1, "LimitExceededException")
    );
}

#[tokio::test]
async fn a_parked_message_comes_again_until_the_dead_letters_have_it() {
    let house = House::new();
    let request = house.queued(&confirmation("ana", "1", at(NOW))).await;
    house.ledger.put(
        request.id,
        Channel::Email,
        Delivery::queued(at(NOW)).park("why", at(NOW)),
    );
    house.dead_letters.is_out_of_reach.set(true);
    let courier = email_courier([]);
    let report = house.send("a", &courier, std::slice::from_ref(&request)).await;
    assert!(matches!(report.verdicts[0], SendVerdict::Again(..)));
    house.dead_letters.is_out_of_reach.set(false);
    let report = house.send("b", &courier, std::slice::from_ref(&request)).await;
    assert!(matches!(report.verdicts[0], SendVerdict::Done(_, State::Parked, _)));
    assert_eq!(house.dead_letters.letters.borrow().len(), 1);
}

#[tokio::test]
async fn a_message_that_the_provider_calls_bad_fails_for_good() {
    let house = House::new();
    let request = house.queued(&confirmation("ana", "1", at(NOW))).await;
    let courier = email_courier([SendAnswer::Refused {
        reason: "MessageRejected".to_owned(),
    }]);
    let report = house.send("a", &courier, std::slice::from_ref(&request)).await;
    assert_eq!(
        report.verdicts[0],
        SendVerdict::Done(request.id, State::Failed, Some("MessageRejected".to_owned()))
    );
    assert!(house.dead_letters.letters.borrow().is_empty());
}

#[tokio::test]
async fn a_type_without_a_template_fails_for_good_and_is_never_offered() {
    let house = House::new();
    let request = house.queued(&confirmation("ana", "1", at(NOW))).await;
    let courier = email_courier([]);
    *courier.not_written.borrow_mut() = Some(NotWritten::Unwritable("no template".to_owned()));
    house.send("a", &courier, std::slice::from_ref(&request)).await;
    let email = house.email(&request);
    assert_eq!((email.state, courier.offered.borrow().len()), (State::Failed, 0));
    assert_eq!((email.reason.as_deref(), email.written), (Some("no template"), None));
}

#[tokio::test]
async fn what_its_writer_finds_unwanted_is_skipped_for_that_reason_and_never_offered() {
    for (reason, counted) in [
        (Reason::CountryNotServed, (0, 0)),
        (Reason::SmsNumberLimit, (1, 0)),
        (Reason::SmsBudgetUsedUp, (0, 1)),
    ] {
        let house = House::new();
        let request = house.queued(&confirmation("ana", "1", at(NOW))).await;
        let courier = email_courier([]);
        *courier.not_written.borrow_mut() = Some(NotWritten::Unwanted(reason));
        let counts = house.send("a", &courier, std::slice::from_ref(&request)).await.counts;
        let email = house.email(&request);
        assert_eq!(
            (email.state, email.reason.as_deref()),
            (State::Skipped, Some(reason.code()))
        );
        assert_eq!((counts.skipped, counts.failed), (1, 0));
        assert_eq!((counts.over_number_limit, counts.over_budget), counted);
        assert!(courier.offered.borrow().is_empty() && email.written.is_none());
    }
}

#[tokio::test]
async fn what_cannot_be_told_now_comes_again_without_a_try_used_up_and_its_neighbours_go_out() {
    let house = House::new();
    let request = house.queued(&confirmation("ana", "1", at(NOW))).await;
    let courier = email_courier([]);
    *courier.not_written.borrow_mut() = Some(NotWritten::NotNow("could not count".to_owned()));
    let report = house.send("a", &courier, std::slice::from_ref(&request)).await;
    let SendVerdict::Again(_, then, why) = &report.verdicts[0] else {
        panic!("{report:?}")
    };
    let email = house.email(&request);
    assert_eq!(
        (why.as_str(), email.state, email.failures),
        ("could not count", State::Queued, 0)
    );
    assert_eq!((report.counts.throttled, report.counts.breaker_opened), (0, 0));
    house.clock.set(*then);
    *courier.not_written.borrow_mut() = None;
    house.send("b", &courier, std::slice::from_ref(&request)).await;
    assert_eq!(house.email(&request).state, State::Sent);
}

#[tokio::test]
async fn the_ledger_keeps_what_was_offered_whatever_the_provider_answers() {
    for answer in [lost(), not_taken(), refused(), accepted()] {
        let house = House::new();
        let request = house.queued(&confirmation("ana", "1", at(NOW))).await;
        let report = house
            .send("a", &email_courier([answer]), std::slice::from_ref(&request))
            .await;
        let email = house.email(&request);
        assert_eq!(
            email.written,
            Some(Written::email(Language::Es, "built-in")),
            "{}",
            email.state
        );
        assert_eq!(report.counts.segments, 0);
    }
}

#[tokio::test]
async fn an_earlier_offer_is_remembered_while_nothing_else_is_offered() {
    let house = House::new();
    let request = house.queued(&confirmation("ana", "1", at(NOW))).await;
    let courier = email_courier([not_taken()]);
    house.send("a", &courier, std::slice::from_ref(&request)).await;
    house.clock.advance(SignedDuration::from_secs(60));
    *courier.not_written.borrow_mut() = Some(NotWritten::NotNow("could not count".to_owned()));
    house.send("b", &courier, std::slice::from_ref(&request)).await;
    assert!(house.email(&request).written.is_some());
}

#[tokio::test]
async fn the_segments_of_accepted_text_messages_are_counted() {
    let house = House::new();
    house
        .take(&[
            &text_of(&shipped("ana", "1", at(NOW))),
            &text_of(&shipped("ana", "2", at(NOW))),
        ])
        .await;
    let mut texts = house.queues.requests.take();
    texts.retain(|request| request.channel == Channel::Sms);
    let courier = ScriptedCourier::new(Channel::Sms, [refused()]);
    let counts = house.send("a", &courier, &texts).await.counts;
    assert_eq!((counts.accepted, counts.failed, counts.segments), (1, 1, 2));
}

#[tokio::test]
async fn a_panic_in_one_record_is_that_records_own() {
    let house = House::new();
    let requests = [
        house.queued(&confirmation("ana", "1", at(NOW))).await,
        email_request(&confirmation("ana", "2", at(NOW))),
    ];
    house.take(&[&text_of(&confirmation("ana", "2", at(NOW)))]).await;
    let mut courier = email_courier([]);
    courier.panics_at = Some("1".to_owned());
    house.send("a", &courier, &requests).await;
    assert_eq!(
        (house.email(&requests[0]).state, house.email(&requests[1]).state),
        (State::Queued, State::Sent)
    );
}

#[tokio::test]
async fn an_opt_out_while_the_message_waited_is_obeyed() {
    let house = House::new();
    let request = house.queued(&shipped("ana", "1", at(NOW))).await;
    house.opt_out("ana", [Channel::Email]);
    let courier = email_courier([]);
    let report = house.send("a", &courier, std::slice::from_ref(&request)).await;
    assert_eq!(
        report.verdicts[0],
        SendVerdict::Done(request.id, State::Skipped, Some("opted_out".to_owned()))
    );
    assert!(courier.offered.borrow().is_empty());
}

#[tokio::test]
async fn an_owner_that_was_killed_leaves_doubt_and_its_message_is_not_sent_at_once() {
    let house = House::new();
    let request = house.queued(&confirmation("ana", "1", at(NOW))).await;
    let lease = Lease {
        owner: "killed".to_owned(),
        until: at(NOW + 90),
    };
    house.ledger.put(
        request.id,
        Channel::Email,
        Delivery::queued(at(NOW)).claim(lease, at(NOW)).1,
    );
    let courier = email_courier([]);
    let early = house.send("b", &courier, std::slice::from_ref(&request)).await;
    assert_eq!(
        early.verdicts[0],
        SendVerdict::Again(request.id, at(NOW + 5), "sending".to_owned())
    );
    house.clock.set(at(NOW + 90));
    house.send("b", &courier, std::slice::from_ref(&request)).await;
    assert_eq!(
        (house.email(&request).state, courier.offered.borrow().len()),
        (State::InDoubt, 0)
    );
}

#[tokio::test]
async fn a_lost_reply_to_our_own_claim_changes_nothing() {
    let house = House::new();
    let request = house.queued(&confirmation("ana", "1", at(NOW))).await;
    let courier = email_courier([]);
    house.ledger.lose_replies(1);
    let report = house.send("a", &courier, std::slice::from_ref(&request)).await;
    assert_eq!((report.counts.accepted, courier.offered.borrow().len()), (1, 1));
    assert_eq!(house.email(&request).attempt, 1);
}

#[tokio::test]
async fn an_outcome_that_cannot_be_written_is_tried_until_it_is() {
    let house = House::new();
    let request = house.queued(&confirmation("ana", "1", at(NOW))).await;
    let courier = FailsAfterSending(&house, email_courier([]), 3);
    let batch = [Waiting {
        text: request.to_wire(),
        is_urgent: false,
        receive_count: 1,
    }];
    let report = house.sender("a", &courier, 30).work(&batch).await;
    assert_eq!((report.counts.accepted, house.email(&request).state), (1, State::Sent));
}

#[tokio::test]
async fn an_outcome_that_was_never_written_leaves_doubt_and_the_next_round_does_not_send_again() {
    let house = House::new();
    let request = house.queued(&confirmation("ana", "1", at(NOW))).await;
    let courier = FailsAfterSending(&house, email_courier([]), 1_000);
    let batch = [Waiting {
        text: request.to_wire(),
        is_urgent: false,
        receive_count: 1,
    }];
    let first = house.sender("call.0", &courier, 30).work(&batch).await;
    assert!(matches!(first.verdicts[0], SendVerdict::Again(..)), "{first:?}");
    house.ledger.fail(0);
    let second = house.sender("call.1", &courier, 30).work(&batch).await;
    assert!(matches!(second.verdicts[0], SendVerdict::Again(..)), "{second:?}");
    assert_eq!(
        (courier.1.offered.borrow().len(), house.email(&request).state),
        (1, State::Sending)
    );
}

#[tokio::test]
async fn a_foreign_message_goes_to_the_dead_letters() {
    let house = House::new();
    let courier = email_courier([]);
    let sending = house.sender("a", &courier, 30);
    let report = sending
        .work(&[Waiting {
            text: r#"{"delivery/9":{}}"#.to_owned(),
            is_urgent: true,
            receive_count: 1,
        }])
        .await;
    assert!(matches!(report.verdicts[0], SendVerdict::Refused(_)));
    assert!(house.dead_letters.letters.borrow()[0].is_urgent);
}

#[tokio::test]
async fn a_delivery_that_the_ledger_does_not_know_is_buried_and_never_sent() {
    let house = House::new();
    let request = email_request(&confirmation("ana", "1", at(NOW)));
    let courier = email_courier([]);
    let report = house.send("a", &courier, &[request]).await;
    assert!(matches!(report.verdicts[0], SendVerdict::Refused(_)), "{report:?}");
    assert_eq!(house.dead_letters.letters.borrow()[0].reason, "not in the ledger");
    assert_eq!((courier.offered.borrow().len(), report.counts.refused), (0, 1));
}

#[tokio::test]
async fn what_was_held_too_long_is_parked_and_may_be_sent_again_by_an_operator() {
    let house = House::new();
    let request = house.queued(&confirmation("ana", "1", at(NOW))).await;
    house
        .clock
        .advance(house.policy.hold_at_most + SignedDuration::from_secs(1));
    let courier = email_courier([]);
    house.send("a", &courier, std::slice::from_ref(&request)).await;
    let parked = house.email(&request);
    assert_eq!(
        (parked.state, parked.reason.as_deref()),
        (State::Parked, Some("held_too_long"))
    );
    let again = Delivery {
        generation: 1,
        attempt: parked.attempt,
        ..Delivery::queued(at(NOW))
    };
    house.ledger.put(request.id, Channel::Email, again);
    assert_eq!(house.send("b", &courier, &[request]).await.counts.accepted, 1);
}

#[tokio::test]
async fn what_is_scheduled_waits_for_its_time() {
    let house = House::new();
    house
        .take(&[r#"{"userId":"ana","type":"order_confirmation","orderId":"1","recipientEmail":"a@example.com","scheduledFor":"2026-11-21T08:00:00Z"}"#])
        .await;
    let request = house.room.requests()[0].clone();
    let courier = email_courier([]);
    let then: jiff::Timestamp = "2026-11-21T08:00:00Z".parse().unwrap();
    assert_eq!(request.not_before, Some(then));
    let early = house.send("a", &courier, std::slice::from_ref(&request)).await;
    assert_eq!(early.verdicts[0], SendVerdict::Done(request.id, State::Deferred, None));
    assert_eq!(house.email(&request).attempt, 0);
    house.clock.set(then - SignedDuration::from_mins(1));
    let almost = house.send("b", &courier, std::slice::from_ref(&request)).await;
    assert_eq!(
        almost.verdicts[0],
        SendVerdict::Again(request.id, then, "deferred".to_owned())
    );
    house.clock.set(then);
    assert_eq!(house.send("c", &courier, &[request]).await.counts.accepted, 1);
}

#[tokio::test]
async fn nothing_is_claimed_that_this_invocation_could_not_offer_any_more() {
    let house = House::new();
    let request = house.queued(&confirmation("ana", "1", at(NOW))).await;
    let courier = email_courier([]);
    let batch = [Waiting {
        text: request.to_wire(),
        is_urgent: false,
        receive_count: 1,
    }];
    let report = house.sender("a", &courier, 12).work(&batch).await;
    assert!(matches!(&report.verdicts[0], SendVerdict::Again(_, _, why) if why == "no time left in this invocation"));
    assert_eq!((courier.offered.borrow().len(), house.email(&request).attempt), (0, 0));
}

/// A courier that takes its time to write.
struct SlowWriter<'a>(&'a House, ScriptedCourier);

impl domain::ports::Courier for SlowWriter<'_> {
    type Message = ();

    fn channel(&self) -> Channel {
        Channel::Email
    }

    async fn write(&self, request: &DeliveryRequest) -> Result<Draft<()>, NotWritten> {
        self.0.clock.advance(SignedDuration::from_secs(20));
        self.1.write(request).await
    }

    async fn send(&self, request: &DeliveryRequest, message: &()) -> SendAnswer {
        self.1.send(request, message).await
    }
}

#[tokio::test]
async fn no_call_is_started_that_the_invocation_might_not_survive() {
    let house = House::new();
    let request = house.queued(&confirmation("ana", "1", at(NOW))).await;
    let courier = SlowWriter(&house, email_courier([]));
    let batch = [Waiting {
        text: request.to_wire(),
        is_urgent: false,
        receive_count: 1,
    }];
    house.sender("a", &courier, 30).work(&batch).await;
    let email = house.email(&request);
    assert_eq!(
        (courier.1.offered.borrow().len(), email.state, email.failures),
        (0, State::Queued, 0)
    );
}

#[tokio::test]
async fn a_ledger_out_of_reach_sends_the_message_back_untried() {
    let house = House::new();
    let request = house.queued(&confirmation("ana", "1", at(NOW))).await;
    let courier = email_courier([]);
    house.ledger.fail(1_000);
    let report = house.send("a", &courier, std::slice::from_ref(&request)).await;
    assert!(matches!(report.verdicts[0], SendVerdict::Again(..)), "{report:?}");
    assert!(courier.offered.borrow().is_empty());
}
