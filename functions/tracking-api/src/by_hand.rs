//! `POST /admin/orders/{id}/status`.

use axum::extract::State;
use axum::response::IntoResponse;
use axum::{Extension, Json};
use domain::ports::Clock;
use domain::{OrderStatus, TrackingNumber, clean_line};
use jiff::{SignedDuration, Timestamp};
use lambda::MetricName;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use tracking::{ByHand, CannotChange, Desk};
use utoipa::ToSchema;
use web::{Admin, Counted, Fields, Problem};

use crate::door::{Door, Segment, Store, order_id};
use crate::open_api;

const LONGEST_REASON: usize = 500;

/// A change by hand.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "describes a body that is read field by field, so that everything wrong is told at once"
)]
pub(crate) struct StatusByHand {
    /// The new status.
    #[schema(schema_with = open_api::status)]
    status: String,
    /// Why.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
    /// One of the order's parcels; left out, the order with all of them.
    #[schema(example = "1Z204W4R0308071865")]
    tracking_number: Option<String>,
}

/// What became of the order.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ChangedView {
    /// The order.
    order_id: String,
    /// Where it stands now, all its parcels taken together.
    #[schema(schema_with = open_api::status)]
    status: &'static str,
    /// Whether anything changed.
    has_changed: bool,
}

/// The moment of the call, as a clock.
struct At(Timestamp);

impl Clock for At {
    fn now(&self) -> Timestamp {
        self.0
    }

    fn chance(&self) -> f64 {
        0.5
    }

    async fn pause(&self, _duration: SignedDuration) {}
}

/// This order has another status.
///
/// For those who run the shop. What carriers say of an earlier time does not undo it; what they say later counts. The customer is told as if
/// the carrier had said it, once, however often the same is said here.
#[utoipa::path(
    post, path = "/admin/orders/{id}/status", operation_id = "changeOrderStatus", tag = "admin",
    params(("id" = String, Path, description = "the order, as the shop calls it")),
    request_body(content((StatusByHand = "application/json"))),
    responses((status = 200, body = ChangedView), open_api::ByHandRefusals)
)]
pub(crate) async fn change<S: Store>(
    State(door): State<Arc<Door<S>>>,
    Extension(now): Extension<Timestamp>,
    Admin(who): Admin,
    id: Segment,
    mut fields: Fields,
) -> Result<impl IntoResponse, Problem> {
    let status = fields.required("status", OrderStatus::read);
    let reason = fields.required("reason", |text| {
        let line = clean_line(text);
        match line.chars().count() {
            length if (1..=LONGEST_REASON).contains(&length) => Ok(line),
            _ => Err(format!("expected a reason of 1 to {LONGEST_REASON} characters")),
        }
    });
    let parcel = match fields.take("trackingNumber") {
        None | Some(Value::Null) => None,
        Some(value) => {
            let number = value.as_str().map(TrackingNumber::try_from);
            let wrong = "expected a tracking number of 1 to 50 letters and digits, or null";
            number.and_then(Result::ok).or_else(|| {
                fields.wrong("/trackingNumber", wrong);
                None
            })
        }
    };
    fields.end(&["status", "reason", "trackingNumber"])?;
    let (Some(status), Some(reason)) = (status, reason) else {
        return Err(Problem::internal());
    };
    let change = ByHand {
        order: order_id(id)?,
        parcel,
        status,
        reason,
        who: who.into(),
    };
    let desk = Desk {
        store: &door.store,
        clock: &At(now),
        zone: &door.settings.zone,
    };
    let seen = desk.change_by_hand(&change).await?.map_err(refused)?;
    tracing::info!(order.id = %seen.order, "changed order {} by hand: {}", seen.order, seen.status);
    let view = ChangedView {
        order_id: seen.order.into(),
        status: seen.status.name(),
        has_changed: seen.has_changed,
    };
    Ok((Extension(Counted::once(MetricName::OrderChangedByHand)), Json(view)))
}

fn refused(why: CannotChange) -> Problem {
    match &why {
        CannotChange::NoOrder => Problem::not_found(),
        CannotChange::NoParcel => Problem::unprocessable("/trackingNumber", why.to_string()),
        CannotChange::NotInWorkflow(_) => Problem::unprocessable("/status", why.to_string()),
        CannotChange::NoReason => Problem::wrong("/reason", why.to_string()),
    }
}
