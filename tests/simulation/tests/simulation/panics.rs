//! A panic in one record.

use domain::{Channel, State};
use simulation::{Setting, Simulation};

use crate::reading::{calls, payment};

#[test]
fn a_panic_in_a_batch_of_ten_costs_its_own_record_only() {
    let simulation = Simulation::new(Setting {
        panics_at: Some("order-5".to_owned()),
        ..Setting::default()
    });
    let payments: Vec<_> = (1..=10).map(payment).collect();
    simulation.take_in(&payments);
    simulation.settle();
    let calls = calls(&simulation);
    let first = calls.iter().map(|call| call.by).min().unwrap();
    assert_eq!(
        calls.iter().filter(|call| call.by == first && call.is_accepted).count(),
        9
    );
    assert!(calls.iter().all(|call| call.delivery.fact != 5));
    assert_eq!(
        simulation.standing(Channel::Email),
        [(State::Sent, 9), (State::Parked, 1)].into()
    );
    let verdict = simulation.verdict();
    assert!(verdict.holds() && verdict.exempt.is_empty(), "{verdict}");
}
