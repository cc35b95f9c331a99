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
pub(crate) mod providers;
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
pub(crate) enum Level {
    Ok,
    /// Worth knowing.
    Note,
    /// Somebody has to act.
    Problem,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Finding {
    /// What was looked at.
    pub(crate) check: &'static str,
    pub(crate) level: Level,
    pub(crate) what: String,
    /// How to mend it.
    pub(crate) mend: Option<String>,
}

impl Finding {
    pub(crate) fn ok(check: &'static str, what: impl Into<String>) -> Self {
        Self::new(check, Level::Ok, what, None)
    }

    pub(crate) fn note(check: &'static str, what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self::new(check, Level::Note, what, Some(mend.into()))
    }

    pub(crate) fn problem(check: &'static str, what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self::new(check, Level::Problem, what, Some(mend.into()))
    }

    pub(crate) fn new(check: &'static str, level: Level, what: impl Into<String>, mend: Option<String>) -> Self {
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
pub(crate) struct Diagnosis {
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
        show(&Diagnosis::of(findings, self.problems), as_json)
    }
}

impl Diagnosis {
    /// Counts what was found, and forgets what is no problem where only problems are asked for.
    pub(crate) fn of(mut findings: Vec<Finding>, only_problems: bool) -> Self {
        let count = |level| findings.iter().filter(|finding| finding.level == level).count();
        let (problems, notes) = (count(Level::Problem), count(Level::Note));
        if only_problems {
            findings.retain(|finding| finding.level == Level::Problem);
        }
        Self {
            findings,
            problems,
            notes,
        }
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
