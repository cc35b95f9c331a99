//! Notes on their way into customers' inboxes.

use aws::DynamoInbox;
use domain::ports::{InboxLoad, InboxMark};
use domain::{InboxPage, Note, UserId};
use fault_proxy::{Fault, Rule};
use serde_json::json;

use super::fact::{Fact, all_survive, count, outcome};
use super::harness::{Stack, eventually};

/// Seconds after which a message comes back whose function died.
const SOON: u32 = 4;

const SENDER: &str = "in-app-notification";

/// The table of inboxes.
pub(super) fn inbox(stack: &Stack) -> DynamoInbox {
    DynamoInbox::new(stack.dynamodb.clone(), stack.name("inbox"))
}

/// The customer's inbox, newest first.
async fn notes_of(stack: &Stack, fact: &Fact<'_>) -> Vec<Note> {
    let user = UserId::try_from(fact.user.as_str()).unwrap();
    let page = inbox(stack).page(&user, None, InboxPage::LONGEST, false).await;
    page.unwrap().notes
}

fn in_app<'s>(stack: &'s Stack, name: &str) -> Fact<'s> {
    Fact::by(stack, name, &["in_app"])
}

#[tokio::test]
async fn an_event_reaches_the_inbox_once_however_often_it_is_published() {
    let stack = Stack::connect().await;
    let fact = in_app(&stack, "thrice");
    for _time in 0..3 {
        fact.publish().await;
    }
    assert_eq!(outcome(&fact.ended("in_app").await), ("sent", ""));
    stack.drained().await;
    fact.publish().await;
    stack.drained().await;
    let notes = notes_of(&stack, &fact).await;
    assert_eq!(notes.len(), 1);
    let note = &notes[0];
    assert_eq!(note.id.to_string(), fact.id);
    assert_eq!(
        note.order.as_ref().map(domain::OrderId::as_str),
        Some(fact.order.as_str())
    );
    assert_eq!((note.status, note.read_at), (Some(domain::OrderStatus::Shipped), None));
    assert!(note.body.contains(&fact.order), "{}", note.body);
}

#[tokio::test]
async fn a_note_is_written_in_the_customers_language() {
    let stack = Stack::connect().await;
    let fact = in_app(&stack, "speaks-romanian");
    stack
        .store_preferences(&json!({"userId": fact.user, "language": "ro"}))
        .await;
    fact.publish().await;
    fact.ended("in_app").await;
    let notes = notes_of(&stack, &fact).await;
    assert_eq!(notes[0].language, domain::Language::Ro);
    assert_eq!(notes[0].title, "Comanda dumneavoastră este pe drum");
}

#[tokio::test]
async fn whoever_wants_no_notes_and_whoever_has_no_account_gets_none() {
    let stack = Stack::connect().await;
    let fact = in_app(&stack, "wants-none");
    stack
        .store_preferences(&json!({"userId": fact.user, "preferences": {"in_app": {"order_status_update": false}}}))
        .await;
    fact.publish().await;
    assert_eq!(outcome(&fact.ended("in_app").await), ("skipped", "opted_out"));
    assert!(notes_of(&stack, &fact).await.is_empty());

    let guest = in_app(&stack, "guest").with(&json!({"userId": null}));
    guest.publish().await;
    assert_eq!(outcome(&guest.ended("in_app").await), ("skipped", "no_address"));
}

#[tokio::test]
async fn whoever_opted_out_while_the_note_waited_gets_none() {
    let stack = Stack::connect().await;
    let then = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(3);
    let fact = in_app(&stack, "changes-mind").with(&json!({"scheduledFor": then.to_string()}));
    fact.publish().await;
    fact.until("in_app", "deferred").await;
    stack
        .store_preferences(&json!({"userId": fact.user, "preferences": {"in_app": {"order_status_update": false}}}))
        .await;
    assert_eq!(outcome(&fact.ended("in_app").await), ("skipped", "opted_out"));
    assert!(notes_of(&stack, &fact).await.is_empty());
}

#[tokio::test]
async fn a_put_whose_replies_are_lost_is_one_note_and_what_was_read_stays_read() {
    let stack = Stack::connect().await;
    let fact = in_app(&stack, "lost");
    // Three: as often as the SDK asks.
    fact.fault(Rule::on("PutItem", Fault::DropAfter).called_by(SENDER).times(3))
        .await;
    fact.publish().await;
    let note = eventually("the note", async || notes_of(&stack, &fact).await.pop()).await;
    let user = UserId::try_from(fact.user.as_str()).unwrap();
    let read_at = jiff::Timestamp::from_millisecond(note.created_at.as_millisecond() + 1).unwrap();
    assert!(inbox(&stack).mark(&user, note.id, read_at).await.unwrap());
    let delivery = fact.ended("in_app").await;
    assert_eq!(outcome(&delivery), ("sent", ""));
    assert_eq!(
        (count(&delivery, "attempt"), count(&delivery, "failures")),
        (2, 0),
        "{delivery:?}"
    );
    let notes = notes_of(&stack, &fact).await;
    assert_eq!((notes.len(), notes[0].read_at), (1, Some(read_at)));
    assert_eq!(inbox(&stack).unread(&user).await.unwrap().count, 0);
}

#[tokio::test]
async fn a_sender_killed_at_any_of_its_calls_leaves_one_note() {
    let stack = Stack::connect().await;
    let calls = [
        ("claim", "BatchExecuteStatement", 0),
        ("put", "PutItem", 0),
        ("settle", "BatchExecuteStatement", 1),
    ];
    let deaths = [
        ("before", Fault::Kill),
        ("after", Fault::KillAfter),
        ("answered", Fault::KillAnswered),
    ];
    stack
        .impatient(SOON, &["in-app"], async {
            let mut facts = Vec::new();
            for (name, operation, skip) in calls {
                for (when, death) in &deaths {
                    let fact = in_app(&stack, &format!("{name}-{when}"));
                    let rule = Rule::on(operation, death.clone())
                        .called_by(SENDER)
                        .skipping(skip)
                        .times(1);
                    let rule = fact.fault(rule).await;
                    fact.publish().await;
                    stack.hit(rule, operation).await;
                    fact.owner_died("in_app").await;
                    facts.push(fact);
                }
            }
            let deliveries = all_survive(&facts, "in_app").await;
            assert!(
                deliveries.iter().all(|delivery| outcome(delivery).0 == "sent"),
                "{deliveries:?}"
            );
            stack.drained().await;
            for fact in &facts {
                assert_eq!(notes_of(&stack, fact).await.len(), 1, "{}", fact.order);
            }
        })
        .await;
}

#[tokio::test]
async fn a_table_that_forbids_uses_up_no_try_and_everything_is_there_afterwards() {
    let stack = Stack::connect().await;
    let fact = in_app(&stack, "forbidden");
    let refusal = Fault::answer(
        fault_proxy::StatusCode::BAD_REQUEST,
        "com.amazon.coral.service#AccessDeniedException",
        "not authorized",
    );
    fact.fault(Rule::on("PutItem", refusal).called_by(SENDER).times(2))
        .await;
    fact.publish().await;
    let delivery = fact.ended("in_app").await;
    assert_eq!(
        (
            outcome(&delivery),
            count(&delivery, "attempt"),
            count(&delivery, "failures")
        ),
        (("sent", ""), 3, 0),
        "{delivery:?}"
    );
    assert_eq!(notes_of(&stack, &fact).await.len(), 1);
}
