//! The smallest scenario in which everything takes part: an order is confirmed and shipped, by e-mail and SMS.

use domain::{Channel, OrderStatus};

use crate::faults::Faults;
use crate::publication::{Customer, Fact};
use crate::setting::{Reports, Setting};
use crate::simulation::{DAY_MS, Simulation};

/// The same order, told by notes in the customer's inbox alone.
#[must_use]
pub fn base_of_inboxes(faults: Faults, reports: Reports, is_traced: bool) -> Simulation {
    base_by(&[Channel::InApp], faults, reports, is_traced)
}

/// Runs it to its end: until nothing more happens, and again after an operator has redriven everything twice, weeks later.
/// The confirmation comes by both lanes, so that there is a duplicate, and shares a batch with the status.
#[must_use]
pub fn base(faults: Faults, reports: Reports, is_traced: bool) -> Simulation {
    base_by(&Channel::METERED, faults, reports, is_traced)
}

fn base_by(channels: &'static [Channel], faults: Faults, reports: Reports, is_traced: bool) -> Simulation {
    let simulation = Simulation::new(Setting {
        faults,
        reports,
        is_traced,
        ..Setting::default()
    });
    let customer = Customer(1);
    for fact in [
        Fact::confirmation(1, customer, "1", 0),
        Fact::status(2, customer, "1", OrderStatus::Shipped, 0),
    ] {
        let fact = fact.by(channels);
        simulation.expect(&fact);
        simulation.publish(0, fact.publication(), 1);
    }
    simulation.settle();
    simulation.wait(20 * DAY_MS);
    simulation.redrive_twice();
    simulation
}
