//! Runs random histories until one of them breaks an invariant: `histories --count 1000000 --seed 1`.

use std::process::ExitCode;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use simulation::{histories, history};

const HELP: &str = "\
Runs random histories of the engine and judges each of them.

    histories [--count N] [--seed N] [--threads N]
    histories --show SEED

    --count N      how many (20000)
    --seed N       the first seed (1); the others follow
    --threads N    on how many threads (2)
    --show SEED    the chronicle of one, and the verdict
    --help         this text

Exit code: 0 if all invariants hold, 1 if not, 2 if the arguments are wrong.
";

struct Arguments {
    count: u64,
    seed: u64,
    threads: usize,
    show: Option<u64>,
}

fn read(arguments: impl Iterator<Item = String>) -> Result<Option<Arguments>, String> {
    let mut read = Arguments {
        count: 20_000,
        seed: 1,
        threads: 2,
        show: None,
    };
    let mut arguments = arguments;
    while let Some(name) = arguments.next() {
        if name == "--help" {
            return Ok(None);
        }
        let value = arguments.next().and_then(|value| value.parse::<u64>().ok());
        let value = value.ok_or_else(|| format!("{name}: expected a number after it"))?;
        match name.as_str() {
            "--count" => read.count = value,
            "--seed" => read.seed = value,
            "--threads" => read.threads = usize::try_from(value).unwrap_or(1).max(1),
            "--show" => read.show = Some(value),
            _ => {
                return Err(format!(
                    "{name}: expected one of --count, --seed, --threads, --show, --help"
                ));
            }
        }
    }
    Ok(Some(read))
}

#[expect(clippy::print_stdout, reason = "a program for people")]
fn main() -> ExitCode {
    let arguments = match read(std::env::args().skip(1)) {
        Ok(Some(arguments)) => arguments,
        Ok(None) => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(problem) => {
            eprintln!("{problem}\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    if let Some(seed) = arguments.show {
        return show(seed);
    }
    let began = Instant::now();
    let told_at = Mutex::new(began);
    let summary = histories(arguments.seed, arguments.count, arguments.threads, |done| {
        if let Ok(mut told_at) = told_at.try_lock()
            && told_at.elapsed() >= Duration::from_secs(2)
        {
            *told_at = Instant::now();
            println!("{done} of {} after {} s", arguments.count, began.elapsed().as_secs());
        }
    });
    println!(
        "{} histories in {:.1} s: {} broken, {} exempt deliveries, {} calls of ports, {} of them faulty, \
         {} times queues were held in vain, as by the seeds {:?}\n{:?}",
        summary.histories,
        began.elapsed().as_secs_f64(),
        summary.broken,
        summary.exempt,
        summary.calls,
        summary.faults,
        summary.held_in_vain,
        summary.held_seeds,
        summary.counts
    );
    for (seed, verdict) in &summary.failures {
        println!("\nseed {seed} (histories --show {seed}):\n{verdict}");
    }
    match summary.broken {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

#[expect(clippy::print_stdout, reason = "a program for people")]
fn show(seed: u64) -> ExitCode {
    let simulation = history(seed);
    simulation.read(|chronicle| {
        for entry in chronicle {
            println!("{:>12} {:?}", entry.at_ms, entry.what);
        }
    });
    let verdict = simulation.verdict();
    println!("{:#?}\n{verdict}", simulation.setting());
    match verdict.holds() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}
