//! An account that may not send for a while: nothing fails, nothing is tried in vain, and everything goes out afterwards.

use fault_proxy::{Fault, Rule, StatusCode};
use futures_util::future::join_all;
use serde_json::Value;

use super::fact::{Fact, count, emails_of, outcome};
use super::harness::{Stack, eventually};

/// Whether the queues of a sender flow.
async fn flows(stack: &Stack, function: &str) -> Vec<bool> {
    let output = stack
        .lambda
        .list_event_source_mappings()
        .function_name(format!("{}:live", stack.name(function)))
        .send()
        .await
        .unwrap();
    let states = output
        .event_source_mappings()
        .iter()
        .map(|mapping| mapping.state() == Some("Enabled"));
    states.collect()
}

/// Lets the queues of a sender flow, or holds them.
async fn open_valves(stack: &Stack, function: &str, is_open: bool) {
    let output = stack
        .lambda
        .list_event_source_mappings()
        .function_name(format!("{}:live", stack.name(function)))
        .send()
        .await
        .unwrap();
    for mapping in output.event_source_mappings() {
        stack
            .lambda
            .update_event_source_mapping()
            .uuid(mapping.uuid().unwrap())
            .enabled(is_open)
            .send()
            .await
            .unwrap();
    }
}

/// Ten e-mails meet an account of which SES says this.
async fn held_until_the_account_may_send_again(refusal: Fault) {
    let stack = Stack::connect().await;
    stack.recover_pace().await;
    stack.minute().await;
    let facts: Vec<Fact<'_>> = (0..10).map(|n| Fact::new(&stack, &format!("n{n}"))).collect();
    let rule = Rule::on("SendEmail", refusal).containing(stack.unique(""));
    let rule = stack.proxy.add_rule(&rule).await.unwrap();
    let texts: Vec<String> = facts.iter().map(|fact| Value::to_string(&fact.event)).collect();
    // They meet the account together: what comes by itself a moment later waits for half a minute or more.
    open_valves(&stack, "email-notification", false).await;
    stack.put_on_queue("notifications", &texts).await;
    eventually("all to wait in the queue", async || {
        (stack.depth("email").await == 10).then_some(())
    })
    .await;
    open_valves(&stack, "email-notification", true).await;

    eventually("the breaker to open", async || {
        let traffic = stack.traffic("email").await?;
        traffic.contains_key("breaker").then_some(())
    })
    .await;
    eventually("the queues to be held", async || {
        (flows(&stack, "email-notification").await == [false, false]).then_some(())
    })
    .await;
    let calls = stack.proxy.calls("SendEmail", &stack.unique("")).await.unwrap();
    assert!(calls.len() <= 3, "{} calls", calls.len());

    stack.proxy.remove_rule(rule).await.unwrap();
    eventually("a trial to go through", async || {
        stack.minute().await;
        let traffic = stack.traffic("email").await?;
        (!traffic.contains_key("breaker")).then_some(())
    })
    .await;
    assert_eq!(flows(&stack, "email-notification").await, [true, true]);
    let deliveries = join_all(facts.iter().map(|fact| fact.ended("email"))).await;
    for delivery in &deliveries {
        assert_eq!(
            (outcome(delivery), count(delivery, "failures")),
            (("sent", ""), 0),
            "{delivery:?}"
        );
    }
    stack.drained().await;
    assert_eq!(emails_of(&facts).await, [1; 10]);
}

#[tokio::test]
async fn a_daily_quota_that_is_used_up_holds_the_queues_and_fails_nothing() {
    held_until_the_account_may_send_again(Fault::answer(
        StatusCode::TOO_MANY_REQUESTS,
        "TooManyRequestsException",
        "Daily message quota exceeded.",
    ))
    .await;
}

#[tokio::test]
async fn sending_that_is_paused_holds_the_queues_and_fails_nothing() {
    held_until_the_account_may_send_again(Fault::answer(
        StatusCode::BAD_REQUEST,
        "SendingPausedException",
        "Sending is paused for this account.",
    ))
    .await;
}

#[tokio::test]
async fn a_sender_that_is_not_verified_holds_the_queues_and_fails_nothing() {
    held_until_the_account_may_send_again(Fault::answer(
        StatusCode::BAD_REQUEST,
        "MessageRejected",
        "Email address is not verified. The following identities failed the check in region EU-WEST-1: noreply@e-com67.com",
    ))
    .await;
}
