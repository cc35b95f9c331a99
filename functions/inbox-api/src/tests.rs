//! The routes over inboxes in memory.

use axum::Extension;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use domain::ports::{InboxLoad, InboxMark, Unavailable};
use domain::{InboxPage, InboxPlace, MarkedAll, NotificationId, Unread, UserId};
use jiff::Timestamp;
use lambda_http::request::RequestContext;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use testkit::{MemoryInbox, at, note};
use tower::ServiceExt;
use web::Identity;

use crate::router;

const NOW: i64 = 1_800_000_000;

#[derive(Debug, Clone, Default)]
struct Shared(Arc<MemoryInbox>);

impl InboxLoad for Shared {
    async fn page(
        &self,
        user: &UserId,
        from: Option<InboxPlace>,
        limit: u32,
        unread_only: bool,
    ) -> Result<InboxPage, Unavailable> {
        self.0.page(user, from, limit, unread_only).await
    }
    async fn unread(&self, user: &UserId) -> Result<Unread, Unavailable> {
        self.0.unread(user).await
    }
}

impl InboxMark for Shared {
    async fn mark(&self, user: &UserId, id: NotificationId, now: Timestamp) -> Result<bool, Unavailable> {
        self.0.mark(user, id, now).await
    }
    async fn mark_all(&self, user: &UserId, now: Timestamp) -> Result<MarkedAll, Unavailable> {
        self.0.mark_all(user, now).await
    }
}

impl Shared {
    /// Four notes of Ana's, one of Luis'.
    fn filled() -> Self {
        let inbox = Self::default();
        for nth in 1..=4 {
            inbox.0.put(&user("ana"), &note(nth, at(NOW - 10 + i64::from(nth))));
        }
        inbox.0.put(&user("luis"), &note(9, at(NOW - 20)));
        inbox
    }

    async fn ask(&self, who: &str, method: &str, path: &str) -> (StatusCode, Value) {
        let mut request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        request.extensions_mut().insert(at(NOW));
        request.extensions_mut().insert(context(who));
        let identity = Identity {
            issuer: "issuer".to_owned(),
            audience: vec!["shop".to_owned()],
            user_claim: "sub".to_owned(),
            roles_claim: "roles".to_owned(),
            admin_role: "admin".to_owned(),
        };
        let router = router(self.clone()).layer(Extension(Arc::new(identity)));
        let response = router.oneshot(request).await.unwrap();
        let status = response.status();
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    async fn get(&self, who: &str, path: &str) -> Value {
        let (status, body) = self.ask(who, "GET", path).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        body
    }
}

fn user(name: &str) -> UserId {
    UserId::try_from(name).unwrap()
}

/// What the gateway says of a token that it has checked.
fn context(user: &str) -> RequestContext {
    serde_json::from_value(json!({
        "http": {"method": "GET", "path": "/"},
        "authorizer": {"jwt": {"claims": {"iss": "issuer", "aud": "shop", "sub": user, "exp": (NOW + 60).to_string()}}}
    }))
    .unwrap()
}

fn titles(page: &Value) -> Vec<&str> {
    let notes = page["notifications"].as_array().unwrap();
    notes.iter().map(|note| note["title"].as_str().unwrap()).collect()
}

fn id(nth: u8) -> NotificationId {
    note(nth, at(NOW)).id
}

#[tokio::test]
async fn an_inbox_is_read_page_by_page_newest_first() {
    let inbox = Shared::filled();
    let first = inbox.get("ana", "/notifications?limit=3").await;
    assert_eq!(titles(&first), ["Title 4", "Title 3", "Title 2"]);
    let cursor = first["nextCursor"].as_str().unwrap();
    let second = inbox
        .get("ana", &format!("/notifications?limit=3&cursor={cursor}"))
        .await;
    assert_eq!(
        (titles(&second), &second["nextCursor"]),
        (vec!["Title 1"], &Value::Null)
    );
}

#[tokio::test]
async fn a_note_is_told_with_all_that_an_app_shows() {
    let shown = Shared::filled().get("luis", "/notifications").await;
    let expected = json!({
        "id": id(9).to_string(), "title": "Title 9", "body": "Body 9", "notificationType": "order_confirmation",
        "orderId": "1", "language": "es", "createdAt": at(NOW - 20).to_string(),
    });
    assert_eq!(shown, json!({"notifications": [expected]}));
}

#[tokio::test]
async fn what_was_read_is_neither_counted_nor_listed_among_the_unread() {
    let inbox = Shared::filled();
    let path = format!("/notifications/{}/read", id(3));
    for _time in 0..2 {
        assert_eq!(inbox.ask("ana", "PATCH", &path).await.0, StatusCode::NO_CONTENT);
    }
    let unread = inbox.get("ana", "/notifications?unread=true").await;
    assert_eq!(titles(&unread), ["Title 4", "Title 2", "Title 1"]);
    let count = inbox.get("ana", "/notifications/unread-count").await;
    assert_eq!(count, json!({"count": 3, "isMore": false}));
    let all = inbox.get("ana", "/notifications?unread=false").await;
    assert_eq!(all["notifications"][1]["readAt"], json!(at(NOW).to_string()));
}

#[tokio::test]
async fn everything_is_marked_at_once_and_nobody_elses() {
    let inbox = Shared::filled();
    let (status, marked) = inbox.ask("ana", "PATCH", "/notifications/read-all").await;
    assert_eq!(
        (status, marked),
        (StatusCode::OK, json!({"marked": 4, "isMore": false}))
    );
    assert_eq!(inbox.get("ana", "/notifications/unread-count").await["count"], json!(0));
    assert_eq!(
        inbox.get("luis", "/notifications/unread-count").await["count"],
        json!(1)
    );
}

#[tokio::test]
async fn the_note_of_another_looks_like_one_that_does_not_exist() {
    let inbox = Shared::filled();
    let others = inbox
        .ask("ana", "PATCH", &format!("/notifications/{}/read", id(9)))
        .await;
    let nobodys = inbox
        .ask("ana", "PATCH", &format!("/notifications/{}/read", id(8)))
        .await;
    let no_id = inbox.ask("ana", "PATCH", "/notifications/abc/read").await;
    assert_eq!(others.0, StatusCode::NOT_FOUND);
    assert_eq!((&others, &nobodys), (&nobodys, &no_id));
    assert_eq!(
        inbox.get("luis", "/notifications/unread-count").await["count"],
        json!(1)
    );
}

#[tokio::test]
async fn a_cursor_of_another_opens_nothing_of_theirs() {
    let inbox = Shared::filled();
    let first = inbox.get("ana", "/notifications?limit=1").await;
    let cursor = first["nextCursor"].as_str().unwrap();
    let shown = inbox.get("luis", &format!("/notifications?cursor={cursor}")).await;
    assert_eq!(titles(&shown), ["Title 9"]);
}

#[tokio::test]
async fn every_wrong_parameter_is_named() {
    let inbox = Shared::filled();
    let (status, problem) = inbox.ask("ana", "GET", "/notifications?unread=yes&page=2").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let pointers: Vec<&str> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["pointer"].as_str().unwrap())
        .collect();
    assert_eq!(pointers, ["query/unread", "query/page"]);
    let (status, _) = inbox.ask("ana", "GET", "/notifications?cursor=abc").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_table_out_of_reach_is_no_empty_inbox() {
    let inbox = Shared::filled();
    inbox.0.is_out_of_reach.store(true, Ordering::Relaxed);
    for (method, path) in [
        ("GET", "/notifications"),
        ("GET", "/notifications/unread-count"),
        ("PATCH", "/notifications/read-all"),
    ] {
        assert_eq!(
            inbox.ask("ana", method, path).await.0,
            StatusCode::SERVICE_UNAVAILABLE,
            "{path}"
        );
    }
}
