//! The operator's tool: explains a message, sends dead letters again, balances the ledger, looks after the account and the words.

mod account;
mod breaker;
mod choice;
mod dead_letters;
mod depths;
mod doctor;
mod erase;
mod explain;
mod health;
mod ledger;
mod letters;
mod mappings;
mod names;
mod operator;
mod orders;
mod output;
mod preferences;
mod readiness;
mod reasons;
mod reconcile;
mod redrive;
mod sms_budget;
mod sms_logging;
mod suppression;
mod templates;
mod waiting_room;

use clap::Parser;
use std::process::ExitCode;

use account::{Account, remedy};
use operator::{Command, Ops};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let ops = Ops::parse();
    match run(&ops).await {
        Ok(code) => code,
        Err(error) => {
            let text = format!("{error:#}");
            eprintln!("ops: {text}");
            if let Some(remedy) = remedy(&text, &ops.prefix) {
                eprintln!("ops: {remedy}");
            }
            ExitCode::from(2)
        }
    }
}

async fn run(ops: &Ops) -> anyhow::Result<ExitCode> {
    let account = Account::connect(&ops.prefix).await?;
    match &ops.command {
        Command::Explain(command) => command.run(&account, ops.json).await,
        Command::DeadLetters(command) => command.run(&account, ops.json).await,
        Command::Reconcile(command) => command.run(&account, ops.json).await,
        Command::Suppression(command) => command.run(&account, ops.json).await,
        Command::Preferences(command) => command.run(&account, ops.json).await,
        Command::Order(command) => command.run(&account, ops.json).await,
        Command::Health(command) => command.run(&account, ops.json).await,
        Command::Account(command) => command.run(&account, ops.json).await,
        Command::Doctor(command) => command.run(&account, ops.json).await,
        Command::Erase(command) => command.run(&account, ops.json).await,
        Command::SmsBudget(command) => command.run(&account, ops.json).await,
        Command::SmsLogging(command) => command.run(&account, ops.json).await,
        Command::Breaker(command) => command.run(&account, ops.json).await,
        Command::Templates(command) => command.run(&account, ops.json).await,
    }
}
