//! `ops health`: whether everything answers that the system depends on.

use anyhow::Result;
use clap::Args;
use domain::Health;
use lambda::SystemClock;
use serde::Serialize;
use std::fmt;
use std::process::ExitCode;

use crate::account::Account;
use crate::output::{Report, show};

/// The arguments.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ops health
  ops health --json

It asks what the canary function asks every few minutes, of the same places, with the credentials of whoever calls it. \
Answers with 1 when something is down.")]
pub(crate) struct HealthCommand {}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    dependencies: Vec<Line>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    name: &'static str,
    is_down: bool,
    /// How many parts of it were asked: tables, queues, carriers.
    asked: usize,
    /// What is down, and why.
    down: Vec<Down>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Down {
    part: String,
    why: String,
}

impl HealthCommand {
    pub(crate) async fn run(&self, account: &Account, as_json: bool) -> Result<ExitCode> {
        let dependencies = account.dependencies().await?;
        let health = pipeline::checkup(&dependencies, &SystemClock).await;
        let shown = Shown {
            dependencies: health.into_iter().map(Line::from).collect(),
        };
        show(&shown, as_json)
    }
}

impl From<Health> for Line {
    fn from(health: Health) -> Self {
        Self {
            name: health.dependency.name(),
            is_down: health.is_down(),
            asked: health.parts.len(),
            down: health
                .parts
                .into_iter()
                .filter_map(|part| {
                    let why = part.trouble?;
                    Some(Down { part: part.name, why })
                })
                .collect(),
        }
    }
}

impl Report for Shown {
    fn needs_a_person(&self) -> bool {
        self.dependencies.iter().any(|line| line.is_down)
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.dependencies {
            if !line.is_down {
                writeln!(f, "{:<10} ok    {} asked", line.name, line.asked)?;
            }
            for down in &line.down {
                writeln!(f, "{:<10} down  {}: {}", line.name, down.part, down.why)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Dependency, Part};

    fn shown(trouble: Option<&str>) -> Shown {
        let part = |name: &str, trouble: Option<&str>| Part {
            name: name.to_owned(),
            trouble: trouble.map(str::to_owned),
        };
        let sqs = Health {
            dependency: Dependency::Sqs,
            parts: vec![part("e-com67-email", trouble), part("e-com67-sms", None)],
        };
        Shown {
            dependencies: vec![sqs.into()],
        }
    }

    #[test]
    fn what_is_down_stands_there_with_its_reason_and_needs_a_person() {
        let shown = shown(Some("AccessDenied with status 403"));
        assert_eq!(
            shown.to_string(),
            "sqs        down  e-com67-email: AccessDenied with status 403\n"
        );
        assert!(shown.needs_a_person());
    }

    #[test]
    fn what_is_well_is_one_line() {
        let shown = shown(None);
        assert_eq!(shown.to_string(), "sqs        ok    2 asked\n");
        assert!(!shown.needs_a_person());
    }
}
