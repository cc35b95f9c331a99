//! The arrows, and what guards them.

use super::*;
use proptest::prelude::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
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
