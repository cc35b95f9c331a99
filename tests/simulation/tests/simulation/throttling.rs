//! Half an hour in which the provider asks for patience nearly every time.

use domain::{Channel, State};
use simulation::{Mood, Setting, Simulation};

use crate::reading::{calls, payment};

const WAITING: u32 = 100_000;
const STORM_MS: i64 = 30 * 60_000;
const LIMIT: i64 = 50;

/// From standstill to the full pace.
const RECOVERY_MS: i64 = 300_000;

#[test]
fn thirty_minutes_of_throttling_cost_few_calls_and_no_message() {
    let simulation = Simulation::new(Setting {
        moods: vec![(0, STORM_MS, Mood::Throttling(0.95))],
        #[expect(clippy::cast_precision_loss, reason = "a small number")]
        limit: Some(LIMIT as f64),
        ..Setting::default()
    });
    let payments: Vec<_> = (1..=WAITING).map(payment).collect();
    simulation.take_in(&payments);
    simulation.settle();
    let count = WAITING as usize;
    assert_eq!(simulation.standing(Channel::Email), [(State::Sent, count)].into());
    assert_eq!((simulation.letters(), simulation.most_failures()), (0, 0));

    let calls = calls(&simulation);
    let in_storm = calls.iter().filter(|call| call.at_ms < STORM_MS).count();
    println!(
        "{} calls for {count} messages, {in_storm} of them in the storm",
        calls.len()
    );
    assert!(calls.len() * 10 <= count * 13, "{} calls", calls.len());

    // A window of permits is a second of the calendar: ten seconds touch eleven of them.
    let most_in_ten_seconds = calls
        .iter()
        .enumerate()
        .map(|(first, call)| {
            let later = calls[first..].partition_point(|other| other.at_ms < call.at_ms + 10_000);
            i64::try_from(later).unwrap()
        })
        .max()
        .unwrap();
    println!("at most {most_in_ten_seconds} calls in ten seconds");
    assert!(most_in_ten_seconds <= 11 * LIMIT, "{most_in_ten_seconds}");

    let drained_after = calls.last().unwrap().at_ms - STORM_MS;
    // Four fifths of the pace, because the rest is kept for what is urgent; half of it is lost while it recovers.
    let ideal = i64::from(WAITING) * 1_000 / (LIMIT * 4 / 5) + RECOVERY_MS / 2;
    println!("drained {drained_after} ms after the storm, ideally {ideal} ms");
    let verdict = simulation.verdict();
    assert!(verdict.holds() && verdict.exempt.is_empty(), "{verdict}");
    assert!(drained_after * 2 <= ideal * 3, "{drained_after} ms against {ideal} ms");
}
