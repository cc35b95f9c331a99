//! What a run has to tell: to the log, to the metrics, and to whoever called it by hand.

use domain::{Dependency, Health, Landing};
use lambda::{MetricName, Metrics, Value};
use pipeline::Flown;
use serde_json::{Map, json};

/// Tells of the canaries: `{"succeeded": true, "milliseconds": 812}` or `{"succeeded": false, "why": …}` of the one before, if there was one
/// to judge, with `flies`, the notification that the next one becomes.
pub(crate) fn tell(flown: &Flown, metrics: &mut Metrics) -> Value {
    let mut told = Map::new();
    if let Some((flight, landing)) = &flown.before {
        let id = flight.as_ref().map(|flight| flight.id.to_string()).unwrap_or_default();
        match landing {
            Landing::HandedOver(after) => {
                let milliseconds = i64::try_from(after.as_millis()).unwrap_or(i64::MAX);
                tracing::info!(
                    notification.id = id,
                    "canary {id} was handed over after {milliseconds} ms"
                );
                metrics
                    .count(MetricName::CanarySucceeded, 1)
                    .milliseconds(MetricName::CanaryLatency, &[milliseconds]);
                told.insert("succeeded".to_owned(), true.into());
                told.insert("milliseconds".to_owned(), milliseconds.into());
            }
            Landing::Lost(why) => {
                tracing::error!(notification.id = id, "canary {id} is lost: {why}");
                metrics.count(MetricName::CanaryFailed, 1);
                told.insert("succeeded".to_owned(), false.into());
                told.insert("why".to_owned(), why.as_str().into());
            }
        }
    }
    if let Some(trouble) = &flown.trouble {
        tracing::error!(error = trouble, "the next canary may not have left");
    }
    if let Some(next) = &flown.next {
        told.insert("flies".to_owned(), next.id.to_string().into());
    }
    Value::Object(told)
}

/// Tells how everything is: by dependency, what exactly is down and why.
pub(crate) fn tell_of_health(health: &[Health], metrics: &mut Metrics) -> Value {
    let mut down = Map::new();
    for health in health {
        let dependency = health.dependency;
        metrics.level(metric_of(dependency), u64::from(health.is_down()));
        if let Some(why) = health.why() {
            tracing::error!(dependency = dependency.name(), "{dependency} is down: {why}");
            down.insert(dependency.name().to_owned(), why.into());
        }
    }
    metrics.level(MetricName::DependenciesDown, down.len() as u64);
    json!(down)
}

const fn metric_of(dependency: Dependency) -> MetricName {
    match dependency {
        Dependency::DynamoDb => MetricName::DynamoDbDown,
        Dependency::Sqs => MetricName::SqsDown,
        Dependency::Sns => MetricName::SnsDown,
        Dependency::Ses => MetricName::SesDown,
        Dependency::Secrets => MetricName::SecretsDown,
        Dependency::S3 => MetricName::S3Down,
        Dependency::Carriers => MetricName::CarriersDown,
        Dependency::Senders => MetricName::SendersDown,
        Dependency::Api => MetricName::ApiDown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Flight, NotificationId, Part};
    use jiff::{SignedDuration, Timestamp};

    fn flown(landing: Landing) -> Flown {
        let flight = Flight {
            slot: Timestamp::UNIX_EPOCH,
            published_at: Timestamp::UNIX_EPOCH,
            id: NotificationId::from_digest([7; 16]),
        };
        Flown {
            before: Some((Some(flight.clone()), landing)),
            next: Some(flight),
            trouble: None,
        }
    }

    fn line(metrics: &Metrics) -> Value {
        serde_json::from_str(&metrics.line("canary", Timestamp::UNIX_EPOCH)).unwrap()
    }

    #[test]
    fn a_success_tells_how_long_it_took() {
        let mut metrics = Metrics::default();
        let told = tell(
            &flown(Landing::HandedOver(SignedDuration::from_millis(812))),
            &mut metrics,
        );
        assert_eq!((&told["succeeded"], &told["milliseconds"]), (&json!(true), &json!(812)));
        let line = line(&metrics);
        assert_eq!(
            (&line["CanarySucceeded"], &line["CanaryLatency"]),
            (&json!(1), &json!([812]))
        );
        assert!(line["CanaryFailed"].is_null());
    }

    #[test]
    fn a_failure_tells_why() {
        let mut metrics = Metrics::default();
        let told = tell(&flown(Landing::Lost("its e-mail is queued".to_owned())), &mut metrics);
        assert_eq!(
            (&told["succeeded"], &told["why"]),
            (&json!(false), &json!("its e-mail is queued"))
        );
        let line = line(&metrics);
        assert_eq!(line["CanaryFailed"], json!(1));
        assert!(line["CanarySucceeded"].is_null() && line["CanaryLatency"].is_null());
    }

    #[test]
    fn a_run_that_was_made_already_counts_nothing() {
        let mut metrics = Metrics::default();
        assert_eq!(tell(&Flown::default(), &mut metrics), json!({}));
        assert_eq!(metrics.counts().count(), 0);
    }

    #[test]
    fn every_dependency_is_told_of_also_when_it_is_well() {
        let mut metrics = Metrics::default();
        let health = Dependency::ALL.map(|dependency| Health {
            dependency,
            parts: vec![Part {
                name: "part".to_owned(),
                trouble: (dependency == Dependency::Sqs).then(|| "AccessDenied with status 403".to_owned()),
            }],
        });
        let down = tell_of_health(&health, &mut metrics);
        assert_eq!(down, json!({"sqs": "part: AccessDenied with status 403"}));
        let counts: Vec<(&str, u64)> = metrics.counts().collect();
        assert_eq!(counts.len(), Dependency::ALL.len() + 1);
        assert_eq!(counts.iter().map(|(_, count)| count).sum::<u64>(), 2);
    }
}
