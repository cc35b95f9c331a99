//! The description of the API (OpenAPI 3.1), made from the code.

use utoipa::OpenApi;
use web::open_api::CustomerTokens;
use web::{Problem, Wrong, refusals};

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
