//! What an operator may ask for, and who is asking.

use clap::{Args, Parser, Subcommand};
use domain::{NotificationId, UserId};

use crate::breaker::BreakerCommand;
use crate::dead_letters::DeadLetters;
use crate::doctor::Doctor;
use crate::erase::Erase;
use crate::explain::Explain;
use crate::health::HealthCommand;
use crate::orders::OrderCommand;
use crate::output::remark;
use crate::preferences::PreferencesCommand;
use crate::readiness::Readiness;
use crate::reconcile::Reconcile;
use crate::sms_budget::SmsBudget;
use crate::sms_logging::SmsLogging;
use crate::suppression::SuppressionCommand;
use crate::templates::TemplatesCommand;

/// Operates the order notifications of an account, or of the local stack
#[derive(Debug, Parser)]
#[command(
    name = "ops",
    version,
    after_help = "\
Region, credentials and endpoint come from the environment: AWS_REGION, AWS_ACCESS_KEY_ID, \
AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_ENDPOINT_URL.
  from a profile     eval \"$(aws configure export-credentials --format env)\"
                     export AWS_REGION=eu-west-1
  the local stack    eval \"$(make -s env)\"

Answers with 0 when all is well, 1 when something needs a person, 2 when it was called wrongly or could not reach what it needs."
)]
pub(crate) struct Ops {
    /// What the names of all resources begin with
    #[arg(
        long,
        global = true,
        display_order = 900,
        env = "E_COM67_PREFIX",
        default_value = "e-com67",
        hide_env_values = true
    )]
    pub(crate) prefix: String,
    /// Answer in JSON, for machines
    #[arg(long, global = true, display_order = 901)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// What became of a message, and why
    Explain(Explain),
    /// What could not be worked on: list it, or send it again
    #[command(subcommand)]
    DeadLetters(DeadLetters),
    /// Whether everything that came in went out, or has a reason
    Reconcile(Reconcile),
    /// Addresses to which nothing is sent
    #[command(subcommand)]
    Suppression(SuppressionCommand),
    /// What a customer hears of, and who changed it
    #[command(subcommand)]
    Preferences(PreferencesCommand),
    /// Where orders and their parcels stand, and why
    #[command(subcommand)]
    Order(OrderCommand),
    /// Whether everything answers that the system depends on
    Health(HealthCommand),
    /// What the account still lacks before messages go out
    Account(Readiness),
    /// What is wrong, or may soon be
    Doctor(Doctor),
    /// Remove a customer from every store
    Erase(Erase),
    /// How many text messages this month and a number still have
    SmsBudget(SmsBudget),
    /// Whether SNS logs what became of text messages
    #[command(subcommand)]
    SmsLogging(SmsLogging),
    /// Whether the queues of a channel are held because the account is in trouble
    #[command(subcommand)]
    Breaker(BreakerCommand),
    /// The words of messages, and the shop's own in their place
    #[command(subcommand)]
    Templates(TemplatesCommand),
}

/// Reads an id that was typed.
pub(crate) fn notification_id(text: &str) -> Result<NotificationId, String> {
    let expected = |_not_one| "expected an id such as 579b5034-7f1a-85f1-b8fb-eb0077b4314d".to_owned();
    NotificationId::try_from(text.trim()).map_err(expected)
}

/// Reads a customer's id that was typed.
pub(crate) fn user_id(text: &str) -> Result<UserId, String> {
    UserId::try_from(text).map_err(|invalid| invalid.to_string())
}

/// Who does something that says itself why.
#[derive(Debug, Args)]
pub(crate) struct Who {
    /// Who does it
    #[arg(long, value_name = "NAME", env = "USER", hide_env_values = true)]
    pub(crate) by: String,
}

/// Who does something, and why. Both are kept where the thing done is kept.
#[derive(Debug, Args)]
pub(crate) struct Deed {
    /// Who does it
    #[arg(long, value_name = "NAME", env = "USER", hide_env_values = true)]
    pub(crate) by: String,
    /// Why, without names or addresses of customers: it is kept
    #[arg(long, value_name = "TEXT")]
    pub(crate) why: String,
}

impl Deed {
    /// Both in one line.
    pub(crate) fn remark(&self) -> String {
        remark(&self.by, &self.why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_consistent() {
        Ops::command().debug_assert();
    }

    #[test]
    fn every_command_shows_an_example() {
        fn leaves(command: &clap::Command) -> Vec<&clap::Command> {
            match command.has_subcommands() {
                true => command.get_subcommands().flat_map(leaves).collect(),
                false => vec![command],
            }
        }
        let ops = Ops::command();
        for command in leaves(&ops) {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            let name = command.get_name();
            assert!(help.contains("Example") && help.contains(name), "{name}: {help}");
        }
    }

    #[test]
    fn what_changes_something_asks_for_a_reason() {
        for line in [
            "ops dead-letters redrive --all",
            "ops suppression add --email a@example.com",
            "ops suppression remove --phone +34600123456",
            "ops erase --customer ana",
            "ops breaker close --channel email",
        ] {
            let refused = Ops::try_parse_from(line.split(' ')).unwrap_err();
            assert!(refused.to_string().contains("--why"), "{line}: {refused}");
        }
    }
}
