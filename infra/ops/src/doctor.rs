//! `ops doctor`: what is wrong, or may soon be, and how to mend it.

use anyhow::Result;
use clap::Args;
use serde::Serialize;
use std::fmt;
use std::process::ExitCode;

use crate::account::Account;
use crate::output::{Progress, Report, show};

mod flow;
mod preferences;
mod providers;
mod templates;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ops doctor
  ops doctor --problems
  ops doctor --json

It reads the tables of preferences and of the ledger from one end to the other. Answers with 1 when there is a problem.")]
pub(crate) struct Doctor {
    /// Show problems only
    #[arg(long)]
    problems: bool,
}

/// How a finding is to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Level {
    Ok,
    /// Worth knowing.
    Note,
    /// Somebody has to act.
    Problem,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Finding {
    /// What was looked at.
    check: &'static str,
    level: Level,
    what: String,
    /// How to mend it.
    mend: Option<String>,
}

impl Finding {
    fn ok(check: &'static str, what: impl Into<String>) -> Self {
        Self::new(check, Level::Ok, what, None)
    }

    fn note(check: &'static str, what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self::new(check, Level::Note, what, Some(mend.into()))
    }

    fn problem(check: &'static str, what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self::new(check, Level::Problem, what, Some(mend.into()))
    }

    fn new(check: &'static str, level: Level, what: impl Into<String>, mend: Option<String>) -> Self {
        Self {
            check,
            level,
            what: what.into(),
            mend,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Diagnosis {
    findings: Vec<Finding>,
    problems: usize,
    notes: usize,
}

impl Doctor {
    pub(crate) async fn run(&self, account: &Account, as_json: bool) -> Result<ExitCode> {
        let mut progress = Progress::new("looking");
        let mut findings = providers::look(account).await;
        progress.tick("at the queues");
        findings.extend(flow::look(account).await?);
        progress.tick("at the templates");
        findings.extend(templates::look());
        progress.tick("at the preferences");
        findings.extend(preferences::look(account).await?);
        let count = |level| findings.iter().filter(|finding| finding.level == level).count();
        let (problems, notes) = (count(Level::Problem), count(Level::Note));
        if self.problems {
            findings.retain(|finding| finding.level == Level::Problem);
        }
        show(
            &Diagnosis {
                findings,
                problems,
                notes,
            },
            as_json,
        )
    }
}

impl Report for Diagnosis {
    fn needs_a_person(&self) -> bool {
        self.problems > 0
    }
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            let level = match finding.level {
                Level::Ok => "ok",
                Level::Note => "note",
                Level::Problem => "PROBLEM",
            };
            writeln!(f, "{level:<8} {:<16} {}", finding.check, finding.what)?;
            if let Some(mend) = &finding.mend {
                writeln!(f, "{:<8} {:<16}   → {mend}", "", "")?;
            }
        }
        writeln!(f, "{} problems, {} notes", self.problems, self.notes)
    }
}
