//! I7.

use invariants::Invariant::I7;
use invariants::{Fate, What};

use crate::run::{EMAIL, Run, SMS};

#[test]
fn what_is_parked_has_a_reason_and_a_letter() {
    assert_eq!(Run::parked(SMS).broken(), []);
}

#[test]
fn it_has_a_reason() {
    let mut run = Run::claimed(SMS);
    run.step(SMS, "parked", 2).letter(SMS).fail(SMS, 2);
    assert_eq!(
        run.said(),
        "I7 does not hold for the sms of fact 1: it is parked without a reason."
    );
}

#[test]
fn it_has_a_letter_of_its_own() {
    let mut run = Run::claimed(SMS);
    run.step_for(SMS, "parked", "not_taken", 2).letter(EMAIL).fail(SMS, 2);
    assert_eq!(run.broken(), [I7]);
}

#[test]
fn the_letter_may_come_first() {
    let mut run = Run::claimed(SMS);
    run.letter(SMS).step_for(SMS, "parked", "not_taken", 2).fail(SMS, 2);
    assert_eq!(run.broken(), []);
}

#[test]
fn whatever_is_parked_again_has_a_new_letter() {
    let mut run = Run::parked(SMS);
    run.redrive(SMS)
        .claim(SMS, 3)
        .step_for(SMS, "parked", "not_taken", 3)
        .fail(SMS, 3);
    assert_eq!(run.broken(), [I7]);
    run.letter(SMS);
    assert_eq!(run.broken(), []);
}

#[test]
fn what_is_known_to_be_accepted_is_not_parked() {
    let mut run = Run::doubtful(EMAIL);
    run.step_for(EMAIL, "parked", "in_doubt", 3)
        .letter(EMAIL)
        .fail(EMAIL, 3);
    assert_eq!(run.broken(), []);
    run.event(EMAIL, 20, Fate::Delivered);
    assert_eq!(run.broken(), [I7]);
    run.step(EMAIL, "sent", 4).succeed(EMAIL, 4);
    assert_eq!(run.broken(), []);
}

#[test]
fn what_was_redriven_and_sent_needs_nothing_more() {
    let mut run = Run::parked(SMS);
    run.redrive(SMS).send(SMS, 3);
    assert_eq!(run.broken(), []);
}

#[test]
fn an_operator_is_told_the_truth() {
    let mut run = Run::parked(SMS);
    run.tell(What::Redriven {
        delivery: SMS,
        generation: 1,
    });
    assert_eq!(
        run.said(),
        "I5 does not hold for the sms of fact 1: an operator was told of generation 1, which the ledger has never seen."
    );
}
