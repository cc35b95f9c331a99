//! `GET /orders/{id}/timeline`.

use axum::extract::State;
use axum::response::Response;
use domain::{Effect, OrderStatus, Saying, Teller, TrackingDetail};
use serde::Serialize;
use std::sync::Arc;
use tracking::Entry;
use utoipa::ToSchema;
use web::{Caller, IfNoneMatch, Problem, Role};

use crate::door::{Door, Segment, Store};
use crate::open_api;
use crate::view::name_of;

/// An answer of Lambda's takes 6 MB (Lambda quotas); so many entries with the longest words stay far below.
const MOST_ENTRIES: usize = 1_000;

/// The history of an order.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TimelineView {
    /// The order.
    order_id: String,
    /// Everything that was said of it and its parcels, the newest first; 1,000 entries at most.
    timeline: Vec<TimelineEntryView>,
    /// Whether there are older ones.
    is_more: bool,
}

/// One thing that was said.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct TimelineEntryView {
    /// When it happened.
    #[schema(format = DateTime)]
    at: String,
    /// When it was heard.
    #[schema(format = DateTime)]
    heard_at: String,
    /// Who said it.
    #[schema(schema_with = open_api::teller)]
    by: &'static str,
    /// What became of it.
    #[schema(schema_with = open_api::effect)]
    effect: &'static str,
    /// The parcel; missing where it is about the whole order.
    #[serde(skip_serializing_if = "Option::is_none")]
    tracking_number: Option<String>,
    /// What it says; missing where it changes no status.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = open_api::status)]
    status: Option<&'static str>,
    /// What the status alone does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = open_api::detail)]
    detail: Option<&'static str>,
    /// The day on which the parcel is expected.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = Date)]
    expected: Option<String>,
    /// Who carries it, or gathers the news of those who do.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "UPS")]
    carrier: Option<&'static str>,
    /// The carrier's code.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    /// The carrier's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// Town and country.
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<String>,
    /// Whether the moment was partly guessed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    is_time_assumed: bool,
    /// Why: the shop's reason; that of a change by hand only for those who run the shop.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Who changed it by hand: for those who run the shop.
    #[serde(skip_serializing_if = "Option::is_none")]
    who: Option<String>,
}

impl TimelineEntryView {
    fn of(Entry { saying, effect }: Entry, role: Role) -> Self {
        let Saying {
            at,
            heard_at,
            parcel,
            status,
            detail,
            expected,
            by,
        } = saying;
        let told = Self {
            at: at.to_string(),
            heard_at: heard_at.to_string(),
            by: voice_name(&by),
            effect: Effect::name(effect),
            tracking_number: parcel.map(String::from),
            status: status.map(OrderStatus::name),
            detail: detail.map(TrackingDetail::name),
            expected: expected.map(|day| day.to_string()),
            carrier: None,
            code: None,
            text: None,
            place: None,
            is_time_assumed: false,
            reason: None,
            who: None,
        };
        match (by, role) {
            (
                Teller::Carrier {
                    carrier,
                    code,
                    text,
                    place,
                    is_time_assumed,
                },
                Role::Admin | Role::Customer,
            ) => Self {
                carrier: Some(name_of(carrier)),
                code,
                text,
                place,
                is_time_assumed,
                ..told
            },
            (Teller::Pipeline { reason }, Role::Admin | Role::Customer) => Self { reason, ..told },
            (Teller::Hand { who, reason }, Role::Admin) => Self {
                reason: Some(reason),
                who: Some(who),
                ..told
            },
            (Teller::Hand { .. }, Role::Customer) => told,
        }
    }
}

const fn voice_name(teller: &Teller) -> &'static str {
    match teller {
        Teller::Carrier { .. } => "carrier",
        Teller::Pipeline { .. } => "pipeline",
        Teller::Hand { .. } => "hand",
    }
}

/// What happened to my order.
///
/// Everything that the shop, its carriers and people said of it, and what became of each: what came too late or did not count is there as well.
/// Reads the order, and each of its parcels.
#[utoipa::path(
    get, path = "/orders/{id}/timeline", operation_id = "getOrderTimeline", tag = "orders",
    params(
        ("id" = String, Path, description = "the order, as the shop calls it"),
        ("If-None-Match" = Option<String>, Header, description = "the ETag of what the caller has")
    ),
    responses(
        (status = 200, body = TimelineView, headers(("ETag" = String, description = "for If-None-Match"))),
        (status = 304, description = "the caller has it already"),
        open_api::OrderRefusals
    )
)]
pub(crate) async fn show<S: Store>(
    State(door): State<Arc<Door<S>>>,
    caller: Caller,
    known: IfNoneMatch,
    id: Segment,
) -> Result<Response, Problem> {
    let opened = door.open(&caller, id).await?;
    let parcels = door.parcels_of(&opened.record).await?;
    let entries = tracking::timeline(&opened.file, &parcels);
    let view = TimelineView {
        order_id: opened.record.registration.id().to_string(),
        is_more: entries.len() > MOST_ENTRIES,
        timeline: entries
            .into_iter()
            .take(MOST_ENTRIES)
            .map(|entry| TimelineEntryView::of(entry, caller.role))
            .collect(),
    };
    Ok(known.shown(None, &view))
}
