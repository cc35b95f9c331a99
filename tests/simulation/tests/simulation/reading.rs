//! What the tests read out of a chronicle.

use domain::NotificationType;
use invariants::{Key, What};
use simulation::{Customer, Fact, Simulation};

/// A call to the provider.
pub(crate) struct Call {
    pub(crate) at_ms: i64,
    pub(crate) by: u64,
    pub(crate) delivery: Key,
    pub(crate) is_accepted: bool,
}

/// Every call that the provider answered, in order.
pub(crate) fn calls(simulation: &Simulation) -> Vec<Call> {
    simulation.read(|chronicle| {
        let calls = chronicle.iter().filter_map(|entry| {
            let (delivery, by, is_accepted) = if let What::Accepted { delivery, by, .. } = &entry.what {
                (*delivery, *by, true)
            } else if let What::Refused { delivery, by } = &entry.what {
                (*delivery, *by, false)
            } else {
                return None;
            };
            Some(Call {
                at_ms: entry.at_ms,
                by,
                delivery,
                is_accepted,
            })
        });
        calls.collect()
    })
}

/// So many orders, each of a customer of its own: an e-mail each, every other one in the urgent lane.
pub(crate) fn orders(count: u32) -> Vec<Fact> {
    (1..=count)
        .map(|number| match number % 2 {
            0 => Fact::confirmation(number, Customer(number), &format!("order-{number}"), 0),
            _ => payment(number),
        })
        .collect()
}

/// A payment that succeeded: an e-mail in the normal lane.
pub(crate) fn payment(number: u32) -> Fact {
    Fact {
        notification_type: NotificationType::PaymentSucceeded,
        ..Fact::confirmation(number, Customer(number), &format!("order-{number}"), 0)
    }
}
