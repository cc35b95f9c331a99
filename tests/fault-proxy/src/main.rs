//! Runs the proxy: `fault-proxy --listen 127.0.0.1:4570 --upstream http://127.0.0.1:4566`.
#![expect(
    clippy::disallowed_methods,
    reason = "the keys with which it signs are read here, and nowhere else"
)]
#![expect(
    clippy::print_stdout,
    reason = "it tells the address at which it listens, and its help"
)]

use std::error::Error;
use std::process::ExitCode;

use fault_proxy::{Keys, Settings, TopicArn, Upstream};
use tokio::net::TcpListener;

const HELP: &str = "\
Forwards every request to an AWS emulator unchanged, counts AWS calls, makes them fail on demand, and publishes what SES
says of the e-mails that were accepted.

Usage: fault-proxy --listen ADDRESS:PORT --upstream http://HOST:PORT [--ses-events-topic ARN]

  --listen ADDRESS:PORT    where functions find it; port 0 takes a free one and prints it
  --upstream URL           the emulator
  --ses-events-topic ARN   the SNS topic for the events of SES that a test asks for; without it there are none
  --help                   this text

It signs what it publishes with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, by default test and test.
Its control API is on the same port, under /_fault/: health, rules, calls, counts, exercised, feedback.";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(std::env::args().skip(1).collect()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fault-proxy: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Vec<String>) -> Result<(), Box<dyn Error>> {
    let (mut listen, mut upstream, mut events_topic) = (None, None, None);
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--help" | "-h" => {
                println!("{HELP}");
                return Ok(());
            }
            "--listen" => listen = arguments.next(),
            "--upstream" => upstream = arguments.next(),
            "--ses-events-topic" => {
                let topic = arguments.next().ok_or("--ses-events-topic needs an ARN; see --help")?;
                events_topic = Some(topic.parse::<TopicArn>()?);
            }
            other => {
                return Err(
                    format!("expected --listen, --upstream or --ses-events-topic, got {other}; see --help").into(),
                );
            }
        }
    }
    let listen = listen.ok_or("--listen ADDRESS:PORT is missing; see --help")?;
    let upstream: Upstream = upstream.ok_or("--upstream URL is missing; see --help")?.parse()?;

    let listener = TcpListener::bind(&listen)
        .await
        .map_err(|error| format!("cannot listen on {listen}: {error}"))?;
    println!(
        "fault-proxy listens on http://{} and forwards to {upstream}",
        listener.local_addr()?
    );
    let settings = Settings {
        events_topic,
        keys: keys(),
    };
    fault_proxy::serve_with(listener, upstream, settings)
        .await
        .map_err(|error| format!("cannot accept connections: {error}").into())
}

fn keys() -> Keys {
    let usual = Keys::default();
    Keys {
        id: std::env::var("AWS_ACCESS_KEY_ID").unwrap_or(usual.id),
        secret: std::env::var("AWS_SECRET_ACCESS_KEY").unwrap_or(usual.secret),
    }
}
