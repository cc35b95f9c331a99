//! `ops templates diff`: in which words two versions differ.

use anyhow::Result;
use clap::Args;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::process::ExitCode;

use super::{Known, Template, Which, which};
use crate::account::Account;
use crate::output::{Report, show};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ops templates diff order_status_update.shipped/email/es
  ops templates diff order_status_update.shipped/email/es --version 3 --against built-in

Without --version it takes the newest version, without --against what is in force (or, for that itself, the built-in words). \
Keys that a version leaves out count with their built-in words.")]
pub(crate) struct Diff {
    #[command(flatten)]
    template: Template,
    /// The number of a version, or built-in
    #[arg(long, value_name = "A", value_parser = which)]
    version: Option<Which>,
    /// What it is held against
    #[arg(long, value_name = "B", value_parser = which)]
    against: Option<Which>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Differences {
    template: String,
    from: String,
    to: String,
    changes: Vec<Change>,
}

#[derive(Debug, Serialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
struct Change {
    key: String,
    from: Option<String>,
    to: Option<String>,
}

impl Diff {
    pub(super) async fn run(&self, account: &Account, as_json: bool) -> Result<ExitCode> {
        let known = Known::of(account, self.template.name).await?;
        let live = known.live().map_or(Which::BuiltIn, Which::Version);
        let newest = known.versions.last().map(|newest| Which::Version(newest.version));
        let to = self.version.or(newest).unwrap_or(live);
        let against_live = if to == live { Which::BuiltIn } else { live };
        let from = self.against.unwrap_or(against_live);
        let differences = Differences {
            template: known.text(),
            from: from.to_string(),
            to: to.to_string(),
            changes: changes(&known.words(from)?, &known.words(to)?),
        };
        show(&differences, as_json)
    }
}

/// The keys whose words differ.
fn changes(from: &BTreeMap<String, String>, to: &BTreeMap<String, String>) -> Vec<Change> {
    let keys: BTreeSet<&String> = from.keys().chain(to.keys()).collect();
    keys.into_iter()
        .filter(|key| from.get(*key) != to.get(*key))
        .map(|key| Change {
            key: key.clone(),
            from: from.get(key).cloned(),
            to: to.get(key).cloned(),
        })
        .collect()
}

impl Report for Differences {
    fn needs_a_person(&self) -> bool {
        false
    }
}

impl fmt::Display for Differences {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.changes.is_empty() {
            return writeln!(f, "{}: {} and {} say the same", self.template, self.from, self.to);
        }
        writeln!(f, "--- {} {}", self.template, self.from)?;
        writeln!(f, "+++ {} {}", self.template, self.to)?;
        for change in &self.changes {
            writeln!(f, "@@ {} @@", change.key)?;
            if let Some(words) = &change.from {
                writeln!(f, "-{words}")?;
            }
            if let Some(words) = &change.to {
                writeln!(f, "+{words}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[(&str, &str)]) -> BTreeMap<String, String> {
        let owned = words.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned()));
        owned.collect()
    }

    #[test]
    fn words_that_differ_are_shown_key_by_key() {
        let from = words(&[("heading", "same"), ("lead", "old"), ("next", "gone")]);
        let to = words(&[("heading", "same"), ("lead", "new"), ("subject", "more")]);
        let differences = Differences {
            template: "a/email/es".to_owned(),
            from: "built-in".to_owned(),
            to: "version 3".to_owned(),
            changes: changes(&from, &to),
        };
        assert_eq!(
            differences.to_string(),
            "--- a/email/es built-in\n+++ a/email/es version 3\n@@ lead @@\n-old\n+new\n@@ next @@\n-gone\n@@ subject @@\n+more\n"
        );
    }
}
