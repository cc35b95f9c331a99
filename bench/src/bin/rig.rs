//! Measures functions: how they start, what they cost, and whether they send twice.

use anyhow::{Context, Result, bail};
use bench::rig::aws::Delays;
use bench::rig::baseline::Baseline;
use bench::rig::ceiling::ceilings;
use bench::rig::jobs::{Job, Kind, Work};
use bench::rig::machine::{Machine, load};
use bench::rig::measure::{Effort, Figures, Measurement};
use bench::rig::process::{Core, cores, pin};
use bench::rig::report::{Results, svg::svg, table::table};
use bench::rig::server::Server;
use bench::rig::subject::{Subject, Transport};
use clap::Parser;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Measures functions: how they start, what they cost, and whether they send twice.
#[derive(Debug, Parser)]
struct Options {
    /// The orchestrator's bootstrap; the sender's requests are made by it
    #[arg(long)]
    orchestrator: Option<PathBuf>,
    /// The e-mail sender's bootstrap
    #[arg(long)]
    sender: Option<PathBuf>,
    /// The folder of rivals
    #[arg(long, default_value = "bench/rivals")]
    rivals: PathBuf,
    /// Who is measured: `ours`, `orchestrator`, `sender`, or a rival's folder; everybody if left out
    #[arg(long, value_delimiter = ',')]
    subjects: Vec<String>,
    /// How AWS is called
    #[arg(long, value_delimiter = ',', default_values = ["plain", "tls"])]
    transports: Vec<Transport>,
    /// What the events tell whose times are measured
    #[arg(long, default_value = "confirmation")]
    kind: Kind,
    /// Short runs: enough to see whether something is far off
    #[arg(long)]
    quick: bool,
    /// Milliseconds that DynamoDB and SQS take to answer
    #[arg(long, default_value_t = 0)]
    delay_ms: u64,
    /// Milliseconds that SES takes to answer
    #[arg(long, default_value_t = 0)]
    ses_delay_ms: u64,
    /// Where files go: results.json, results.svg, logs, the certificate
    #[arg(long, default_value = "target/bench")]
    work: PathBuf,
    /// The counts of ours that may not grow by more than 5 %
    #[arg(long)]
    baseline: Option<PathBuf>,
    /// Record the counts of this run as the baseline
    #[arg(long, requires = "baseline")]
    write_baseline: bool,
}

fn main() -> Result<()> {
    let options = Options::parse();
    std::fs::create_dir_all(&options.work).context("make the folder for files")?;
    let work = options.work.canonicalize().context("find the folder for files")?;
    let cores = cores();
    let mut results = Results {
        at: bench::rig::now().to_string(),
        machine: Machine::here(pin(Core::Rig), cores),
        arguments: std::env::args().skip(1).collect(),
        kind: options.kind.name().to_owned(),
        ..Results::default()
    };
    let server = Server::start(
        &work,
        Delays {
            usual: Duration::from_millis(options.delay_ms),
            ses: Duration::from_millis(options.ses_delay_ms),
        },
    )?;
    let orchestrator = options
        .orchestrator
        .as_deref()
        .map(|binary| ours("orchestrator", Job::Orchestrator, binary))
        .transpose()?;
    let subjects = subjects(&options, orchestrator.as_ref())?;
    if subjects.is_empty() {
        bail!("there is nobody to measure");
    }

    eprintln!("the rig's own ceiling");
    Work::new(&server, None, &work)?;
    let each = Duration::from_millis(if options.quick { 300 } else { 2_000 });
    results.ceilings = ceilings(&server, each)?;
    for subject in &subjects {
        let measurement = Measurement {
            server: &server,
            subject,
            orchestrator: orchestrator.as_ref(),
            effort: if options.quick { Effort::QUICK } else { Effort::FULL },
            kind: options.kind,
            work: &work,
            has_valgrind: !results.machine.valgrind.is_empty(),
        };
        let figures = measurement
            .run(&options.transports)
            .with_context(|| format!("measure {}", subject.name));
        // One that fails must not take the others' results with it.
        results.subjects.push(figures.unwrap_or_else(|error| Figures {
            subject: subject.name.clone(),
            remarks: vec![format!("was not measured: {error:#}")],
            ..Figures::default()
        }));
    }
    results.machine.load_after = load();

    let (json, picture) = (work.join("results.json"), work.join("results.svg"));
    std::fs::write(&json, serde_json::to_string_pretty(&results)? + "\n").context("write the results")?;
    std::fs::write(&picture, svg(&results)).context("write the picture")?;
    let text = format!("{}{}\n{}\n", table(&results), json.display(), picture.display());
    std::io::stdout()
        .write_all(text.as_bytes())
        .context("print the results")?;
    match &options.baseline {
        Some(path) => hold_to(path, options.write_baseline, &results),
        None => Ok(()),
    }
}

fn ours(name: &str, job: Job, binary: &Path) -> Result<Subject> {
    let binary = binary
        .canonicalize()
        .with_context(|| format!("find {}", binary.display()))?;
    Ok(Subject::ours(name, job, &binary))
}

fn subjects(options: &Options, orchestrator: Option<&Subject>) -> Result<Vec<Subject>> {
    let is_chosen = |names: &[&str]| {
        options.subjects.is_empty() || options.subjects.iter().any(|chosen| names.contains(&chosen.as_str()))
    };
    let mut subjects = Vec::new();
    subjects.extend(orchestrator.filter(|_| is_chosen(&["ours", "orchestrator"])).cloned());
    if let Some(sender) = options.sender.as_deref().filter(|_| is_chosen(&["ours", "sender"])) {
        subjects.push(ours("sender", Job::EmailSender, sender)?);
    }
    let folders = std::fs::read_dir(&options.rivals).into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = folders
        .map(|folder| folder.path())
        .filter(|folder| folder.join("subject.json").exists())
        .filter(|folder| {
            folder
                .file_name()
                .is_some_and(|name| is_chosen(&[&name.to_string_lossy()]))
        })
        .collect();
    folders.sort();
    for folder in folders {
        subjects.push(Subject::rival(&folder)?);
    }
    Ok(subjects)
}

/// Compares the counts of ours with the baseline, or writes a new one.
fn hold_to(path: &Path, is_to_be_written: bool, results: &Results) -> Result<()> {
    let is_ours = |figures: &&Figures| ["orchestrator", "sender"].contains(&figures.subject.as_str());
    let run = Baseline::of(results.subjects.iter().filter(is_ours));
    if is_to_be_written {
        std::fs::write(path, serde_json::to_string_pretty(&run)? + "\n").context("write the baseline")?;
        eprintln!("recorded {}", path.display());
        return Ok(());
    }
    let text = std::fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
    let baseline: Baseline = serde_json::from_str(&text).with_context(|| format!("read {}", path.display()))?;
    let comparison = baseline.compare(&run);
    for name in &comparison.not_counted {
        eprintln!("not counted: {name}");
    }
    if comparison.grown.is_empty() {
        return Ok(());
    }
    bail!(
        "counts have grown by more than 5 % against {}:\n  {}\nWhere that is meant, or another compiler counts differently \
         (this is {}), record them anew: WRITE_BASELINE=1 make bench",
        path.display(),
        comparison.grown.join("\n  "),
        results.machine.rustc
    )
}
