//! What is urgent does not wait for what is not.

use domain::{Channel, NotificationType, Preferences};
use simulation::{Customer, Fact, Setting, Simulation};

use crate::reading::calls;

const WAITING: u32 = 50_000;

fn campaign(number: u32) -> Fact {
    Fact {
        notification_type: NotificationType::Promotional,
        ..Fact::confirmation(number, Customer(number), "campaign", 0)
    }
}

#[test]
fn an_urgent_event_is_accepted_within_ten_seconds_while_fifty_thousand_wait_everywhere() {
    let simulation = Simulation::new(Setting::default());
    let wants = Preferences {
        choices: [((Channel::Email, NotificationType::Promotional), true)].into(),
        ..Preferences::default()
    };
    let campaigns: Vec<Fact> = (1..=2 * WAITING).map(campaign).collect();
    for fact in &campaigns {
        simulation.store(fact.customer, wants.clone());
        simulation.expect(fact);
    }
    let (decided, published) = campaigns.split_at(WAITING as usize);
    assert_eq!(simulation.take_in(decided), WAITING as usize);
    for fact in published {
        simulation.publish(0, fact.publication(), 1);
    }
    let published_at = 20_000;
    let urgent = Fact::confirmation(200_000, Customer(200_000), "order-1", published_at);
    simulation.expect(&urgent);
    simulation.publish(published_at, urgent.publication(), 1);
    simulation.run_until(published_at + 60_000);
    let accepted = calls(&simulation);
    let accepted = accepted
        .iter()
        .find(|call| call.delivery.fact == urgent.number)
        .unwrap();
    let waited = accepted.at_ms - published_at;
    println!(
        "accepted {waited} ms after it was published; {} messages wait",
        simulation.waiting()
    );
    assert!(accepted.is_accepted && waited <= 10_000, "{waited} ms");
    assert!(simulation.waiting() > u64::from(WAITING));
}
