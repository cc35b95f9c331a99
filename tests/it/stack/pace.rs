//! Many messages and a provider that takes few.

use fault_proxy::{Fault, Rule, RuleId, StatusCode};
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

use super::fact::{Fact, accepted, count, emails_of, outcome};
use super::harness::{Stack, eventually};

async fn put_all(stack: &Stack, facts: &[Fact<'_>]) {
    for ten in facts.chunks(10) {
        let texts: Vec<String> = ten.iter().map(|fact| Value::to_string(&fact.event)).collect();
        stack.put_on_queue("notifications", &texts).await;
    }
}

/// Nineteen of twenty calls are told to wait.
async fn throttle(stack: &Stack) -> Vec<RuleId> {
    let patience = Fault::answer(
        StatusCode::TOO_MANY_REQUESTS,
        "TooManyRequestsException",
        "Maximum sending rate exceeded.",
    );
    let mut rules = Vec::new();
    for _ in 0..10 {
        for (fault, times) in [(patience.clone(), 19), (Fault::DelayMs(0), 1)] {
            let rule = Rule::on("SendEmail", fault).containing(stack.unique("")).times(times);
            rules.push(stack.proxy.add_rule(&rule).await.unwrap());
        }
    }
    rules
}

#[tokio::test]
async fn throttled_at_95_percent_each_email_is_sent_once_and_hardly_a_call_is_made_in_vain() {
    let stack = Stack::connect().await;
    stack.recover_pace().await;
    let buried = stack.dead_letter_count().await;
    let facts: Vec<Fact<'_>> = (0..30).map(|n| Fact::new(&stack, &format!("n{n}"))).collect();
    let rules = throttle(&stack).await;
    let begin = Instant::now();
    put_all(&stack, &facts).await;
    // The fault lasts until the pace has fallen, and little is offered any more.
    eventually("fifteen calls", async || {
        let calls = stack.proxy.calls("SendEmail", &stack.unique("")).await.unwrap();
        (calls.len() >= 15).then_some(())
    })
    .await;
    let lasted = begin.elapsed();
    for rule in rules {
        stack.proxy.remove_rule(rule).await.unwrap();
    }
    let meanwhile = stack.proxy.calls("SendEmail", &stack.unique("")).await.unwrap();
    stack.recover_pace().await;
    let start = Instant::now();
    let deliveries = join_all(facts.iter().map(|fact| fact.ended("email"))).await;
    for delivery in &deliveries {
        assert_eq!(
            (outcome(delivery), count(delivery, "failures")),
            (("sent", ""), 0),
            "{delivery:?}"
        );
    }
    let calls = stack.proxy.calls("SendEmail", &stack.unique("")).await.unwrap();
    println!(
        "[figures] 95 % throttled for {:.1} s, 30 e-mails: {} calls while throttled ({} accepted), {} in all, {:.2} per accepted e-mail; {:.1} s to send the rest",
        lasted.as_secs_f64(),
        meanwhile.len(),
        accepted(&meanwhile),
        calls.len(),
        calls.len() as f64 / 30.0,
        start.elapsed().as_secs_f64()
    );
    assert_eq!(emails_of(&facts).await, [1; 30]);
    // The pace needs some seconds to fall from fourteen calls per second to one in two; from then on nearly all is held back.
    assert!(calls.len() <= 60, "{} calls for 30 e-mails", calls.len());
    stack.drained().await;
    assert_eq!(stack.dead_letter_count().await, buried);
    stack.recover_pace().await;
}

/// How many e-mails of this test SES took so far.
async fn sent_before(stack: &Stack) -> usize {
    accepted(&stack.proxy.calls("SendEmail", &stack.unique("")).await.unwrap())
}

#[tokio::test]
async fn an_urgent_email_does_not_wait_behind_all_the_others() {
    let stack = Stack::connect().await;
    stack.recover_pace().await;
    let facts: Vec<Fact<'_>> = (0..120).map(|n| Fact::new(&stack, &format!("n{n}"))).collect();
    put_all(&stack, &facts).await;
    eventually("the first ones to be sent", async || {
        (sent_before(&stack).await >= 10).then_some(())
    })
    .await;
    let urgent = Fact::new(&stack, "urgent").with(&json!({"priority": "urgent"}));
    let start = Instant::now();
    urgent.publish().await;
    urgent.until("email", "sent").await;
    let took = start.elapsed();
    let before = sent_before(&stack).await;
    assert!(
        took < Duration::from_secs(5) && before < 80,
        "{took:?}, {before} before it"
    );
    let deliveries = join_all(facts.iter().map(|fact| fact.ended("email"))).await;
    assert!(deliveries.iter().all(|delivery| outcome(delivery) == ("sent", "")));
    println!(
        "[figures] 120 e-mails waiting: the urgent one took {:.1} s, {before} went before it; the last one went after {:.1} s",
        took.as_secs_f64(),
        start.elapsed().as_secs_f64()
    );
    assert_eq!(emails_of(&facts).await, [1; 120]);
    stack.drained().await;
}
