//! Writes the same e-mail so many times: what an instruction counter runs twice, to learn what one more e-mail costs.

use bench::Job;
use domain::Language;
use std::hint::black_box;
use std::process::ExitCode;

fn main() -> ExitCode {
    let times = std::env::args().nth(1).and_then(|times| times.parse::<u32>().ok());
    let (Some(times), Some(job)) = (times, Job::new(Language::Es)) else {
        eprintln!("usage: render TIMES");
        return ExitCode::FAILURE;
    };
    for _ in 0..times {
        if black_box(job.run()).is_err() {
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
