//! A run: one canary lands, the next one flies, and everything is asked how it is.

use aws::{AwsDependencies, Connection, DynamoFlightLog, DynamoLedger, SnsTopic};
use domain::UserId;
use domain::ports::Clock;
use futures_util::future::join;
use jiff::{Timestamp, Unit};
use lambda::{Call, Metrics, Reply, SystemClock};
use pipeline::{Canary, Flown, Reading, checkup};
use serde::Deserialize;
use std::time::Duration;

use crate::config::Config;
use crate::told::{tell, tell_of_health};

/// What the topic is told as the origin of a canary.
const ORIGIN: &str = "canary";

/// The longest that landing and flying may take; a run has thirty seconds, and says something at the end of them.
const LONGEST: Duration = Duration::from_secs(20);

/// It writes nothing to the ledger: for how long things are kept there is not its business.
const NO_RETENTION: i64 = 0;

/// Keeps canaries, and looks after everything else as well.
#[derive(Debug)]
pub(crate) struct Keeper {
    ledger: DynamoLedger,
    log: DynamoFlightLog,
    door: SnsTopic,
    dependencies: AwsDependencies<SystemClock>,
    reading: Reading,
    user: UserId,
    email: String,
}

/// What woke us up: an event of the schedule, which names the moment for which it was planned, or a call by hand, which need not.
#[derive(Deserialize)]
struct Wake {
    time: Option<Timestamp>,
}

impl Keeper {
    /// Builds it: every client once.
    pub(crate) fn new(config: Config, connection: &Connection) -> Result<Self, lambda_runtime::Error> {
        let dynamodb = connection.dynamodb();
        Ok(Self {
            ledger: DynamoLedger::new(dynamodb.clone(), config.ledger_table, NO_RETENTION),
            log: DynamoFlightLog::new(dynamodb, config.system_state_table),
            door: SnsTopic::new(connection.topics(), config.topic_arn, ORIGIN),
            dependencies: AwsDependencies::new(connection, config.places, SystemClock)?,
            reading: config.reading,
            user: config.user,
            email: config.email,
        })
    }

    /// Handles one call.
    pub(crate) async fn handle(&self, call: Call) -> Reply {
        let mut metrics = Metrics::default();
        let Some(slot) = slot_of(&call.payload, SystemClock.now()) else {
            return Reply {
                value: Err("time: expected a moment such as 2026-11-20T10:05:00Z, or no time at all".into()),
                metrics,
            };
        };
        let canary = Canary {
            ledger: &self.ledger,
            log: &self.log,
            door: &self.door,
            clock: &SystemClock,
            reading: &self.reading,
            user: &self.user,
            email: &self.email,
        };
        let flight = tokio::time::timeout(LONGEST, canary.fly(slot));
        let (flown, health) = join(flight, checkup(&self.dependencies, &SystemClock)).await;
        let flown = flown.unwrap_or_else(|_elapsed| Flown::cut_off(LONGEST.as_secs()));
        let canary = tell(&flown, &mut metrics);
        let down = tell_of_health(&health, &mut metrics);
        Reply {
            value: Ok(serde_json::json!({"canary": canary, "down": down})),
            metrics,
        }
    }
}

/// The slot of a run, to the second: a schedule that wakes us twice for one moment has us run once.
fn slot_of(payload: &str, now: Timestamp) -> Option<Timestamp> {
    let wake: Wake = serde_json::from_str(payload).ok()?;
    wake.time.unwrap_or(now).round(Unit::Second).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_slot_is_the_moment_for_which_the_run_was_planned() {
        let payload =
            r#"{"version":"0","id":"1","detail-type":"Scheduled Event","time":"2026-11-20T10:05:00Z","detail":{}}"#;
        assert_eq!(
            slot_of(payload, at("2026-11-20T10:05:41Z")),
            Some(at("2026-11-20T10:05:00Z"))
        );
    }

    #[test]
    fn a_call_by_hand_is_a_run_of_now() {
        assert_eq!(
            slot_of("{}", at("2026-11-20T10:05:41.2Z")),
            Some(at("2026-11-20T10:05:41Z"))
        );
    }

    #[test]
    fn what_names_no_moment_is_no_run() {
        for payload in [r#"{"time":"soon"}"#, r#"{"time":7}"#, "7", "", "[]]"] {
            assert_eq!(slot_of(payload, at("2026-11-20T10:05:41Z")), None, "{payload}");
        }
    }
}
