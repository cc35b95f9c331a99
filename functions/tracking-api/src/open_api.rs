//! The description of the API (OpenAPI 3.1), made from the code.

use domain::{Effect, OrderStatus, TrackingDetail};
use utoipa::OpenApi;
use utoipa::openapi::Schema;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use web::open_api::CustomerTokens;
use web::{Problem, Wrong, refusals};

use crate::{active, by_hand, public, status, timeline, wishes};

#[derive(OpenApi)]
#[openapi(
    paths(
        active::show,
        status::show,
        timeline::show,
        wishes::tell,
        by_hand::change,
        public::by_number,
        public::by_link
    ),
    components(schemas(Problem, Wrong)),
    security(("customer" = [])),
    modifiers(&CustomerTokens)
)]
struct Document;

/// What the routes of this crate answer.
#[must_use]
pub fn document() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

refusals!(
    /// How what names nothing is refused.
    Refusals,
    [401, 429, 503]
);
refusals!(
    /// How a question about an order is refused.
    OrderRefusals,
    [401, 404, 429, 503]
);
refusals!(
    /// How wishes are refused.
    WishRefusals,
    [400, 401, 403, 404, 409, 412, 413, 415, 422, 429, 503]
);
refusals!(
    /// How a change by hand is refused.
    ByHandRefusals,
    [400, 401, 403, 404, 413, 415, 422, 429, 503]
);
refusals!(
    /// How strangers are refused.
    PublicRefusals,
    [404, 429, 503]
);

/// A status of an order or a parcel.
pub(crate) fn status() -> Schema {
    one_of(OrderStatus::ALL.map(OrderStatus::name))
}

/// What a status alone does not say.
pub(crate) fn detail() -> Schema {
    one_of([TrackingDetail::ReadyForPickup, TrackingDetail::AttemptFailed].map(TrackingDetail::name))
}

/// Who says something.
pub(crate) fn teller() -> Schema {
    one_of(["carrier", "pipeline", "hand"])
}

/// What became of something that was said.
pub(crate) fn effect() -> Schema {
    let effects = [
        Effect::Applied,
        Effect::Silent,
        Effect::OverruledByHand,
        Effect::AfterTheEnd,
        Effect::AlreadyFurther,
        Effect::NotPermitted,
        Effect::TooFarAhead,
        Effect::OtherCarrier,
    ];
    one_of(effects.map(Effect::name))
}

fn one_of<const N: usize>(names: [&str; N]) -> Schema {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(names))
        .build()
        .into()
}
