//! Who calls: the process at the other end of one connection, looked for once, when it is first asked for.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::OnceCell;
use tokio::task::spawn_blocking;

use crate::process::{Process, ProcessError, Victim};

#[derive(Debug)]
pub(crate) struct Caller {
    peer: SocketAddr,
    here: SocketAddr,
    found: OnceCell<Result<Arc<Process>, Arc<ProcessError>>>,
}

impl Caller {
    /// Whoever is connected from `peer` to `here`.
    pub(crate) fn between(peer: SocketAddr, here: SocketAddr) -> Self {
        Self {
            peer,
            here,
            found: OnceCell::new(),
        }
    }

    /// Its name, where it is found.
    pub(crate) async fn name(&self) -> Option<&str> {
        self.process().await.as_ref().ok().map(|process| process.name())
    }

    /// Its process, where something may be done to it.
    pub(crate) async fn victim(&self) -> Result<Victim, Arc<ProcessError>> {
        match self.process().await {
            Ok(process) => process.victim().map_err(Arc::new),
            Err(error) => Err(Arc::clone(error)),
        }
    }

    async fn process(&self) -> &Result<Arc<Process>, Arc<ProcessError>> {
        let (peer, here) = (self.peer, self.here);
        self.found
            .get_or_init(|| async move {
                // It reads a file per open file of every process: some milliseconds in which other calls go on.
                spawn_blocking(move || Process::calling_from(peer, here))
                    .await
                    .unwrap_or_else(|error| Err(ProcessError::Search(error)))
                    .map(Arc::new)
                    .map_err(Arc::new)
            })
            .await
    }
}
