//! Which path is answered by whom.

use axum::Router;
use axum::routing::{get, post};
use std::sync::Arc;

use crate::door::{Door, Store};
use crate::{active, by_hand, public, status, timeline, wishes};

/// The longest wishes, explicit and indented, are half of it.
pub const LARGEST_BODY: usize = 8 * 1_024;

/// The routes. Who calls is told by [`web::Front::for_customers`].
pub fn router<S: Store>(door: Arc<Door<S>>) -> Router {
    Router::new()
        .route("/orders/active", get(active::show::<S>))
        .route("/orders/{id}/status", get(status::show::<S>))
        .route("/orders/{id}/timeline", get(timeline::show::<S>))
        .route("/orders/{id}/delivery-preferences", post(wishes::tell::<S>))
        .route("/admin/orders/{id}/status", post(by_hand::change::<S>))
        .route("/orders/track/{tracking_number}", get(public::by_number::<S>))
        .route("/track/{token}", get(public::by_link::<S>))
        .with_state(door)
}
