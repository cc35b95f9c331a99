//! The metrics of one invocation: one line in CloudWatch's embedded metric format, namespace `E-Com67`, no dimensions.

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use std::io::Write;

use crate::MetricName;

/// The namespace under which earlier dashboards read.
const NAMESPACE: &str = "E-Com67";

/// A metric takes no more values than this in one line, and a directive no more metrics (CloudWatch Logs, "Embedded metric
/// format specification").
const AT_MOST: usize = 100;

/// The metrics of one invocation.
#[derive(Debug, Default, Clone)]
pub struct Metrics(Vec<(MetricName, Measured)>);

#[derive(Debug, Clone)]
enum Measured {
    Count(u64),
    Percent(u64),
    Seconds(u64),
    Milliseconds(Vec<i64>),
}

impl Metrics {
    /// Adds a count; zero is left out, so that a quiet invocation costs few bytes. What was counted before is added to.
    pub fn count(&mut self, name: MetricName, count: u64) -> &mut Self {
        if count > 0 {
            match self.found(name) {
                Some(Measured::Count(before)) => *before = before.saturating_add(count),
                Some(other) => *other = Measured::Count(count),
                None => self.0.push((name, Measured::Count(count))),
            }
        }
        self
    }

    /// Adds a count, also when it is none: an alarm tells nothing from silence.
    pub fn level(&mut self, name: MetricName, count: u64) -> &mut Self {
        self.put(name, Measured::Count(count));
        self
    }

    /// Adds times in milliseconds.
    pub fn milliseconds(&mut self, name: MetricName, values: &[i64]) -> &mut Self {
        if !values.is_empty() {
            self.put(
                name,
                Measured::Milliseconds(values.iter().take(AT_MOST).copied().collect()),
            );
        }
        self
    }

    /// Adds a share in percent, if there is one to tell.
    pub fn percent(&mut self, name: MetricName, share: Option<u64>) -> &mut Self {
        if let Some(share) = share {
            self.put(name, Measured::Percent(share));
        }
        self
    }

    /// Adds a time in whole seconds, also when it is none: an alarm tells nothing from silence.
    pub fn seconds(&mut self, name: MetricName, seconds: u64) -> &mut Self {
        self.put(name, Measured::Seconds(seconds));
        self
    }

    /// What was counted, by name.
    pub fn counts(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.0.iter().filter_map(|(name, measured)| match measured {
            Measured::Count(value) | Measured::Percent(value) | Measured::Seconds(value) => {
                Some((name.as_str(), *value))
            }
            Measured::Milliseconds(_) => None,
        })
    }

    /// The line.
    #[must_use]
    pub fn line(&self, function: &str, now: Timestamp) -> String {
        let directives: Vec<Value> = self
            .0
            .chunks(AT_MOST)
            .map(|metrics| {
                let metrics = metrics
                    .iter()
                    .map(|(name, measured)| json!({"Name": name.as_str(), "Unit": measured.unit()}));
                json!({"Namespace": NAMESPACE, "Dimensions": [[]], "Metrics": metrics.collect::<Vec<_>>()})
            })
            .collect();
        let mut line: Map<String, Value> = self
            .0
            .iter()
            .map(|(name, measured)| (name.as_str().to_owned(), measured.value()))
            .collect();
        line.insert("function".to_owned(), function.into());
        line.insert(
            "_aws".to_owned(),
            json!({"Timestamp": now.as_millisecond(), "CloudWatchMetrics": directives}),
        );
        Value::Object(line).to_string()
    }

    /// Writes the line to standard output, where CloudWatch Logs finds it. Always one line, also when there is nothing to count.
    pub fn emit(&self, function: &str, now: Timestamp) {
        let mut out = std::io::stdout().lock();
        if let Err(error) = writeln!(out, "{}", self.line(function, now)) {
            tracing::warn!(error = %error, "could not write the metrics line");
        }
    }

    fn found(&mut self, name: MetricName) -> Option<&mut Measured> {
        let found = self.0.iter_mut().find(|(known, _)| *known == name);
        found.map(|(_, measured)| measured)
    }

    fn put(&mut self, name: MetricName, measured: Measured) {
        match self.found(name) {
            Some(before) => *before = measured,
            None => self.0.push((name, measured)),
        }
    }
}

impl Measured {
    const fn unit(&self) -> &'static str {
        match self {
            Self::Count(_) => "Count",
            Self::Percent(_) => "Percent",
            Self::Seconds(_) => "Seconds",
            Self::Milliseconds(_) => "Milliseconds",
        }
    }

    fn value(&self) -> Value {
        match self {
            Self::Count(value) | Self::Percent(value) | Self::Seconds(value) => (*value).into(),
            Self::Milliseconds(values) => values.as_slice().into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_in_the_embedded_metric_format() {
        let mut metrics = Metrics::default();
        metrics
            .count(MetricName::NotificationSent, 3)
            .count(MetricName::ChannelsUsed, 0)
            .percent(MetricName::SmsBudgetUsedPercent, Some(0))
            .seconds(MetricName::DeferredOverdueSeconds, 0)
            .milliseconds(MetricName::ApiLatency, &[12, 40]);
        let line: Value =
            serde_json::from_str(&metrics.line("orchestrator", Timestamp::from_second(1).unwrap())).unwrap();
        let expected: Value = serde_json::from_str(
            r#"{"_aws":{"Timestamp":1000,"CloudWatchMetrics":[{"Namespace":"E-Com67","Dimensions":[[]],"Metrics":[
                {"Name":"NotificationSent","Unit":"Count"},{"Name":"SmsBudgetUsedPercent","Unit":"Percent"},
                {"Name":"DeferredOverdueSeconds","Unit":"Seconds"},{"Name":"ApiLatency","Unit":"Milliseconds"}]}]},
               "function":"orchestrator","NotificationSent":3,"SmsBudgetUsedPercent":0,"DeferredOverdueSeconds":0,
               "ApiLatency":[12,40]}"#,
        )
        .unwrap();
        assert_eq!(line, expected);
    }

    #[test]
    fn what_is_counted_twice_is_added_up_and_what_is_not_known_is_left_out() {
        let mut metrics = Metrics::default();
        metrics
            .count(MetricName::TrackingEvents, 2)
            .count(MetricName::TrackingEvents, 3)
            .percent(MetricName::SmsBudgetUsedPercent, None);
        assert_eq!(metrics.counts().collect::<Vec<_>>(), [("TrackingEvents", 5)]);
    }

    #[test]
    fn an_invocation_without_counts_is_still_one_line() {
        let line = Metrics::default().line("f", Timestamp::from_second(1).unwrap());
        assert!(!line.contains('\n') && line.contains("\"CloudWatchMetrics\":[]"));
    }
}
