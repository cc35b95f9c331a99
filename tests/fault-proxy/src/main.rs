//! Runs the proxy: `fault-proxy --listen 127.0.0.1:4570 --upstream http://127.0.0.1:4566`.
#![expect(
    clippy::print_stdout,
    reason = "it tells the address at which it listens, and its help"
)]

use std::error::Error;
use std::process::ExitCode;

use fault_proxy::Upstream;
use tokio::net::TcpListener;

const HELP: &str = "\
Forwards every request to an AWS emulator unchanged, counts AWS calls, and makes them fail on demand.

Usage: fault-proxy --listen ADDRESS:PORT --upstream http://HOST:PORT

  --listen ADDRESS:PORT   where functions find it; port 0 takes a free one and prints it
  --upstream URL          the emulator
  --help                  this text

Its control API is on the same port, under /_fault/: health, rules, calls, counts.";

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
    let (mut listen, mut upstream) = (None, None);
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--help" | "-h" => {
                println!("{HELP}");
                return Ok(());
            }
            "--listen" => listen = arguments.next(),
            "--upstream" => upstream = arguments.next(),
            other => {
                return Err(format!("expected --listen or --upstream, got {other}; see --help").into());
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
    fault_proxy::serve(listener, upstream)
        .await
        .map_err(|error| format!("cannot accept connections: {error}").into())
}
