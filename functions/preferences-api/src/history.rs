//! `GET /notifications/history`.

use axum::Json;
use axum::extract::State;
use domain::ports::{HistoryLoad, HistoryPlace, PastNotification};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;
use web::{Caller, Paging, Problem, cursor, read_cursor};

use crate::open_api;
use crate::ports::Ports;

/// A page of what was sent, or not.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HistoryView {
    /// The newest first.
    notifications: Vec<PastView>,
    /// The cursor of the next page; missing at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// A notification and how it fared.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct PastView {
    /// Its id, for questions.
    notification_id: String,
    /// Its type.
    #[schema(example = "order_status_update")]
    notification_type: String,
    /// The order it was about.
    #[serde(skip_serializing_if = "Option::is_none")]
    order_id: Option<String>,
    /// The status it told.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "shipped")]
    status: Option<String>,
    /// When it happened.
    #[schema(format = DateTime)]
    timestamp: String,
    /// How each channel fared.
    results: Vec<ResultView>,
}

/// How one channel fared.
#[derive(Debug, Serialize, ToSchema)]
struct ResultView {
    /// The channel.
    #[schema(example = "email")]
    channel: String,
    /// The state of the delivery.
    #[schema(example = "delivered")]
    outcome: String,
    /// Why, where there is a why.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "opted_out")]
    reason: Option<String>,
}

impl From<PastNotification> for PastView {
    fn from(past: PastNotification) -> Self {
        let results = past.results.into_iter().map(|result| ResultView {
            channel: result.channel,
            outcome: result.outcome,
            reason: result.reason,
        });
        Self {
            notification_id: past.id,
            notification_type: past.notification_type,
            order_id: past.order,
            status: past.status,
            timestamp: past.at.to_string(),
            results: results.collect(),
        }
    }
}

/// What I was told, or not.
///
/// Notifications of the last days, as long as the ledger keeps them, with how each channel fared and why.
#[utoipa::path(
    get, path = "/notifications/history", operation_id = "getHistory", tag = "history",
    params(
        ("limit" = Option<u16>, Query, description = "how many at most", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "the nextCursor of the page before")
    ),
    responses((status = 200, body = HistoryView), open_api::Refusals)
)]
pub(crate) async fn show<P: Ports>(
    State(ports): State<Arc<P>>,
    caller: Caller,
    paging: Paging,
) -> Result<Json<HistoryView>, Problem> {
    let after: Option<HistoryPlace> = paging.cursor.as_deref().map(read_cursor).transpose()?;
    let page = ports.history().page(&caller.user, paging.limit, after.as_ref()).await?;
    Ok(Json(HistoryView {
        notifications: page.notifications.into_iter().map(PastView::from).collect(),
        next_cursor: page.next.as_ref().and_then(cursor),
    }))
}
