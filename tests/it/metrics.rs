//! What is emitted is what is written of it, and CloudWatch can read it.

use jiff::Timestamp;
use lambda::{MetricName, Metrics};
use proptest::prelude::*;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::PathBuf;

/// The names that the code can emit.
pub(crate) fn emitted() -> BTreeSet<&'static str> {
    MetricName::all().map(MetricName::as_str).collect()
}

/// The names in the table of metrics; `…Success` is every channel's.
fn documented() -> BTreeSet<&'static str> {
    let operations = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/OPERATIONS.md");
    let operations = std::fs::read_to_string(operations).unwrap();
    let (_, after) = operations.split_once("\n## Metrics\n").unwrap();
    let (section, _) = after.split_once("\n## ").unwrap();
    let mut documented = BTreeSet::new();
    for row in section.lines().filter(|line| line.starts_with("| `")) {
        let names = row.split('|').nth(1).unwrap();
        for name in names.split('`').skip(1).step_by(2) {
            let matching: Vec<&str> = match name.strip_prefix('…') {
                Some(end) => {
                    let end = format!("Notification{end}");
                    emitted().into_iter().filter(|name| name.ends_with(&end)).collect()
                }
                None => emitted().into_iter().filter(|emitted| *emitted == name).collect(),
            };
            assert!(!matching.is_empty(), "{name} is described, and nothing emits it");
            documented.extend(matching);
        }
    }
    documented
}

#[test]
fn every_metric_is_described_and_what_is_described_is_emitted() {
    assert_eq!(documented(), emitted());
}

/// The line as CloudWatch reads it.
fn read(metrics: &Metrics) -> Value {
    let line = metrics.line("a-function", Timestamp::from_second(1_795_168_800).unwrap());
    assert!(!line.contains('\n'), "{line}");
    serde_json::from_str(&line).unwrap()
}

/// What the schema cannot say: whatever a directive names stands in the line as a number, or as at most 100 of them.
fn assert_members_are_there(line: &Value) {
    assert_eq!(line["_aws"]["Timestamp"], 1_795_168_800_000_u64);
    let mut told = HashSet::new();
    for directive in line["_aws"]["CloudWatchMetrics"].as_array().unwrap() {
        for dimension in directive["Dimensions"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|set| set.as_array().unwrap())
        {
            assert!(line[dimension.as_str().unwrap()].is_string(), "{dimension}");
        }
        for metric in directive["Metrics"].as_array().unwrap() {
            let name = metric["Name"].as_str().unwrap();
            assert!(told.insert(name.to_owned()), "{name} is told twice");
            let is_measured = match line[name].as_array() {
                Some(values) => (1..=100).contains(&values.len()) && values.iter().all(Value::is_number),
                None => line[name].is_number(),
            };
            assert!(is_measured, "{name}: {}", line[name]);
        }
    }
    let members = line.as_object().unwrap().keys();
    let members: HashSet<String> = members
        .filter(|key| !matches!(key.as_str(), "_aws" | "function"))
        .cloned()
        .collect();
    assert_eq!(members, told, "a member that no directive names is no metric");
}

/// Holds a line against the schema, and against what the schema cannot say.
struct Judge {
    schemas: boon::Schemas,
    root: boon::SchemaIndex,
}

impl Judge {
    fn new() -> Self {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("it/embedded-metric-format.json");
        let schema: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let (mut schemas, mut compiler) = (boon::Schemas::new(), boon::Compiler::new());
        compiler.add_resource("embedded-metric-format.json", schema).unwrap();
        let root = compiler.compile("embedded-metric-format.json", &mut schemas).unwrap();
        Self { schemas, root }
    }

    fn refuses(&self, line: &Value) -> bool {
        self.schemas.validate(line, self.root).is_err()
    }

    fn hear(&self, metrics: &Metrics) {
        let line = read(metrics);
        if let Err(error) = self.schemas.validate(&line, self.root) {
            panic!("{error}\n{line}");
        }
        assert_members_are_there(&line);
    }
}

#[test]
fn a_line_without_metrics_and_one_with_all_of_them_are_in_the_format() {
    let judge = Judge::new();
    judge.hear(&Metrics::default());
    let mut all = Metrics::default();
    for name in MetricName::all() {
        all.count(name, u64::MAX);
    }
    judge.hear(&all);
    let directives = &read(&all)["_aws"]["CloudWatchMetrics"];
    assert_eq!(directives.as_array().unwrap().len(), emitted().len().div_ceil(100));
}

#[test]
fn of_more_than_100_values_the_first_100_are_told() {
    let mut metrics = Metrics::default();
    let values: Vec<i64> = (0..250).collect();
    metrics.milliseconds(MetricName::ApiLatency, &values);
    Judge::new().hear(&metrics);
    assert_eq!(read(&metrics)["ApiLatency"].as_array().unwrap().len(), 100);
}

#[test]
fn the_schema_refuses_what_is_not_in_the_format() {
    let judge = Judge::new();
    let mut metrics = Metrics::default();
    metrics.count(MetricName::NotificationSent, 1);
    let line = read(&metrics);
    let broken = BTreeMap::from([
        ("/_aws/Timestamp", Value::from("2026-11-20")),
        ("/_aws/CloudWatchMetrics/0/Namespace", Value::from("")),
        ("/_aws/CloudWatchMetrics/0/Dimensions", Value::from(Vec::<Value>::new())),
        ("/_aws/CloudWatchMetrics/0/Metrics/0/Unit", Value::from("Pieces")),
        ("/_aws/CloudWatchMetrics/0/Metrics/0/Name", Value::from("")),
    ]);
    assert!(!judge.refuses(&line));
    for (place, value) in broken {
        let mut line = line.clone();
        *line.pointer_mut(place).unwrap() = value;
        assert!(judge.refuses(&line), "{place}");
    }
}

/// One thing that a function may do to its metrics.
#[derive(Debug, Clone)]
enum Step {
    Count(u64),
    Milliseconds(Vec<i64>),
    Percent(Option<u64>),
    Seconds(u64),
}

fn steps() -> impl Strategy<Value = Vec<(usize, Step)>> {
    let step = prop_oneof![
        any::<u64>().prop_map(Step::Count),
        proptest::collection::vec(any::<i64>(), 0..150).prop_map(Step::Milliseconds),
        any::<Option<u64>>().prop_map(Step::Percent),
        any::<u64>().prop_map(Step::Seconds),
    ];
    proptest::collection::vec((any::<usize>(), step), 0..200)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn whatever_a_function_counts_is_a_line_in_the_format(steps in steps()) {
        let names: Vec<MetricName> = MetricName::all().collect();
        let mut metrics = Metrics::default();
        for (place, step) in steps {
            let name = names[place % names.len()];
            match step {
                Step::Count(count) => metrics.count(name, count),
                Step::Milliseconds(values) => metrics.milliseconds(name, &values),
                Step::Percent(share) => metrics.percent(name, share),
                Step::Seconds(seconds) => metrics.seconds(name, seconds),
            };
        }
        Judge::new().hear(&metrics);
    }
}
