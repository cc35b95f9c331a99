//! I1.

use invariants::Invariant::I1;
use invariants::{Fate, What};

use crate::run::{EMAIL, Run, SMS};

#[test]
fn an_accepted_delivery_has_ended() {
    assert_eq!(Run::sent(EMAIL).broken(), []);
}

#[test]
fn what_still_waits_has_not_ended() {
    assert_eq!(
        Run::with(EMAIL).said(),
        "I1 does not hold for the email of fact 1: it ended as `queued`, which is no end."
    );
}

#[test]
fn neither_has_what_is_held_or_in_doubt() {
    assert_eq!(Run::claimed(SMS).broken(), [I1]);
    assert_eq!(Run::doubtful(EMAIL).broken(), [I1]);
}

#[test]
fn a_message_that_waits_is_no_end() {
    let mut run = Run::sent(EMAIL);
    run.waiting_messages = 1;
    assert_eq!(run.said(), "I1 does not hold: 1 messages still wait at the end.");
}

#[test]
fn what_was_never_sent_has_a_reason() {
    let mut run = Run::with(EMAIL);
    run.step_for(EMAIL, "superseded", "delivered_meanwhile", 2);
    assert_eq!(run.broken(), []);
    let mut run = Run::with(EMAIL);
    run.step(EMAIL, "superseded", 2);
    assert_eq!(run.broken(), [I1]);
}

#[test]
fn a_delivery_does_not_disappear() {
    let mut run = Run::sent(EMAIL);
    run.held.clear();
    assert_eq!(
        run.said(),
        "I1 does not hold for the email of fact 1: the ledger opened it, but does not hold it at the end."
    );
}

#[test]
fn a_known_acceptance_ends_as_accepted() {
    let mut run = Run::claimed(EMAIL);
    run.offer(EMAIL, 2)
        .accept(EMAIL, 20, 2)
        .step_for(EMAIL, "failed", "bad_message", 2)
        .fail(EMAIL, 2);
    assert_eq!(run.broken(), [I1]);
}

#[test]
fn an_unknown_one_may_end_as_failed() {
    let mut run = Run::doubtful(SMS);
    run.step_for(SMS, "failed", "in_doubt", 3).fail(SMS, 3);
    assert_eq!(run.broken(), []);
}

#[test]
fn an_event_that_comes_after_the_end_changes_nothing() {
    let mut run = Run::doubtful(EMAIL);
    run.resend(EMAIL, 3)
        .step_for(EMAIL, "skipped", "opted_out", 4)
        .event(EMAIL, 20, Fate::Delivered)
        .tell(What::Killed { by: 5 });
    assert_eq!(run.broken(), []);
}
