//! Functions that end in the middle of their work: killed before a call, after it and once it is answered, out of memory, out
//! of time. Nothing of theirs runs any more, as on Lambda.

use fault_proxy::{Fault, Feedback, FeedbackEvent, Rule};
use serde_json::Value;

use super::fact::{Fact, all_survive, emails_of, outcome};
use super::harness::{Item, Stack, eventually};

/// Seconds after which a message comes back whose function died.
const SOON: u32 = 4;

/// The three ways to die of a call.
const DEATHS: [(&str, Fault); 3] = [
    ("before", Fault::Kill),
    ("after", Fault::KillAfter),
    ("answered", Fault::KillAnswered),
];

/// Lets `function` die at a call about this fact, and waits until it is dead.
async fn kill(stack: &Stack, fact: &Fact<'_>, function: &str, (operation, skip): (&str, u64), death: Fault) {
    let rule = Rule::on(operation, death).called_by(function).skipping(skip).times(1);
    let rule = fact.fault(rule).await;
    fact.publish().await;
    let call = stack.hit(rule, operation).await;
    let deed = eventually("the death", async || {
        let calls = stack.proxy.calls(operation, "").await.unwrap();
        let call = calls.into_iter().find(|call| call.rule == Some(rule));
        call.and_then(|call| call.done_to_caller)
    })
    .await;
    assert!(deed.starts_with("killed"), "{deed}: {call:?}");
    for channel in ["email", "sms"] {
        fact.owner_died(channel).await;
    }
}

#[tokio::test]
async fn a_sender_killed_at_any_of_its_calls_sends_its_email_once() {
    let stack = Stack::connect().await;
    let calls = [
        ("claim", ("BatchExecuteStatement", 0)),
        ("look", ("BatchGetItem", 0)),
        ("send", ("SendEmail", 0)),
        ("settle", ("BatchExecuteStatement", 1)),
    ];
    stack
        .impatient(SOON, &["email"], async {
            let mut facts = Vec::new();
            for (name, call) in calls {
                for (when, death) in DEATHS {
                    let fact = Fact::new(&stack, &format!("{name}-{when}"));
                    fact.feedback(Feedback::of([FeedbackEvent::Send])).await;
                    kill(&stack, &fact, "email-notification", call, death).await;
                    facts.push(fact);
                }
            }
            let deliveries = all_survive(&facts, "email").await;
            assert!(
                deliveries.iter().all(|delivery| outcome(delivery).0 == "sent"),
                "{deliveries:?}"
            );
            stack.drained().await;
            assert_eq!(emails_of(&facts).await, [1; 12]);
        })
        .await;
    stack.proxy.clear_feedback().await.unwrap();
}

#[tokio::test]
async fn a_sender_killed_at_its_sms_never_sends_a_second_one() {
    let stack = Stack::connect().await;
    stack
        .impatient(SOON, &["sms"], async {
            let mut facts = Vec::new();
            for (when, death) in DEATHS {
                let fact = Fact::by(&stack, when, &["sms"]);
                kill(&stack, &fact, "sms-notification", ("Publish", 0), death).await;
                facts.push(fact);
            }
            let deliveries = all_survive(&facts, "sms").await;
            // SNS gives no way to know: whatever the owner could not write down any more is a failure with its reason.
            let is_told = |delivery: &Item| matches!(outcome(delivery), ("failed", "in_doubt") | ("sent", ""));
            assert!(deliveries.iter().all(is_told), "{deliveries:?}");
            stack.drained().await;
            let mut texts = Vec::new();
            for fact in &facts {
                texts.push(fact.texts().await);
            }
            assert_eq!(texts, [0, 1, 1]);
        })
        .await;
}

#[tokio::test]
async fn an_orchestrator_killed_at_any_of_its_calls_loses_nothing_and_says_nothing_twice() {
    let stack = Stack::connect().await;
    let calls = [
        ("look", ("BatchGetItem", 0)),
        ("record", ("BatchExecuteStatement", 0)),
        ("first-queue", ("SendMessageBatch", 0)),
        ("second-queue", ("SendMessageBatch", 1)),
    ];
    stack
        .impatient(SOON, &["notifications"], async {
            let mut facts = Vec::new();
            for (name, call) in calls {
                for (when, death) in DEATHS {
                    let fact = Fact::by(&stack, &format!("{name}-{when}"), &["email", "sms"]);
                    kill(&stack, &fact, "notification-orchestrator", call, death).await;
                    facts.push(fact);
                }
            }
            for fact in &facts {
                let (email, sms) = (fact.ended("email").await, fact.ended("sms").await);
                assert_eq!((outcome(&email).0, outcome(&sms).0), ("sent", "sent"), "{}", fact.order);
            }
            stack.drained().await;
            for fact in &facts {
                assert_eq!((fact.emails().await, fact.texts().await), (1, 1), "{}", fact.order);
            }
        })
        .await;
}

#[tokio::test]
async fn a_report_whose_function_is_killed_while_writing_it_down_is_written_down() {
    let stack = Stack::connect().await;
    let calls = [("look", ("BatchGetItem", 0)), ("write", ("BatchExecuteStatement", 0))];
    stack
        .impatient(SOON, &["delivery-events"], async {
            let mut facts = Vec::new();
            for (name, (operation, skip)) in calls {
                for (when, death) in DEATHS {
                    let fact = Fact::new(&stack, &format!("{name}-{when}"));
                    fact.feedback(Feedback::of([FeedbackEvent::Delivery]).after_ms(300))
                        .await;
                    let rule = Rule::on(operation, death)
                        .called_by("delivery-events")
                        .containing(&fact.id)
                        .skipping(skip)
                        .times(1);
                    let rule = stack.proxy.add_rule(&rule).await.unwrap();
                    fact.publish().await;
                    stack.hit(rule, operation).await;
                    facts.push(fact);
                }
            }
            for fact in &facts {
                fact.until("email", "delivered").await;
                assert_eq!(fact.emails().await, 1, "{}", fact.order);
            }
            stack.reports_taken_in().await;
        })
        .await;
    stack.proxy.clear_feedback().await.unwrap();
}

/// Ten facts in one batch, the fifth of which meets this fault as it is sent.
async fn ten_with(stack: &Stack, fault: Fault) {
    let everybody = Feedback::of([FeedbackEvent::Send]).containing(stack.unique(""));
    stack.proxy.add_feedback(&everybody).await.unwrap();
    let facts: Vec<Fact<'_>> = (0..10).map(|n| Fact::new(stack, &format!("n{n}"))).collect();
    let rule = Rule::on("SendEmail", fault)
        .containing(stack.unique(""))
        .skipping(4)
        .times(1);
    let rule = stack.proxy.add_rule(&rule).await.unwrap();
    let texts: Vec<String> = facts.iter().map(|fact| Value::to_string(&fact.event)).collect();
    stack.put_on_queue("notifications", &texts).await;
    stack.hit(rule, "SendEmail").await;
    let deliveries = all_survive(&facts, "email").await;
    assert!(
        deliveries.iter().all(|delivery| outcome(delivery).0 == "sent"),
        "{deliveries:?}"
    );
    stack.drained().await;
    assert_eq!(emails_of(&facts).await, [1; 10]);
    stack.proxy.clear_feedback().await.unwrap();
}

#[tokio::test]
async fn the_neighbours_of_a_killed_batch_are_sent_once_each() {
    let stack = Stack::connect().await;
    stack
        .impatient(SOON, &["email"], ten_with(&stack, Fault::KillAfter))
        .await;
}

#[tokio::test]
async fn a_sender_out_of_memory_in_the_middle_of_a_batch_sends_each_email_once() {
    let stack = Stack::connect().await;
    stack
        .impatient(SOON, &["email"], ten_with(&stack, Fault::Exhaust))
        .await;
}
