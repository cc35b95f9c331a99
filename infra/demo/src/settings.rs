//! What the demo is told: by its arguments and by the environment that the local stack sets.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

/// Where the emulator of the local stack writes its log.
pub(crate) const EMULATOR_LOG: &str = ".local/demo/emulator.log";

pub(crate) const HELP: &str = "\
Publishes a shop's events to the local stack and shows what its customers received.

Usage: demo [--events DIRECTORY] [--out FILE]

  --events DIRECTORY   the events, one JSON file each, in the order of their names (events/demo)
  --out FILE           the page to write (.local/demo/messages.html)
  --help               this text

It needs the stack (`make up`) and, in the environment, AWS_ENDPOINT_URL, AWS_REGION and credentials;
E_COM67_PREFIX names the stack (e-com67), E_COM67_API its HTTP API.";

#[derive(Debug)]
pub(crate) struct Settings {
    /// The emulator. Never AWS itself: the demo sends messages.
    pub(crate) endpoint: String,
    pub(crate) prefix: String,
    /// The HTTP API, which carriers call.
    pub(crate) api: String,
    pub(crate) events: PathBuf,
    pub(crate) page: PathBuf,
}

impl Settings {
    /// Nothing when the caller asked for help.
    pub(crate) fn read(arguments: impl Iterator<Item = String>) -> Result<Option<Self>> {
        let mut events = PathBuf::from("events/demo");
        let mut page = PathBuf::from(".local/demo/messages.html");
        let mut arguments = arguments;
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--help" | "-h" => return Ok(None),
                "--events" => {
                    events = arguments
                        .next()
                        .context("--events DIRECTORY: the directory is missing")?
                        .into()
                }
                "--out" => page = arguments.next().context("--out FILE: the file is missing")?.into(),
                other => bail!("expected --events or --out, got {other}; see --help"),
            }
        }
        let endpoint = variable("AWS_ENDPOINT_URL")
            .context("AWS_ENDPOINT_URL is not set, so there is no local stack to talk to: run `make up` first")?;
        let prefix = variable("E_COM67_PREFIX").unwrap_or_else(|| "e-com67".to_owned());
        let api = variable("E_COM67_API").context(
            "E_COM67_API is not set, so there is no API for carriers to call: eval \"$(make -s env)\" sets it",
        )?;
        Ok(Some(Self {
            endpoint,
            api,
            prefix,
            events,
            page,
        }))
    }
}

#[expect(clippy::disallowed_methods, reason = "this is where the demo reads its variables")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
