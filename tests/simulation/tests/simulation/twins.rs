//! The twins of the simulation are held to what the local stack answers.

use simulation::{Setting, Simulation};
use testkit::recorded::ANSWERS;

#[test]
fn the_twins_answer_as_the_stack_did() {
    let told = Simulation::new(Setting::default()).answers(7_000_000_001);
    for (twin, stack) in told.lines().zip(ANSWERS.lines()) {
        assert_eq!(twin, stack);
    }
    assert_eq!(told.lines().count(), ANSWERS.lines().count());
}
