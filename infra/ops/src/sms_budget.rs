//! `ops sms-budget`: how many segments of text messages the month has, and what one number gets in a day.

use anyhow::{Context, Result};
use aws::segments_of_month;
use clap::Args;
use domain::{Channel, Countries, SmsLimits};
use serde::Serialize;
use std::collections::HashMap;
use std::fmt;
use std::process::ExitCode;

use crate::account::Account;
use crate::names::sender;
use crate::output::{Report, show};

/// The arguments.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  ops sms-budget

Days and months are those of UTC. Answers with 1 when ordinary text messages are no longer sent this month.")]
pub(crate) struct SmsBudget {}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    month: String,
    segments_used: u64,
    segments_for_ordinary: u64,
    segments_in_all: u64,
    used_percent: u64,
    per_number_per_day: u32,
    urgent_per_number_per_day: u32,
    /// Empty: every country.
    countries: String,
}

impl SmsBudget {
    pub(crate) async fn run(&self, account: &Account, as_json: bool) -> Result<ExitCode> {
        let function = account.names.of(sender(Channel::Sms));
        let variables = account.variables_of(&function).await?;
        let now = account.now();
        let used = segments_of_month(&account.dynamodb, &account.names.system_state(), now).await?;
        let month = now.strftime("%Y-%m").to_string();
        show(&Shown::of(&variables, &function, month, used)?, as_json)
    }
}

impl Shown {
    fn of(variables: &HashMap<String, String>, function: &str, month: String, used: u64) -> Result<Self> {
        let limits = SmsLimits {
            countries: Countries::default(),
            per_number_per_day: number(variables, function, "SMS_PER_NUMBER_PER_DAY")?,
            monthly_segments: number(variables, function, "SMS_MONTHLY_SEGMENTS")?,
        };
        Ok(Self {
            month,
            segments_used: used,
            segments_for_ordinary: limits.per_month(false),
            segments_in_all: limits.per_month(true),
            used_percent: limits.used_percent(used),
            per_number_per_day: limits.per_day(false),
            urgent_per_number_per_day: limits.per_day(true),
            countries: variables.get("SMS_COUNTRIES").cloned().unwrap_or_default(),
        })
    }
}

/// A limit as the SMS sender was told it.
fn number<N: std::str::FromStr>(variables: &HashMap<String, String>, function: &str, name: &str) -> Result<N> {
    let value = variables.get(name).and_then(|value| value.trim().parse().ok());
    value.with_context(|| format!("{function} has no {name} that is a whole number: deploy the stack again"))
}

impl Report for Shown {
    fn needs_a_person(&self) -> bool {
        self.segments_used >= self.segments_for_ordinary
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}: {} of {} segments used ({} %)",
            self.month, self.segments_used, self.segments_in_all, self.used_percent
        )?;
        writeln!(
            f,
            "  ordinary messages go out up to {}, urgent ones up to {}{}",
            self.segments_for_ordinary,
            self.segments_in_all,
            if self.segments_used >= self.segments_in_all {
                ": none goes out any more"
            } else if self.needs_a_person() {
                ": only urgent ones go out now"
            } else {
                ""
            }
        )?;
        writeln!(
            f,
            "one number gets {} messages a day, {} with urgent ones",
            self.per_number_per_day, self.urgent_per_number_per_day
        )?;
        match self.countries.as_str() {
            "" => writeln!(f, "every country is served"),
            countries => writeln!(f, "countries served: {countries}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(used: u64) -> Shown {
        let variables = [
            ("SMS_PER_NUMBER_PER_DAY", "10"),
            ("SMS_MONTHLY_SEGMENTS", "1000"),
            ("SMS_COUNTRIES", "ES,RO"),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Shown::of(&variables.into(), "f", "2026-11".to_owned(), used).unwrap()
    }

    #[test]
    fn a_month_with_room_is_well_and_one_without_needs_a_person() {
        assert!(!shown(799).needs_a_person());
        assert!(shown(800).needs_a_person() && shown(800).to_string().contains("only urgent ones go out now"));
        assert!(shown(1_000).to_string().contains("none goes out any more"));
    }

    #[test]
    fn the_page_tells_month_day_and_countries() {
        assert_eq!(
            shown(42).to_string(),
            "2026-11: 42 of 1000 segments used (5 %)\n  ordinary messages go out up to 800, urgent ones up to 1000\n\
             one number gets 10 messages a day, 20 with urgent ones\ncountries served: ES,RO\n"
        );
    }

    #[test]
    fn a_missing_limit_is_named() {
        let error = Shown::of(&HashMap::new(), "shop-sms-notification", String::new(), 0).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("shop-sms-notification has no SMS_PER_NUMBER_PER_DAY")
        );
    }
}
