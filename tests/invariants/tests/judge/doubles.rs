//! I2.

use invariants::Invariant::{I2, I5};
use invariants::{Fate, Key, What};

use crate::run::{EMAIL, Run, SMS};

/// Accepted, not known, queued again and accepted once more.
fn twice(channel_of: Key, fate: Option<Fate>) -> Run {
    let mut run = Run::doubtful(channel_of);
    if let Some(fate) = fate {
        run.event(channel_of, 20, fate);
    }
    run.resend(channel_of, 3).send(channel_of, 4);
    run
}

#[test]
fn an_email_of_which_nobody_could_know_is_exempt() {
    let verdict = twice(EMAIL, Some(Fate::Lost)).verdict();
    assert!(verdict.holds(), "{verdict}");
    assert_eq!(verdict.exempt.len(), 1);
    assert_eq!((verdict.exempt[0].delivery, verdict.exempt[0].accepted), (EMAIL, 2));
    assert_eq!(
        verdict.exempt[0].why,
        "the reply to the first and its `Send` event were lost"
    );
}

#[test]
fn an_event_in_time_is_no_excuse() {
    let verdict = twice(EMAIL, Some(Fate::Delivered)).verdict();
    assert!(verdict.exempt.is_empty());
    assert_eq!(
        verdict.to_string(),
        "I2 does not hold for the email of fact 1 at 15000 ms: the provider accepted it 2 times, but the `Send` event of \
         an earlier one had come when it was claimed again."
    );
}

#[test]
fn an_event_that_comes_during_the_second_call_is_too_late() {
    let mut run = Run::doubtful(EMAIL);
    run.resend(EMAIL, 3)
        .claim(EMAIL, 4)
        .offer(EMAIL, 4)
        .event(EMAIL, 20, Fate::Delivered)
        .accept(EMAIL, 40, 4)
        .step(EMAIL, "sent", 4)
        .succeed(EMAIL, 4);
    let verdict = run.verdict();
    assert!(verdict.holds(), "{verdict}");
    assert_eq!(
        verdict.exempt[0].why,
        "the reply to the first was lost and its `Send` event came too late"
    );
}

#[test]
fn an_event_that_comes_between_the_second_claim_and_its_call_is_too_late() {
    let mut run = Run::doubtful(EMAIL);
    run.resend(EMAIL, 3)
        .claim(EMAIL, 4)
        .step(EMAIL, "sent", 5)
        .succeed(EMAIL, 5)
        .event(EMAIL, 20, Fate::Delivered)
        .offer(EMAIL, 4)
        .accept(EMAIL, 40, 4);
    let verdict = run.verdict();
    assert!(verdict.holds(), "{verdict}");
    assert_eq!(verdict.exempt.len(), 1);
}

#[test]
fn an_event_before_the_second_claim_is_no_excuse() {
    let mut run = Run::doubtful(EMAIL);
    run.resend(EMAIL, 3)
        .event(EMAIL, 20, Fate::Delivered)
        .claim(EMAIL, 4)
        .offer(EMAIL, 4)
        .accept(EMAIL, 40, 4)
        .step(EMAIL, "sent", 4)
        .succeed(EMAIL, 4);
    assert_eq!(run.broken(), [I2]);
}

#[test]
fn a_reply_that_arrived_is_no_excuse() {
    let mut run = twice(EMAIL, Some(Fate::Lost));
    run.chronicle
        .retain(|entry| !matches!(entry.what, What::ReplyLost { .. }));
    assert_eq!(run.broken(), [I2]);
}

#[test]
fn a_reply_may_be_told_lost_after_the_second_call() {
    let mut run = twice(EMAIL, None);
    let lost = run
        .chronicle
        .iter()
        .position(|entry| matches!(entry.what, What::ReplyLost { .. }))
        .unwrap();
    let lost = run.chronicle.remove(lost);
    run.chronicle.push(lost);
    assert_eq!(run.broken(), []);
}

#[test]
fn an_sms_is_never_exempt() {
    let run = twice(SMS, Some(Fate::Lost));
    assert!(run.broken().contains(&I2));
    assert!(run.said().contains("nothing but an e-mail is ever sent again"));
}

#[test]
fn neither_is_an_email_under_the_other_policy() {
    let mut run = twice(EMAIL, Some(Fate::Lost));
    run.terms.resend_in_doubt = false;
    assert_eq!(run.broken(), [I2, I5]);
}

#[test]
fn a_call_that_was_repeated_on_the_way_is_no_excuse() {
    let mut run = Run::claimed(EMAIL);
    run.offer(EMAIL, 2)
        .accept(EMAIL, 20, 2)
        .tell(What::ReplyLost {
            delivery: EMAIL,
            message_id: 20,
        })
        .accept(EMAIL, 21, 2)
        .step(EMAIL, "sent", 2)
        .succeed(EMAIL, 2);
    assert_eq!(run.broken(), [I2]);
    assert!(run.said().contains("one call is one message"));
}

#[test]
fn three_times_need_two_unknown_ones() {
    let mut run = Run::doubtful(EMAIL);
    run.resend(EMAIL, 3)
        .claim(EMAIL, 4)
        .offer(EMAIL, 4)
        .accept(EMAIL, 40, 4)
        .tell(What::ReplyLost {
            delivery: EMAIL,
            message_id: 40,
        })
        .step(EMAIL, "in_doubt", 4)
        .resend(EMAIL, 5)
        .send(EMAIL, 6);
    let verdict = run.verdict();
    assert!(verdict.holds(), "{verdict}");
    assert_eq!(verdict.exempt[0].accepted, 3);
    run.chronicle
        .retain(|entry| !matches!(entry.what, What::ReplyLost { message_id: 40, .. }));
    assert_eq!(run.broken(), [I2]);
}

#[test]
fn a_redrive_is_no_excuse() {
    let mut run = Run::claimed(EMAIL);
    run.offer(EMAIL, 2)
        .accept(EMAIL, 20, 2)
        .step_for(EMAIL, "parked", "held_too_long", 2)
        .letter(EMAIL)
        .fail(EMAIL, 2)
        .redrive(EMAIL)
        .send(EMAIL, 3);
    assert_eq!(run.broken(), [I2]);
}

#[test]
fn what_the_ledger_said_is_known() {
    let mut run = Run::doubtful(EMAIL);
    run.step(EMAIL, "sent", 2).step(EMAIL, "queued", 3).send(EMAIL, 4);
    assert!(run.broken().contains(&I2));
    assert!(run.said().contains("the ledger said so when it was claimed again"));
}

#[test]
fn nothing_is_accepted_that_was_not_offered() {
    let mut run = Run::claimed(EMAIL);
    run.accept(EMAIL, 20, 2).step(EMAIL, "sent", 2).succeed(EMAIL, 2);
    assert_eq!(run.broken(), [I2]);
}

#[test]
fn two_deliveries_may_be_accepted_once_each() {
    let mut run = Run::sent(EMAIL);
    run.open(SMS, "queued", None).send(SMS, 3);
    assert_eq!(run.broken(), []);
}
