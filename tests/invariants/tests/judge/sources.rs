//! I3.

use invariants::Forgotten::{DeadLetter, Done};
use invariants::Invariant::I3;
use invariants::What;

use crate::run::{EMAIL, Run};

fn letter(message: u64) -> What {
    What::DeadLettered {
        queue: "notifications-dead-letters".into(),
        message: Some(message),
        delivery: None,
        reason: None,
    }
}

#[test]
fn a_repetition_may_be_forgotten_once_its_fact_is_known() {
    let mut run = Run::sent(EMAIL);
    run.publish(2, Some(1)).forget(2, Done).forget(2, Done);
    assert_eq!(run.broken(), []);
}

#[test]
fn a_fact_that_was_deleted_is_in_the_ledger() {
    let mut run = Run::sent(EMAIL);
    run.publish(2, Some(2)).forget(2, Done);
    assert_eq!(
        run.said(),
        "I3 does not hold at 10000 ms: message 2 was deleted before fact 2 was in the ledger."
    );
}

#[test]
fn it_was_there_before_it_was_deleted() {
    let mut run = Run::sent(EMAIL);
    run.chronicle.swap(1, 3);
    assert_eq!(run.broken(), [I3]);
}

#[test]
fn what_the_queue_gave_up_has_a_letter() {
    let mut run = Run::sent(EMAIL);
    run.publish(2, Some(2)).forget(2, DeadLetter);
    assert_eq!(run.broken(), [I3]);
    run.tell(letter(2));
    assert_eq!(run.broken(), []);
}

#[test]
fn what_nobody_can_read_has_a_letter() {
    let mut run = Run::sent(EMAIL);
    run.publish(2, None).forget(2, Done);
    assert_eq!(run.broken(), [I3]);
    run.tell(letter(3)).publish(3, None).forget(3, Done);
    assert_eq!(run.verdict().violations.len(), 1);
    run.tell(letter(2));
    assert_eq!(run.broken(), []);
}

#[test]
fn no_message_vanishes() {
    let mut run = Run::sent(EMAIL);
    run.publish(2, Some(1));
    assert_eq!(run.broken(), [I3]);
}

#[test]
fn no_message_comes_from_nowhere() {
    let mut run = Run::sent(EMAIL);
    run.forget(2, Done);
    assert_eq!(run.broken(), [I3]);
}

#[test]
fn no_fact_comes_from_nowhere() {
    let mut run = Run::sent(EMAIL);
    run.chronicle[0].what = What::Published {
        message: 1,
        fact: Some(2),
    };
    assert_eq!(run.verdict().violations.len(), 2);
    assert_eq!(run.broken(), [I3]);
}
