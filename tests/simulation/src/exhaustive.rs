//! Every fault at every call of the base scenario, and every pair of them.

use invariants::Verdict;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::faults::{Fault, Faults, Operation, meaningful};
use crate::setting::Reports;
use crate::simulation::Simulation;

/// What came of all of them.
#[derive(Debug, Default)]
pub struct Table {
    /// Calls of the scenario without a fault.
    pub calls: usize,
    /// Runs with one fault.
    pub singles: usize,
    /// Runs with two.
    pub pairs: usize,
    /// Deliveries that were accepted more than once, and may have been: by the fault that lost the reply, and by its partner.
    pub exempt: BTreeMap<Exempt, usize>,
    /// What does not hold, with the faults that break it; the first ones.
    pub violations: Vec<String>,
    /// How many runs break something.
    pub broken: usize,
}

/// Why a delivery was accepted more than once.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Exempt {
    /// The faults: operation and fault.
    pub faults: Vec<String>,
    /// How often it was accepted.
    pub accepted: u32,
    /// Of whom nobody could know, in the judge's words.
    pub why: &'static str,
}

impl fmt::Display for Exempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "accepted {} times | {} | {}",
            self.accepted,
            self.faults.join(" + "),
            self.why
        )
    }
}

/// The first violations are enough to see what is wrong.
const SHOWN: usize = 12;

impl Table {
    fn add(&mut self, faults: &[(usize, Fault)], fired: &[(Operation, Fault)], verdict: &Verdict) {
        for exempt in &verdict.exempt {
            let names = fired.iter().map(|(operation, fault)| format!("{operation:?} {fault}"));
            let exempt = Exempt {
                faults: names.collect(),
                accepted: exempt.accepted,
                why: exempt.why,
            };
            *self.exempt.entry(exempt).or_default() += 1;
        }
        if !verdict.holds() {
            self.broken += 1;
            if self.violations.len() < SHOWN {
                self.violations.push(format!("{faults:?} {fired:?}:\n{verdict}"));
            }
        }
    }

    /// The exempt cases by what lost the replies: one fault that does so alone, whatever its partner; two such faults; or two
    /// that do so together.
    #[must_use]
    pub fn causes(&self) -> BTreeMap<Exempt, usize> {
        let alone: Vec<&String> = self.exempt.keys().filter_map(|exempt| only(&exempt.faults)).collect();
        let mut causes = BTreeMap::new();
        for (exempt, count) in &self.exempt {
            let causing: Vec<String> = exempt
                .faults
                .iter()
                .filter(|fault| alone.contains(fault))
                .cloned()
                .collect();
            let cause = Exempt {
                faults: match causing.len() {
                    0 => exempt.faults.clone(),
                    1 => causing,
                    _ => vec!["any two of the above".to_owned()],
                },
                ..exempt.clone()
            };
            *causes.entry(cause).or_default() += count;
        }
        causes
    }

    fn merge(&mut self, other: Self) {
        self.singles += other.singles;
        self.pairs += other.pairs;
        self.broken += other.broken;
        for (exempt, count) in other.exempt {
            *self.exempt.entry(exempt).or_default() += count;
        }
        self.violations.extend(other.violations);
        self.violations.truncate(SHOWN);
    }

    /// How many deliveries were accepted more than once.
    #[must_use]
    pub fn exempt_cases(&self) -> usize {
        self.exempt.values().sum()
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} calls, {} single faults, {} ordered pairs, {} exempt cases, {} broken",
            self.calls,
            self.singles,
            self.pairs,
            self.exempt_cases(),
            self.broken
        )?;
        for (exempt, count) in &self.causes() {
            writeln!(f, "{count:6} | {exempt}")?;
        }
        for violation in &self.violations {
            writeln!(f, "{violation}\n")?;
        }
        Ok(())
    }
}

/// A scenario: with these faults, with these reports, and whether the calls of ports are written down.
pub type Scenario = fn(Faults, Reports, bool) -> Simulation;

/// Runs them all over this scenario, on so many threads. `pairs` says whether every fault gets every later one as its partner.
#[must_use]
pub fn every_fault(base: Scenario, reports: Reports, threads: usize, pairs: bool) -> Table {
    let right = base(Faults::None, reports, true);
    let trace = right.trace();
    let singles: Vec<(usize, Fault)> = all_from(&trace, 0);
    let next = AtomicUsize::new(0);
    let whole = Mutex::new(Table {
        calls: trace.len(),
        ..Table::default()
    });
    std::thread::scope(|scope| {
        for _thread in 0..threads {
            scope.spawn(|| {
                let mut table = Table::default();
                while let Some(first) = singles.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let run = base(Faults::At(vec![*first]), reports, pairs);
                    table.singles += 1;
                    table.add(&[*first], &run.fired(), &run.verdict());
                    if !pairs {
                        continue;
                    }
                    for second in all_from(&run.trace(), first.0 + 1) {
                        let faults = vec![*first, second];
                        let run = base(Faults::At(faults.clone()), reports, false);
                        table.pairs += 1;
                        table.add(&faults, &run.fired(), &run.verdict());
                    }
                }
                if let Ok(mut whole) = whole.lock() {
                    whole.merge(table);
                }
            });
        }
    });
    whole.into_inner().unwrap_or_default()
}

fn only(faults: &[String]) -> Option<&String> {
    match faults {
        [fault] => Some(fault),
        _ => None,
    }
}

/// Every fault at every call from this one on.
fn all_from(trace: &[(Operation, usize)], from: usize) -> Vec<(usize, Fault)> {
    let calls = trace.iter().enumerate().skip(from);
    calls
        .flat_map(|(call, (operation, entries))| {
            meaningful(*operation, *entries).iter().map(move |fault| (call, *fault))
        })
        .collect()
}
