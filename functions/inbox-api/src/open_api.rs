//! The description of the API (OpenAPI 3.1), made from the code.

use std::collections::BTreeMap;
use utoipa::openapi::{RefOr, Response};
use utoipa::{IntoResponses, OpenApi};
use web::open_api::{CustomerTokens, refusals};
use web::{Problem, Wrong};

use crate::reading;

#[derive(OpenApi)]
#[openapi(
    paths(reading::show, reading::count, reading::mark_all, reading::mark),
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

macro_rules! refusals {
    ($(#[$doc:meta])* $name:ident, $statuses:expr) => {
        $(#[$doc])*
        pub(crate) struct $name;

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                refusals(&$statuses)
            }
        }
    };
}

refusals!(
    /// How a question about a page is refused.
    PageRefusals,
    [400, 401, 429, 503]
);
refusals!(
    /// How what names nothing is refused.
    Refusals,
    [401, 429, 503]
);
refusals!(
    /// How a note is refused.
    NoteRefusals,
    [401, 404, 429, 503]
);
