//! Random histories.

use simulation::{WITH_INBOXES, histories};

/// The first seed: another one with `SIMULATION_SEED=…`, which runs that one history alone.
fn asked_for() -> Option<u64> {
    option_env_at_run_time("SIMULATION_SEED")
}

#[expect(clippy::disallowed_methods, reason = "how a person asks a test for one history")]
fn option_env_at_run_time(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn the_invariants_hold_in_twenty_thousand_random_histories() {
    let (seed, count) = asked_for().map_or((1, 20_000), |seed| (seed, 1));
    hold(seed, count);
}

#[test]
fn the_invariants_hold_in_random_histories_with_inboxes() {
    hold(WITH_INBOXES, 4_000);
}

fn hold(seed: u64, count: u64) {
    let summary = histories(seed, count, 2, |_| ());
    println!("{summary:?}");
    let failures = summary.failures.iter().map(|(seed, verdict)| {
        format!(
            "seed {seed}:\n{verdict}\nreplay: SIMULATION_SEED={seed} cargo nextest run --cargo-profile local -p simulation random\n\
             read: cargo run --profile local -p simulation --bin histories -- --show {seed}\n"
        )
    });
    let failures: Vec<String> = failures.collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert_eq!(summary.held_in_vain, 0, "queues that nobody let flow again");
}

#[test]
fn a_seed_tells_the_same_history_every_time() {
    let tell = || simulation::history(7).read(|chronicle| format!("{chronicle:?}"));
    assert_eq!(tell(), tell());
}
