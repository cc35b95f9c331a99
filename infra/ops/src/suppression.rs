//! `ops suppression`: addresses to which nothing is sent, why, until when, and who lifted it.

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use domain::ports::SuppressionsKeep;
use domain::{Channel, Contact, Strike, Suppression, SuppressionPolicy, SuppressionReason};
use jiff::Timestamp;
use serde::Serialize;
use std::fmt;
use std::process::ExitCode;

use crate::account::Account;
use crate::operator::Deed;
use crate::output::{Report, counted, moment, show};

#[derive(Debug, Subcommand)]
pub(crate) enum SuppressionCommand {
    /// Show all suppressions, by the beginning of their hashes
    List(List),
    /// Show what is known against an address
    Show(Show),
    /// Send nothing to an address any more
    Add(Add),
    /// Let messages go to an address again
    Remove(Remove),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ops suppression list
  ops suppression list --all

The table holds keyed hashes of the addresses and never the addresses.")]
pub(crate) struct List {
    /// Also those that were lifted or have run out
    #[arg(long)]
    all: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  ops suppression show --email ana@example.com")]
pub(crate) struct Show {
    #[command(flatten)]
    address: Address,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  ops suppression add --phone +34600123456 --why 'asked on the telephone'")]
pub(crate) struct Add {
    #[command(flatten)]
    address: Address,
    #[command(flatten)]
    deed: Deed,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  ops suppression remove --email ana@example.com --why 'the mailbox exists again'

Who lifted it, when and why is kept. A number that answered STOP is also on the list of SNS, where it has to opt in \
again: aws sns opt-in-phone-number.")]
pub(crate) struct Remove {
    #[command(flatten)]
    address: Address,
    #[command(flatten)]
    deed: Deed,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Address {
    /// An e-mail address
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// A phone number in E.164, as +34600123456
    #[arg(long, value_name = "NUMBER")]
    phone: Option<String>,
}

/// A write that others keep overtaking is tried again so often.
const ROUNDS: usize = 5;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    suppressions: Vec<Line>,
    in_force: usize,
}

/// One address with what is known against it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    contact: String,
    is_in_force: bool,
    reason: Option<&'static str>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    source: Option<String>,
    removed_at: Option<Timestamp>,
    removed_by: Option<String>,
    removed_why: Option<String>,
    soft_bounces: usize,
    /// What this command did about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    done: Option<&'static str>,
}

impl SuppressionCommand {
    pub(crate) async fn run(&self, account: &Account, as_json: bool) -> Result<ExitCode> {
        match self {
            Self::List(list) => list.run(account, as_json).await,
            Self::Show(Show { address }) => {
                let known = account.suppressions().await?.look_up(&address.read()?).await?;
                show(
                    &Line::of(address.typed(), &known.unwrap_or_default(), account.now(), None),
                    as_json,
                )
            }
            Self::Add(add) => add.run(account, as_json).await,
            Self::Remove(remove) => remove.run(account, as_json).await,
        }
    }
}

impl List {
    async fn run(&self, account: &Account, as_json: bool) -> Result<ExitCode> {
        let now = account.now();
        let mut lines: Vec<Line> = Vec::new();
        for (contact, suppression) in account.suppressions().await?.all().await? {
            let line = Line::of(shortened(&contact), &suppression, now, None);
            if self.all || line.is_in_force {
                lines.push(line);
            }
        }
        lines.sort_by_key(|line| std::cmp::Reverse(line.since));
        let in_force = lines.iter().filter(|line| line.is_in_force).count();
        show(
            &Listed {
                suppressions: lines,
                in_force,
            },
            as_json,
        )
    }
}

impl Add {
    async fn run(&self, account: &Account, as_json: bool) -> Result<ExitCode> {
        let contact = self.address.read()?;
        let strike = |now| Strike {
            reason: SuppressionReason::Operator,
            at: now,
            source: self.deed.remark(),
        };
        let (known, is_new) = change(account, &contact, |known, now| {
            known.after(&strike(now), &SuppressionPolicy::default())
        })
        .await?;
        let done = if is_new {
            "nothing is sent there any more"
        } else {
            "it was suppressed for good before; nothing was changed"
        };
        show(
            &Line::of(self.address.typed(), &known, account.now(), Some(done)),
            as_json,
        )
    }
}

impl Remove {
    async fn run(&self, account: &Account, as_json: bool) -> Result<ExitCode> {
        let contact = self.address.read()?;
        let (known, is_lifted) = change(account, &contact, |known, now| {
            let is_known = known.in_force(now).is_some() || !known.soft_bounces.is_empty();
            is_known.then(|| known.lifted(&self.deed.by, &domain::clean_line(&self.deed.why), now))
        })
        .await?;
        let done = if is_lifted {
            "messages go there again"
        } else {
            "nothing spoke against it; nothing was changed"
        };
        show(
            &Line::of(self.address.typed(), &known, account.now(), Some(done)),
            as_json,
        )
    }
}

/// Writes what follows from what is known, looking again whenever somebody else was faster. Says what stands there now, and
/// whether that is new.
async fn change(
    account: &Account,
    contact: &Contact,
    next: impl Fn(&Suppression, Timestamp) -> Option<Suppression>,
) -> Result<(Suppression, bool)> {
    let table = account.suppressions().await?;
    for _round in 0..ROUNDS {
        let known = table.look_up(contact).await?.unwrap_or_default();
        let Some(next) = next(&known, account.now()) else {
            return Ok((known, false));
        };
        if table.keep(contact, &next).await? {
            return Ok((next, true));
        }
    }
    bail!("others keep changing what is known of this address: try again")
}

/// The hash's beginning: enough to tell one from the other.
fn shortened(contact: &str) -> String {
    let (channel, digits) = contact.split_once('#').unwrap_or(("", contact));
    let digits: String = digits.chars().take(12).collect();
    format!("{channel}#{digits}…")
}

impl Address {
    fn read(&self) -> Result<Contact> {
        let contact = match (&self.email, &self.phone) {
            (Some(email), _) => Contact::read(Channel::Email, email),
            (None, Some(phone)) => Contact::read(Channel::Sms, phone),
            (None, None) => None,
        };
        match contact {
            Some(contact) => Ok(contact),
            None if self.email.is_some() => bail!("--email: expected an address such as ana@example.com"),
            None => bail!("--phone: expected a number in E.164 such as +34600123456"),
        }
    }

    /// As the operator typed it.
    fn typed(&self) -> String {
        self.email.clone().or_else(|| self.phone.clone()).unwrap_or_default()
    }
}

impl Line {
    fn of(contact: String, suppression: &Suppression, now: Timestamp, done: Option<&'static str>) -> Self {
        let hold = suppression.hold.as_ref();
        let removal = suppression.removal.as_ref();
        Self {
            contact,
            is_in_force: suppression.in_force(now).is_some(),
            reason: hold.map(|hold| hold.reason.name()),
            since: hold.map(|hold| hold.since),
            until: hold.and_then(|hold| hold.until),
            source: hold.map(|hold| hold.source.clone()),
            removed_at: removal.map(|removal| removal.at),
            removed_by: removal.map(|removal| removal.by.clone()),
            removed_why: removal.map(|removal| removal.why.clone()),
            soft_bounces: suppression.soft_bounces.len(),
            done,
        }
    }
}

impl Report for Line {
    fn needs_a_person(&self) -> bool {
        false
    }
}

impl Report for Listed {
    fn needs_a_person(&self) -> bool {
        false
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.is_in_force {
            "suppressed"
        } else {
            "not suppressed"
        };
        write!(f, "{}: {state}", self.contact)?;
        if let (Some(reason), Some(since), Some(source)) = (self.reason, self.since, &self.source) {
            let was = if self.is_in_force { "" } else { "was " };
            write!(f, "; {was}{reason} since {}", moment(since))?;
            match self.until {
                Some(until) => write!(f, " until {}", moment(until))?,
                None => write!(f, ", for good")?,
            }
            write!(f, ", known from {source}")?;
        }
        if let (Some(at), Some(by), Some(why)) = (self.removed_at, &self.removed_by, &self.removed_why) {
            write!(f, "; last lifted {} by {by}: {why}", moment(at))?;
        }
        if self.soft_bounces > 0 {
            write!(f, "; {} lately", counted(self.soft_bounces, "soft bounce"))?;
        }
        match self.done {
            Some(done) => write!(f, "\n{done}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.suppressions {
            writeln!(f, "{line}")?;
        }
        writeln!(f, "{} in force", counted(self.in_force, "suppression"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_shows_no_whole_hash() {
        assert_eq!(
            shortened(&format!("email#{}", "8f3a".repeat(16))),
            "email#8f3a8f3a8f3a…"
        );
    }
}
