//! What every API says of itself in the same words: whose tokens, and how it refuses.

use std::collections::BTreeMap;
use utoipa::Modify;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Content, OpenApi, Ref, RefOr, Response, ResponseBuilder, Schema};

/// The name of the scheme by which customers show who they are.
pub const CUSTOMER: &str = "customer";

/// Adds the scheme of the customers' tokens to a document.
#[derive(Debug)]
pub struct CustomerTokens;

impl Modify for CustomerTokens {
    fn modify(&self, document: &mut OpenApi) {
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .description(Some("an access token of the shop's identity provider"))
            .build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme(CUSTOMER, SecurityScheme::Http(bearer));
    }
}

/// The refusals of these statuses, each a [`crate::Problem`]; those of the gateway come as it words them.
#[must_use]
pub fn refusals(statuses: &[u16]) -> BTreeMap<String, RefOr<Response>> {
    statuses
        .iter()
        .map(|status| (status.to_string(), RefOr::T(refusal(*status))))
        .collect()
}

/// Declares under a name how routes refuse, by their statuses: a type for the `responses(…)` of [`utoipa::path`].
///
/// ```
/// web::refusals!(
///     /// How a page is refused.
///     PageRefusals,
///     [400, 401]
/// );
/// ```
#[macro_export]
macro_rules! refusals {
    ($(#[$doc:meta])* $name:ident, $statuses:expr) => {
        $(#[$doc])*
        pub(crate) struct $name;

        impl ::utoipa::IntoResponses for $name {
            fn responses()
            -> ::std::collections::BTreeMap<String, ::utoipa::openapi::RefOr<::utoipa::openapi::Response>> {
                $crate::open_api::refusals(&$statuses)
            }
        }
    };
}

fn refusal(status: u16) -> Response {
    let description = match status {
        400 => "what was sent cannot be read; every wrong field is named",
        401 => "no valid access token",
        403 => "not the caller's to do",
        404 => "nothing here that the caller may see",
        409 => "what is stored stands against it",
        412 => "it has been changed since it was read",
        413 => "the body is too large",
        415 => "the body is of another type",
        422 => "well formed, and still nothing that can be done",
        428 => "If-Match is missing",
        429 => "too often; Retry-After says when again",
        503 => "not just now; Retry-After says when again",
        _ => "refused",
    };
    let problem = || Content::new(Some(Ref::from_schema_name("Problem")));
    let response = ResponseBuilder::new()
        .description(description)
        .content("application/problem+json", problem());
    match status {
        401 | 429 | 503 => response
            .content("application/json", Content::new(Some(gateways_words())))
            .build(),
        _ => response.build(),
    }
}

fn gateways_words() -> Schema {
    let message = ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some("in the gateway's words"));
    ObjectBuilder::new()
        .property("message", message)
        .required("message")
        .build()
        .into()
}
