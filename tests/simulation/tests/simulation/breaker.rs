//! The account is suspended, and is not any more.

use domain::{Channel, State};
use simulation::{Mood, Setting, Simulation};
use std::collections::BTreeMap;

use crate::reading::{calls, orders};

const MINUTE_MS: i64 = 60_000;

#[test]
fn trouble_with_the_account_costs_few_calls_and_no_try_and_everything_goes_out_afterwards() {
    let recovered_at = 40 * MINUTE_MS;
    let simulation = Simulation::new(Setting {
        moods: vec![(0, recovered_at, Mood::Suspended { says_so: false })],
        watched_until: 120 * MINUTE_MS,
        ..Setting::default()
    });
    simulation.take_in(&orders(300));
    simulation.run_until(20 * MINUTE_MS);
    assert_eq!(
        simulation.queues_of(Channel::Email),
        (false, 0),
        "held as a whole, and nothing hidden"
    );
    assert_eq!(simulation.most_failures(), 0);
    assert_eq!(simulation.standing(Channel::Email), [(State::Queued, 300)].into());
    simulation.settle();

    let troubles: Vec<_> = calls(&simulation)
        .into_iter()
        .filter(|call| !call.is_accepted)
        .collect();
    let opened_at = troubles[0].at_ms;
    let mut by_invocation: BTreeMap<u64, usize> = BTreeMap::new();
    let at_first = troubles.iter().filter(|call| call.at_ms < opened_at + MINUTE_MS / 2);
    at_first.for_each(|call| *by_invocation.entry(call.by).or_default() += 1);
    println!("calls before the breaker, by invocation: {by_invocation:?}");
    assert!(by_invocation.values().all(|calls| *calls <= 3), "{by_invocation:?}");
    // Both lanes at their full concurrency.
    assert!(by_invocation.len() <= 15, "{by_invocation:?}");

    let trials: Vec<i64> = troubles
        .iter()
        .map(|call| (call.at_ms - opened_at) / MINUTE_MS)
        .filter(|minute| *minute > 0)
        .collect();
    println!("trials after so many minutes: {trials:?}");
    // After 1, 2, 4, 8 and 15 minutes, looked at every minute.
    assert_eq!(trials.len(), 5, "{trials:?}");

    assert_eq!(simulation.standing(Channel::Email), [(State::Sent, 300)].into());
    assert_eq!((simulation.letters(), simulation.most_failures()), (0, 0));
    assert!(simulation.queues_of(Channel::Email).0);
    let last = calls(&simulation).last().unwrap().at_ms;
    println!(
        "all sent {} minutes after the recovery",
        (last - recovered_at) / MINUTE_MS
    );
    let verdict = simulation.verdict();
    assert!(verdict.holds() && verdict.exempt.is_empty(), "{verdict}");
}
