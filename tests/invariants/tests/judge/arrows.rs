//! I5.

use invariants::Invariant::{I1, I2, I5, I6};
use invariants::{Fate, Writer};

use crate::run::{EMAIL, INTAKE, Run, SMS};

/// Why the judge objects, without the words about who and what.
fn objects(run: &Run, why: &str) {
    let verdict = run.verdict();
    assert!(
        verdict
            .violations
            .iter()
            .any(|violation| violation.invariant == I5 && violation.text.contains(why)),
        "{verdict}"
    );
}

#[test]
fn a_violation_reads_as_a_sentence() {
    let mut run = Run::sent(EMAIL);
    run.step(EMAIL, "queued", 2);
    assert_eq!(
        run.verdict().violations[0].to_string(),
        "I5 does not hold for the email of fact 1 at 9000 ms: invocation 2 moved it from `sent` with attempt 1, \
         generation 0, owner 2, no reason to `queued` with attempt 1, generation 0, owner 2, no reason, but there is no \
         such arrow."
    );
}

#[test]
fn a_delivery_begins_where_it_may() {
    let mut run = Run::sent(EMAIL);
    run.open(SMS, "sending", None);
    objects(&run, "no beginning");
    let mut run = Run::sent(EMAIL);
    run.open(SMS, "expired", Some("too_old"));
    assert_eq!(run.broken(), []);
}

#[test]
fn a_delivery_begins_once() {
    let mut run = Run::sent(EMAIL);
    run.open(EMAIL, "queued", None).send(EMAIL, 3);
    assert_eq!(run.broken(), [I2, I5]);
}

#[test]
fn nothing_moves_that_was_never_opened() {
    let mut run = Run::sent(EMAIL);
    run.open(SMS, "queued", None).send(SMS, 3);
    run.chronicle
        .retain(|entry| !matches!(&entry.what, invariants::What::Opened { delivery, .. } if *delivery == SMS));
    objects(&run, "never opened");
}

#[test]
fn a_claim_adds_one_to_the_attempt() {
    let mut run = Run::with(EMAIL);
    run.change(EMAIL, Writer::Invocation(2), |value| {
        value.state = "sending".into();
        value.owner = Some(2);
        value.claimable = false;
    });
    objects(&run, "a claim adds one");
}

#[test]
fn a_claim_waits_for_its_time() {
    let mut run = Run::with(EMAIL);
    run.held.get_mut(&EMAIL).unwrap().claimable = false;
    run.send(EMAIL, 2);
    assert_eq!(run.broken(), [I5]);
    objects(&run, "its claim time has not come");
}

#[test]
fn a_claim_makes_its_writer_the_owner() {
    let mut run = Run::with(EMAIL);
    run.claim(EMAIL, 2);
    let mut stolen = Run::with(EMAIL);
    stolen.change(EMAIL, Writer::Invocation(3), |value| *value = run.held[&EMAIL].clone());
    objects(&stolen, "whoever claims becomes the owner");
}

#[test]
fn a_claim_has_a_new_owner() {
    let mut run = Run::claimed(EMAIL);
    run.step(EMAIL, "queued", 2).claim(EMAIL, 2);
    objects(&run, "the new owner is the old one");
    let mut run = Run::claimed(EMAIL);
    run.step(EMAIL, "queued", 2).send(EMAIL, 3);
    assert_eq!(run.broken(), []);
}

#[test]
fn a_lease_that_is_over_never_leads_to_another_send() {
    let mut run = Run::claimed(EMAIL);
    run.step(EMAIL, "queued", 3);
    objects(&run, "only its owner may write this");
    let mut run = Run::claimed(EMAIL);
    run.claim(EMAIL, 3);
    objects(&run, "no such arrow");
}

#[test]
fn an_attempt_never_goes_back() {
    let mut run = Run::claimed(EMAIL);
    run.change(EMAIL, Writer::Invocation(2), |value| {
        value.state = "queued".into();
        value.claimable = true;
        value.attempt = 0;
    });
    objects(&run, "only a claim changes the attempt");
}

#[test]
fn an_owner_changes_by_a_claim_alone() {
    let mut run = Run::claimed(EMAIL);
    run.change(EMAIL, Writer::Invocation(2), |value| {
        value.state = "in_doubt".into();
        value.owner = Some(3);
    });
    objects(&run, "only a claim changes the owner");
}

#[test]
fn an_owner_may_be_forgotten() {
    let mut run = Run::claimed(EMAIL);
    run.change(EMAIL, Writer::Invocation(2), |value| {
        value.state = "queued".into();
        value.claimable = true;
        value.owner = None;
    })
    .send(EMAIL, 3);
    assert_eq!(run.broken(), []);
}

#[test]
fn what_has_ended_cannot_be_claimed() {
    let mut run = Run::claimed(EMAIL);
    run.change(EMAIL, Writer::Invocation(2), |value| {
        value.state = "failed".into();
        value.reason = Some("bad_message".into());
        value.claimable = true;
    });
    objects(&run, "what is not waiting can be claimed");
}

#[test]
fn a_doubt_about_an_sms_ends_as_failed() {
    for state in ["queued", "parked"] {
        let mut run = Run::doubtful(SMS);
        run.step_for(SMS, state, "in_doubt", 3);
        objects(&run, "is not sent again under this policy");
    }
}

#[test]
fn a_doubt_about_an_email_ends_as_the_policy_says() {
    let mut run = Run::doubtful(EMAIL);
    run.step_for(EMAIL, "failed", "in_doubt", 3).fail(EMAIL, 3);
    objects(&run, "a doubt about this channel is sent again");
    run.terms.resend_in_doubt = false;
    assert_eq!(run.broken(), []);
}

#[test]
fn a_slow_owner_may_still_say_what_became_of_it() {
    for (state, reason) in [
        ("failed", "bad_message"),
        ("skipped", "opted_out"),
        ("expired", "too_old"),
    ] {
        let mut run = Run::claimed(SMS);
        run.tell(invariants::What::Killed { by: 2 })
            .step(SMS, "in_doubt", 3)
            .step_for(SMS, state, reason, 2);
        assert_eq!(run.broken(), [], "{state}");
    }
    let mut run = Run::claimed(SMS);
    run.step(SMS, "in_doubt", 3).step(SMS, "queued", 2).send(SMS, 4);
    assert_eq!(run.broken(), []);
}

#[test]
fn nobody_else_may() {
    let mut run = Run::claimed(SMS);
    run.step(SMS, "in_doubt", 3).step_for(SMS, "skipped", "opted_out", 4);
    assert_eq!(run.broken(), [I5]);
}

#[test]
fn an_event_settles_what_is_open() {
    for state in ["sent", "delivered", "bounced", "complained"] {
        let mut run = Run::doubtful(EMAIL);
        run.event(EMAIL, 20, Fate::Delivered)
            .step(EMAIL, state, 4)
            .succeed(EMAIL, 4);
        assert_eq!(run.broken(), [], "{state}");
        let mut run = Run::doubtful(EMAIL);
        run.resend(EMAIL, 3)
            .event(EMAIL, 20, Fate::Delivered)
            .step(EMAIL, state, 4)
            .succeed(EMAIL, 4);
        assert_eq!(run.broken(), [], "{state}");
    }
}

#[test]
fn nothing_is_accepted_before_the_provider_accepted_it() {
    let mut run = Run::claimed(EMAIL);
    run.offer(EMAIL, 2).step(EMAIL, "sent", 2).succeed(EMAIL, 2);
    assert_eq!(run.broken(), [I5]);
    objects(&run, "the provider had not accepted what it speaks of");
}

#[test]
fn an_owner_speaks_of_its_own_call() {
    let mut run = Run::doubtful(EMAIL);
    run.resend(EMAIL, 3)
        .claim(EMAIL, 4)
        .offer(EMAIL, 4)
        .step(EMAIL, "sent", 4)
        .succeed(EMAIL, 4);
    assert_eq!(run.broken(), [I5]);
}

#[test]
fn nothing_is_offered_without_a_claim() {
    let mut run = Run::sent(EMAIL);
    run.offer(EMAIL, 3)
        .tell(invariants::What::Refused { delivery: EMAIL, by: 3 });
    assert_eq!(run.broken(), [I5]);
    objects(&run, "invocation 3 offered it 1 times after 0 claims");
}

#[test]
fn nothing_is_offered_twice_by_one_claim() {
    let mut run = Run::claimed(EMAIL);
    run.offer(EMAIL, 2)
        .offer(EMAIL, 2)
        .accept(EMAIL, 20, 2)
        .step(EMAIL, "sent", 2)
        .succeed(EMAIL, 2);
    assert_eq!(run.broken(), [I5]);
}

#[test]
fn news_from_the_provider_only_get_worse() {
    let mut run = Run::sent(EMAIL);
    run.step(EMAIL, "delivered", 3)
        .step(EMAIL, "bounced", 3)
        .step(EMAIL, "complained", 3);
    assert_eq!(run.broken(), []);
    run.step(EMAIL, "delivered", 3);
    objects(&run, "no such arrow");
}

#[test]
fn details_may_be_added() {
    let mut run = Run::sent(EMAIL);
    run.step(EMAIL, "sent", 3)
        .step(EMAIL, "delivered", 3)
        .step(EMAIL, "delivered", 3);
    assert_eq!(run.broken(), []);
    run.step_for(EMAIL, "delivered", "opened", 3);
    objects(&run, "only details may change");
}

#[test]
fn an_end_is_an_end() {
    for end in ["failed", "suppressed", "superseded", "expired"] {
        let mut run = Run::claimed(EMAIL);
        run.step_for(EMAIL, end, "why", 2).step(EMAIL, "queued", 2);
        objects(&run, "no such arrow");
    }
}

#[test]
fn what_nobody_asked_for_may_be_asked_for() {
    let mut run = Run::sent(EMAIL);
    run.open(SMS, "skipped", Some("not_asked_for"))
        .step(SMS, "deferred", INTAKE)
        .send(SMS, 3);
    assert_eq!(run.broken(), []);
    let mut run = Run::sent(EMAIL);
    run.open(SMS, "skipped", Some("opted_out")).step(SMS, "queued", INTAKE);
    objects(&run, "only what was not asked for is reopened");
}

#[test]
fn a_later_decision_closes_what_is_unclaimed() {
    for state in ["skipped", "suppressed", "superseded", "expired"] {
        let mut run = Run::with(EMAIL);
        run.step_for(EMAIL, state, "why", INTAKE);
        assert_eq!(run.broken(), [], "{state}");
        let mut run = Run::claimed(EMAIL);
        run.step_for(EMAIL, state, "why", INTAKE);
        assert_eq!(run.broken(), [I5], "{state}");
    }
}

#[test]
fn an_operator_redrives_and_nobody_else_does() {
    let mut run = Run::parked(SMS);
    run.change(SMS, Writer::Invocation(3), |value| {
        value.state = "queued".into();
        value.claimable = true;
        value.generation = 1;
    });
    objects(&run, "an operator queues parked deliveries again");
    let mut run = Run::with(SMS);
    run.change(SMS, Writer::Operator, |value| {
        value.state = "skipped".into();
        value.reason = Some("why".into());
        value.claimable = false;
    });
    objects(&run, "an operator queues parked deliveries again");
}

#[test]
fn a_redrive_is_a_new_generation() {
    let mut run = Run::parked(SMS);
    run.change(SMS, Writer::Operator, |value| {
        value.state = "queued".into();
        value.claimable = true;
    });
    objects(&run, "a redrive adds one");
}

#[test]
fn a_parked_delivery_keeps_its_reason() {
    let mut run = Run::parked(SMS);
    run.step_for(SMS, "parked", "another", 3);
    objects(&run, "only details may change");
}

#[test]
fn every_write_is_seen() {
    let mut run = Run::sent(EMAIL);
    run.held.get_mut(&EMAIL).unwrap().attempt = 2;
    objects(&run, "but was last seen to hold");
    run.step(EMAIL, "delivered", 3);
    objects(&run, "but the ledger held");
}

#[test]
fn an_unknown_state_is_no_state() {
    let mut run = Run::claimed(EMAIL);
    run.step(EMAIL, "lost", 2);
    assert_eq!(run.broken(), [I1, I5]);
}

#[test]
fn a_move_that_is_wrong_is_counted_all_the_same() {
    let mut run = Run::sent(EMAIL);
    run.step_for(EMAIL, "failed", "why", 2);
    assert_eq!(run.broken(), [I1, I5, I6]);
}
