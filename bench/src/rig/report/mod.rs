//! What came out, for people and for programs.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use super::ceiling::Ceiling;
use super::jobs::Kind;
use super::machine::Machine;
use super::measure::{Figures, LOADS, Timed};
use super::subject::Transport;

pub mod svg;
pub mod table;

/// One run of the rig: what `results.json` holds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// When it began.
    pub at: String,
    /// Where, and with what.
    pub machine: Machine,
    /// How the rig was called.
    pub arguments: Vec<String>,
    /// What the events told of whose times are given: `confirmation` or `status`.
    pub kind: String,
    /// The most that the rig itself can answer, requests per second.
    pub ceilings: Vec<Ceiling>,
    /// Who was measured.
    pub subjects: Vec<Figures>,
}

/// One figure of many subjects.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Its name, with the unit.
    pub name: &'static str,
    /// How many digits stand behind the point.
    pub digits: usize,
    /// Where it is found.
    pub of: fn(&Figures, &Timed) -> Option<f64>,
    /// Whether it is the same over every transport.
    pub is_once: bool,
}

/// Every figure, in the order in which they are told.
pub const ROWS: [Row; 20] = [
    row("start to first poll, p50, ms", 1, false, |_, timed| {
        Some(timed.start_p50_ms)
    }),
    row("start to first poll, p95, ms", 1, false, |_, timed| {
        Some(timed.start_p95_ms)
    }),
    row("instructions to start, million", 2, true, |all, _| {
        millions(all.instructions_to_start)
    }),
    row("instructions per notification, thousand", 0, true, |all, _| {
        all.instructions.map(|count| count / 1e3)
    }),
    row("AWS requests per e-mail, confirmation", 2, true, |all, _| {
        all.all_requests(Kind::Confirmation)
    }),
    row("AWS requests per e-mail, status update", 2, true, |all, _| {
        all.all_requests(Kind::Status)
    }),
    row("bytes sent to AWS per notification", 0, false, |_, timed| {
        Some(timed.sent_bytes)
    }),
    row("bytes logged per notification", 0, false, |_, timed| {
        Some(timed.logged_bytes)
    }),
    row("CPU per notification, µs", 0, false, |_, timed| Some(timed.cpu_us)),
    row("CPU of the rig per notification, µs", 0, false, |_, timed| {
        Some(timed.rig_cpu_us)
    }),
    row("notifications per second, one process", 0, false, |_, timed| {
        Some(timed.per_second)
    }),
    row("latency of a batch at 25 %, p50, ms", 1, false, |_, timed| {
        latency(timed, 0, false)
    }),
    row("latency of a batch at 25 %, p99, ms", 1, false, |_, timed| {
        latency(timed, 0, true)
    }),
    row("latency of a batch at 50 %, p50, ms", 1, false, |_, timed| {
        latency(timed, 1, false)
    }),
    row("latency of a batch at 50 %, p99, ms", 1, false, |_, timed| {
        latency(timed, 1, true)
    }),
    row("latency of a batch at 75 %, p50, ms", 1, false, |_, timed| {
        latency(timed, 2, false)
    }),
    row("latency of a batch at 75 %, p99, ms", 1, false, |_, timed| {
        latency(timed, 2, true)
    }),
    row("peak memory, MB", 1, false, |_, timed| {
        megabytes(Some(timed.peak_memory))
    }),
    row("binary, MB", 2, true, |all, _| megabytes(all.size_raw)),
    row("binary, zipped, MB", 2, true, |all, _| megabytes(all.size_zip)),
];

const fn row(name: &'static str, digits: usize, is_once: bool, of: fn(&Figures, &Timed) -> Option<f64>) -> Row {
    Row {
        name,
        digits,
        of,
        is_once,
    }
}

fn latency(timed: &Timed, nth: usize, is_p99: bool) -> Option<f64> {
    let load = LOADS.get(nth)?;
    let latency = timed.latency.iter().find(|latency| latency.load == *load)?;
    Some(if is_p99 { latency.p99_ms } else { latency.p50_ms })
}

fn millions(count: Option<f64>) -> Option<f64> {
    count.map(|count| count / 1e6)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "sizes of files and memories are far below 2^52"
)]
fn megabytes(bytes: Option<u64>) -> Option<f64> {
    bytes.filter(|bytes| *bytes > 0).map(|bytes| bytes as f64 / 1e6)
}

impl Row {
    /// The figure of one subject over one transport, where it has one.
    #[must_use]
    pub fn value(&self, figures: &Figures, transport: Transport) -> Option<f64> {
        let timed = figures.by_transport.get(transport.name());
        let nothing = Timed::default();
        let timed = match timed {
            Some(timed) => timed,
            None if self.is_once => &nothing,
            None => return None,
        };
        (self.of)(figures, timed).filter(|value| value.is_finite())
    }
}

impl Results {
    /// Everybody in the order of the columns: those that were measured, and behind our two functions what both make together.
    #[must_use]
    pub fn columns(&self) -> Vec<Figures> {
        let ours = |name: &str| self.subjects.iter().find(|figures| figures.subject == name);
        let mut columns = Vec::with_capacity(self.subjects.len() + 1);
        let mut both = ours("orchestrator")
            .zip(ours("sender"))
            .map(|(one, two)| together(one, two));
        for figures in &self.subjects {
            columns.push(figures.clone());
            if figures.subject == "sender" {
                columns.extend(both.take());
            }
        }
        columns
    }
}

/// What an e-mail costs that goes through both: counts and CPU time add up, and so does the time between two notifications of
/// one core. What belongs to a process is not given.
fn together(one: &Figures, two: &Figures) -> Figures {
    let mut requests = one.requests.clone();
    for (kind, operations) in &two.requests {
        let kind = requests.entry(kind.clone()).or_default();
        for (operation, count) in operations {
            *kind.entry(operation.clone()).or_default() += count;
        }
    }
    let by_transport: BTreeMap<String, Timed> = one
        .by_transport
        .iter()
        .filter_map(|(transport, one)| {
            let two = two.by_transport.get(transport)?;
            let timed = Timed {
                start_p50_ms: f64::NAN,
                start_p95_ms: f64::NAN,
                sent_bytes: one.sent_bytes + two.sent_bytes,
                logged_bytes: one.logged_bytes + two.logged_bytes,
                cpu_us: one.cpu_us + two.cpu_us,
                rig_cpu_us: one.rig_cpu_us + two.rig_cpu_us,
                per_second: 1.0 / (1.0 / one.per_second + 1.0 / two.per_second),
                peak_memory: 0,
                latency: Vec::new(),
            };
            Some((transport.clone(), timed))
        })
        .collect();
    Figures {
        subject: "ours, both".to_owned(),
        sends_once: two.sends_once,
        instructions: one.instructions.zip(two.instructions).map(|(one, two)| one + two),
        requests,
        by_transport,
        ..Figures::default()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::rig::measure::Latency;

    pub(crate) fn results() -> Results {
        let timed = |factor: f64| Timed {
            start_p50_ms: 4.0 * factor,
            start_p95_ms: 5.0 * factor,
            sent_bytes: 1_000.0,
            logged_bytes: 100.0,
            cpu_us: 50.0 * factor,
            rig_cpu_us: 10.0,
            per_second: 1_000.0 / factor,
            peak_memory: 5_000_000,
            latency: vec![Latency {
                load: 25,
                batches: 400,
                p50_ms: 1.0,
                p99_ms: 3.0,
            }],
        };
        let figures = |subject: &str, factor: f64| Figures {
            subject: subject.to_owned(),
            sends_once: (subject != "orchestrator").then_some(subject == "sender"),
            requests: BTreeMap::from([(
                "confirmation".to_owned(),
                BTreeMap::from([("dynamodb:BatchGetItem".to_owned(), 0.1 * factor)]),
            )]),
            instructions: (factor < 5.0).then_some(1e6),
            by_transport: BTreeMap::from([
                ("plain".to_owned(), timed(factor)),
                ("tls".to_owned(), timed(2.0 * factor)),
            ]),
            ..Figures::default()
        };
        Results {
            kind: "confirmation".to_owned(),
            ceilings: vec![Ceiling {
                request: "GetItem".to_owned(),
                plain: 100_000.0,
                tls: 50_000.0,
                plain_cpu_us: 10.0,
                tls_cpu_us: 20.0,
            }],
            subjects: vec![
                figures("orchestrator", 1.0),
                figures("sender", 1.0),
                figures("a <rival> & co", 10.0),
            ],
            ..Results::default()
        }
    }

    #[test]
    fn our_two_functions_together_take_the_time_of_both() {
        let columns = results().columns();
        let names: Vec<&str> = columns.iter().map(|figures| figures.subject.as_str()).collect();
        assert_eq!(names, ["orchestrator", "sender", "ours, both", "a <rival> & co"]);
        let both = &columns[2];
        let value = |name: &str| {
            let row = ROWS.iter().find(|row| row.name == name).unwrap();
            row.value(both, Transport::Plain)
        };
        assert_eq!(value("notifications per second, one process"), Some(500.0));
        assert_eq!(value("AWS requests per e-mail, confirmation"), Some(0.2));
        assert_eq!(value("start to first poll, p50, ms"), None);
        assert_eq!(value("peak memory, MB"), None);
    }
}
