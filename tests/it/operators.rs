//! What operators see: the dashboard, the alarms and what stands in the runbooks about them.

use serde_json::Value as Json;
use serde_yaml_ng::Value;
use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::metrics::emitted;
use crate::template::{resources, template};

/// The namespace of our own metrics.
const OURS: &str = "E-Com67";

/// The dashboard as CloudWatch gets it, for the prefix and the API `p`.
fn dashboard() -> Json {
    let template = template("infra/dashboard.yaml");
    let dashboards = resources(&template, "AWS::CloudWatch::Dashboard");
    let mut body = plain(&dashboards[0].1["DashboardBody"]);
    for (name, parameter) in template["Parameters"].as_mapping().unwrap() {
        let default = match parameter.get("Default") {
            Some(default) => serde_yaml_ng::to_string(default).unwrap().trim().to_owned(),
            None => "p".to_owned(),
        };
        body = body.replace(&format!("${{{}}}", name.as_str().unwrap()), &default);
    }
    body = body.replace("${AWS::Region}", "eu-west-1");
    assert!(!body.contains("${"), "nobody gives a value to what is left");
    serde_json::from_str(&body).unwrap()
}

/// The text of a value, whatever its tag.
fn plain(value: &Value) -> String {
    if let Value::Tagged(tagged) = value {
        return plain(&tagged.value);
    }
    value.as_str().unwrap_or_default().to_owned()
}

fn widgets() -> Vec<Json> {
    dashboard()["widgets"].as_array().unwrap().clone()
}

/// Namespace, metric and the values of its dimensions, of every line of every widget.
fn shown() -> Vec<(String, String, Vec<String>)> {
    let lines = widgets().into_iter().filter_map(|widget| {
        let metrics = widget["properties"]["metrics"].as_array()?.clone();
        Some(metrics)
    });
    let mut shown = Vec::new();
    for line in lines.flatten() {
        let words: Vec<String> = line
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|word| word.as_str().map(str::to_owned))
            .collect();
        if let [namespace, metric, dimensions @ ..] = words.as_slice() {
            let values = dimensions.iter().skip(1).step_by(2).cloned().collect();
            shown.push((namespace.clone(), metric.clone(), values));
        }
    }
    shown
}

struct Alarm {
    logical: String,
    name: String,
    description: String,
    /// Namespace, metric and the values of its dimensions.
    watched: Vec<(String, String, Vec<String>)>,
}

fn alarms() -> Vec<Alarm> {
    let template = template("infra/alarms.yaml");
    let metric = |of: &Value| {
        let dimensions = of["Dimensions"].as_sequence().cloned().unwrap_or_default();
        let values = dimensions.iter().map(|dimension| plain(&dimension["Value"]));
        (plain(&of["Namespace"]), plain(&of["MetricName"]), values.collect())
    };
    ["AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"]
        .into_iter()
        .flat_map(|kind| resources(&template, kind))
        .map(|(logical, alarm)| {
            let queries = alarm["Metrics"].as_sequence().cloned().unwrap_or_default();
            let queried = queries
                .iter()
                .map(|query| &query["MetricStat"]["Metric"])
                .filter(|metric| !metric.is_null());
            let mut watched: Vec<_> = queried.map(metric).collect();
            if !alarm["MetricName"].is_null() {
                watched.push(metric(&alarm));
            }
            Alarm {
                logical,
                name: plain(&alarm["AlarmName"]).replace("${Prefix}-", ""),
                description: plain(&alarm["AlarmDescription"]),
                watched,
            }
        })
        .collect()
}

/// The names, without the prefix, of everything of a kind that the templates make.
fn made(kind: &str, property: &str) -> BTreeSet<String> {
    let paths = ["template.yaml", "infra/data.yaml", "infra/queues.yaml"];
    let named = paths.into_iter().flat_map(|path| resources(&template(path), kind));
    named
        .map(|(_, resource)| plain(&resource[property]).replace("${Prefix}-", ""))
        .collect()
}

/// What a dimension of a namespace's metrics may name.
fn named_in(namespace: &str) -> Option<BTreeSet<String>> {
    match namespace {
        "AWS/Lambda" => Some(made("AWS::Serverless::Function", "FunctionName")),
        "AWS/SQS" => Some(made("AWS::SQS::Queue", "QueueName")),
        "AWS/DynamoDB" => Some(made("AWS::DynamoDB::Table", "TableName")),
        "AWS/SNS" => Some(made("AWS::SNS::Topic", "TopicName")),
        _ => None,
    }
}

#[test]
fn no_two_widgets_overlap_and_every_row_fits_the_page() {
    let mut taken = BTreeSet::new();
    for widget in widgets() {
        let [x, y, width, height] = ["x", "y", "width", "height"].map(|edge| widget[edge].as_u64().unwrap());
        assert!(width > 0 && height > 0 && x + width <= 24, "{widget}");
        for cell in (x..x + width).flat_map(|column| (y..y + height).map(move |row| (column, row))) {
            assert!(taken.insert(cell), "two widgets at {cell:?}: {widget}");
        }
    }
    let rows = taken.iter().map(|(_, row)| row).max().unwrap() + 1;
    assert_eq!(taken.len() as u64, 24 * rows, "a hole in the page");
}

#[test]
fn every_metric_of_ours_that_is_shown_or_watched_is_emitted() {
    let watched = alarms().into_iter().flat_map(|alarm| alarm.watched);
    for (namespace, metric, _) in shown().into_iter().chain(watched) {
        assert!(namespace != OURS || emitted().contains(metric.as_str()), "{metric}");
    }
}

#[test]
fn what_is_shown_or_watched_is_there() {
    let watched = alarms().into_iter().flat_map(|alarm| alarm.watched);
    for (namespace, metric, values) in shown().into_iter().chain(watched) {
        let Some(known) = named_in(&namespace) else { continue };
        for value in values {
            let name = value
                .trim_start_matches("${Prefix}-")
                .trim_start_matches("p-")
                .to_owned();
            assert!(known.contains(&name), "{namespace} {metric} of {value}");
        }
    }
}

#[test]
fn every_function_queue_and_table_is_on_the_dashboard() {
    for (namespace, metric) in [
        ("AWS/Lambda", "Errors"),
        ("AWS/Lambda", "Throttles"),
        ("AWS/Lambda", "Duration"),
        ("AWS/Lambda", "ConcurrentExecutions"),
        ("AWS/SQS", "ApproximateNumberOfMessagesVisible"),
        ("AWS/DynamoDB", "ConsumedWriteCapacityUnits"),
        ("AWS/DynamoDB", "WriteThrottleEvents"),
    ] {
        let lines = shown()
            .into_iter()
            .filter(|(of, name, _)| of == namespace && name == metric);
        let on_it: BTreeSet<String> = lines.flat_map(|(_, _, values)| values).collect();
        let expected = named_in(namespace).unwrap().into_iter().map(|name| format!("p-{name}"));
        assert_eq!(on_it, expected.collect(), "{metric}");
    }
}

#[test]
fn every_queue_of_dead_letters_and_every_function_has_its_alarm() {
    let alarms = alarms();
    let watches = |namespace: &str, metric: &str, name: &str| {
        let wanted = (
            namespace.to_owned(),
            metric.to_owned(),
            vec![format!("${{Prefix}}-{name}")],
        );
        alarms.iter().any(|alarm| alarm.watched.contains(&wanted))
    };
    for queue in named_in("AWS/SQS")
        .unwrap()
        .iter()
        .filter(|queue| queue.ends_with("-dead-letters"))
    {
        assert!(
            watches("AWS/SQS", "ApproximateNumberOfMessagesVisible", queue),
            "{queue}"
        );
    }
    for function in named_in("AWS/Lambda").unwrap() {
        assert!(watches("AWS/Lambda", "Errors", &function), "{function}");
        assert!(watches("AWS/Lambda", "Throttles", &function), "{function}");
    }
}

#[test]
fn an_alarm_takes_no_more_metrics_than_cloudwatch_allows() {
    for alarm in alarms() {
        assert!(alarm.watched.len() <= 10, "{}", alarm.name);
    }
}

#[test]
fn every_alarm_names_its_runbook_and_every_runbook_has_its_alarm() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/RUNBOOKS.md");
    let runbooks = std::fs::read_to_string(path).unwrap();
    let written: BTreeSet<&str> = runbooks.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    let mut named = BTreeSet::new();
    let alarms = alarms();
    for alarm in &alarms {
        let (_, anchor) = alarm.description.rsplit_once(" See docs/RUNBOOKS.md#").unwrap();
        let expected = if alarm.name.ends_with("-dead-letters") {
            "dead-letters"
        } else {
            &alarm.name
        };
        assert_eq!(anchor, expected, "{}", alarm.logical);
        named.insert(anchor);
    }
    assert_eq!(written, named);
    for section in runbooks.split("\n## ").skip(1) {
        for part in ["Means:", "Customers:", "Look:", "Do:", "Over:"] {
            assert!(
                section.contains(&format!("**{part}**")),
                "{part} is missing in {section}"
            );
        }
    }
}

#[test]
fn what_calls_a_function_calls_the_alias_that_a_deployment_moves() {
    let template = template("template.yaml");
    let globals = &template["Globals"]["Function"];
    assert_eq!(globals["AutoPublishAlias"].as_str(), Some("live"));
    for (kind, property) in [
        ("AWS::ApiGatewayV2::Integration", "IntegrationUri"),
        ("AWS::Lambda::Permission", "FunctionName"),
        ("AWS::Logs::SubscriptionFilter", "DestinationArn"),
    ] {
        for (name, resource) in resources(&template, kind) {
            assert!(plain(&resource[property]).ends_with("Function.Alias"), "{name}");
        }
    }
    // Two versions of the same code differ by their descriptions alone.
    for (name, function) in resources(&template, "AWS::Serverless::Function") {
        for property in ["Description", "VersionDescription"] {
            assert_eq!(plain(&function[property]), "Release", "{name}");
        }
    }
}

#[test]
fn a_deployment_goes_back_by_alarms_that_are_there() {
    let template = template("template.yaml");
    let named = template["Globals"]["Function"]["DeploymentPreference"]["Alarms"]
        .as_sequence()
        .unwrap()
        .clone();
    let outputs = crate::template::template("infra/alarms.yaml")["Outputs"].clone();
    assert!(!named.is_empty());
    for alarm in named {
        let output = plain(&alarm).replace("Alarms.Outputs.", "");
        let logical = plain(&outputs[output.as_str()]["Value"]);
        assert!(alarms().iter().any(|alarm| alarm.logical == logical), "{output}");
    }
}
