//! The process at the other end of a connection, and what a rule may do to it.

#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(target_os = "linux")]
mod linux;

#[cfg(not(target_os = "linux"))]
pub(crate) use elsewhere::{Process, Victim};
#[cfg(target_os = "linux")]
pub(crate) use linux::{Process, Victim};

use std::error::Error;
#[cfg(target_os = "linux")]
use std::io;

use thiserror::Error;

/// Why a process was left alone.
#[derive(Debug, Error)]
pub(crate) enum ProcessError {
    #[cfg(not(target_os = "linux"))]
    #[error("callers' processes are found on Linux only")]
    NotLinux,
    #[cfg(target_os = "linux")]
    #[error("found no process at the other end of the connection")]
    NotFound,
    #[cfg(target_os = "linux")]
    #[error("could not read {path}")]
    Unreadable {
        path: String,
        #[source]
        cause: io::Error,
    },
    #[cfg(target_os = "linux")]
    #[error("{program} is spared: {reason}")]
    Spared { program: String, reason: &'static str },
    #[cfg(target_os = "linux")]
    #[error("could not {intent} {program}")]
    Refused {
        intent: &'static str,
        program: String,
        #[source]
        cause: io::Error,
    },
    #[error("the search for the process was not finished")]
    Search(#[source] tokio::task::JoinError),
}

impl ProcessError {
    /// What went wrong, and why.
    pub(crate) fn sentence(&self) -> String {
        let cause = self.source().map(|cause| format!(": {cause}")).unwrap_or_default();
        format!("{self}{cause}")
    }
}
