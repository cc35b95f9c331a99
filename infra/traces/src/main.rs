//! `traces collect` takes the functions' traces of a local stack, `traces order` follows one order through it and draws it.
#![expect(clippy::print_stdout, reason = "it tells where it listens and what it drew")]

mod order;

use std::net::UdpSocket;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};

/// The functions' traces on this machine.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    deed: Deed,
}

#[derive(Debug, Subcommand)]
enum Deed {
    /// Take segment documents of X-Ray by UDP, and write them as OpenTelemetry's JSON lines
    Collect {
        /// Where to listen; port 0 takes a free one and prints it
        #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0")]
        listen: String,
        /// The file
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Publish one order's news to the local stack, and draw its trace as FILE.svg and FILE.png
    Order {
        /// The pictures, without their ending
        #[arg(long, value_name = "FILE", default_value = "target/trace/trace")]
        out: PathBuf,
        #[command(flatten)]
        stack: order::Stack,
    },
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Arguments::parse().deed).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("traces: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(deed: Deed) -> Result<()> {
    match deed {
        Deed::Collect { listen, out } => {
            let socket = UdpSocket::bind(&listen).with_context(|| format!("could not listen at {listen}"))?;
            println!("listening on {}", socket.local_addr()?);
            traces::collect(&socket, &out, |trouble| eprintln!("traces: {trouble}"))
        }
        Deed::Order { out, stack } => {
            for picture in order::draw(&stack, &out).await? {
                println!("{}", picture.display());
            }
            Ok(())
        }
    }
}
