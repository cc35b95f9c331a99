//! A bootstrap that runs: started on its core, measured by what the kernel says of it, and ended.

use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use super::runtime_api::{Finished, Invocation, RuntimeApi};
use super::server::Server;

/// How long a process may take until it first asks for work. An instruction counter is fifty times slower.
const START_LIMIT: Duration = Duration::from_secs(120);

/// Which core something runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Core {
    /// The first: what is measured.
    Subject,
    /// The last: the rig.
    Rig,
    /// Any: what brings threads of its own to collect garbage and compile.
    Any,
}

/// How many cores there were before anything was pinned.
#[must_use]
pub fn cores() -> usize {
    static CORES: OnceLock<usize> = OnceLock::new();
    *CORES.get_or_init(|| std::thread::available_parallelism().map_or(1, usize::from))
}

/// Pins the current thread, and what it starts; whether that was possible.
#[cfg(target_os = "linux")]
pub fn pin(core: Core) -> bool {
    use rustix::thread::{CpuSet, sched_setaffinity};
    let cores = cores();
    if cores < 2 {
        return false;
    }
    let mut set = CpuSet::new();
    match core {
        Core::Subject => set.set(0),
        Core::Rig => set.set(cores - 1),
        Core::Any => (0..cores).for_each(|core| set.set(core)),
    }
    sched_setaffinity(None, &set).is_ok()
}

/// Elsewhere nothing is pinned.
#[cfg(not(target_os = "linux"))]
pub fn pin(_core: Core) -> bool {
    false
}

/// What to start.
#[derive(Debug, Clone)]
pub struct Launch {
    /// The program and its arguments.
    pub command: Vec<OsString>,
    /// Its variables, beside those of the Runtime API.
    pub variables: BTreeMap<String, String>,
    /// Where it runs.
    pub core: Core,
    /// The folder in which it is started.
    pub folder: PathBuf,
    /// Where what it prints goes.
    pub log: PathBuf,
}

/// A bootstrap that has asked for work.
#[derive(Debug)]
pub struct Process {
    /// From before it was started until it asked for work.
    pub start: Duration,
    api: RuntimeApi,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts it and waits until it asks for work.
    ///
    /// # Errors
    ///
    /// When it cannot be started, ends, or does not ask within two minutes; with the end of what it printed.
    pub fn start(server: &Server, launch: &Launch) -> Result<Self> {
        let (api, at) = server.runtime_api()?;
        let [program, arguments @ ..] = launch.command.as_slice() else {
            bail!("there is nothing to start");
        };
        let log = File::create(&launch.log).context("open the log of a process")?;
        let mut command = Command::new(program);
        // What the caller's shell holds must not change what is measured.
        let kept = std::env::vars_os().filter(|(name, _)| name == "PATH" || name == "HOME");
        command
            .args(arguments)
            .env_clear()
            .envs(kept)
            .envs(&launch.variables)
            .env("AWS_LAMBDA_RUNTIME_API", at.to_string())
            .current_dir(&launch.folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone().context("open the log of a process")?)
            .stderr(log);
        let core = launch.core;
        // A child runs where the thread runs that starts it.
        let started = std::thread::spawn(move || {
            pin(core);
            let began = Instant::now();
            command.spawn().map(|child| (began, child))
        });
        let (began, child) = started
            .join()
            .map_err(|_panic| anyhow::anyhow!("starting a process failed"))?
            .with_context(|| format!("start {}", program.display()))?;
        let mut process = Self {
            api,
            start: Duration::ZERO,
            child,
            log: launch.log.clone(),
        };
        let limit = Instant::now() + START_LIMIT;
        while Instant::now() < limit {
            if let Some(polled) = process.api.first_poll(Duration::from_millis(500)) {
                process.start = polled.duration_since(began);
                return Ok(process);
            }
            if let Some(status) = process.child.try_wait().context("look after a process")? {
                bail!("{} ended ({status}): {}", program.display(), process.last_words());
            }
            if let Some(error) = process.api.init_error() {
                bail!("{} cannot start: {error}", program.display());
            }
        }
        bail!("{} asks for no work: {}", program.display(), process.last_words())
    }

    /// Gives it these and waits until it asks for more: how they went. Fewer than it was given, when it takes longer or ends.
    #[must_use]
    pub fn run(&self, invocations: Vec<Invocation>, limit: Duration) -> Vec<Finished> {
        self.api.run(invocations, limit, || self.is_running())
    }

    /// Whether it has not ended yet. One that has ended stays a zombie until it is waited for.
    fn is_running(&self) -> bool {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        !status.lines().any(|line| line.starts_with("State:\tZ"))
    }

    /// The end of what it printed.
    #[must_use]
    pub fn last_words(&self) -> String {
        let text = std::fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        let lines: Vec<&str> = text.lines().rev().take(8).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    /// How many bytes it has printed.
    #[must_use]
    pub fn logged(&self) -> u64 {
        std::fs::metadata(&self.log).map_or(0, |log| log.len())
    }

    /// How long its threads have run, in nanoseconds.
    #[must_use]
    pub fn cpu_ns(&self) -> u64 {
        cpu_ns_of(&self.child.id().to_string())
    }

    /// The most memory that it ever held, in bytes: `VmHWM`.
    #[must_use]
    pub fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        kibibytes.unwrap_or(0) * 1024
    }

    /// Asks it to end, and waits until it has.
    pub fn end(mut self) {
        self.stop();
    }

    fn stop(&mut self) {
        terminate(&self.child);
        let limit = Instant::now() + Duration::from_secs(60);
        while Instant::now() < limit {
            match self.child.try_wait() {
                Ok(None) => std::thread::sleep(Duration::from_millis(2)),
                Ok(Some(_)) | Err(_) => return,
            }
        }
        // It has gone already when this fails.
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop();
    }
}

/// How long the threads of a process have run, in nanoseconds: `/proc/PID/task/*/schedstat`, which is exact while they wait.
fn cpu_ns_of(process: &str) -> u64 {
    let Ok(threads) = std::fs::read_dir(format!("/proc/{process}/task")) else {
        return 0;
    };
    threads
        .flatten()
        .map(|thread| ns_of(&thread.path().join("schedstat")))
        .sum()
}

/// The time that a thread has run, from its `schedstat`.
pub(crate) fn ns_of(schedstat: &Path) -> u64 {
    let text = std::fs::read_to_string(schedstat).unwrap_or_default();
    let first = text.split_whitespace().next();
    first.and_then(|nanoseconds| nanoseconds.parse().ok()).unwrap_or(0)
}

/// Lambda ends a process so, and an instruction counter writes down what it counted.
#[cfg(target_os = "linux")]
fn terminate(child: &Child) {
    use rustix::process::{Pid, Signal, kill_process};
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        // It has gone already when this fails.
        let _gone = kill_process(pid, Signal::TERM);
    }
}

#[cfg(not(target_os = "linux"))]
fn terminate(_child: &Child) {}

/// How large a file is, and how large when it is zipped as Lambda wants it: deflated, as small as `zip -9` makes it.
///
/// # Errors
///
/// When it cannot be read.
pub fn sizes(path: &Path) -> Result<(u64, u64)> {
    use flate2::{Compression, write::DeflateEncoder};
    use std::io::Write as _;
    let bytes = std::fs::read(path).with_context(|| format!("read {}", path.display()))?;
    let mut zip = DeflateEncoder::new(Vec::new(), Compression::best());
    zip.write_all(&bytes).context("compress a binary")?;
    let zipped = zip.finish().context("compress a binary")?;
    Ok((u64::try_from(bytes.len())?, u64::try_from(zipped.len())?))
}
