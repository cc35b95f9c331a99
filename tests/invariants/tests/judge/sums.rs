//! I6.

use invariants::Invariant::I6;
use invariants::What;

use crate::run::{EMAIL, INTAKE, Run, SMS};

#[test]
fn a_success_is_counted_once() {
    let mut run = Run::sent(EMAIL);
    run.step(EMAIL, "delivered", 3);
    assert_eq!(run.broken(), []);
    run.succeed(EMAIL, 3);
    assert_eq!(
        run.said(),
        "I6 does not hold: `EmailNotificationSuccess` says 2, but 1 e-mails came to be accepted, 0 of them perhaps untold."
    );
}

#[test]
fn a_success_is_counted_under_its_channel() {
    let mut run = Run::sent(SMS);
    assert_eq!(run.broken(), []);
    run.chronicle.pop();
    run.succeed(EMAIL, 2);
    assert_eq!(run.verdict().violations.len(), 2);
    assert_eq!(run.broken(), [I6]);
}

#[test]
fn whoever_was_killed_need_not_count() {
    let mut run = Run::sent(EMAIL);
    run.chronicle.pop();
    assert_eq!(run.broken(), [I6]);
    run.tell(What::Killed { by: 2 });
    assert_eq!(run.broken(), []);
}

#[test]
fn somebody_else_was_killed() {
    let mut run = Run::sent(EMAIL);
    run.chronicle.pop();
    run.tell(What::Killed { by: 3 });
    assert_eq!(run.broken(), [I6]);
}

#[test]
fn what_its_writer_never_learned_need_not_be_counted() {
    let mut run = Run::sent(EMAIL);
    run.chronicle.pop();
    run.tell(What::Unanswered { delivery: EMAIL, by: 3 });
    assert_eq!(run.broken(), [I6]);
    run.tell(What::Unanswered { delivery: EMAIL, by: 2 });
    assert_eq!(run.broken(), []);
}

#[test]
fn whoever_was_killed_may_have_counted() {
    let mut run = Run::sent(EMAIL);
    run.tell(What::Killed { by: 2 });
    assert_eq!(run.broken(), []);
}

#[test]
fn failed_and_parked_are_failures() {
    let mut run = Run::parked(SMS);
    assert_eq!(run.broken(), []);
    run.redrive(SMS).claim(SMS, 3).step_for(SMS, "failed", "bad_message", 3);
    assert_eq!(run.broken(), [I6]);
    run.fail(SMS, 3);
    assert_eq!(run.broken(), []);
}

#[test]
fn a_notification_is_counted_and_not_its_channels() {
    let mut run = Run::sent(EMAIL);
    run.open(SMS, "skipped", Some("opted_out"));
    assert_eq!(run.broken(), []);
    run.metrics(INTAKE, &[("NotificationSent", 1)]);
    assert_eq!(run.broken(), [I6]);
}

#[test]
fn an_email_in_doubt_that_is_sent_again_is_counted() {
    let mut run = Run::doubtful(EMAIL);
    run.resend(EMAIL, 3).send(EMAIL, 4);
    assert_eq!(run.broken(), []);
    run.chronicle
        .retain(|entry| !matches!(entry.what, What::Metrics { by: 3, .. }));
    assert_eq!(run.broken(), [I6]);
}

#[test]
fn its_slow_owner_need_not_count_it() {
    let mut run = Run::claimed(EMAIL);
    run.offer(EMAIL, 2)
        .step(EMAIL, "in_doubt", 3)
        .tell(What::Refused { delivery: EMAIL, by: 2 })
        .step(EMAIL, "queued", 2)
        .send(EMAIL, 4);
    assert_eq!(run.broken(), []);
}

#[test]
fn other_metrics_are_not_looked_at() {
    let mut run = Run::sent(EMAIL);
    run.metrics(9, &[("ChannelsUsed", 12), ("EmailNotificationRetried", 3)]);
    assert_eq!(run.broken(), []);
}
