//! The arrows, and what guards them.

use super::learn::standing;
use super::trail::LONGEST_TRAIL;
use super::*;
use crate::Evidence;
use proptest::prelude::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

fn scheduled(until: Timestamp) -> Wait {
    Wait {
        until,
        is_for_quiet_hours: false,
    }
}

fn sending() -> Delivery {
    Delivery::queued(at(0))
        .claim(
            Lease {
                owner: "a".into(),
                until: at(90),
            },
            at(1),
        )
        .1
}

const DOUBT: SignedDuration = SignedDuration::from_mins(15);

#[test]
fn a_claim_holds_once() {
    let delivery = Delivery::queued(at(0));
    let (guard, claimed) = delivery.claim(
        Lease {
            owner: "a".into(),
            until: at(90),
        },
        at(1),
    );
    assert!(guard.admits(&delivery));
    assert!(!guard.admits(&claimed));
}

#[test]
fn a_lease_that_is_over_leads_to_doubt_and_never_to_another_claim() {
    assert_eq!(sending().encounter("b", DOUBT, at(2)), Encounter::Wait(at(7)));
    assert_eq!(sending().encounter("b", DOUBT, at(89)), Encounter::Wait(at(90)));
    assert_eq!(sending().encounter("b", DOUBT, at(90)), Encounter::LeaseOver);
    let (claim, _) = sending().claim(
        Lease {
            owner: "b".into(),
            until: at(200),
        },
        at(100),
    );
    assert!(!claim.admits(&sending()));
}

#[test]
fn a_lost_reply_to_our_own_claim_is_recognised() {
    assert_eq!(sending().encounter("a", DOUBT, at(2)), Encounter::Ours);
}

#[test]
fn a_slow_owner_may_settle_what_others_hold_in_doubt() {
    let doubt = sending().doubt("lease over", at(91));
    assert!(sending().owners_guard().admits(&doubt));
}

#[test]
fn a_slow_owner_cannot_settle_the_next_attempt() {
    let again = sending()
        .doubt("lease over", at(91))
        .end_doubt(Channel::Email, &RetryPolicy::default(), at(2_000));
    let (_, second) = again.claim(
        Lease {
            owner: "b".into(),
            until: at(2_090),
        },
        at(2_001),
    );
    assert!(!sending().owners_guard().admits(&again));
    assert!(!sending().owners_guard().admits(&second));
}

#[test]
fn an_email_in_doubt_is_tried_again_and_an_sms_never() {
    let doubt = sending().doubt("time-out", at(5));
    assert_eq!(doubt.encounter("b", DOUBT, at(5 + 899)), Encounter::Wait(at(905)));
    assert_eq!(doubt.encounter("b", DOUBT, at(905)), Encounter::DoubtOver);
    assert_eq!(
        doubt.end_doubt(Channel::Email, &RetryPolicy::default(), at(905)).state,
        State::Queued
    );
    assert_eq!(
        doubt.end_doubt(Channel::Sms, &RetryPolicy::default(), at(905)).state,
        State::Failed
    );
}

#[test]
fn the_first_try_and_three_retries_then_parked() {
    let policy = RetryPolicy::default();
    let mut delivery = sending();
    for expected in [State::Queued, State::Queued, State::Queued, State::Parked] {
        delivery = delivery.spend_a_try("refused", &policy, 0.5, at(10));
        assert_eq!(delivery.state, expected);
    }
    assert_eq!(delivery.encounter("b", DOUBT, at(11)), Encounter::OwedToDeadLetters);
    assert_eq!(
        delivery.dead_lettered().encounter("b", DOUBT, at(11)),
        Encounter::Finished
    );
}

#[test]
fn throttling_uses_up_no_try() {
    let mut delivery = sending();
    for attempt in 1..100 {
        delivery = delivery.settle(
            &SendAnswer::Throttled {
                reason: "throttled".into(),
            },
            &RetryPolicy::default(),
            0.9,
            at(attempt),
        );
        assert_eq!((delivery.state, delivery.failures), (State::Queued, 0));
        delivery = delivery
            .claim(
                Lease {
                    owner: "a".into(),
                    until: at(attempt + 90),
                },
                Timestamp::MAX,
            )
            .1;
    }
}

fn answers() -> impl Strategy<Value = SendAnswer> {
    let reason = || "why".to_owned();
    prop_oneof![
        Just(SendAnswer::Accepted { message_id: "m".into() }),
        Just(SendAnswer::Throttled { reason: reason() }),
        Just(SendAnswer::AccountTrouble { reason: reason() }),
        Just(SendAnswer::NotTaken { reason: reason() }),
        Just(SendAnswer::Refused { reason: reason() }),
        Just(SendAnswer::Repeatable { reason: reason() }),
        Just(SendAnswer::Unknown { reason: reason() }),
    ]
}

proptest! {
    #[test]
    fn only_what_is_queued_can_be_claimed(answer in answers(), chance in 0.0_f64..1.0) {
        let next = sending().settle(&answer, &RetryPolicy::default(), chance, at(10));
        prop_assert_eq!(next.claimable_at.is_some(), next.state == State::Queued);
        prop_assert_eq!(next.attempt, 1);
        prop_assert_eq!(next.state == State::Sent, next.message_id.is_some());
    }
}

fn reports() -> Vec<Evidence> {
    vec![
        Evidence::Accepted,
        Evidence::Delayed,
        Evidence::Delivered,
        Evidence::Opened { by_machine: false },
        Evidence::Bounced {
            reason: "hard_bounce".to_owned(),
        },
        Evidence::Complained,
    ]
}

/// The delivery after these reports, each of them twice where its number is even.
fn after(delivery: Delivery, reports: &[Evidence]) -> Delivery {
    let twice = reports.iter().chain(reports.iter().step_by(2));
    twice.fold(delivery, |delivery, evidence| {
        match delivery.learn(evidence, "m-1", at(100), at(200)) {
            None => delivery,
            Some((guard, next)) => {
                assert!(guard.admits(&delivery));
                next
            }
        }
    })
}

#[test]
fn a_send_event_settles_a_doubt_and_brings_the_message_id() {
    let settled = after(sending().doubt("no answer", at(5)), &[Evidence::Accepted]);
    assert_eq!(
        (settled.state, settled.message_id.as_deref()),
        (State::Sent, Some("m-1"))
    );
}

#[test]
fn a_late_report_prevents_a_second_message() {
    let policy = RetryPolicy::default();
    let queued = sending()
        .doubt("no answer", at(5))
        .end_doubt(Channel::Email, &policy, at(1_000));
    assert_eq!(queued.state, State::Queued);
    assert_eq!(after(queued, &[Evidence::Accepted]).state, State::Sent);
    let parked = sending().park("in_doubt", at(5));
    assert_eq!(after(parked, &[Evidence::Delivered]).state, State::Delivered);
}

#[test]
fn what_was_never_tried_or_has_ended_learns_nothing() {
    let skipped = sending().close(State::Skipped, "opted_out", at(3));
    let failed = sending().close(State::Failed, "BadRequestException", at(3));
    for delivery in [
        Delivery::queued(at(0)),
        Delivery::deferred(scheduled(at(9)), at(0)),
        skipped,
        failed,
    ] {
        for evidence in reports() {
            assert_eq!(delivery.learn(&evidence, "m-1", at(1), at(2)), None, "{delivery:?}");
        }
    }
}

#[test]
fn an_opening_by_a_person_is_kept_and_one_by_a_machine_is_not() {
    let machine = after(sending(), &[Evidence::Opened { by_machine: true }]);
    assert_eq!((machine.state, machine.opened_at), (State::Delivered, None));
    let person = after(machine, &[Evidence::Opened { by_machine: false }, Evidence::Clicked]);
    assert_eq!((person.opened_at, person.clicked_at), (Some(at(100)), Some(at(100))));
}

#[test]
fn a_note_in_doubt_is_tried_again_whatever_the_policy_says_of_emails_and_at_last_parked() {
    let policy = RetryPolicy {
        after_doubt: AfterDoubt::Hold,
        ..RetryPolicy::default()
    };
    let mut delivery = Delivery::queued(at(0));
    for attempt in 1..=policy.tries {
        let lease = Lease {
            owner: "a".into(),
            until: at(90),
        };
        let doubted = delivery.claim(lease, at(1)).1.doubt("the sender is gone", at(91));
        let waits = policy.doubt_of(Channel::InApp);
        assert_eq!(doubted.encounter("b", waits, at(91)), Encounter::DoubtOver);
        delivery = doubted.end_doubt(Channel::InApp, &policy, at(91));
        let state = if attempt < policy.tries {
            State::Queued
        } else {
            State::Parked
        };
        assert_eq!((delivery.state, delivery.failures), (state, attempt));
    }
}

#[test]
fn an_email_in_doubt_may_be_held_instead() {
    let policy = RetryPolicy {
        after_doubt: AfterDoubt::Hold,
        ..RetryPolicy::default()
    };
    let held = sending()
        .doubt("no answer", at(5))
        .end_doubt(Channel::Email, &policy, at(1_000));
    assert_eq!((held.state, held.reason.as_deref()), (State::Failed, Some("in_doubt")));
}

#[test]
fn what_was_left_out_is_reopened_unless_it_was_decided_against_meanwhile() {
    let guard = Guard::SkippedFor {
        reason: Reason::NotAskedFor,
    };
    let left_out = |reason: Reason| Delivery::never_sent(reason.state(), reason, at(0));
    assert!(guard.admits(&left_out(Reason::NotAskedFor)));
    assert!(!guard.admits(&left_out(Reason::OptedOut)));
    assert!(!guard.admits(&Delivery::queued(at(0))));
    assert!(!guard.admits(&sending().close(State::Skipped, Reason::NotAskedFor.code(), at(2))));
}

#[test]
fn a_redrive_is_a_new_generation_with_all_its_tries() {
    let policy = RetryPolicy::default();
    let parked = Delivery {
        failures: 3,
        ..sending()
    }
    .spend_a_try("LimitExceededException", &policy, 0.5, at(9))
    .dead_lettered();
    let again = parked.redrive("ana", at(20));
    assert_eq!(
        (again.state, again.generation, again.failures, again.is_dead_lettered),
        (State::Queued, 1, 0, false)
    );
    assert_eq!(again.attempt, parked.attempt);
}

#[test]
fn the_trail_tells_what_lies_behind_and_a_straight_way_leaves_none() {
    let accepted = SendAnswer::Accepted {
        message_id: "m-1".to_owned(),
    };
    let policy = RetryPolicy::default();
    let lease = |owner: &str| Lease {
        owner: owner.to_owned(),
        until: at(90),
    };
    assert_eq!(sending().settle(&accepted, &policy, 0.5, at(2)).trail, []);
    let throttled = SendAnswer::Throttled {
        reason: "TooManyRequestsException".to_owned(),
    };
    let mut delivery = sending();
    for second in 3..6 {
        delivery = delivery.settle(&throttled, &policy, 0.5, at(second));
        delivery = delivery.claim(lease("b"), at(second)).1;
    }
    let sent = delivery.settle(&accepted, &policy, 0.5, at(9));
    let told: Vec<_> = sent
        .trail
        .iter()
        .map(|past| (past.state, past.reason.as_deref(), past.attempt, past.times))
        .collect();
    assert_eq!(told, [(State::Queued, Some("TooManyRequestsException"), 3, 3)]);
}

#[test]
fn a_trail_stays_short_and_keeps_beginning_and_end() {
    let mut delivery = sending();
    for second in 0..40 {
        delivery = delivery.doubt(&format!("doubt {second}"), at(second));
    }
    assert_eq!(delivery.trail.len(), LONGEST_TRAIL);
    assert_eq!(delivery.trail[0].reason.as_deref(), Some("doubt 0"));
    assert_eq!(delivery.trail[LONGEST_TRAIL - 1].reason.as_deref(), Some("doubt 38"));
}

proptest! {
    #[test]
    fn reports_in_any_order_lead_to_the_same_state(order in Just(reports()).prop_shuffle(), keep in 1_usize..7) {
        let kept = &order[..keep.min(order.len())];
        let furthest = kept.iter().map(|evidence| standing(evidence.state())).max();
        let end = after(sending(), kept);
        prop_assert_eq!(Some(standing(end.state)), furthest);
        prop_assert_eq!(end.opened_at.is_some(), kept.contains(&Evidence::Opened { by_machine: false }));
    }
}

#[test]
fn every_state_is_found_by_its_name() {
    for state in State::ALL {
        assert_eq!(State::from_name(state.name()), Some(state));
        assert_eq!(state.alone(), [state]);
    }
    assert_eq!(State::from_name("unheard_of"), None);
}

#[test]
fn what_counts_as_success_and_as_failure_is_the_contracts() {
    let named = |is: fn(State) -> bool| -> Vec<&str> {
        State::ALL
            .into_iter()
            .filter(|state| is(*state))
            .map(State::name)
            .collect()
    };
    assert_eq!(named(State::is_success), ["sent", "delivered"]);
    assert_eq!(named(State::is_failure), ["bounced", "complained", "parked", "failed"]);
    assert_eq!(
        named(State::is_accepted),
        ["sent", "delivered", "bounced", "complained"]
    );
    assert_eq!(named(State::is_open), ["deferred", "queued", "sending", "in_doubt"]);
    assert_eq!(State::InDoubt.to_string(), "in_doubt");
}

#[test]
fn a_claim_leaves_the_last_reason_behind() {
    let waiting = sending().give_back("no time left in this invocation", at(3));
    let lease = Lease {
        owner: "b".to_owned(),
        until: at(90),
    };
    let (_, again) = waiting.claim(lease, at(4));
    assert_eq!((again.reason, again.attempt), (None, 2));
    assert_eq!(
        again.trail[0].reason.as_deref(),
        Some("no time left in this invocation")
    );
}

#[test]
fn a_doubt_uses_up_a_try_and_the_last_one_parks() {
    let policy = RetryPolicy::default();
    let doubt = |failures| {
        let doubt = sending().doubt("no answer in time", at(5));
        Delivery { failures, ..doubt }.end_doubt(Channel::Email, &policy, at(1_000))
    };
    let (third, fourth) = (doubt(2), doubt(3));
    assert_eq!((third.state, third.failures), (State::Queued, 3));
    assert_eq!((fourth.state, fourth.failures), (State::Parked, 4));
    let refused = Delivery {
        failures: 3,
        ..sending()
    };
    assert_eq!(refused.spend_a_try("no connection", &policy, 0.5, at(9)).failures, 4);
}

#[test]
fn the_same_report_again_changes_nothing() {
    for evidence in reports() {
        let once = after(sending(), std::slice::from_ref(&evidence));
        assert_eq!(once.learn(&evidence, "m-1", at(100), at(300)), None, "{evidence:?}");
    }
}

#[test]
fn what_is_deferred_for_the_night_uses_up_no_try_and_is_told_of_afterwards() {
    let wait = Wait {
        until: at(100),
        is_for_quiet_hours: true,
    };
    let deferred = sending().defer(wait, at(2));
    assert_eq!(
        (
            deferred.state,
            deferred.claimable_at,
            deferred.failures,
            deferred.attempt
        ),
        (State::Deferred, Some(at(100)), 0, 1)
    );
    assert!(deferred.waits_for_quiet_hours() && !Delivery::deferred(scheduled(at(9)), at(0)).waits_for_quiet_hours());
    let awake = deferred.awake(at(50));
    assert_eq!(awake.encounter("b", DOUBT, at(50)), Encounter::Claimable);
    let told: Vec<_> = awake
        .trail
        .iter()
        .map(|past| (past.state, past.reason.as_deref()))
        .collect();
    assert_eq!(told, [(State::Deferred, Some("quiet_hours"))]);
}
