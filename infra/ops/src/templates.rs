//! `ops templates`: the words of messages, and the versions that a shop puts in their place.

use anyhow::{Result, bail};
use aws::DynamoTemplates;
use clap::{Args, Subcommand};
use domain::ports::TemplatesLoad;
use domain::{CannotSwitch, InForce, Published, Switch, TemplateVersion, VersionState, clean_line};
use messages::{TemplateName, Templates, Wording};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::account::Account;
use crate::operator::Who;
use crate::output::{Report, counted, show};

mod diff;
mod list;
mod preview;
mod shown;
mod words_file;

use diff::Diff;
use list::List;
use preview::Preview;
use shown::Show;

#[derive(Debug, Subcommand)]
pub(crate) enum TemplatesCommand {
    /// Show every template, with the version that is live and the drafts
    List(List),
    /// Show the words of a template, as a file that 'save' reads
    Show(Show),
    /// Check words and store them as a new draft
    Save(Save),
    /// Show a message as it would be sent
    Preview(Preview),
    /// Show in which words two versions differ
    Diff(Diff),
    /// Put a version in force
    Publish(Publish),
    /// Put in force what was before
    RollBack(RollBack),
    /// Take a draft out of the way
    Discard(Discard),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ops templates show order_status_update.shipped/email/es > words.ini
  ops templates save order_status_update.shipped/email/es --from words.ini --note 'friendlier'
  ops templates save payment_failed/sms/en --from -

A file has lines 'key = text'; an indented line goes on with the text above, and a line that begins with # is a comment. Keys \
that are left out, or have the built-in words, keep them also after later deployments. Nothing is sent with a draft until it is published.")]
pub(crate) struct Save {
    #[command(flatten)]
    template: Template,
    /// The file with the words; - for standard input
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// What there is to say about it, without names or addresses of customers: it is kept
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    #[command(flatten)]
    who: Who,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  ops templates publish order_status_update.shipped/email/es --version 3

Senders write with it from their next batch on, half a minute later at most.")]
pub(crate) struct Publish {
    #[command(flatten)]
    template: Template,
    /// A draft, or a version that was live once
    #[arg(long, value_name = "N")]
    version: u32,
    #[command(flatten)]
    who: Who,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  ops templates roll-back order_status_update.shipped/email/es

Puts the version in force that was live before this one, or the built-in words if there was none. Going back again goes \
one further.")]
pub(crate) struct RollBack {
    #[command(flatten)]
    template: Template,
    #[command(flatten)]
    who: Who,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  ops templates discard order_status_update.shipped/email/es --version 4

Its number stays used, so that a number always means the same words.")]
pub(crate) struct Discard {
    #[command(flatten)]
    template: Template,
    /// The draft
    #[arg(long, value_name = "N")]
    version: u32,
    #[command(flatten)]
    who: Who,
}

/// The template that a command is about.
#[derive(Debug, Args)]
struct Template {
    /// The template, such as order_status_update.shipped/email/es or payment_failed/sms/en
    #[arg(value_name = "NAME", value_parser = template_name)]
    name: TemplateName,
}

/// A version of a template, or what is built in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    BuiltIn,
    Version(u32),
}

/// A number that others keep taking is tried again so often.
const ROUNDS: usize = 5;

/// What the tool knows of one template.
struct Known {
    table: DynamoTemplates,
    in_force: InForce,
    versions: Vec<TemplateVersion>,
    name: TemplateName,
    built_in: BTreeMap<String, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Done {
    template: String,
    /// The version that this is about; none for the built-in words.
    version: Option<u32>,
    variables: Vec<String>,
    done: String,
    /// What speaks against the version, where it was put in force all the same.
    problems: Vec<String>,
}

impl TemplatesCommand {
    pub(crate) async fn run(&self, account: &Account, as_json: bool) -> Result<ExitCode> {
        match self {
            Self::List(list) => list.run(account, as_json).await,
            Self::Show(show) => show.run(account, as_json).await,
            Self::Save(save) => save.run(account, as_json).await,
            Self::Preview(preview) => preview.run(account, as_json).await,
            Self::Diff(diff) => diff.run(account, as_json).await,
            Self::Publish(publish) => publish.run(account, as_json).await,
            Self::RollBack(roll_back) => roll_back.run(account, as_json).await,
            Self::Discard(discard) => discard.run(account, as_json).await,
        }
    }
}

impl Save {
    async fn run(&self, account: &Account, as_json: bool) -> Result<ExitCode> {
        let words = words_file::read(&self.from)?;
        let known = Known::of(account, self.template.name).await?;
        let words = own(words, &known.built_in);
        if words.is_empty() {
            bail!(
                "these are the built-in words of {}: there is nothing to save",
                known.text()
            );
        }
        for _round in 0..ROUNDS {
            let newest = known.table.versions_of(&known.text()).await?.into_iter().next_back();
            let mut draft = TemplateVersion {
                template: known.text(),
                version: newest.map_or(1, |newest| newest.version.saturating_add(1)),
                state: VersionState::Draft,
                channel: known.name.channel,
                language: known.name.language,
                words: words.clone(),
                variables: Vec::new(),
                note: self.note.as_deref().map(line),
                by: line(&self.who.by),
                created_at: account.now(),
                published: None,
            };
            draft.variables = match known.check(&draft) {
                Ok(variables) => variables,
                Err(problems) => bail!(refused(&known.text(), &problems)),
            };
            if known.table.store(&draft).await? {
                let done = format!(
                    "saved as draft: look at it with 'ops templates preview {0} --version {1}', then 'ops templates publish {0} --version {1}'",
                    draft.template, draft.version
                );
                return show(&Done::of(&draft, done), as_json);
            }
        }
        bail!("others keep saving versions of {}: try again", known.text())
    }
}

impl Publish {
    async fn run(&self, account: &Account, as_json: bool) -> Result<ExitCode> {
        let known = Known::of(account, self.template.name).await?;
        let version = known.version(self.version)?;
        if let Err(problems) = known.check(version) {
            bail!(refused(&known.text(), &problems));
        }
        let switch = Switch::publish(
            &known.in_force,
            &known.versions,
            (&known.text(), self.version),
            self.who.at(account.now()),
        )?;
        known.switch(&switch).await?;
        let done = format!("live, in the place of {}. {}", known.was(), SOON);
        show(&Done::of(version, done), as_json)
    }
}

impl RollBack {
    async fn run(&self, account: &Account, as_json: bool) -> Result<ExitCode> {
        let known = Known::of(account, self.template.name).await?;
        let switch = Switch::roll_back(
            &known.in_force,
            &known.versions,
            &known.text(),
            self.who.at(account.now()),
        )?;
        known.switch(&switch).await?;
        let done = format!("live again, in the place of {}. {}", known.was(), SOON);
        let now_live = switch.in_force.and_then(|in_force| in_force.version_of(&known.text()));
        let done = match now_live {
            Some(version) => {
                let version = known.version(version)?;
                let problems = known.check(version).err().unwrap_or_default();
                Done {
                    problems,
                    ..Done::of(version, done)
                }
            }
            None => Done {
                template: known.text(),
                version: None,
                variables: Vec::new(),
                done,
                problems: Vec::new(),
            },
        };
        show(&done, as_json)
    }
}

impl Discard {
    async fn run(&self, account: &Account, as_json: bool) -> Result<ExitCode> {
        let known = Known::of(account, self.template.name).await?;
        let draft = known.version(self.version)?;
        let switch = Switch::discard(draft, line(&self.who.by), account.now()).map_err(|cannot| match &cannot {
            CannotSwitch::NoDraft {
                state: VersionState::Live,
                ..
            } => anyhow::anyhow!(
                "{cannot}: to take it out of force, 'ops templates roll-back {}'",
                known.text()
            ),
            CannotSwitch::NoDraft { .. }
            | CannotSwitch::Unknown { .. }
            | CannotSwitch::LiveAlready { .. }
            | CannotSwitch::Discarded { .. }
            | CannotSwitch::NothingLive { .. } => anyhow::anyhow!(cannot),
        })?;
        known.switch(&switch).await?;
        show(&Done::of(draft, "discarded".to_owned()), as_json)
    }
}

/// How soon senders write with what was put in force.
const SOON: &str = "Senders follow within half a minute";

impl Known {
    async fn of(account: &Account, name: TemplateName) -> Result<Self> {
        let built_in = Templates::built_in(&name);
        if built_in.is_empty() {
            bail!(
                "{name} has no built-in words, so that there is nothing to override: ops templates list shows what there is"
            );
        }
        let table = account.templates();
        let in_force = table.in_force().await?;
        let versions = table.versions_of(&name.to_string()).await?;
        Ok(Self {
            table,
            in_force,
            versions,
            name,
            built_in,
        })
    }

    fn text(&self) -> String {
        self.name.to_string()
    }

    fn live(&self) -> Option<u32> {
        self.in_force.version_of(&self.text())
    }

    /// The version of this number.
    fn version(&self, version: u32) -> Result<&TemplateVersion> {
        let found = self.versions.iter().find(|known| known.version == version);
        found.ok_or_else(|| {
            let numbers: Vec<String> = self.versions.iter().map(|known| known.version.to_string()).collect();
            let there = match numbers.is_empty() {
                true => "there is none yet: ops templates save".to_owned(),
                false => format!("there are {}", numbers.join(", ")),
            };
            anyhow::anyhow!("{} has no version {version}; {there}", self.text())
        })
    }

    /// All words of a version: its own, and for the other keys the built-in ones.
    fn words(&self, which: Which) -> Result<BTreeMap<String, String>> {
        let mut words = self.built_in.clone();
        if let Which::Version(version) = which {
            words.extend(self.version(version)?.words.clone());
        }
        Ok(words)
    }

    fn check(&self, version: &TemplateVersion) -> Result<Vec<String>, Vec<String>> {
        let variables = Templates::check(&self.wording(version))?;
        Ok(variables.into_iter().collect())
    }

    fn wording(&self, version: &TemplateVersion) -> Wording {
        Wording {
            name: self.name,
            version: version.version,
            words: version.words.clone(),
        }
    }

    async fn switch(&self, switch: &Switch) -> Result<()> {
        if self.table.switch(switch).await? {
            return Ok(());
        }
        bail!(
            "somebody changed what is in force meanwhile, and nothing was done: look again with 'ops templates list', then repeat"
        )
    }

    /// What is in force until a change.
    fn was(&self) -> String {
        match self.live() {
            Some(version) => format!("version {version}"),
            None => "the built-in words".to_owned(),
        }
    }
}

impl Done {
    fn of(version: &TemplateVersion, done: String) -> Self {
        Self {
            template: version.template.clone(),
            version: Some(version.version),
            variables: version.variables.clone(),
            done,
            problems: Vec::new(),
        }
    }
}

impl Who {
    fn at(&self, at: jiff::Timestamp) -> Published {
        Published { at, by: line(&self.by) }
    }
}

/// An operator's words as they may stand in a table: one line, and not so long that an item grows by it.
fn line(text: &str) -> String {
    clean_line(text).chars().take(200).collect()
}

/// Words without those that are built in: what a deployment mends later is not to be held by a copy.
fn own(mut words: BTreeMap<String, String>, built_in: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    words.retain(|key, text| built_in.get(key) != Some(text));
    words
}

/// Everything that speaks against words, a line for each.
fn refused(template: &str, problems: &[String]) -> String {
    let mut text = format!(
        "{template}: {}; nothing was changed",
        counted(problems.len(), "problem")
    );
    for problem in problems {
        text.push_str("\n  ");
        text.push_str(problem);
    }
    text
}

/// Reads the name of a template that was typed.
fn template_name(text: &str) -> Result<TemplateName, String> {
    TemplateName::try_from(text).map_err(|unknown| format!("{unknown}; ops templates list shows them all"))
}

/// Reads a version that was typed.
fn which(text: &str) -> Result<Which, String> {
    match text.trim() {
        "built-in" => Ok(Which::BuiltIn),
        number => match number.parse() {
            Ok(version) if version > 0 => Ok(Which::Version(version)),
            Ok(_) | Err(_) => Err("expected the number of a version, such as 3, or built-in".to_owned()),
        },
    }
}

impl fmt::Display for Which {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn => f.write_str("built-in"),
            Self::Version(version) => write!(f, "version {version}"),
        }
    }
}

impl Report for Done {
    fn needs_a_person(&self) -> bool {
        !self.problems.is_empty()
    }
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.version {
            Some(version) => writeln!(f, "version {version} of {}: {}", self.template, self.done)?,
            None => writeln!(f, "the built-in words of {}: {}", self.template, self.done)?,
        }
        for problem in &self.problems {
            writeln!(f, "  but: {problem}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_a_number_or_what_is_built_in() {
        assert_eq!(which("3"), Ok(Which::Version(3)));
        assert_eq!(which("built-in"), Ok(Which::BuiltIn));
        for text in ["0", "-1", "v3", ""] {
            assert!(which(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_name_that_is_none_says_what_was_expected_and_where_to_look() {
        let problem = template_name("shipped/email/es").unwrap_err();
        assert!(
            problem.contains("TYPE/CHANNEL/LANGUAGE") && problem.contains("ops templates list"),
            "{problem}"
        );
    }

    #[test]
    fn copies_of_built_in_words_are_not_kept() {
        let words = |lead: &str| {
            let pairs = [("subject", "On its way"), ("lead", lead)];
            BTreeMap::from(pairs.map(|(key, text)| (key.to_owned(), text.to_owned())))
        };
        let kept = own(words("ours"), &words("built in"));
        assert_eq!(kept, BTreeMap::from([("lead".to_owned(), "ours".to_owned())]));
    }

    #[test]
    fn every_problem_of_refused_words_is_named() {
        let problems = ["subject: one".to_owned(), "sms: two".to_owned()];
        let text = refused("payment_failed/sms/en", &problems);
        assert!(
            text.contains("2 problems") && problems.iter().all(|problem| text.contains(problem)),
            "{text}"
        );
    }
}
