//! `ops templates list`: every template, with the version that is live and the drafts.

use anyhow::Result;
use clap::Args;
use domain::ports::TemplatesLoad;
use domain::{Channel, Language, NotificationType, VersionState};
use messages::{TemplateName, Templates};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::process::ExitCode;

use crate::account::Account;
use crate::output::{Report, counted, show};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ops templates list --type order_status_update --channel email --language es
  ops templates list --versions

Without --versions it also shows the templates that have their built-in words and nothing else.")]
pub(crate) struct List {
    /// Only messages of this type
    #[arg(long = "type", value_name = "TYPE", value_parser = kind)]
    kind: Option<NotificationType>,
    /// Only those of this channel: email, sms, push or in_app
    #[arg(long, value_name = "CHANNEL", value_parser = channel)]
    channel: Option<Channel>,
    /// Only those in this language: es, en, ro or ru
    #[arg(long, value_name = "LANGUAGE", value_parser = language)]
    language: Option<Language>,
    /// Only those of which there are versions
    #[arg(long)]
    versions: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    templates: Vec<Line>,
    live: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    template: String,
    /// The version in force; none where the built-in words are.
    live: Option<u32>,
    drafts: Vec<u32>,
    retired: usize,
    /// Whether there are built-in words of this name; without them its versions are of no use.
    is_built_in: bool,
}

impl List {
    pub(super) async fn run(&self, account: &Account, as_json: bool) -> Result<ExitCode> {
        let table = account.templates();
        let in_force = table.in_force().await?;
        let mut lines: BTreeMap<String, Line> = TemplateName::all()
            .filter(|name| !Templates::built_in(name).is_empty())
            .map(|name| (name.to_string(), Line::of(name.to_string(), true)))
            .collect();
        for version in table.all().await? {
            let line = lines.entry(version.template.clone());
            let line = line.or_insert_with(|| Line::of(version.template.clone(), false));
            match version.state {
                VersionState::Draft => line.drafts.push(version.version),
                VersionState::Retired => line.retired += 1,
                VersionState::Live => {}
            }
        }
        for (template, live) in &in_force.live {
            let line = lines.entry(template.clone());
            line.or_insert_with(|| Line::of(template.clone(), false)).live = Some(live.version);
        }
        let mut lines: Vec<Line> = lines.into_values().filter(|line| self.shows(line)).collect();
        lines.iter_mut().for_each(|line| line.drafts.sort_unstable());
        let live: BTreeSet<&str> = lines
            .iter()
            .filter(|line| line.live.is_some())
            .map(|line| line.template.as_str())
            .collect();
        let live = live.len();
        show(&Listed { templates: lines, live }, as_json)
    }

    fn shows(&self, line: &Line) -> bool {
        let has_versions = line.live.is_some() || !line.drafts.is_empty() || line.retired > 0;
        if self.versions && !has_versions {
            return false;
        }
        match TemplateName::try_from(line.template.as_str()) {
            Ok(name) => {
                self.kind.is_none_or(|kind| name.kind == kind)
                    && self.channel.is_none_or(|channel| name.channel == channel)
                    && self.language.is_none_or(|language| name.language == language)
            }
            // What has no readable name belongs to no type, channel or language.
            Err(_unknown) => self.kind.is_none() && self.channel.is_none() && self.language.is_none(),
        }
    }
}

fn kind(text: &str) -> Result<NotificationType, String> {
    let all = NotificationType::ALL.map(NotificationType::name).join(", ");
    NotificationType::from_name(text).ok_or_else(|| format!("expected one of {all}"))
}

fn channel(text: &str) -> Result<Channel, String> {
    let all = Channel::ALL.map(Channel::name).join(", ");
    Channel::from_name(text).ok_or_else(|| format!("expected one of {all}"))
}

fn language(text: &str) -> Result<Language, String> {
    Language::try_from(text).map_err(|unknown| unknown.to_string())
}

impl Line {
    fn of(template: String, is_built_in: bool) -> Self {
        Self {
            template,
            live: None,
            drafts: Vec::new(),
            retired: 0,
            is_built_in,
        }
    }
}

impl Report for Listed {
    fn needs_a_person(&self) -> bool {
        false
    }
}

impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widest = self.templates.iter().map(|line| line.template.len()).max().unwrap_or(0);
        for line in &self.templates {
            let live = line
                .live
                .map_or_else(|| "built-in".to_owned(), |version| format!("version {version}"));
            let mut said = vec![live];
            if !line.drafts.is_empty() {
                let drafts: Vec<String> = line.drafts.iter().map(u32::to_string).collect();
                let word = if drafts.len() == 1 { "draft" } else { "drafts" };
                said.push(format!("{word} {}", drafts.join(", ")));
            }
            if line.retired > 0 {
                said.push(format!("{} retired", line.retired));
            }
            if !line.is_built_in {
                said.push("no built-in words of this name: its versions are not used".to_owned());
            }
            writeln!(f, "{:widest$}  {}", line.template, said.join("; "))?;
        }
        let count = counted(self.templates.len(), "template");
        writeln!(f, "{count}, {} with words of the shop's own", self.live)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(template: &str) -> Line {
        Line::of(template.to_owned(), true)
    }

    fn list() -> List {
        List {
            kind: None,
            channel: None,
            language: None,
            versions: false,
        }
    }

    #[test]
    fn filters_hold_together() {
        let list = List {
            kind: Some(NotificationType::OrderStatusUpdate),
            channel: Some(Channel::Sms),
            language: Some(Language::Es),
            ..list()
        };
        assert!(list.shows(&line("order_status_update.shipped/sms/es")));
        for other in [
            "order_confirmation/sms/es",
            "order_status_update.shipped/email/es",
            "order_status_update.shipped/sms/en",
            "something.else",
        ] {
            assert!(!list.shows(&line(other)), "{other}");
        }
    }

    #[test]
    fn only_what_has_versions_is_shown_when_asked_so() {
        let list = List {
            versions: true,
            ..list()
        };
        let drafted = Line {
            drafts: vec![1],
            ..line("order_confirmation/sms/es")
        };
        assert!(list.shows(&drafted) && !list.shows(&line("order_confirmation/sms/es")));
    }

    #[test]
    fn a_list_is_a_table() {
        let one = Line {
            live: Some(3),
            drafts: vec![4, 5],
            retired: 2,
            ..line("order_status_update.shipped/email/es")
        };
        let listed = Listed {
            templates: vec![line("order_confirmation/sms/es"), one],
            live: 1,
        };
        assert_eq!(
            listed.to_string(),
            "order_confirmation/sms/es             built-in\n\
             order_status_update.shipped/email/es  version 3; drafts 4, 5; 2 retired\n\
             2 templates, 1 with words of the shop's own\n"
        );
    }
}
