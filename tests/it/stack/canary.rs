//! Canaries through the whole stack, and what is asked besides.

use aws_sdk_dynamodb::types::AttributeValue;
use fault_proxy::{Fault, Rule, StatusCode};
use futures_util::FutureExt;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::panic::{AssertUnwindSafe, resume_unwind};

use super::harness::{Item, Stack, eventually, number, outcomes, text};
use super::logs::function_lines;
use super::operator::{ops, ops_json};

/// What lets canaries fly on the stack, run by run.
struct Aviary {
    stack: Stack,
}

impl Aviary {
    async fn open() -> Self {
        Self {
            stack: Stack::connect().await,
        }
    }

    /// A moment for which no run was planned yet.
    async fn slot(&self) -> Timestamp {
        let last = self
            .stack
            .dynamodb
            .get_item()
            .table_name(self.stack.name("system-state"))
            .key("name", AttributeValue::S("canary".to_owned()))
            .consistent_read(true)
            .send()
            .await
            .unwrap();
        let after_last = last.item.map(|item| {
            let last = Timestamp::from_millisecond(number(&item, "slot")).unwrap();
            last + SignedDuration::from_secs(1)
        });
        after_last.unwrap_or(Timestamp::UNIX_EPOCH).max(Timestamp::now())
    }

    async fn run_of(&self, slot: Timestamp) -> Value {
        self.stack.invoke("canary", &json!({"time": slot.to_string()})).await
    }

    /// The next run, as the schedule would have it.
    async fn run(&self) -> Value {
        self.run_of(self.slot().await).await
    }

    /// What the ledger holds of a canary.
    async fn item(&self, id: &Value) -> Option<Item> {
        let found = self
            .stack
            .dynamodb
            .get_item()
            .table_name(self.stack.ledger())
            .key("notificationId", AttributeValue::S(id.as_str()?.to_owned()))
            .consistent_read(true)
            .send()
            .await;
        found.unwrap().item
    }

    /// The canary of this run, once its e-mail is with the provider.
    async fn landed(&self, run: &Value) -> Item {
        eventually("a canary to land", async || {
            let item = self.item(&run["canary"]["flies"]).await?;
            let is_there = ["sent", "delivered"].contains(&outcomes(&item).get("email")?.as_str());
            is_there.then_some(item)
        })
        .await
    }
}

#[tokio::test]
async fn a_canary_that_came_through_is_the_next_runs_success() {
    let aviary = Aviary::open().await;
    let first = aviary.run().await;
    let item = aviary.landed(&first).await;
    assert_eq!(
        (text(&item, "notificationType"), text(&item, "userId")),
        ("test", aviary.stack.name("canary").as_str())
    );
    let second = aviary.run().await;
    assert_eq!(second["canary"]["succeeded"], json!(true), "{second}");
    let milliseconds = second["canary"]["milliseconds"].as_i64().unwrap();
    assert!((0..=120_000).contains(&milliseconds), "{second}");
    for dependency in ["dynamodb", "sqs", "sns", "ses", "secrets", "s3", "api"] {
        assert!(second["down"][dependency].is_null(), "{second}");
    }
    eventually("the metrics of the run", async || {
        function_lines().into_iter().find(|line| {
            line["function"] == "canary"
                && line["CanarySucceeded"] == 1
                && line["CanaryLatency"] == json!([milliseconds])
                && line["DynamoDbDown"] == 0
                && line["DependenciesDown"].is_u64()
        })
    })
    .await;
    aviary.landed(&second).await;
}

#[tokio::test]
async fn a_run_that_is_made_twice_is_one_canary() {
    let aviary = Aviary::open().await;
    let slot = aviary.slot().await;
    let run = aviary.run_of(slot).await;
    assert_eq!(aviary.run_of(slot).await["canary"], json!({}));
    aviary.landed(&run).await;
}

#[tokio::test]
async fn a_canary_whose_queue_is_held_is_a_failure_and_its_channel_is_down() {
    let aviary = Aviary::open().await;
    let held = ops(&[
        "breaker",
        "hold",
        "--channel",
        "email",
        "--why",
        "a canary is to get stuck",
    ])
    .await;
    let journey = AssertUnwindSafe(async {
        let stuck = aviary.run().await;
        assert!(
            stuck["down"]["senders"].as_str().unwrap().starts_with("email: held"),
            "{stuck}"
        );
        eventually("the canary to wait", async || {
            aviary.item(&stuck["canary"]["flies"]).await
        })
        .await;
        let next = aviary.run().await;
        assert_eq!(next["canary"]["succeeded"], json!(false), "{next}");
        assert!(
            next["canary"]["why"]
                .as_str()
                .unwrap()
                .starts_with("its e-mail is queued"),
            "{next}"
        );
        let (code, health) = ops_json(&["health"]).await;
        let senders = health["dependencies"].as_array().unwrap().iter();
        let senders: Vec<&Value> = senders.filter(|line| line["name"] == "senders").collect();
        assert_eq!((code, &senders[0]["isDown"]), (1, &json!(true)), "{health}");
        (stuck, next)
    });
    let end = journey.catch_unwind().await;
    let freed = ops(&[
        "breaker",
        "close",
        "--channel",
        "email",
        "--why",
        "the canary was stuck",
    ])
    .await;
    let (stuck, next) = end.unwrap_or_else(|panic| resume_unwind(panic));
    assert_eq!((held.code, freed.code), (1, 0), "{held:?} {freed:?}");
    aviary.landed(&stuck).await;
    aviary.landed(&next).await;
}

#[tokio::test]
async fn a_canary_that_never_got_in_is_a_failure() {
    let aviary = Aviary::open().await;
    let refusal = Fault::answer(StatusCode::FORBIDDEN, "AuthorizationError", "not allowed");
    let rule = Rule::on("Publish", refusal).called_by("canary");
    let rule = aviary.stack.proxy.add_rule(&rule).await.unwrap();
    let shut_out = aviary.run().await;
    aviary.stack.proxy.remove_rule(rule).await.unwrap();
    let next = aviary.run().await;
    assert_eq!(next["canary"]["why"], "the ledger has never heard of it", "{next}");
    assert!(aviary.item(&shut_out["canary"]["flies"]).await.is_none());
    aviary.landed(&next).await;
}

#[tokio::test]
async fn what_does_not_answer_is_named_and_counted() {
    let aviary = Aviary::open().await;
    let refusal = Fault::answer(StatusCode::FORBIDDEN, "AccessDenied", "not allowed");
    let queue = aviary.stack.name("carrier-events-dead-letters");
    let rule = Rule::on("GetQueueAttributes", refusal)
        .containing(&queue)
        .called_by("canary");
    let rule = aviary.stack.proxy.add_rule(&rule).await.unwrap();
    let run = aviary.run().await;
    aviary.stack.proxy.remove_rule(rule).await.unwrap();
    let why = run["down"]["sqs"].as_str().unwrap();
    assert!(why.starts_with(&format!("{queue}: AccessDenied")), "{run}");
    assert!(run["down"]["dynamodb"].is_null(), "{run}");
    eventually("the metrics of the run", async || {
        function_lines()
            .into_iter()
            .find(|line| line["function"] == "canary" && line["SqsDown"] == 1 && line["SnsDown"] == 0)
    })
    .await;
    aviary.landed(&run).await;
}

#[tokio::test]
async fn ops_health_asks_everything_at_the_terminal() {
    let answer = ops(&["health"]).await;
    for dependency in ["dynamodb", "sqs", "sns", "ses", "secrets", "s3", "api"] {
        let line = answer.out.lines().find(|line| line.starts_with(dependency));
        assert!(line.is_some_and(|line| line.contains("  ok")), "{answer:?}");
    }
}
