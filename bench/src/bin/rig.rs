//! Measures functions: how they start, what they cost, and whether they send twice.

use anyhow::{Context, Result};
use bench::rig::aws::Delays;
use bench::rig::jobs::{Job, Kind};
use bench::rig::measure::{Effort, Measurement};
use bench::rig::process::{Core, pin};
use bench::rig::server::Server;
use bench::rig::subject::{Subject, Transport};
use clap::Parser;
use std::path::PathBuf;
use std::time::Duration;

/// Measures functions: how they start, what they cost, and whether they send twice.
#[derive(Debug, Parser)]
struct Options {
    /// The orchestrator's bootstrap
    #[arg(long)]
    orchestrator: Option<PathBuf>,
    /// The e-mail sender's bootstrap
    #[arg(long)]
    sender: Option<PathBuf>,
    /// The folder of rivals
    #[arg(long, default_value = "bench/rivals")]
    rivals: PathBuf,
    /// Who is measured: `ours`, or a rival's folder; everybody if left out
    #[arg(long, value_delimiter = ',')]
    subjects: Vec<String>,
    /// How AWS is called
    #[arg(long, value_delimiter = ',', default_values = ["plain", "tls"])]
    transports: Vec<Transport>,
    /// What the events tell
    #[arg(long, default_value = "confirmation")]
    kind: Kind,
    /// Short runs
    #[arg(long)]
    quick: bool,
    /// Milliseconds that DynamoDB and SQS take to answer
    #[arg(long, default_value_t = 0)]
    delay_ms: u64,
    /// Milliseconds that SES takes to answer
    #[arg(long, default_value_t = 0)]
    ses_delay_ms: u64,
    /// Where files go
    #[arg(long, default_value = "target/bench")]
    work: PathBuf,
}

fn main() -> Result<()> {
    let options = Options::parse();
    std::fs::create_dir_all(&options.work).context("make the folder for files")?;
    let work = options.work.canonicalize().context("find the folder for files")?;
    pin(Core::Rig);
    let delays = Delays {
        usual: Duration::from_millis(options.delay_ms),
        ses: Duration::from_millis(options.ses_delay_ms),
    };
    let server = Server::start(&work, delays)?;
    let mut subjects = Vec::new();
    let is_chosen = |name: &str| options.subjects.is_empty() || options.subjects.iter().any(|chosen| chosen == name);
    if is_chosen("ours") {
        for (name, job, binary) in [
            ("orchestrator", Job::Orchestrator, &options.orchestrator),
            ("sender", Job::EmailSender, &options.sender),
        ] {
            let binary = binary
                .as_ref()
                .map(|binary| binary.canonicalize().context("find a bootstrap"));
            subjects.extend(binary.transpose()?.map(|binary| Subject::ours(name, job, &binary)));
        }
    }
    let mut folders: Vec<PathBuf> = std::fs::read_dir(&options.rivals)
        .into_iter()
        .flatten()
        .flatten()
        .map(|folder| folder.path())
        .filter(|folder| folder.join("subject.json").exists())
        .filter(|folder| {
            folder
                .file_name()
                .is_some_and(|name| is_chosen(&name.to_string_lossy()))
        })
        .collect();
    folders.sort();
    for folder in folders {
        subjects.push(Subject::rival(&folder)?);
    }
    let orchestrator = subjects
        .iter()
        .find(|subject| subject.job == Job::Orchestrator)
        .cloned();
    let has_valgrind = std::process::Command::new("valgrind").arg("--version").output().is_ok();
    let mut all = Vec::new();
    for subject in &subjects {
        let measurement = Measurement {
            server: &server,
            subject,
            orchestrator: orchestrator.as_ref(),
            effort: if options.quick { Effort::QUICK } else { Effort::FULL },
            kind: options.kind,
            work: &work,
            has_valgrind,
        };
        all.push(measurement.run(&options.transports)?);
    }
    let text = serde_json::to_string_pretty(&all)?;
    std::io::Write::write_all(&mut std::io::stdout(), text.as_bytes())?;
    Ok(())
}
