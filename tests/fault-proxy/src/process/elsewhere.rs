//! Systems on which a caller's process is not found.

use std::net::SocketAddr;
use std::sync::Arc;

use super::ProcessError;

/// There is none.
#[derive(Debug)]
pub(crate) enum Process {}

/// There is none.
#[derive(Debug)]
pub(crate) enum Victim {}

/// There is none.
#[derive(Debug)]
pub(crate) enum Suspended {}

impl Process {
    pub(crate) fn calling_from(_peer: SocketAddr, _here: SocketAddr) -> Result<Self, ProcessError> {
        Err(ProcessError::NotLinux)
    }

    pub(crate) fn name(&self) -> &str {
        match *self {}
    }

    pub(crate) fn victim(self: &Arc<Self>) -> Result<Victim, ProcessError> {
        match **self {}
    }
}

impl Victim {
    pub(crate) fn kill(&self) -> Result<(), ProcessError> {
        match *self {}
    }

    pub(crate) fn suspend(self) -> Result<Suspended, ProcessError> {
        match self {}
    }

    pub(crate) fn exhaust(&self) -> Result<(), ProcessError> {
        match *self {}
    }
}
