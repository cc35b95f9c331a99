//! Which path is answered by whom.

use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::json;
use std::sync::Arc;

use crate::ports::Ports;
use crate::{history, open_api, phone, preferences, test_message};

/// Every choice of a customer, explicit and indented, is a quarter of it.
pub const LARGEST_BODY: usize = 32 * 1_024;

/// The routes. Who calls is told by [`web::Front::for_customers`].
pub fn router<P: Ports>(ports: P) -> Router {
    Router::new()
        .route(
            "/notifications/preferences",
            get(preferences::show::<P>)
                .put(preferences::replace::<P>)
                .patch(preferences::merge::<P>),
        )
        .route("/notifications/verify-phone", post(phone::verify::<P>))
        .route("/notifications/verify-phone/confirm", post(phone::confirm::<P>))
        .route("/notifications/history", get(history::show::<P>))
        .route("/notifications/test", post(test_message::send::<P>))
        .route("/openapi.json", get(open_api::show))
        .route("/health", get(async || Json(json!({"status": "ok"}))))
        .with_state(Arc::new(ports))
}
