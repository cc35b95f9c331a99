//! Which path is answered by whom.

use axum::Router;
use axum::routing::{get, patch};
use domain::ports::{InboxLoad, InboxMark};
use std::sync::Arc;

use crate::reading;

/// No route of an inbox reads a body.
pub const LARGEST_BODY: usize = 1_024;

/// The routes over these inboxes. Who calls is told by [`web::Front::for_customers`].
pub fn router<I>(inbox: I) -> Router
where
    I: InboxLoad + InboxMark + Send + Sync + 'static,
{
    Router::new()
        .route("/notifications", get(reading::show::<I>))
        .route("/notifications/unread-count", get(reading::count::<I>))
        .route("/notifications/read-all", patch(reading::mark_all::<I>))
        .route("/notifications/{id}/read", patch(reading::mark::<I>))
        .with_state(Arc::new(inbox))
}
