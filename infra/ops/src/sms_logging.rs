//! `ops sms-logging`: whether SNS logs what became of text messages, which is a setting of the account and of no template.

use anyhow::Result;
use clap::{Args, Subcommand};
use serde::Serialize;
use std::fmt;
use std::process::ExitCode;

use crate::account::{Account, failed};
use crate::output::{Report, show};

#[derive(Debug, Subcommand)]
pub(crate) enum SmsLogging {
    /// Let SNS log what became of every text message
    On(On),
    /// Let SNS log nothing
    Off(Off),
    /// Show whether SNS logs
    Status(Status),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  ops sms-logging on --role-arn arn:aws:iam::123456789012:role/e-com67-SmsLoggingRole-1A

The role is the stack's output SmsLoggingRoleArn. The setting holds for the whole account in this region. The logs \
hold phone numbers: keep them for a short time.")]
pub(crate) struct On {
    /// The role with which SNS writes its logs
    #[arg(long, value_name = "ARN")]
    role_arn: String,
    /// How long the logs are to be kept
    #[arg(long, value_name = "DAYS", default_value_t = 30)]
    retention_days: u32,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  ops sms-logging off")]
pub(crate) struct Off {}

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  ops sms-logging status")]
pub(crate) struct Status {}

pub(crate) const ROLE: &str = "DeliveryStatusIAMRole";
const SAMPLING: &str = "DeliveryStatusSuccessSamplingRate";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    is_on: bool,
    role_arn: Option<String>,
    success_sampling_percent: Option<String>,
    /// What is left to do by hand, in this order.
    next: Vec<String>,
}

impl SmsLogging {
    pub(crate) async fn run(&self, account: &Account, as_json: bool) -> Result<ExitCode> {
        let next = match self {
            Self::On(on) => {
                set(account, &on.role_arn, "100").await?;
                on.next()
            }
            Self::Off(_) => {
                set(account, "", "").await?;
                vec!["set the parameter SubscribeSmsLogs of the stack to false, and delete the log groups".to_owned()]
            }
            Self::Status(_) => Vec::new(),
        };
        let answer = account
            .sns
            .get_sms_attributes()
            .attributes(ROLE)
            .attributes(SAMPLING)
            .send()
            .await;
        let attributes = answer
            .map_err(|error| failed("read the SMS attributes of the account", &error))?
            .attributes;
        let attributes = attributes.unwrap_or_default();
        let of = |name: &str| attributes.get(name).filter(|value| !value.is_empty()).cloned();
        let shown = Shown {
            is_on: of(ROLE).is_some(),
            role_arn: of(ROLE),
            success_sampling_percent: of(SAMPLING),
            next,
        };
        show(&shown, as_json)
    }
}

impl On {
    /// SNS makes the groups with the first message in each; to subscribe to them, and to have them forget, they must be there.
    fn next(&self) -> Vec<String> {
        let region = crate::account::variable("AWS_REGION").unwrap_or_else(|| "REGION".to_owned());
        let number = self
            .role_arn
            .split(':')
            .nth(4)
            .filter(|part| !part.is_empty())
            .unwrap_or("ACCOUNT");
        let group = format!("sns/{region}/{number}/DirectPublishToPhoneNumber");
        let mut next = Vec::new();
        for name in [group.clone(), format!("{group}/Failure")] {
            next.push(format!(
                "aws logs create-log-group --log-group-name {name}; aws logs put-retention-policy --log-group-name {name} \
                 --retention-in-days {}",
                self.retention_days
            ));
        }
        next.push(
            "make deploy PARAMETERS=\"… SubscribeSmsLogs=true\", so that the ledger learns from the logs".to_owned(),
        );
        next
    }
}

async fn set(account: &Account, role: &str, percent: &str) -> Result<()> {
    let answer = account
        .sns
        .set_sms_attributes()
        .attributes(ROLE, role)
        .attributes(SAMPLING, percent)
        .send()
        .await;
    answer
        .map(|_set| ())
        .map_err(|error| failed("set the SMS attributes of the account", &error))
}

impl Report for Shown {
    fn needs_a_person(&self) -> bool {
        false
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.role_arn, &self.success_sampling_percent) {
            (Some(role), percent) => {
                let percent = percent.as_deref().unwrap_or("0");
                writeln!(
                    f,
                    "on: SNS logs failures and {percent} % of what was delivered, as {role}"
                )?;
            }
            (None, _) => writeln!(
                f,
                "off: nobody says what became of text messages after SNS accepted them"
            )?,
        }
        if !self.next.is_empty() {
            writeln!(f, "next:")?;
        }
        for (index, step) in self.next.iter().enumerate() {
            writeln!(f, "  {}. {step}", index + 1)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_groups_are_those_of_the_roles_account() {
        let on = On {
            role_arn: "arn:aws:iam::123456789012:role/logs".to_owned(),
            retention_days: 7,
        };
        let next = on.next();
        assert!(next[0].contains("/123456789012/DirectPublishToPhoneNumber;") && next[1].contains("/Failure;"));
        assert!(next[0].ends_with("--retention-in-days 7"));
    }
}
