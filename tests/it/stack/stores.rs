//! DynamoDB and SQS that throttle, conflict, fail in part, or lose their replies.

use fault_proxy::{Fault, Rule, StatusCode};
use futures_util::future::join_all;
use serde_json::json;

use super::fact::{Fact, count, emails_of, outcome};
use super::harness::{Stack, results};

/// The functions that a fact passes.
const ORCHESTRATOR: &str = "notification-orchestrator";
const SENDER: &str = "email-notification";

fn too_much() -> Fault {
    Fault::answer(
        StatusCode::BAD_REQUEST,
        "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
        "The level of configured provisioned throughput for the table was exceeded.",
    )
}

/// An answer that fails the one statement of a batch.
fn failed_statement(code: &str) -> Fault {
    Fault::AnswerWith {
        status: StatusCode::OK,
        body: json!({"Responses": [{"Error": {"Code": code, "Message": "try again"}}]}),
    }
}

/// Publishes one fact for each rule, which holds for that fact alone; all of them are sent, once.
async fn each_is_sent_once(rules: &[(&str, Rule)]) {
    let stack = Stack::connect().await;
    let mut facts = Vec::new();
    for (name, rule) in rules {
        let fact = Fact::new(&stack, name);
        let rule = fact.fault(rule.clone()).await;
        fact.publish().await;
        // One after the other, so that no fact suffers from another's rule.
        stack.applied(rule).await;
        facts.push(fact);
    }
    let deliveries = join_all(facts.iter().map(|fact| fact.ended("email"))).await;
    for (delivery, (name, _)) in deliveries.iter().zip(rules) {
        assert_eq!(
            (outcome(delivery), count(delivery, "failures")),
            (("sent", ""), 0),
            "{name}"
        );
    }
    stack.drained().await;
    assert_eq!(emails_of(&facts).await, vec![1; rules.len()]);
}

#[tokio::test]
async fn throttled_by_dynamodb_nothing_is_lost_and_no_try_used_up() {
    let rule = |operation: &str, function: &str, skip| {
        Rule::on(operation, too_much())
            .called_by(function)
            .skipping(skip)
            .times(4)
    };
    each_is_sent_once(&[
        ("look", rule("BatchGetItem", ORCHESTRATOR, 0)),
        ("record", rule("BatchExecuteStatement", ORCHESTRATOR, 0)),
        ("claim", rule("BatchExecuteStatement", SENDER, 0)),
        ("look-again", rule("BatchGetItem", SENDER, 0)),
        ("settle", rule("BatchExecuteStatement", SENDER, 1)),
    ])
    .await;
}

#[tokio::test]
async fn a_statement_that_fails_alone_is_made_again() {
    let rule = |code: &str, function: &str, skip| {
        Rule::on("BatchExecuteStatement", failed_statement(code))
            .called_by(function)
            .skipping(skip)
            .times(2)
    };
    each_is_sent_once(&[
        ("record", rule("ThrottlingError", ORCHESTRATOR, 0)),
        ("conflict", rule("TransactionConflict", ORCHESTRATOR, 0)),
        ("claim", rule("ProvisionedThroughputExceeded", SENDER, 0)),
        ("settle", rule("InternalServerError", SENDER, 1)),
    ])
    .await;
}

#[tokio::test]
async fn a_lost_reply_to_our_own_write_is_recognised() {
    let rule = |fault: Fault, function: &str, skip| {
        Rule::on("BatchExecuteStatement", fault)
            .called_by(function)
            .skipping(skip)
            .times(1)
    };
    let failure = || Fault::answer_after(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError", "try again");
    each_is_sent_once(&[
        ("record-lost", rule(Fault::DropAfter, ORCHESTRATOR, 0)),
        ("record-error", rule(failure(), ORCHESTRATOR, 0)),
        ("claim-lost", rule(Fault::DropAfter, SENDER, 0)),
        ("claim-error", rule(failure(), SENDER, 0)),
        ("settle-lost", rule(Fault::DropAfter, SENDER, 1)),
        ("settle-error", rule(failure(), SENDER, 1)),
    ])
    .await;
}

#[tokio::test]
async fn a_claim_whose_replies_are_all_lost_is_recognised_too() {
    // More often than the SDK tries by itself.
    let lost = Rule::on("BatchExecuteStatement", Fault::DropAfter)
        .called_by(SENDER)
        .times(3);
    each_is_sent_once(&[("claim", lost)]).await;
}

#[tokio::test]
async fn a_hand_over_that_fails_for_one_queue_is_made_good_and_the_other_is_not_repeated() {
    let stack = Stack::connect().await;
    let fact = Fact::by(&stack, "ana", &["email", "sms"]);
    let failed = Fault::AnswerWith {
        status: StatusCode::OK,
        body: json!({"Successful": [], "Failed": [{"Id": "0", "SenderFault": false, "Code": "InternalError"},
            {"Id": "1", "SenderFault": false, "Code": "InternalError"}]}),
    };
    fact.fault(Rule::on("SendMessageBatch", failed).called_by(ORCHESTRATOR).times(1))
        .await;
    fact.publish().await;
    let item = stack.settled(&fact.order).await;
    assert!(
        results(&item)
            .iter()
            .all(|(channel, (outcome, _))| outcome == "sent" || channel == "push" || channel == "in_app"),
        "{item:?}"
    );
    stack.drained().await;
    assert_eq!((fact.emails().await, fact.texts().await), (1, 1));
}
