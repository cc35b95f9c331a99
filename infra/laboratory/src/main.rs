//! Runs the laboratory: `laboratory play`, `laboratory serve`, `laboratory replay`.
#![expect(clippy::print_stdout, reason = "a tool tells what it found")]

use clap::{Parser, Subcommand};
use std::process::ExitCode;

use laboratory::{Play, Replay, Serve};

/// Plays the carriers: calls the webhooks as they would, answers as their tracking APIs would, reads their archive anew
#[derive(Debug, Parser)]
#[command(
    name = "laboratory",
    version,
    after_help = "\
The stack comes from the environment: eval \"$(make -s env)\".

Examples:
  laboratory play                                            every carrier in every manner, against the local stack
  laboratory play --carrier dhl --manner shuffled --seed 7   one life, its messages in the order of seed 7
  laboratory serve --connect                                 the local stack asks this laboratory in place of the carriers
  laboratory replay --bucket \"$E_COM67_CARRIER_ARCHIVE\"      what today's tables would make of everything archived

Answers with 0 when all is well, 1 when a verdict fails, 2 when it was called wrongly or could not reach what it needs."
)]
struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Play(Play),
    Serve(Serve),
    Replay(Replay),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Options::parse().command).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("laboratory: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Whether all is well.
async fn run(command: Command) -> anyhow::Result<bool> {
    match command {
        Command::Play(play) => {
            let played = play.run().await?;
            println!("{}", laboratory::table(&played));
            Ok(played.iter().all(|played| played.problems.is_empty()))
        }
        Command::Serve(serve) => serve.run(|line| println!("{line}")).await.map(|()| true),
        Command::Replay(replay) => {
            println!("{}", replay.run().await?);
            Ok(true)
        }
    }
}
