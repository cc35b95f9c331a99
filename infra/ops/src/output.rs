//! How a command answers: a report for people or for machines, an exit code, and signs of life while it works.

use anyhow::Result;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use std::fmt;
use std::io::Write;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// What a command has found or done. `Display` is for people, `Serialize` for machines; names of fields stay what they are.
pub(crate) trait Report: fmt::Display + Serialize {
    /// Whether a person has to do something about it.
    fn needs_a_person(&self) -> bool;
}

/// Shows a report; the exit code is 1 when it needs a person.
pub(crate) fn show(report: &impl Report, as_json: bool) -> Result<ExitCode> {
    let text = if as_json {
        serde_json::to_string_pretty(report)?
    } else {
        report.to_string()
    };
    match writeln!(std::io::stdout().lock(), "{}", text.trim_end()) {
        // Whoever reads has seen enough.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => {}
        written => written?,
    }
    Ok(ExitCode::from(u8::from(report.needs_a_person())))
}

/// Signs of life on standard error, for what takes longer than two seconds.
#[derive(Debug)]
pub(crate) struct Progress {
    doing: String,
    last: Instant,
}

const EVERY: Duration = Duration::from_secs(2);

impl Progress {
    pub(crate) fn new(doing: impl Into<String>) -> Self {
        Self {
            doing: doing.into(),
            last: Instant::now(),
        }
    }

    /// Says how far it came, unless it has just said so.
    pub(crate) fn tick(&mut self, how_far: impl fmt::Display) {
        if self.last.elapsed() >= EVERY {
            self.last = Instant::now();
            eprintln!("ops: {}: {how_far}", self.doing);
        }
    }
}

/// A moment for people: in UTC, to the second.
pub(crate) fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// How long, in the two greatest units: `3 d 4 h`.
pub(crate) fn duration(duration: SignedDuration) -> String {
    let seconds = duration.as_secs().abs();
    let units = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    let mut rest = seconds;
    let mut words = Vec::new();
    for (size, name) in units {
        if rest >= size && words.len() < 2 {
            words.push(format!("{} {name}", rest / size));
            rest %= size;
        } else if !words.is_empty() {
            break;
        }
    }
    if words.is_empty() {
        "0 s".to_owned()
    } else {
        words.join(" ")
    }
}

/// A moment and how far it is from now.
pub(crate) fn moment_from(at: Timestamp, now: Timestamp) -> String {
    let distance = now.duration_since(at);
    if distance.is_negative() {
        format!("{} (in {})", moment(at), duration(distance))
    } else {
        format!("{} ({} ago)", moment(at), duration(distance))
    }
}

/// `1 letter`, `2 letters`.
pub(crate) fn counted(count: usize, one: &str) -> String {
    if count == 1 {
        format!("1 {one}")
    } else {
        format!("{count} {one}s")
    }
}

/// An operator's words as they may stand in a table: one line, and not so long that an item grows by it.
pub(crate) fn remark(by: &str, why: &str) -> String {
    let text = domain::clean_line(&format!("{by}: {why}"));
    text.chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_told_in_its_two_greatest_units() {
        let cases = [
            (0, "0 s"),
            (59, "59 s"),
            (61, "1 min 1 s"),
            (3_600, "1 h"),
            (90_061, "1 d 1 h"),
            (86_430, "1 d"),
        ];
        for (seconds, expected) in cases {
            assert_eq!(duration(SignedDuration::from_secs(seconds)), expected);
        }
    }

    #[test]
    fn a_remark_is_one_line() {
        assert_eq!(remark("ana", "mended\nthe quota"), "ana: mended the quota");
    }
}
