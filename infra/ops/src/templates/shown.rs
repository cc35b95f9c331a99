//! `ops templates show`: the words of a template, as a file that `save` reads.

use anyhow::Result;
use clap::Args;
use domain::{TemplateVersion, VersionState};
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use std::process::ExitCode;

use super::{Known, Template, Which, which};
use crate::account::Account;
use crate::output::{Report, moment, show};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ops templates show order_status_update.shipped/email/es
  ops templates show order_status_update.shipped/email/es --version 3
  ops templates show order_status_update.shipped/email/es --version built-in > words.ini

Without --version it shows what is in force.")]
pub(crate) struct Show {
    #[command(flatten)]
    template: Template,
    /// The number of a version, or built-in
    #[arg(long, value_name = "N", value_parser = which)]
    version: Option<Which>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    template: String,
    /// None for the built-in words.
    #[serde(flatten)]
    of: Option<Version>,
    is_live: bool,
    words: BTreeMap<String, String>,
    /// The built-in words of the keys that the version leaves out.
    built_in: BTreeMap<String, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Version {
    version: u32,
    state: &'static str,
    variables: Vec<String>,
    note: Option<String>,
    by: String,
    created_at: Timestamp,
    published_at: Option<Timestamp>,
    published_by: Option<String>,
}

impl Show {
    pub(super) async fn run(&self, account: &Account, as_json: bool) -> Result<ExitCode> {
        let known = Known::of(account, self.template.name).await?;
        let live = known.live().map_or(Which::BuiltIn, Which::Version);
        let which = self.version.unwrap_or(live);
        let (of, words) = match which {
            Which::BuiltIn => (None, known.built_in.clone()),
            Which::Version(version) => {
                let version = known.version(version)?;
                (Some(Version::of(version)), version.words.clone())
            }
        };
        let mut built_in = known.built_in.clone();
        built_in.retain(|key, _| !words.contains_key(key));
        let shown = Shown {
            template: known.text(),
            of,
            is_live: which == live,
            words,
            built_in,
        };
        show(&shown, as_json)
    }
}

impl Version {
    fn of(version: &TemplateVersion) -> Self {
        let published = version.published.as_ref();
        // Whoever reads the list of versions must not take a discarded draft for words that customers once got.
        let state = match (version.state, published) {
            (VersionState::Retired, None) => "discarded",
            (VersionState::Retired, Some(_)) | (VersionState::Draft | VersionState::Live, _) => version.state.name(),
        };
        Self {
            version: version.version,
            state,
            variables: version.variables.clone(),
            note: version.note.clone(),
            by: version.by.clone(),
            created_at: version.created_at,
            published_at: published.map(|published| published.at),
            published_by: published.map(|published| published.by.clone()),
        }
    }
}

impl Report for Shown {
    fn needs_a_person(&self) -> bool {
        false
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.of {
            None => {
                let live = if self.is_live { ", in force" } else { "" };
                writeln!(f, "# {}, the built-in words{live}", self.template)?;
            }
            Some(version) => {
                writeln!(f, "# {}, version {}: {}", self.template, version.version, version.state)?;
                writeln!(f, "# written by {} at {}", version.by, moment(version.created_at))?;
                if let (Some(at), Some(by)) = (version.published_at, &version.published_by) {
                    writeln!(f, "# published by {by} at {}", moment(at))?;
                }
                if let Some(note) = &version.note {
                    writeln!(f, "# note: {note}")?;
                }
                let variables = match version.variables.is_empty() {
                    true => "none".to_owned(),
                    false => version.variables.join(", "),
                };
                writeln!(f, "# variables: {variables}")?;
            }
        }
        for (key, words) in &self.words {
            writeln!(f, "{key} = {words}")?;
        }
        if !self.built_in.is_empty() {
            writeln!(f, "# the other words are the built-in ones:")?;
            for (key, words) in &self.built_in {
                writeln!(f, "# {key} = {words}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Channel, Language};

    fn version(state: VersionState) -> TemplateVersion {
        TemplateVersion {
            template: "payment_failed/push/en".to_owned(),
            version: 2,
            state,
            channel: Channel::Push,
            language: Language::En,
            words: BTreeMap::new(),
            variables: vec!["order.id".to_owned()],
            note: Some("kinder".to_owned()),
            by: "olga".to_owned(),
            created_at: Timestamp::UNIX_EPOCH,
            published: None,
        }
    }

    #[test]
    fn what_is_shown_can_be_saved_again() {
        let shown = Shown {
            template: "payment_failed/push/en".to_owned(),
            of: Some(Version::of(&version(VersionState::Draft))),
            is_live: false,
            words: BTreeMap::from([("title".to_owned(), "Order {{ order.id }}".to_owned())]),
            built_in: BTreeMap::from([("push".to_owned(), "Please look".to_owned())]),
        };
        let text = shown.to_string();
        let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(lines, ["title = Order {{ order.id }}"]);
        assert!(
            text.contains("# push = Please look") && text.contains("# variables: order.id"),
            "{text}"
        );
    }

    #[test]
    fn a_retired_version_that_was_never_published_was_discarded() {
        assert_eq!(Version::of(&version(VersionState::Retired)).state, "discarded");
    }
}
