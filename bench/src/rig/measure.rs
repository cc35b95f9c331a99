//! What is measured of a subject, and how.

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::aws::Calls;
use super::jobs::{BATCH, Job, Kind, Work};
use super::process::{Core, Process, sizes};
use super::runtime_api::{Finished, Invocation};
use super::server::Server;
use super::subject::{Subject, Transport};

/// How long and how often.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    /// Fresh processes for the start.
    pub starts: usize,
    /// Batches before anything counts.
    pub warm_up: usize,
    /// The shorter and the longer run of what is counted, in batches.
    pub counted: (usize, usize),
    /// How long a run at full speed should take.
    pub full_speed: Duration,
    /// How long a run at a set load should take at least.
    pub open_loop: Duration,
    /// Batches of a run at a set load, unless that takes four times as long as it should.
    pub arrivals: usize,
}

impl Effort {
    /// What the published figures are measured with.
    pub const FULL: Self = Self {
        starts: 40,
        warm_up: 30,
        counted: (20, 60),
        full_speed: Duration::from_secs(4),
        open_loop: Duration::from_secs(4),
        arrivals: 400,
    };

    /// Enough to see whether something is far off.
    pub const QUICK: Self = Self {
        starts: 8,
        warm_up: 10,
        counted: (20, 60),
        full_speed: Duration::from_secs(1),
        open_loop: Duration::from_secs(1),
        arrivals: 60,
    };
}

/// The loads at which latency is measured, in percent of what a process can do.
pub const LOADS: [u32; 3] = [25, 50, 75];

/// Everything that was measured of one subject.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// The subject.
    pub subject: String,
    /// What it is made of.
    pub versions: Vec<String>,
    /// Whether each notification was sent once although its message came twice; none where nobody sends.
    pub sends_once: Option<bool>,
    /// What was wrong with the run: refused calls, failed messages.
    pub remarks: Vec<String>,
    /// Bytes of the binary, or of what is deployed.
    pub size_raw: Option<u64>,
    /// The same, zipped.
    pub size_zip: Option<u64>,
    /// Instructions until it first asks for work.
    pub instructions_to_start: Option<f64>,
    /// Instructions for one notification more.
    pub instructions: Option<f64>,
    /// AWS requests for one notification more, by kind of event and operation.
    pub requests: BTreeMap<String, BTreeMap<String, f64>>,
    /// The rest, by transport.
    pub by_transport: BTreeMap<String, Timed>,
}

/// What was measured over one transport.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Timed {
    /// From starting a process to its first question for work: median, milliseconds.
    pub start_p50_ms: f64,
    /// The same, 95th percentile.
    pub start_p95_ms: f64,
    /// Bytes sent to AWS for one notification more.
    pub sent_bytes: f64,
    /// Bytes logged for one notification more.
    pub logged_bytes: f64,
    /// CPU time for one notification more, microseconds.
    pub cpu_us: f64,
    /// CPU time of the rig for one notification more, microseconds: where this by the next figure comes near a second, it is
    /// the rig that was measured.
    pub rig_cpu_us: f64,
    /// Notifications per second, as fast as one process asks for work.
    pub per_second: f64,
    /// The most memory that it held, bytes.
    pub peak_memory: u64,
    /// Latency of a batch by load.
    pub latency: Vec<Latency>,
}

/// The latency of a batch of ten at one load: from when it should have begun until it was answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// Percent of the most that the process can do.
    pub load: u32,
    /// How many batches arrived.
    pub batches: usize,
    /// Median, milliseconds.
    pub p50_ms: f64,
    /// 99th percentile, milliseconds.
    pub p99_ms: f64,
}

impl Figures {
    /// All AWS requests for one notification of this kind; none of who makes none, because this kind is refused.
    #[must_use]
    pub fn all_requests(&self, kind: Kind) -> Option<f64> {
        let requests = self.requests.get(kind.name()).filter(|requests| !requests.is_empty())?;
        Some(requests.values().sum())
    }
}

/// The value below which so many percent of the others lie; the nearest of those that were measured.
#[must_use]
pub fn percentile(values: &[f64], percent: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "an index of some hundred values"
    )]
    let rank = (percent / 100.0 * sorted.len() as f64).ceil().max(1.0) as usize;
    sorted.get(rank - 1).or(sorted.last()).copied().unwrap_or(0.0)
}

/// What one more costs: the difference of two runs by the difference of their lengths, so that what both have in common falls out.
#[must_use]
pub fn slope(shorter: (f64, f64), longer: (f64, f64)) -> f64 {
    let (length, cost) = (longer.0 - shorter.0, longer.1 - shorter.1);
    if length > 0.0 { cost / length } else { 0.0 }
}

/// What a process and AWS have counted so far.
#[derive(Debug, Clone)]
struct Mark {
    calls: BTreeMap<String, Calls>,
    logged: u64,
}

impl Mark {
    fn now(server: &Server, process: &Process) -> Self {
        Self {
            calls: server.endpoints.world().calls.clone(),
            logged: process.logged(),
        }
    }

    fn calls_since(&self, before: &Self) -> BTreeMap<String, Calls> {
        let earlier = |operation: &str| before.calls.get(operation).copied().unwrap_or_default();
        self.calls
            .iter()
            .map(|(operation, calls)| {
                let earlier = earlier(operation);
                let made = Calls {
                    requests: calls.requests - earlier.requests,
                    bytes: calls.bytes - earlier.bytes,
                };
                (operation.clone(), made)
            })
            .filter(|(_, calls)| calls.requests > 0)
            .collect()
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of one run are far below 2^52")]
fn float(count: u64) -> f64 {
    count as f64
}

#[expect(clippy::cast_precision_loss, reason = "counts of one run are far below 2^52")]
fn float_of(count: usize) -> f64 {
    count as f64
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Measures one subject.
#[derive(Debug)]
pub struct Measurement<'m> {
    /// The endpoints.
    pub server: &'m Server,
    /// Who.
    pub subject: &'m Subject,
    /// What ours are fed by.
    pub orchestrator: Option<&'m Subject>,
    /// How long and how often.
    pub effort: Effort,
    /// What the events tell.
    pub kind: Kind,
    /// Where files go.
    pub work: &'m Path,
    /// Whether instructions can be counted here.
    pub has_valgrind: bool,
}

impl Measurement<'_> {
    /// Measures everything.
    ///
    /// # Errors
    ///
    /// When the subject cannot be started or does not finish what it is given.
    pub fn run(&self, transports: &[Transport]) -> Result<Figures> {
        let mut figures = Figures {
            subject: self.subject.name.clone(),
            versions: self.subject.versions.clone(),
            ..Figures::default()
        };
        if let Some(deployed) = &self.subject.deployed {
            let (raw, zip) = sizes(deployed)?;
            (figures.size_raw, figures.size_zip) = (Some(raw), Some(zip));
        }
        let mut work = self.work()?;
        for transport in transports {
            let timed = self.timed(&mut work, *transport, &mut figures.remarks)?;
            figures.by_transport.insert(transport.name().to_owned(), timed);
        }
        self.say("requests by kind of event");
        for kind in [Kind::Confirmation, Kind::Status] {
            let requests = self.requests_of(&mut work, kind, &mut figures.remarks)?;
            figures.requests.insert(kind.name().to_owned(), requests);
        }
        self.say("repeated messages");
        figures.sends_once = self.sends_once(&mut work)?;
        if self.subject.is_native && self.has_valgrind {
            self.say("instructions");
            figures.instructions_to_start = Some(self.instructions(&mut work, 0)?);
            let (few, many) = self.effort.counted;
            let shorter = self.instructions(&mut work, few)?;
            let longer = self.instructions(&mut work, many)?;
            figures.instructions = Some(slope(
                (float_of(few * BATCH), shorter),
                (float_of(many * BATCH), longer),
            ));
        }
        Ok(figures)
    }

    fn say(&self, what: &str) {
        eprintln!("{}: {what}", self.subject.name);
    }

    fn work(&self) -> Result<Work<'_>> {
        let feeder = self.orchestrator.filter(|_| self.subject.job == Job::EmailSender);
        Work::new(self.server, feeder, self.work)
    }

    fn start(&self, transport: Transport) -> Result<Process> {
        Process::start(self.server, &self.subject.launch(self.server, transport, self.work))
    }

    /// Gives it so many batches: how they went.
    fn feed(&self, work: &mut Work<'_>, process: &Process, batches: usize, kind: Kind) -> Result<Vec<Finished>> {
        if batches == 0 {
            return Ok(Vec::new());
        }
        let messages = work.messages(self.subject.job, batches * BATCH, kind)?;
        let invocations = work.invocations(&messages);
        Self::finished(process, invocations)
    }

    fn finished(process: &Process, invocations: Vec<Invocation>) -> Result<Vec<Finished>> {
        let expected = invocations.len();
        let finished = process.run(invocations, Duration::from_secs(600));
        ensure!(
            finished.len() == expected,
            "{} of {expected} batches were finished: {}",
            finished.len(),
            process.last_words()
        );
        Ok(finished)
    }

    fn timed(&self, work: &mut Work<'_>, transport: Transport, remarks: &mut Vec<String>) -> Result<Timed> {
        let mut timed = Timed::default();
        self.say(&format!("start, {}", transport.name()));
        let mut starts = Vec::with_capacity(self.effort.starts);
        for _ in 0..self.effort.starts {
            let process = self.start(transport)?;
            starts.push(ms(process.start));
            process.end();
        }
        (timed.start_p50_ms, timed.start_p95_ms) = (percentile(&starts, 50.0), percentile(&starts, 95.0));

        self.say(&format!("counts, {}", transport.name()));
        work.clear();
        let process = self.start(transport)?;
        self.feed(work, &process, self.effort.warm_up, self.kind)?;
        let (few, many) = self.effort.counted;
        // The orchestrator that makes requests calls AWS too: they are all made before counting begins.
        let messages = work.messages(self.subject.job, many * BATCH, self.kind)?;
        let mut invocations = work.invocations(&messages);
        let rest = invocations.split_off(few);
        Self::finished(&process, invocations)?;
        let before = Mark::now(self.server, &process);
        let answers = Self::finished(&process, rest)?;
        let after = Mark::now(self.server, &process);
        let count = float_of((many - few) * BATCH);
        let calls = after.calls_since(&before);
        timed.sent_bytes = float(calls.values().map(|calls| calls.bytes).sum()) / count;
        timed.logged_bytes = float(after.logged - before.logged) / count;
        note(remarks, self.kind, &answers);

        self.say(&format!("full speed, {}", transport.name()));
        let took: Duration = answers.iter().map(|answer| answer.at.duration_since(answer.due)).sum();
        let mean = took.as_secs_f64() / float_of(answers.len());
        let batches = batches_in(self.effort.full_speed, mean).clamp(30, 6_000);
        work.clear();
        let messages = work.messages(self.subject.job, batches * BATCH, self.kind)?;
        let invocations = work.invocations(&messages);
        let before = (process.cpu_ns(), self.server.cpu_ns());
        let began = Instant::now();
        let answers = Self::finished(&process, invocations)?;
        let took = answers
            .last()
            .map_or(Duration::ZERO, |last| last.at.duration_since(began));
        let count = float_of(batches * BATCH);
        timed.cpu_us = float(process.cpu_ns().saturating_sub(before.0)) / count / 1e3;
        timed.rig_cpu_us = float(self.server.cpu_ns().saturating_sub(before.1)) / count / 1e3;
        timed.per_second = count / took.as_secs_f64();
        note(remarks, self.kind, &answers);

        let gap = took.as_secs_f64() / float_of(batches);
        for load in LOADS {
            self.say(&format!("latency at {load} %, {}", transport.name()));
            let gap = gap * 100.0 / f64::from(load);
            timed.latency.push(self.latency(work, &process, load, gap)?);
        }
        timed.peak_memory = process.peak_memory();
        process.end();
        let refusals = self.server.endpoints.world().refusals.clone();
        remarks.extend(
            refusals
                .iter()
                .map(|(what, times)| format!("refused {times} times: {what}")),
        );
        Ok(timed)
    }

    /// Batches arrive by a schedule that does not wait for anybody: gaps of chance with this mean, the same for everybody.
    fn latency(&self, work: &mut Work<'_>, process: &Process, load: u32, gap: f64) -> Result<Latency> {
        let at_most = batches_in(self.effort.open_loop * 4, gap);
        let at_least = batches_in(self.effort.open_loop, gap);
        let batches = self.effort.arrivals.max(at_least).min(at_most).clamp(20, 6_000);
        work.clear();
        let messages = work.messages(self.subject.job, batches * BATCH, self.kind)?;
        let mut invocations = work.invocations(&messages);
        let mut chance = fastrand::Rng::with_seed(67);
        let mut due = Instant::now() + Duration::from_millis(50);
        for invocation in &mut invocations {
            due += Duration::from_secs_f64(-gap * (1.0 - chance.f64()).ln());
            invocation.due = Some(due);
        }
        let answers = Self::finished(process, invocations)?;
        let times: Vec<f64> = answers
            .iter()
            .map(|answer| ms(answer.at.duration_since(answer.due)))
            .collect();
        Ok(Latency {
            load,
            batches,
            p50_ms: percentile(&times, 50.0),
            p99_ms: percentile(&times, 99.0),
        })
    }

    fn requests_of(&self, work: &mut Work<'_>, kind: Kind, remarks: &mut Vec<String>) -> Result<BTreeMap<String, f64>> {
        work.clear();
        let process = self.start(Transport::Plain)?;
        self.feed(work, &process, self.effort.warm_up, kind)?;
        let (few, many) = self.effort.counted;
        let messages = work.messages(self.subject.job, (many - few) * BATCH, kind)?;
        let invocations = work.invocations(&messages);
        let before = Mark::now(self.server, &process);
        let answers = Self::finished(&process, invocations)?;
        let calls = Mark::now(self.server, &process).calls_since(&before);
        note(remarks, kind, &answers);
        process.end();
        Ok(per_notification(&calls, float_of((many - few) * BATCH)))
    }

    /// Gives it a batch, the same again, and one with a message twice; whether each notification was sent once.
    fn sends_once(&self, work: &mut Work<'_>) -> Result<Option<bool>> {
        if self.subject.job == Job::Orchestrator {
            return Ok(None);
        }
        work.clear();
        let process = self.start(Transport::Plain)?;
        let mut events = work.events(2 * BATCH - 1, self.kind)?;
        let twice = events.last().cloned().context("there are no events")?;
        events.push(twice);
        let (first, second) = events.split_at(BATCH);
        for batch in [first, first, second] {
            let messages = if self.subject.job == Job::EmailSender {
                work.requests(batch)?
            } else {
                batch.to_vec()
            };
            // What the queue delivers, it may deliver again.
            for _ in 0..2 {
                let invocations = work.invocations(&messages);
                Self::finished(&process, invocations)?;
            }
        }
        process.end();
        let emails = self.server.endpoints.world().emails.clone();
        Ok(Some(
            emails.len() == 2 * BATCH - 1 && emails.values().all(|times| *times == 1),
        ))
    }

    /// Instructions of a process that does so many batches, as callgrind counts them.
    fn instructions(&self, work: &mut Work<'_>, batches: usize) -> Result<f64> {
        work.clear();
        let out: PathBuf = self.work.join("callgrind.out");
        // What an earlier run left must not be taken for this one's.
        let _not_there = std::fs::remove_file(&out);
        let mut launch = self.subject.launch(self.server, Transport::Plain, self.work);
        let callgrind = [
            "valgrind".into(),
            "--tool=callgrind".into(),
            format!("--callgrind-out-file={}", out.display()).into(),
        ];
        launch.command.splice(..0, callgrind);
        launch.core = Core::Subject;
        let process = Process::start(self.server, &launch)?;
        self.feed(work, &process, batches, self.kind)?;
        process.end();
        let text = std::fs::read_to_string(&out).context("read what callgrind counted")?;
        summary_of(&text).context("callgrind counted nothing")
    }
}

fn summary_of(text: &str) -> Option<f64> {
    let line = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
    let total = line("summary: ").or_else(|| line("totals: "))?;
    total.split_whitespace().next()?.parse().ok()
}

fn batches_in(time: Duration, gap: f64) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a small positive number; a float beyond the integers becomes the greatest"
    )]
    let count = (time.as_secs_f64() / gap.max(1e-6)).ceil() as usize;
    count
}

fn per_notification(calls: &BTreeMap<String, Calls>, count: f64) -> BTreeMap<String, f64> {
    calls
        .iter()
        .map(|(operation, calls)| (operation.clone(), float(calls.requests) / count))
        .collect()
}

/// Messages that have to come again, and batches that ended in an error, are no work done.
fn note(remarks: &mut Vec<String>, kind: Kind, answers: &[Finished]) {
    let errors = answers.iter().filter(|answer| answer.is_error).count();
    let failed: usize = answers.iter().map(|answer| failures_in(&answer.answer)).sum();
    if errors > 0 {
        remarks.push(format!(
            "{errors} of {} batches of {} events ended in an error",
            answers.len(),
            kind.name()
        ));
    }
    if failed > 0 {
        remarks.push(format!(
            "{failed} of {} {} events have to come again",
            answers.len() * BATCH,
            kind.name()
        ));
    }
}

fn failures_in(answer: &[u8]) -> usize {
    #[derive(Deserialize)]
    struct Answer {
        #[serde(default, rename = "batchItemFailures")]
        failures: Vec<serde::de::IgnoredAny>,
    }
    serde_json::from_slice::<Answer>(answer).map_or(0, |answer| answer.failures.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_refuses_a_kind_of_event_makes_no_requests_for_it() {
        let mut figures = Figures::default();
        figures.requests.insert(Kind::Status.name().to_owned(), BTreeMap::new());
        assert_eq!(figures.all_requests(Kind::Status), None);
        let one = BTreeMap::from([("ses:SendEmail".to_owned(), 1.0)]);
        figures.requests.insert(Kind::Status.name().to_owned(), one);
        assert_eq!(figures.all_requests(Kind::Status), Some(1.0));
    }

    #[test]
    fn what_two_runs_have_in_common_is_not_in_their_slope() {
        assert!((slope((200.0, 1_000_200.0), (600.0, 1_000_600.0)) - 1.0).abs() < 1e-9);
        assert!(slope((200.0, 5.0), (200.0, 9.0)).abs() < 1e-9);
    }

    #[test]
    fn a_percentile_is_a_value_that_was_measured() {
        let values: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        let at = |percent| percentile(&values, percent);
        assert_eq!((at(50.0), at(95.0), at(99.0), at(100.0)), (50.0, 95.0, 99.0, 100.0));
        assert_eq!(percentile(&[7.0], 50.0), 7.0);
        assert_eq!(percentile(&[], 50.0), 0.0);
    }

    #[test]
    fn callgrinds_total_is_read() {
        assert_eq!(
            summary_of("events: Ir\nsummary: 24600000\n\ntotals: 5\n"),
            Some(24_600_000.0)
        );
        assert_eq!(summary_of("events: Ir\n"), None);
    }

    #[test]
    fn failed_messages_are_counted() {
        assert_eq!(failures_in(br#"{"batchItemFailures":[{"itemIdentifier":"a"}]}"#), 1);
        assert_eq!(failures_in(b"null"), 0);
    }
}
