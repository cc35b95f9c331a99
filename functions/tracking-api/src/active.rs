//! `GET /orders/active`.

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;
use web::{Caller, IfNoneMatch, Problem};

use crate::door::{Door, Store};
use crate::open_api;
use crate::view::OrderView;

/// Of so many orders that changed last, those are shown that go on.
const LOOKED_AT: u16 = 100;
/// So many of them at most.
const SHOWN: usize = 50;

/// Orders that go on.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ActiveOrdersView {
    /// What changed last comes first.
    orders: Vec<OrderView>,
}

/// My orders that go on.
///
/// Neither delivered, cancelled nor returned: up to 50 of the 100 that changed last.
#[utoipa::path(
    get, path = "/orders/active", operation_id = "getActiveOrders", tag = "orders",
    params(("If-None-Match" = Option<String>, Header, description = "the ETag of what the caller has")),
    responses(
        (status = 200, body = ActiveOrdersView, headers(("ETag" = String, description = "for If-None-Match"))),
        (status = 304, description = "the caller has it already"),
        open_api::Refusals
    )
)]
pub(crate) async fn show<S: Store>(
    State(door): State<Arc<Door<S>>>,
    caller: Caller,
    known: IfNoneMatch,
) -> Result<Response, Problem> {
    let latest = door.store.latest_of(&caller.user, LOOKED_AT).await?;
    let active = latest.iter().filter(|record| !record.standing.has_ended());
    let orders = active.take(SHOWN).map(OrderView::of).collect();
    Ok(known.shown(None, &ActiveOrdersView { orders }))
}
