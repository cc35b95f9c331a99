//! Senders that run out of time, and owners that were merely slow.

use fault_proxy::{Fault, Feedback, FeedbackEvent, Rule};
use serde_json::Value;

use super::fact::{Fact, all_survive, count, emails_of, outcome};
use super::harness::Stack;

#[tokio::test]
async fn a_sender_timed_out_in_the_middle_of_a_batch_has_sent_each_email_once() {
    let stack = Stack::connect().await;
    let everybody = Feedback::of([FeedbackEvent::Send]).containing(stack.unique(""));
    stack.proxy.add_feedback(&everybody).await.unwrap();
    let facts: Vec<Fact<'_>> = (0..4).map(|n| Fact::new(&stack, &format!("n{n}"))).collect();
    // The sender stands still, with the fourth answer unread and nothing written down, until Lambda ends it after 30 seconds.
    let rule = Rule::on("SendEmail", Fault::SuspendMs(31_000))
        .containing(stack.unique(""))
        .skipping(3)
        .times(1);
    let rule = stack.proxy.add_rule(&rule).await.unwrap();
    let texts: Vec<String> = facts.iter().map(|fact| Value::to_string(&fact.event)).collect();
    stack
        .impatient(31, &["email"], async {
            stack.put_on_queue("notifications", &texts).await;
            stack.hit(rule, "SendEmail").await;
            let deliveries = all_survive(&facts, "email").await;
            assert!(
                deliveries.iter().all(|delivery| outcome(delivery).0 == "sent"),
                "{deliveries:?}"
            );
            // The batch comes back, and finds everything done.
            stack.drained().await;
        })
        .await;
    assert_eq!(emails_of(&facts).await, [1; 4]);
    stack.proxy.clear_feedback().await.unwrap();
}

#[tokio::test]
async fn an_owner_that_stood_still_notices_that_it_is_too_late_to_send() {
    let stack = Stack::connect().await;
    let fact = Fact::new(&stack, "slow");
    // The claim is answered, and the sender reads it when the last moment for a call of SES, 15 seconds before its end, is over.
    let rule = Rule::on("BatchExecuteStatement", Fault::SuspendMs(16_000))
        .called_by("email-notification")
        .times(1);
    fact.fault(rule).await;
    fact.publish().await;
    let delivery = fact.ended("email").await;
    assert_eq!((outcome(&delivery).0, fact.emails().await), ("sent", 1));
    assert_eq!(
        (count(&delivery, "attempt"), count(&delivery, "failures")),
        (2, 0),
        "{delivery:?}"
    );
    stack.drained().await;
    assert_eq!(fact.offers().await.len(), 1);
}
