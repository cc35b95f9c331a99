//! `GET /orders/{id}/status`.

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use links::OrderToken;
use serde::Serialize;
use std::sync::Arc;
use tracking::OrderRecord;
use utoipa::ToSchema;
use web::{Caller, IfNoneMatch, Problem, Role};

use crate::config::Settings;
use crate::door::{Door, Segment, Store};
use crate::open_api;
use crate::view::OrderView;
use crate::wishes::DeliveryPreferencesView;

/// Where an order stands.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OrderStatusView {
    #[serde(flatten)]
    order: OrderView,
    /// What the customer wishes for the delivery, as far as they said.
    #[serde(skip_serializing_if = "Option::is_none")]
    delivery_preferences: Option<DeliveryPreferencesView>,
    /// An address to pass on: whoever has it sees where the order stands, and nothing of whose it is. Good for 90 days; missing where the
    /// shop has no pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "https://shop.example.com/track/AQJrMQMAAAAA")]
    tracking_link: Option<String>,
    /// Whether somebody should have a look: for those who run the shop.
    #[serde(skip_serializing_if = "Option::is_none")]
    needs_review: Option<bool>,
}

/// Where my order stands.
///
/// Those who run the shop may ask about every order. One read of the table, so that asking often is cheap.
#[utoipa::path(
    get, path = "/orders/{id}/status", operation_id = "getOrderStatus", tag = "orders",
    params(
        ("id" = String, Path, description = "the order, as the shop calls it"),
        ("If-None-Match" = Option<String>, Header, description = "the ETag of what the caller has")
    ),
    responses(
        (status = 200, body = OrderStatusView, headers(("ETag" = String, description = "for If-None-Match, and for If-Match of a change"))),
        (status = 304, description = "the caller has it already"),
        open_api::OrderRefusals
    )
)]
pub(crate) async fn show<S: Store>(
    State(door): State<Arc<Door<S>>>,
    Extension(now): Extension<Timestamp>,
    caller: Caller,
    known: IfNoneMatch,
    id: Segment,
) -> Result<Response, Problem> {
    let record = door.open(&caller, id).await?.record;
    let view = OrderStatusView {
        order: OrderView::of(&record),
        delivery_preferences: record.wishes.as_ref().map(DeliveryPreferencesView::of),
        tracking_link: tracking_link(&door.settings, &record, now),
        needs_review: (caller.role == Role::Admin).then_some(record.needs_review),
    };
    Ok(known.shown(Some(record.version), &view))
}

fn tracking_link(settings: &Settings, record: &OrderRecord, now: Timestamp) -> Option<String> {
    let token = OrderToken::of_day(record.registration.id().clone(), now);
    let pages = settings.pages.as_ref()?;
    Some(pages.address_of_order(&token, &settings.keys))
}
