//! The metrics of one invocation: one line in CloudWatch's embedded metric format, namespace `E-Com67`, no dimensions.

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use std::io::Write;

/// The namespace under which earlier dashboards read.
const NAMESPACE: &str = "E-Com67";

/// A metric takes no more values than this in one line (CloudWatch Logs, "Embedded metric format specification").
const MAX_VALUES: usize = 100;

/// The metrics of one invocation.
#[derive(Debug, Default, Clone)]
pub struct Metrics {
    names: Vec<Value>,
    values: Map<String, Value>,
}

impl Metrics {
    /// Adds a count; zero is left out, so that a quiet invocation costs few bytes.
    pub fn count(&mut self, name: &str, count: u64) -> &mut Self {
        if count > 0 {
            self.names.push(json!({"Name": name, "Unit": "Count"}));
            self.values.insert(name.to_owned(), count.into());
        }
        self
    }

    /// Adds a count, also when it is none: an alarm tells nothing from silence.
    pub fn level(&mut self, name: &str, count: u64) -> &mut Self {
        self.names.push(json!({"Name": name, "Unit": "Count"}));
        self.values.insert(name.to_owned(), count.into());
        self
    }

    /// Adds times in milliseconds.
    pub fn milliseconds(&mut self, name: &str, values: &[i64]) -> &mut Self {
        if !values.is_empty() {
            self.names.push(json!({"Name": name, "Unit": "Milliseconds"}));
            self.values.insert(
                name.to_owned(),
                values.iter().take(MAX_VALUES).copied().collect::<Vec<_>>().into(),
            );
        }
        self
    }

    /// Adds a share in percent, if there is one to tell.
    pub fn percent(&mut self, name: &str, share: Option<u64>) -> &mut Self {
        if let Some(share) = share {
            self.names.push(json!({"Name": name, "Unit": "Percent"}));
            self.values.insert(name.to_owned(), share.into());
        }
        self
    }

    /// Adds a time in whole seconds, also when it is none: an alarm tells nothing from silence.
    pub fn seconds(&mut self, name: &str, seconds: u64) -> &mut Self {
        self.names.push(json!({"Name": name, "Unit": "Seconds"}));
        self.values.insert(name.to_owned(), seconds.into());
        self
    }

    /// What was counted, by name.
    pub fn counts(&self) -> impl Iterator<Item = (&str, u64)> {
        self.values
            .iter()
            .filter_map(|(name, value)| Some((name.as_str(), value.as_u64()?)))
    }

    /// The line.
    #[must_use]
    pub fn line(&self, function: &str, now: Timestamp) -> String {
        let mut line = self.values.clone();
        let metrics = match self.names.is_empty() {
            true => json!([]),
            false => json!([{"Namespace": NAMESPACE, "Dimensions": [[]], "Metrics": self.names}]),
        };
        line.insert("function".to_owned(), function.into());
        line.insert(
            "_aws".to_owned(),
            json!({"Timestamp": now.as_millisecond(), "CloudWatchMetrics": metrics}),
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_in_the_embedded_metric_format() {
        let mut metrics = Metrics::default();
        metrics
            .count("NotificationSent", 3)
            .count("ChannelsUsed", 0)
            .percent("SmsBudgetUsedPercent", Some(0))
            .percent("Untold", None)
            .seconds("Overdue", 0)
            .milliseconds("HandOverLatency", &[12, 40]);
        let line: Value =
            serde_json::from_str(&metrics.line("orchestrator", Timestamp::from_second(1).unwrap())).unwrap();
        let expected: Value = serde_json::from_str(
            r#"{"_aws":{"Timestamp":1000,"CloudWatchMetrics":[{"Namespace":"E-Com67","Dimensions":[[]],"Metrics":[
                {"Name":"NotificationSent","Unit":"Count"},{"Name":"SmsBudgetUsedPercent","Unit":"Percent"},
                {"Name":"Overdue","Unit":"Seconds"},{"Name":"HandOverLatency","Unit":"Milliseconds"}]}]},
               "function":"orchestrator","NotificationSent":3,"SmsBudgetUsedPercent":0,"Overdue":0,"HandOverLatency":[12,40]}"#,
        )
        .unwrap();
        assert_eq!(line, expected);
    }

    #[test]
    fn an_invocation_without_counts_is_still_one_line() {
        let line = Metrics::default().line("f", Timestamp::from_second(1).unwrap());
        assert!(!line.contains('\n') && line.contains("\"CloudWatchMetrics\":[]"));
    }
}
