//! `ops preferences`: what a customer hears of, who changed it, and changes on a customer's word.

use anyhow::{Result, anyhow, bail};
use clap::{Args, Subcommand};
use domain::ports::{Changed, ConsentsLoad, Kept, PreferencesKeep};
use domain::{Channel, Consent, ConsentSource, Language, Preferences, QuietHours, Topic, UserId, Zone};
use jiff::Timestamp;
use serde::Serialize;
use std::fmt;
use std::process::ExitCode;

use crate::account::Account;
use crate::operator::{Deed, user_id};
use crate::output::{Report, moment, show};

#[derive(Debug, Subcommand)]
pub(crate) enum PreferencesCommand {
    /// Show what a customer hears of, and who changed it
    Show(Show),
    /// Change it, on the customer's word
    Set(Set),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  ops preferences show --customer user-ana")]
pub(crate) struct Show {
    /// Whose
    #[arg(long, value_name = "USER_ID", value_parser = user_id)]
    customer: UserId,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ops preferences set --customer user-ana --why 'asked on the telephone' email.promotional=off
  ops preferences set --customer user-ana --why 'moved' language=ro timezone=Europe/Bucharest quietHours=23:00-07:00
  ops preferences set --customer user-ana --why 'ticket 4711' sms.order_status_update=off sms.order_status_update.delivered=on

Choices are CHANNEL.TYPE, or CHANNEL.order_status_update.STATUS; on, off or default. Who changed it, when and why is kept in the \
log of consent, where the customer may ask for it.")]
pub(crate) struct Set {
    /// Whose
    #[arg(long, value_name = "USER_ID", value_parser = user_id)]
    customer: UserId,
    #[command(flatten)]
    deed: Deed,
    /// What is to hold
    #[arg(required = true, value_name = "WHAT=VALUE")]
    changes: Vec<String>,
}

/// More rounds than this mean that the customer is busy with it.
const ROUNDS: usize = 5;

/// How many changes are told.
pub(crate) const LATEST: u16 = 10;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    user_id: String,
    /// What is chosen, by the names under which it is set; everything else follows the defaults.
    chosen: Vec<(String, String)>,
    updated_at: Option<Timestamp>,
    changes: Vec<ChangeLine>,
    done: bool,
}

/// One change of a customer's preferences.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ChangeLine {
    at: Timestamp,
    by: String,
    what: Vec<String>,
}

impl PreferencesCommand {
    pub(crate) async fn run(&self, account: &Account, as_json: bool) -> Result<ExitCode> {
        match self {
            Self::Show(Show { customer }) => {
                let kept = account.kept_preferences().look_up(customer).await?;
                show(&Shown::of(account, customer, &kept, false).await?, as_json)
            }
            Self::Set(set) => set.run(account, as_json).await,
        }
    }
}

impl Set {
    async fn run(&self, account: &Account, as_json: bool) -> Result<ExitCode> {
        let changes: Vec<(&str, &str)> = self.changes.iter().map(|change| read(change)).collect::<Result<_>>()?;
        let table = account.kept_preferences();
        let by = ConsentSource::Operator(self.deed.remark());
        for _round in 0..ROUNDS {
            let kept = table.look_up(&self.customer).await?;
            let mut to = kept.preferences.clone();
            for (what, value) in &changes {
                set(&mut to, what, value)?;
            }
            if let Changed::Done(kept) = table.change(&self.customer, &kept, &to, &by, account.now()).await? {
                return show(&Shown::of(account, &self.customer, &kept, true).await?, as_json);
            }
        }
        bail!("others change the preferences of this customer all the time: try again")
    }
}

fn read(change: &str) -> Result<(&str, &str)> {
    change
        .split_once('=')
        .ok_or_else(|| anyhow!("{change}: expected WHAT=VALUE, as email.promotional=off"))
}

/// Puts one value in its place.
fn set(preferences: &mut Preferences, what: &str, value: &str) -> Result<()> {
    let is_default = value == "default";
    match what {
        "language" => {
            let known = Language::ALL.into_iter().find(|language| language.code() == value);
            if known.is_none() && !is_default {
                bail!(
                    "language: expected one of {} or default",
                    Language::ALL.map(Language::code).join(", ")
                );
            }
            preferences.language = known;
        }
        "timezone" => preferences.zone = if is_default { None } else { Some(Zone::try_from(value)?) },
        "quietHours" => {
            let hours = || {
                let (start, end) = value.split_once('-')?;
                QuietHours::between(start, end).ok()
            };
            preferences.quiet_hours = match is_default {
                true => None,
                false => Some(
                    hours().ok_or_else(|| anyhow!("quietHours: expected HH:MM-HH:MM, as 22:00-08:00, or default"))?,
                ),
            };
        }
        _ => choose(preferences, what, value)?,
    }
    Ok(())
}

fn choose(preferences: &mut Preferences, what: &str, value: &str) -> Result<()> {
    let choice = match value {
        "on" => Some(true),
        "off" => Some(false),
        "default" => None,
        _ => bail!("{what}: expected on, off or default, got {value}"),
    };
    let unknown =
        || anyhow!("{what}: expected CHANNEL.TYPE such as email.promotional, language, timezone or quietHours");
    let (channel, topic) = what.split_once('.').ok_or_else(unknown)?;
    let channel = Channel::ALL
        .into_iter()
        .find(|known| known.name() == channel)
        .ok_or_else(unknown)?;
    let topics: Vec<Topic> = match topic {
        "order_status_update" => Topic::all().filter(|topic| matches!(topic, Topic::Status(_))).collect(),
        name => vec![Topic::from_name(name).ok_or_else(unknown)?],
    };
    for topic in topics {
        preferences.choose(channel, topic, choice);
    }
    Ok(())
}

impl Shown {
    async fn of(account: &Account, user: &UserId, kept: &Kept, done: bool) -> Result<Self> {
        let preferences = &kept.preferences;
        let mut chosen = Vec::new();
        for channel in Channel::ALL {
            for topic in Topic::all() {
                let choice = preferences.choice(channel, topic);
                let word = choice.map(|choice| if choice { "on" } else { "off" }.to_owned());
                chosen.extend(word.map(|word| (format!("{channel}.{topic}"), word)));
            }
        }
        chosen.extend(
            preferences
                .language
                .map(|language| ("language".to_owned(), language.to_string())),
        );
        chosen.extend(
            preferences
                .zone
                .clone()
                .map(|zone| ("timezone".to_owned(), zone.into())),
        );
        chosen.extend(
            preferences
                .quiet_hours
                .map(|hours| ("quietHours".to_owned(), hours.to_string())),
        );
        Ok(Self {
            user_id: user.as_str().to_owned(),
            chosen,
            updated_at: kept.updated_at,
            changes: changes_of(account, user).await?,
            done,
        })
    }
}

/// The latest changes of a customer's preferences, the newest first.
pub(crate) async fn changes_of(account: &Account, user: &UserId) -> Result<Vec<ChangeLine>> {
    let consents = account.kept_preferences().latest(user, LATEST).await?;
    Ok(consents.into_iter().map(ChangeLine::from).collect())
}

impl From<Consent> for ChangeLine {
    fn from(consent: Consent) -> Self {
        let what = consent
            .changes
            .iter()
            .map(|change| format!("{}: {} → {}", change.what, change.from, change.to));
        Self {
            at: consent.at,
            by: consent.by.to_string(),
            what: what.collect(),
        }
    }
}

impl fmt::Display for ChangeLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} by {}: {}", moment(self.at), self.by, self.what.join(", "))
    }
}

impl Report for Shown {
    fn needs_a_person(&self) -> bool {
        false
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let updated = self.updated_at.map_or("never".to_owned(), moment);
        writeln!(f, "{}, last changed {updated}", self.user_id)?;
        if self.chosen.is_empty() {
            writeln!(f, "  nothing is chosen: the defaults hold")?;
        }
        for (what, value) in &self.chosen {
            writeln!(f, "  {what} = {value}")?;
        }
        writeln!(
            f,
            "{}",
            if self.changes.is_empty() {
                "no change is logged"
            } else {
                "the latest changes:"
            }
        )?;
        for change in &self.changes {
            writeln!(f, "  {change}")?;
        }
        if self.done {
            writeln!(f, "done")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{NotificationType, OrderStatus};

    fn after(changes: &[(&str, &str)]) -> Result<Preferences> {
        let mut preferences = Preferences::default();
        for (what, value) in changes {
            set(&mut preferences, what, value)?;
        }
        Ok(preferences)
    }

    #[test]
    fn every_choice_is_set_by_its_name_and_the_later_one_counts() {
        let preferences = after(&[
            ("email.promotional", "on"),
            ("sms.order_status_update", "off"),
            ("sms.order_status_update.delivered", "on"),
            ("language", "ro"),
            ("timezone", "Europe/Bucharest"),
            ("quietHours", "23:00-07:00"),
        ])
        .unwrap();
        assert!(preferences.allow(Channel::Email, Topic::Type(NotificationType::Promotional)));
        assert!(preferences.allow(Channel::Sms, Topic::Status(OrderStatus::Delivered)));
        assert!(!preferences.allow(Channel::Sms, Topic::Status(OrderStatus::Shipped)));
        assert_eq!(preferences.quiet_hours, QuietHours::between("23:00", "07:00").ok());
        let back = [
            ("email.promotional", "on"),
            ("email.promotional", "default"),
            ("language", "default"),
        ];
        assert_eq!(after(&back).unwrap(), Preferences::default());
    }

    #[test]
    fn what_is_no_choice_is_refused_by_its_name() {
        for (what, value, expected) in [
            (
                "email.promotional",
                "maybe",
                "email.promotional: expected on, off or default, got maybe",
            ),
            ("pigeon.promotional", "on", "pigeon.promotional: expected CHANNEL.TYPE"),
            ("email.test", "on", "email.test: expected CHANNEL.TYPE"),
            ("email", "on", "email: expected CHANNEL.TYPE"),
            ("language", "fr", "language: expected one of es, en, ro, ru or default"),
            ("timezone", "Mars", "expected an IANA time zone"),
            ("quietHours", "22-8", "quietHours: expected HH:MM-HH:MM"),
        ] {
            let problem = after(&[(what, value)]).unwrap_err().to_string();
            assert!(problem.starts_with(expected), "{problem}");
        }
        assert!(read("email.promotional").is_err());
    }
}
