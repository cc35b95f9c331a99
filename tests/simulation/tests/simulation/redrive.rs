//! Redrive, twice, weeks later.

use domain::{Channel, State};
use simulation::{DAY_MS, Mood, Setting, Simulation};

use crate::reading::{calls, orders};

const HOUR_MS: i64 = 3_600_000;

#[test]
fn a_redrive_of_everything_twice_and_weeks_later_sends_nothing_twice() {
    let simulation = Simulation::new(Setting {
        moods: vec![(0, 6 * HOUR_MS, Mood::OutOfReach(1.0))],
        ..Setting::default()
    });
    simulation.take_in(&orders(60));
    simulation.settle();
    assert_eq!(simulation.standing(Channel::Email), [(State::Parked, 60)].into());
    assert_eq!(simulation.letters(), 60);
    simulation.wait(20 * DAY_MS);
    simulation.redrive_twice();
    assert_eq!(simulation.standing(Channel::Email), [(State::Sent, 60)].into());
    assert_eq!(calls(&simulation).iter().filter(|call| call.is_accepted).count(), 60);
    let verdict = simulation.verdict();
    assert!(verdict.holds() && verdict.exempt.is_empty(), "{verdict}");
}
