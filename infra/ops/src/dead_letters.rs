//! `ops dead-letters list`: what could not be worked on, why, and since when.

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use std::process::ExitCode;

use crate::account::Account;
use crate::letters::{self, Letter};
use crate::names::with_dead_letters;
use crate::output::{Report, counted, duration, show};
use crate::redrive::Redrive;

#[derive(Debug, Subcommand)]
pub(crate) enum DeadLetters {
    /// Show the dead letters; they stay where they are
    List(List),
    /// Send dead letters again, where the ledger agrees
    Redrive(Redrive),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ops dead-letters list
  ops dead-letters list --queue email --json

A letter is hidden from others for the moment in which it is looked at. Answers with 1 when there is a letter.")]
pub(crate) struct List {
    /// Of one queue: notifications, email-urgent, subscriptions…
    #[arg(long, value_name = "NAME")]
    queue: Option<String>,
    /// At most about so many letters per queue
    #[arg(long, default_value_t = 1_000)]
    limit: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    letters: Vec<Line>,
    /// Queues that hold more than was looked at.
    cut: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    queue: String,
    message_id: String,
    kind: &'static str,
    notification_id: Option<String>,
    reason: Option<String>,
    sent_at: Option<Timestamp>,
    age_seconds: Option<i64>,
    receive_count: u32,
}

impl DeadLetters {
    pub(crate) async fn run(&self, account: &Account, as_json: bool) -> Result<ExitCode> {
        match self {
            Self::List(list) => list.run(account, as_json).await,
            Self::Redrive(redrive) => redrive.run(account, as_json).await,
        }
    }
}

impl List {
    async fn run(&self, account: &Account, as_json: bool) -> Result<ExitCode> {
        let queues = chosen(account, self.queue.as_deref())?;
        let (letters, cut) = letters::look(account, queues, self.limit).await?;
        let now = account.now();
        let listed = Listed {
            letters: letters.iter().map(|letter| Line::of(account, letter, now)).collect(),
            cut: cut.iter().map(|queue| account.names.dead_letters(queue)).collect(),
        };
        show(&listed, as_json)
    }
}

/// The queue of that name, else all of them.
pub(crate) fn chosen(account: &Account, queue: Option<&str>) -> Result<Vec<&'static str>> {
    let Some(text) = queue else {
        return Ok(with_dead_letters().collect());
    };
    match account.names.read_queue(text) {
        Some(queue) => Ok(vec![queue]),
        None => {
            let known: Vec<&str> = with_dead_letters().collect();
            bail!("--queue: expected one of {}, got {text}", known.join(", "))
        }
    }
}

impl Line {
    fn of(account: &Account, letter: &Letter, now: Timestamp) -> Self {
        Self {
            queue: account.names.dead_letters(letter.queue),
            message_id: letter.message_id.clone(),
            kind: letter.kind.name(),
            notification_id: letter.id.map(|id| id.to_string()),
            reason: letter.reason.clone(),
            sent_at: letter.sent_at,
            age_seconds: letter.sent_at.map(|at| now.duration_since(at).as_secs()),
            receive_count: letter.receives,
        }
    }
}

impl Report for Listed {
    fn needs_a_person(&self) -> bool {
        !self.letters.is_empty()
    }
}

impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut queues: BTreeMap<&str, Vec<&Line>> = BTreeMap::new();
        for line in &self.letters {
            queues.entry(&line.queue).or_default().push(line);
        }
        if queues.is_empty() {
            writeln!(f, "no dead letters")?;
        }
        for (queue, lines) in queues {
            writeln!(f, "{queue}: {}", counted(lines.len(), "letter"))?;
            for line in lines {
                let age = line
                    .age_seconds
                    .map(|seconds| duration(jiff::SignedDuration::from_secs(seconds)));
                write!(
                    f,
                    "  {:<15} {:>12} old, received {:>3} times",
                    line.kind,
                    age.unwrap_or_default(),
                    line.receive_count
                )?;
                if let Some(id) = &line.notification_id {
                    write!(f, "  {id}")?;
                }
                writeln!(
                    f,
                    "  {}",
                    line.reason
                        .as_deref()
                        .unwrap_or("(no reason: SQS, SNS or Lambda put it there)")
                )?;
            }
        }
        for queue in &self.cut {
            writeln!(f, "{queue} holds more: raise --limit")?;
        }
        Ok(())
    }
}
