//! `ops account`: what an AWS account lacks, before a deployment and after it, and the command that mends it.

use anyhow::Result;
use clap::Args;
use domain::Channel;
use std::collections::HashMap;
use std::process::ExitCode;

use crate::account::{Account, failed};
use crate::doctor::{Diagnosis, Finding, providers};
use crate::names::sender;
use crate::output::{Progress, show};

mod email;
mod functions;
mod issuer;
mod secrets;
mod tables;
mod texts;
mod topics;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ops account --sender noreply@example.com      before the first deployment
  ops account --alarm-topic arn:aws:sns:eu-west-1:123456789012:on-call
  ops account --problems

It changes nothing. Answers with 1 when something is missing without which messages do not go out. What an endpoint does \
not know, such as the local stack the quotas of text messages, is said to be not known.")]
pub(crate) struct Readiness {
    /// The sender, as long as nothing is deployed; later the e-mail function knows it
    #[arg(long, value_name = "ADDRESS")]
    sender: Option<String>,
    /// The topic that is told of alarms: the stack's parameter AlarmTopicArn
    #[arg(long, value_name = "ARN", env = "E_COM67_ALARM_TOPIC", hide_env_values = true)]
    alarm_topic: Option<String>,
    /// Show problems only
    #[arg(long)]
    problems: bool,
}

const STACK: &str = "stack";
const SENDER: &str = "sender";

/// The variables with which a function was deployed.
type Variables = HashMap<String, String>;

impl Readiness {
    pub(crate) async fn run(&self, account: &Account, as_json: bool) -> Result<ExitCode> {
        show(&Diagnosis::of(self.look(account).await?, self.problems), as_json)
    }

    async fn look(&self, account: &Account) -> Result<Vec<Finding>> {
        let mut progress = Progress::new("looking");
        let deployed = deployed(account).await?;
        let mut findings = providers::ses(account).await;
        let of_stack = deployed.as_ref().and_then(|variables| variables.get("SENDER_EMAIL"));
        match of_stack.or(self.sender.as_ref()) {
            Some(address) => {
                findings.push(providers::identity_of(account, address).await);
                findings.push(email::signature(account, address).await);
            }
            None => findings.push(Finding::note(
                SENDER,
                "not known here: which address sends",
                "ops account --sender ADDRESS",
            )),
        }
        findings.extend(providers::sms(account).await);
        progress.tick("at quotas");
        findings.push(tables::limits(account).await);
        match deployed {
            Some(variables) => {
                progress.tick("at what is deployed");
                findings.extend(email::configuration_set(account, &variables).await);
                findings.push(texts::shown_sender(account).await);
                findings.extend(functions::look(account).await?);
                findings.extend(topics::subscriptions(account, &variables).await);
                findings.extend(secrets::look(account).await);
                findings.push(issuer::look(account).await);
            }
            None => findings.push(Finding::problem(
                STACK,
                "the stack is not deployed: nothing sends yet, and its functions, topics and secrets were not looked at",
                "make deploy, or give its prefix: ops --prefix PREFIX account",
            )),
        }
        findings.push(topics::alarms(account, self.alarm_topic.as_deref()).await);
        Ok(findings)
    }
}

/// The variables of the e-mail function, if there is one.
async fn deployed(account: &Account) -> Result<Option<Variables>> {
    let function = account.names.of(sender(Channel::Email));
    match account
        .lambda
        .get_function_configuration()
        .function_name(&function)
        .send()
        .await
    {
        Ok(found) => Ok(Some(
            found
                .environment
                .and_then(|environment| environment.variables)
                .unwrap_or_default(),
        )),
        Err(error)
            if error
                .as_service_error()
                .is_some_and(|error| error.is_resource_not_found_exception()) =>
        {
            Ok(None)
        }
        Err(error) => Err(failed(&format!("read the variables of {function}"), &error)),
    }
}

#[cfg(test)]
mod tests;
