//! I2 for inboxes: a note may be put there as often as need be, and is there once.

use invariants::Invariant::{I1, I2};
use invariants::What;

use crate::run::{NOTE, Run};

/// Put, not known, queued again and put once more, under this number.
fn twice(number: u64) -> Run {
    let mut run = Run::doubtful(NOTE);
    run.resend(NOTE, 3)
        .claim(NOTE, 4)
        .offer(NOTE, 4)
        .accept(NOTE, number, 4)
        .step(NOTE, "sent", 4)
        .succeed(NOTE, 4);
    run
}

#[test]
fn a_note_that_is_put_again_is_the_same_note_and_needs_no_excuse() {
    let verdict = twice(20).verdict();
    assert!(verdict.holds() && verdict.exempt.is_empty(), "{verdict}");
}

#[test]
fn a_second_note_about_the_same_delivery_is_a_breach() {
    assert!(twice(21).verdict().breaks(I2));
}

#[test]
fn nobody_waits_for_the_owner_of_a_note_whose_lease_is_over() {
    let mut run = Run::claimed(NOTE);
    run.offer(NOTE, 2)
        .accept(NOTE, 20, 2)
        .step(NOTE, "in_doubt", 3)
        .resend(NOTE, 3)
        .claim(NOTE, 4)
        .step_for(NOTE, "superseded", "superseded", 4);
    let verdict = run.verdict();
    assert!(verdict.holds(), "{verdict}");
}

#[test]
fn its_last_owner_writes_down_what_it_was_told() {
    let mut run = Run::claimed(NOTE);
    run.offer(NOTE, 2)
        .accept(NOTE, 20, 2)
        .step_for(NOTE, "superseded", "superseded", 2)
        .tell(What::Killed { by: 9 });
    assert!(run.verdict().breaks(I1));
}
