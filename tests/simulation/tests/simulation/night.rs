//! Thousands wait for the same morning.

use domain::{Channel, OrderStatus, QuietHours, State, Zone};
use simulation::{Customer, Fact, Setting, Simulation};

use crate::reading::calls;

const WAITING: u32 = 2_000;

/// From 11:01 to 14:00 in Madrid, where every run begins at 11:00.
const END_MS: i64 = 3 * 3_600_000;

#[test]
fn two_thousand_text_messages_wait_for_the_same_moment_and_each_goes_out_once() {
    let simulation = Simulation::new(Setting {
        limit: Some(200.0),
        ..Setting::default()
    });
    let hours = QuietHours::between("11:01", "14:00").unwrap();
    let zone = Zone::try_from("Europe/Madrid").unwrap();
    for number in 1..=WAITING {
        let fact = Fact::status(
            number,
            Customer(number),
            &format!("order-{number}"),
            OrderStatus::Shipped,
            120_000,
        );
        simulation.expect(&fact);
        simulation.keep_quiet(0, Customer(number), hours, zone.clone());
        simulation.publish(120_000, fact.publication(), 1);
    }
    simulation.run_until(END_MS - 300_000);
    assert_eq!(simulation.waiting_in_room(), u64::from(WAITING));
    assert_eq!(simulation.standing(Channel::Email)[&State::Sent], WAITING as usize);
    simulation.settle();
    assert_eq!(simulation.standing(Channel::Sms)[&State::Delivered], WAITING as usize);
    assert_eq!((simulation.waiting_in_room(), simulation.letters()), (0, 0));
    let calls = calls(&simulation);
    let texts: Vec<i64> = calls
        .iter()
        .filter(|call| call.delivery.channel == "sms")
        .map(|call| call.at_ms)
        .collect();
    assert_eq!(texts.len(), WAITING as usize);
    assert!(texts.iter().all(|at| *at >= END_MS));
    let verdict = simulation.verdict();
    assert!(verdict.holds() && verdict.exempt.is_empty(), "{verdict}");
}
