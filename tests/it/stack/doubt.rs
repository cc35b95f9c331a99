//! E-mails of which the sender does not know whether SES took them, and the events that tell.

use fault_proxy::{Fault, Feedback, FeedbackEvent, Rule, StatusCode};

use super::fact::{Fact, all_survive, count, emails_of, outcome};
use super::harness::{Item, Stack};

/// Seconds after which a message comes back whose function died.
const SOON: u32 = 4;

/// The states that lie behind a delivery.
fn past(delivery: &Item) -> Vec<&str> {
    let trail = delivery.get("trail").and_then(|trail| trail.as_l().ok());
    let states = trail.into_iter().flatten().filter_map(|past| past.as_m().ok());
    states
        .filter_map(|past| past["state"].as_s().ok().map(String::as_str))
        .collect()
}

#[tokio::test]
async fn a_send_event_settles_the_doubt_until_the_second_claim() {
    let stack = Stack::connect().await;
    let failure = Fault::answer_after(StatusCode::INTERNAL_SERVER_ERROR, "InternalFailure", "try again");
    let send = Feedback::of([FeedbackEvent::Send]);
    let cases = [
        ("slow", Fault::DelayAfterMs(10_500), send.clone()),
        ("late", Fault::DropAfter, send.clone().after_ms(8_000)),
        ("lost", Fault::DropAfter, send.clone().after_ms(1_500)),
        ("error", failure, send.clone().after_ms(1_500)),
        ("twice", Fault::DropAfter, send.after_ms(1_500).times(2)),
    ];
    let mut facts = Vec::new();
    for (name, fault, feedback) in cases {
        let fact = Fact::new(&stack, name);
        fact.feedback(feedback).await;
        let rule = fact.once("SendEmail", fault).await;
        fact.publish().await;
        // One after the other: those of one batch would wait for the slow one.
        stack.applied(rule).await;
        facts.push(fact);
    }
    for fact in &facts {
        let delivery = fact.ended("email").await;
        assert_eq!(
            (outcome(&delivery).0, count(&delivery, "attempt")),
            ("sent", 1),
            "{}",
            fact.order
        );
    }
    stack.drained().await;
    for fact in &facts {
        assert_eq!(fact.offers().await.len(), 1, "{}", fact.order);
    }
    for fact in &facts[1..] {
        assert_eq!(past(&fact.ended("email").await), ["in_doubt"], "{}", fact.order);
    }
    stack.proxy.clear_feedback().await.unwrap();
}

#[tokio::test]
async fn a_reply_and_a_send_event_that_are_both_lost_make_two_copies_and_no_more() {
    let stack = Stack::connect().await;
    // Exempt, expected number 2: nothing tells in time that SES took the first one.
    let too_late = Fact::new(&stack, "too-late");
    too_late
        .feedback(Feedback::of([FeedbackEvent::Send]).after_ms(14_000))
        .await;
    let killed = Fact::new(&stack, "killed");
    let rules = [
        too_late.once("SendEmail", Fault::DropAfter).await,
        killed.once("SendEmail", Fault::KillAfter).await,
    ];
    let facts = [too_late, killed];
    stack
        .impatient(SOON, &["email"], async {
            for (fact, rule) in facts.iter().zip(rules) {
                fact.publish().await;
                stack.applied(rule).await;
            }
            for delivery in all_survive(&facts, "email").await {
                assert_eq!(
                    (outcome(&delivery).0, count(&delivery, "failures")),
                    ("sent", 1),
                    "{delivery:?}"
                );
            }
            stack.drained().await;
        })
        .await;
    assert_eq!(emails_of(&facts).await, [2, 2]);
    stack.proxy.clear_feedback().await.unwrap();
}

#[tokio::test]
async fn a_bounce_that_is_told_before_our_own_sent_was_written_stays() {
    let stack = Stack::connect().await;
    let fact = Fact::new(&stack, "early");
    fact.feedback(Feedback::of([FeedbackEvent::hard_bounce()])).await;
    let settle = Rule::on("BatchExecuteStatement", Fault::DelayMs(2_000))
        .called_by("email-notification")
        .skipping(1)
        .times(1);
    let settle = fact.fault(settle).await;
    fact.publish().await;
    let delivery = fact.until("email", "bounced").await;
    assert_eq!(past(&delivery), Vec::<&str>::new());
    stack.hit(settle, "BatchExecuteStatement").await;
    stack.drained().await;
    let delivery = fact.until("email", "bounced").await;
    assert_eq!((outcome(&delivery).1, fact.emails().await), ("hard_bounce: General", 1));
    stack.proxy.clear_feedback().await.unwrap();
}
