//! A customer's inbox, logged in: through the gateway, with real tokens.

use domain::UserId;
use domain::ports::InboxLoad;
use fault_proxy::{Fault, Rule, StatusCode};
use serde_json::{Value, json};

use super::api::{Customer, json_of};
use super::fact::Fact;
use super::harness::Stack;
use super::in_app::inbox;

/// A customer who is logged in, with a note of each of these statuses in the inbox, one after the other.
async fn with_notes(stack: &Stack, name: &str, statuses: &[&str]) -> (Customer, String) {
    let fact = Fact::by(stack, name, &["in_app"]);
    for status in statuses {
        let news = fact.at_status(status);
        news.publish().await;
        news.ended("in_app").await;
    }
    (Customer::log_in(&fact.user).await, fact.user)
}

fn statuses(page: &Value) -> Vec<&str> {
    let notes = page["notifications"].as_array().unwrap();
    notes.iter().map(|note| note["status"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn an_inbox_is_paged_marked_and_counted() {
    let stack = Stack::connect().await;
    let (ana, _) = with_notes(&stack, "ana", &["confirmed", "shipped", "delivered"]).await;
    assert_eq!(
        ana.get("/notifications/unread-count").await,
        json!({"count": 3, "isMore": false})
    );
    let first = ana.get("/notifications?limit=2").await;
    assert_eq!(statuses(&first), ["delivered", "shipped"]);
    let cursor = first["nextCursor"].as_str().unwrap();
    let second = ana.get(&format!("/notifications?limit=2&cursor={cursor}")).await;
    assert_eq!(
        (statuses(&second), &second["nextCursor"]),
        (vec!["confirmed"], &Value::Null)
    );

    let shipped = first["notifications"][1]["id"].as_str().unwrap();
    let path = format!("/notifications/{shipped}/read");
    for _time in 0..2 {
        assert_eq!(ana.ask("PATCH", &path, &[], None).await.status, 204);
    }
    assert_eq!(ana.get("/notifications/unread-count").await["count"], json!(2));
    let unread = ana.get("/notifications?unread=true&limit=1").await;
    assert_eq!(statuses(&unread), ["delivered"]);
    let cursor = unread["nextCursor"].as_str().unwrap();
    let rest = ana.get(&format!("/notifications?unread=true&cursor={cursor}")).await;
    assert_eq!(statuses(&rest), ["confirmed"]);

    let answer = ana.ask("PATCH", "/notifications/read-all", &[], None).await;
    assert_eq!(
        (answer.status, json_of(&answer)),
        (200, json!({"marked": 2, "isMore": false}))
    );
    assert_eq!(ana.get("/notifications/unread-count").await["count"], json!(0));
    assert_eq!(
        ana.get("/notifications?unread=true").await,
        json!({"notifications": []})
    );
    assert!(ana.get("/notifications").await["notifications"][0]["readAt"].is_string());
}

#[tokio::test]
async fn nobody_reads_or_marks_the_notes_of_another() {
    let stack = Stack::connect().await;
    let (ana, user) = with_notes(&stack, "owner", &["confirmed", "shipped"]).await;
    let (eva, _) = with_notes(&stack, "stranger", &["delivered"]).await;
    let page = ana.get("/notifications?limit=1").await;
    let id = page["notifications"][0]["id"].as_str().unwrap();
    let others = eva.ask("PATCH", &format!("/notifications/{id}/read"), &[], None).await;
    let nobodys = "/notifications/00000000-0000-8000-8000-000000000000/read";
    let nobodys = eva.ask("PATCH", nobodys, &[], None).await;
    assert_eq!(others.status, 404);
    assert_eq!((others.status, &others.body), (nobodys.status, &nobodys.body));
    // Places in another's inbox are places in one's own.
    let cursor = page["nextCursor"].as_str().unwrap();
    let shown = eva.get(&format!("/notifications?cursor={cursor}")).await;
    assert!(statuses(&shown).iter().all(|status| *status == "delivered"), "{shown}");
    eva.ask("PATCH", "/notifications/read-all", &[], None).await;
    let user = UserId::try_from(user).unwrap();
    assert_eq!(inbox(&stack).unread(&user).await.unwrap().count, 2);
}

#[tokio::test]
async fn a_table_that_does_not_answer_is_no_empty_inbox() {
    let stack = Stack::connect().await;
    let (ana, user) = with_notes(&stack, "unlucky", &["shipped"]).await;
    let down = Fault::answer(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError", "try again");
    // Three: as often as the SDK asks.
    let rule = Rule::on("Query", down)
        .called_by("inbox-api")
        .containing(&user)
        .times(3);
    stack.proxy.add_rule(&rule).await.unwrap();
    let answer = ana.ask("GET", "/notifications", &[], None).await;
    assert_eq!(answer.status, 503);
    assert!(answer.headers.contains_key("retry-after"));
    assert_eq!(statuses(&ana.get("/notifications").await), ["shipped"]);
}
