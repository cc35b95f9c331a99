//! On what was measured, and with what.

use serde::{Deserialize, Serialize};
use std::process::Command;

/// The machine, its load, and the tools.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// The processor.
    pub cpu: String,
    /// How many cores it has.
    pub cores: usize,
    /// The kernel.
    pub kernel: String,
    /// How many processes wanted to run during the last minute, when the run began.
    pub load_before: String,
    /// The same when it ended.
    pub load_after: String,
    /// Whether native subjects had the first core for themselves and the rig the last.
    pub is_pinned: bool,
    /// The compiler.
    pub rustc: String,
    /// The instruction counter; empty when there is none.
    pub valgrind: String,
}

impl Machine {
    /// This one, now.
    #[must_use]
    pub fn here(is_pinned: bool, cores: usize) -> Self {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let cpu = read("/proc/cpuinfo");
        let cpu = cpu.lines().find_map(|line| line.strip_prefix("model name"));
        let cpu = cpu.map_or("", |line| line.trim_start_matches([' ', '\t', ':']));
        Self {
            cpu: cpu.to_owned(),
            cores,
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            load_before: load(),
            load_after: String::new(),
            is_pinned,
            rustc: version_of("rustc"),
            valgrind: version_of("valgrind"),
        }
    }
}

/// The load of the last minute.
#[must_use]
pub fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().next().unwrap_or_default().to_owned()
}

/// What a tool says of its version; nothing when there is no such tool.
fn version_of(tool: &str) -> String {
    let output = Command::new(tool).arg("--version").output();
    output.map_or_else(
        |_missing| String::new(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}
