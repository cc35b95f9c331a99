//! `GET /notifications` and `/notifications/unread-count`, `PATCH /notifications/{id}/read` and `/notifications/read-all`.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use domain::ports::{InboxLoad, InboxMark};
use domain::{InboxPlace, MarkedAll, Note, NotificationId, Unread};
use jiff::Timestamp;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;
use web::{Caller, Paging, Problem, Wrong, cursor, read_cursor};

use crate::open_api;

/// A page of the inbox.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InboxView {
    /// The newest first.
    notifications: Vec<NoteView>,
    /// The cursor of the next page; missing at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// A note.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct NoteView {
    /// Its id: that of the notification.
    #[schema(example = "579b5034-7f1a-85f1-b8fb-eb0077b4314d")]
    id: String,
    /// One short line.
    title: String,
    /// A sentence or two.
    body: String,
    /// The page that it leads to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "https://shop.example.com/orders/1001")]
    link: Option<String>,
    /// What it tells.
    #[schema(example = "order_status_update")]
    notification_type: &'static str,
    /// The order it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    order_id: Option<String>,
    /// The status it tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "shipped")]
    status: Option<&'static str>,
    /// The language it is written in.
    #[schema(example = "es")]
    language: &'static str,
    /// When it came.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it was read; missing as long as it is unread.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    read_at: Option<String>,
}

/// How many notes are unread.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UnreadView {
    /// So many, 1,000 at most.
    #[schema(maximum = 1000)]
    count: u32,
    /// Whether there may be more.
    is_more: bool,
}

/// How many notes were marked.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MarkedView {
    /// So many were unread, and are read now.
    marked: u32,
    /// Whether some are left: ask again.
    is_more: bool,
}

impl From<Note> for NoteView {
    fn from(note: Note) -> Self {
        Self {
            id: note.id.to_string(),
            title: note.title,
            body: note.body,
            link: note.link,
            notification_type: note.notification_type.name(),
            order_id: note.order.map(String::from),
            status: note.status.map(domain::OrderStatus::name),
            language: note.language.code(),
            created_at: note.created_at.to_string(),
            read_at: note.read_at.map(|at| at.to_string()),
        }
    }
}

impl From<Unread> for UnreadView {
    fn from(Unread { count, is_more }: Unread) -> Self {
        Self { count, is_more }
    }
}

impl From<MarkedAll> for MarkedView {
    fn from(MarkedAll { count, is_more }: MarkedAll) -> Self {
        Self { marked: count, is_more }
    }
}

/// My inbox.
///
/// Notes of the last days, as long as they are kept, the newest first.
#[utoipa::path(
    get, path = "/notifications", operation_id = "getInbox", tag = "inbox",
    params(
        ("unread" = Option<bool>, Query, description = "true: only what is unread"),
        ("limit" = Option<u16>, Query, description = "how many at most", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "the nextCursor of the page before")
    ),
    responses((status = 200, body = InboxView), open_api::PageRefusals)
)]
pub(crate) async fn show<I: InboxLoad>(
    State(inbox): State<Arc<I>>,
    caller: Caller,
    paging: Paging,
) -> Result<Json<InboxView>, Problem> {
    let unread_only = unread_only(&paging.others)?;
    let from: Option<InboxPlace> = paging.cursor.as_deref().map(read_cursor).transpose()?;
    let page = inbox
        .page(&caller.user, from, u32::from(paging.limit), unread_only)
        .await?;
    Ok(Json(InboxView {
        notifications: page.notes.into_iter().map(NoteView::from).collect(),
        next_cursor: page.next.as_ref().and_then(cursor),
    }))
}

/// What the parameters besides those of the page ask for.
fn unread_only(parameters: &[(String, String)]) -> Result<bool, Problem> {
    let mut unread_only = false;
    let mut errors = Vec::new();
    for (name, value) in parameters {
        let mut wrong = |name: &str, detail: &str| {
            errors.push(Wrong {
                pointer: format!("query/{}", web::pointer_part(name)),
                detail: detail.to_owned(),
            });
        };
        match (name.as_str(), value.as_str()) {
            ("unread", "true") => unread_only = true,
            ("unread", "false") => unread_only = false,
            ("unread", _) => wrong(name, "expected true or false"),
            (other, _) => wrong(other, "expected one of unread, limit, cursor"),
        }
    }
    match errors.is_empty() {
        true => Ok(unread_only),
        false => Err(Problem::invalid(errors)),
    }
}

/// How many I have not read.
#[utoipa::path(
    get, path = "/notifications/unread-count", operation_id = "countUnread", tag = "inbox",
    responses((status = 200, body = UnreadView), open_api::Refusals)
)]
pub(crate) async fn count<I: InboxLoad>(
    State(inbox): State<Arc<I>>,
    caller: Caller,
) -> Result<Json<UnreadView>, Problem> {
    Ok(Json(inbox.unread(&caller.user).await?.into()))
}

/// I have read this one.
///
/// Again changes nothing: the first reading counts.
#[utoipa::path(
    patch, path = "/notifications/{id}/read", operation_id = "markRead", tag = "inbox",
    params(("id" = String, Path, description = "the id of the note")),
    responses((status = 204, description = "it is read"), open_api::NoteRefusals)
)]
pub(crate) async fn mark<I: InboxMark>(
    State(inbox): State<Arc<I>>,
    Extension(now): Extension<Timestamp>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let id = NotificationId::try_from(id.as_str()).map_err(|_no_id| Problem::not_found())?;
    match inbox.mark(&caller.user, id, now).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(Problem::not_found()),
    }
}

/// I have read everything.
///
/// What came until now, up to 1,000 notes; `isMore` says whether to ask again.
#[utoipa::path(
    patch, path = "/notifications/read-all", operation_id = "markAllRead", tag = "inbox",
    responses((status = 200, body = MarkedView), open_api::Refusals)
)]
pub(crate) async fn mark_all<I: InboxMark>(
    State(inbox): State<Arc<I>>,
    Extension(now): Extension<Timestamp>,
    caller: Caller,
) -> Result<Json<MarkedView>, Problem> {
    Ok(Json(inbox.mark_all(&caller.user, now).await?.into()))
}
