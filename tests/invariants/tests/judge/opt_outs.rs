//! I4 and I9.

use invariants::{Invariant, What};

use crate::run::{CUSTOMER, EMAIL, Run};

fn opt_out(customer: u32, channel: &'static str) -> What {
    What::OptedOut { customer, channel }
}

/// Claimed, then this, then sent.
fn sent_after(what: What) -> Run {
    let mut run = Run::claimed(EMAIL);
    run.tell(what)
        .offer(EMAIL, 2)
        .accept(EMAIL, 20, 2)
        .step(EMAIL, "sent", 2)
        .succeed(EMAIL, 2);
    run
}

#[test]
fn nothing_is_offered_after_an_opt_out() {
    assert_eq!(
        sent_after(opt_out(CUSTOMER, "email")).said(),
        "I4 does not hold for the email of fact 1 at 6000 ms: invocation 2 offered it without having looked, and customer 7 \
         had opted out."
    );
}

#[test]
fn another_channel_or_customer_is_not_meant() {
    assert_eq!(sent_after(opt_out(CUSTOMER, "sms")).broken(), []);
    assert_eq!(sent_after(opt_out(CUSTOMER + 1, "email")).broken(), []);
}

#[test]
fn a_call_that_has_begun_may_end() {
    let mut run = Run::claimed(EMAIL);
    run.offer(EMAIL, 2)
        .tell(opt_out(CUSTOMER, "email"))
        .accept(EMAIL, 20, 2)
        .step(EMAIL, "sent", 2)
        .succeed(EMAIL, 2);
    assert_eq!(run.broken(), []);
}

#[test]
fn a_customer_may_come_back() {
    let mut run = Run::with(EMAIL);
    run.tell(opt_out(CUSTOMER, "email"))
        .tell(What::OptedIn {
            customer: CUSTOMER,
            channel: "email",
        })
        .send(EMAIL, 2);
    assert_eq!(run.broken(), []);
}

#[test]
fn a_sender_that_looks_after_an_opt_out_offers_nothing() {
    let mut run = Run::claimed(EMAIL);
    run.tell(opt_out(CUSTOMER, "email"))
        .look(2)
        .offer(EMAIL, 2)
        .accept(EMAIL, 20, 2)
        .step(EMAIL, "sent", 2)
        .succeed(EMAIL, 2);
    assert_eq!(run.broken(), [Invariant::I4]);
    assert!(
        run.said()
            .contains("offered it after it had looked, although customer 7 had opted out")
    );
}

#[test]
fn a_sender_that_has_looked_before_an_opt_out_may_go_on() {
    let mut run = Run::claimed(EMAIL);
    run.look(2)
        .tell(opt_out(CUSTOMER, "email"))
        .offer(EMAIL, 2)
        .accept(EMAIL, 20, 2)
        .step(EMAIL, "sent", 2)
        .succeed(EMAIL, 2);
    assert_eq!(run.broken(), []);
}

#[test]
fn it_is_the_last_look_that_counts() {
    let mut run = Run::claimed(EMAIL);
    run.look(2)
        .tell(opt_out(CUSTOMER, "email"))
        .look(2)
        .offer(EMAIL, 2)
        .accept(EMAIL, 20, 2)
        .step(EMAIL, "sent", 2)
        .succeed(EMAIL, 2);
    assert_eq!(run.broken(), [Invariant::I4]);
}

#[test]
fn the_look_of_another_is_no_excuse() {
    let mut run = Run::claimed(EMAIL);
    run.look(3)
        .tell(opt_out(CUSTOMER, "email"))
        .offer(EMAIL, 2)
        .accept(EMAIL, 20, 2)
        .step(EMAIL, "sent", 2)
        .succeed(EMAIL, 2);
    assert_eq!(run.broken(), [Invariant::I4]);
}

#[test]
fn what_rings_at_night_is_named() {
    let mut run = Run::with(EMAIL);
    run.tell(What::RangAtNight { delivery: EMAIL }).send(EMAIL, 2);
    assert_eq!(run.broken(), [Invariant::I9]);
}
