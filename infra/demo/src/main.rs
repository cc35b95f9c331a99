//! Publishes a shop's events to the stack that is up, follows each of them in the ledger, and writes a page of what the customers
//! received.
#![expect(clippy::print_stdout, reason = "it tells what happens as it happens")]

mod customers;
mod follow;
mod inboxes;
mod ledger;
mod page;
mod publish;
mod settings;
mod story;
mod webhooks;

use std::process::ExitCode;

use anyhow::{Result, bail};
use aws_config::BehaviorVersion;

use settings::{HELP, Settings};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("demo: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<()> {
    let Some(settings) = Settings::read(std::env::args().skip(1))? else {
        println!("{HELP}");
        return Ok(());
    };
    let aws = aws_config::load_defaults(BehaviorVersion::latest()).await;
    let mut follower = follow::Follower::new(&settings, &aws).await?;
    let topic = publish::Topic::find(&settings, &aws).await?;
    let webhooks = webhooks::Webhooks::open(&settings)?;
    customers::store(&settings, &aws).await?;

    let story = story::read(&settings.events)?;
    let mut chapters = Vec::new();
    for event in story {
        let published = match event.carrier {
            None => topic.publish(&event).await?,
            Some(carrier) => webhooks.call(carrier, &event).await?,
        };
        let chapter = follower.follow(event, published).await?;
        let is_stuck = chapter.is_stuck();
        chapters.push(chapter);
        if is_stuck {
            break;
        }
    }
    page::write(&settings, &chapters)?;
    let problems: Vec<&str> = chapters
        .iter()
        .flat_map(|chapter| &chapter.problems)
        .map(String::as_str)
        .collect();
    if !problems.is_empty() {
        bail!(
            "{}; the emulator's log is {}",
            problems.join("; "),
            settings::EMULATOR_LOG
        );
    }
    Ok(())
}
