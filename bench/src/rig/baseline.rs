//! Counts of ours that may not grow unnoticed. Times are never compared: they tell as much about the machine.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use super::measure::Figures;
use super::subject::Transport;

/// A count may be so much above the baseline.
const TOLERANCE: f64 = 0.05;

/// Counts by subject and name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Baseline(pub BTreeMap<String, BTreeMap<String, f64>>);

/// How a run compares with the baseline.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Counts that have grown by more than is tolerated, each with both numbers.
    pub grown: Vec<String>,
    /// Counts of the baseline that this run has not.
    pub not_counted: Vec<String>,
}

impl Baseline {
    /// The counts of these.
    #[must_use]
    pub fn of<'f>(all: impl IntoIterator<Item = &'f Figures>) -> Self {
        let counts = all
            .into_iter()
            .map(|figures| (figures.subject.clone(), counts_of(figures)));
        Self(counts.collect())
    }

    /// Compares a run with this one; subjects that were not measured are left out.
    #[must_use]
    pub fn compare(&self, run: &Self) -> Comparison {
        let mut comparison = Comparison::default();
        for (subject, counts) in &self.0 {
            let Some(now) = run.0.get(subject) else { continue };
            for (name, before) in counts {
                match now.get(name) {
                    None => comparison.not_counted.push(format!("{subject}: {name}")),
                    Some(now) if *now > before * (1.0 + TOLERANCE) => {
                        comparison
                            .grown
                            .push(format!("{subject}: {name}: {now:.2}, was {before:.2}"));
                    }
                    Some(_) => {}
                }
            }
        }
        comparison
    }
}

fn counts_of(figures: &Figures) -> BTreeMap<String, f64> {
    let mut counts = BTreeMap::new();
    for (kind, requests) in &figures.requests {
        counts.insert(format!("AWS requests per {kind}"), rounded(requests.values().sum()));
    }
    let plain = figures.by_transport.get(Transport::Plain.name());
    let bytes = |size: u64| f64::from(u32::try_from(size).unwrap_or(u32::MAX));
    let others = [
        ("instructions to start", figures.instructions_to_start),
        ("instructions per notification", figures.instructions),
        (
            "bytes sent to AWS per notification",
            plain.map(|plain| plain.sent_bytes),
        ),
        ("bytes logged per notification", plain.map(|plain| plain.logged_bytes)),
        ("bytes of the binary", figures.size_raw.map(bytes)),
        ("bytes of the binary, zipped", figures.size_zip.map(bytes)),
    ];
    for (name, count) in others {
        counts.extend(count.map(|count| (name.to_owned(), rounded(count))));
    }
    counts
}

fn rounded(count: f64) -> f64 {
    (count * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rig::measure::Timed;

    fn figures(requests: f64, instructions: Option<f64>, start_ms: f64) -> Figures {
        let timed = Timed {
            start_p50_ms: start_ms,
            sent_bytes: 1_000.0,
            ..Timed::default()
        };
        Figures {
            subject: "sender".to_owned(),
            requests: BTreeMap::from([(
                "confirmation".to_owned(),
                BTreeMap::from([("ses:SendEmail".to_owned(), requests)]),
            )]),
            instructions,
            by_transport: BTreeMap::from([("plain".to_owned(), timed)]),
            ..Figures::default()
        }
    }

    #[test]
    fn a_count_that_grows_by_six_percent_is_named_and_one_that_grows_by_four_is_not() {
        let before = Baseline::of(&[figures(1.5, Some(1_000_000.0), 4.0)]);
        let after = Baseline::of(&[figures(1.59, Some(1_040_000.0), 4.0)]);
        let comparison = before.compare(&after);
        assert_eq!(
            comparison.grown,
            ["sender: AWS requests per confirmation: 1.59, was 1.50"]
        );
    }

    #[test]
    fn no_time_is_ever_compared() {
        let before = Baseline::of(&[figures(1.5, None, 4.0)]);
        let after = Baseline::of(&[figures(1.5, None, 4_000.0)]);
        assert_eq!(before.compare(&after), Comparison::default());
    }

    #[test]
    fn what_could_not_be_counted_is_named_and_no_failure() {
        let before = Baseline::of(&[figures(1.5, Some(1_000_000.0), 4.0)]);
        let after = Baseline::of(&[figures(1.5, None, 4.0)]);
        let comparison = before.compare(&after);
        assert_eq!(comparison.not_counted, ["sender: instructions per notification"]);
        assert!(comparison.grown.is_empty());
    }

    #[test]
    fn who_was_not_measured_is_not_compared() {
        let before = Baseline::of(&[figures(1.5, None, 4.0)]);
        assert_eq!(before.compare(&Baseline::default()), Comparison::default());
    }

    #[test]
    fn a_baseline_is_read_as_it_was_written() {
        let before = Baseline::of(&[figures(1.5, Some(2.0), 4.0)]);
        let text = serde_json::to_string(&before).unwrap();
        assert_eq!(serde_json::from_str::<Baseline>(&text).unwrap(), before);
    }
}
