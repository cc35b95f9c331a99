//! The description of the API (OpenAPI 3.1), made from the code.

use axum::http::header;
use axum::response::IntoResponse;
use domain::{Channel, Language, NotificationType, OrderStatus, Topic};
use utoipa::OpenApi;
use utoipa::openapi::Schema;
use utoipa::openapi::schema::{AdditionalProperties, AnyOfBuilder, ObjectBuilder, SchemaType, Type};
use web::open_api::CustomerTokens;
use web::{Problem, Wrong, refusals};

use crate::{history, phone, preferences, test_message};

/// What this API and its neighbours answer, as it is checked in.
const WHOLE: &str = include_str!("../../../docs/openapi.json");

#[derive(OpenApi)]
#[openapi(
    info(
        title = "E-Com67 notifications",
        version = "1.0.0",
        description = "What customers ask for and look up about their own notifications.",
        license(name = "MIT", identifier = "MIT")
    ),
    paths(
        preferences::show,
        preferences::replace,
        preferences::merge,
        phone::verify,
        phone::confirm,
        history::show,
        test_message::send
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

/// `GET /openapi.json`.
pub(crate) async fn show() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], WHOLE)
}

refusals!(
    /// How a question is refused.
    Refusals,
    [400, 401, 429, 503]
);
refusals!(
    /// How a body is refused.
    BodyRefusals,
    [400, 401, 413, 415, 429, 503]
);
refusals!(
    /// How a change of preferences is refused.
    ChangeRefusals,
    [400, 401, 412, 413, 415, 422, 428, 429, 503]
);
refusals!(
    /// How a number is refused.
    PhoneRefusals,
    [400, 401, 413, 415, 422, 429, 503]
);
refusals!(
    /// How a code is refused.
    ConfirmRefusals,
    [400, 401, 409, 413, 415, 422, 429, 503]
);

/// Every choice with what holds.
pub(crate) fn choices_shown() -> Schema {
    choices(|| ObjectBuilder::new().schema_type(Type::Boolean).build().into(), false)
}

/// Any choices, each perhaps none.
pub(crate) fn choices_taken() -> Schema {
    choices(
        || ObjectBuilder::new().schema_type(or_null(Type::Boolean)).build().into(),
        true,
    )
}

fn choices(choice: impl Fn() -> Schema, is_taken: bool) -> Schema {
    let statuses = object(OrderStatus::ALL.map(|status| (status.name(), choice())), is_taken);
    let statuses = match is_taken {
        true => AnyOfBuilder::new().item(choice()).item(statuses).build().into(),
        false => statuses,
    };
    let types = Topic::all().filter_map(|topic| match topic {
        Topic::Type(notification_type) => Some((notification_type.name(), choice())),
        Topic::Status(_) => None,
    });
    let types = types.chain([(NotificationType::OrderStatusUpdate.name(), statuses)]);
    let of_channel = object(types, is_taken);
    object(
        Channel::ALL.map(|channel| (channel.name(), of_channel.clone())),
        is_taken,
    )
}

/// An object with these properties and no others: all of them where it is shown, any of them where it is taken.
fn object<'a>(properties: impl IntoIterator<Item = (&'a str, Schema)>, is_taken: bool) -> Schema {
    let kind = if is_taken {
        or_null(Type::Object)
    } else {
        Type::Object.into()
    };
    let start = ObjectBuilder::new()
        .schema_type(kind)
        .additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(false)));
    let whole = properties.into_iter().fold(start, |object, (name, schema)| {
        let object = object.property(name, schema);
        if is_taken { object } else { object.required(name) }
    });
    whole.build().into()
}

fn or_null(kind: Type) -> SchemaType {
    SchemaType::from_iter([kind, Type::Null])
}

/// One of our languages.
pub(crate) fn language() -> Schema {
    one_of(Language::ALL.map(Language::code), false)
}

/// One of our languages, or the shop's.
pub(crate) fn language_or_null() -> Schema {
    one_of(Language::ALL.map(Language::code), true)
}

/// A time zone.
pub(crate) fn zone() -> Schema {
    let zone = ObjectBuilder::new().schema_type(Type::String);
    zone.examples(["Europe/Madrid"]).build().into()
}

/// A time zone that is known here, or the shop's.
pub(crate) fn zone_or_null() -> Schema {
    let names: Vec<String> = domain::Zone::names().collect();
    one_of(names.iter().map(String::as_str), true)
}

/// Quiet hours, or the usual night.
pub(crate) fn quiet_hours_or_null() -> Schema {
    let time = || {
        let time = ObjectBuilder::new().schema_type(Type::String);
        time.pattern(Some("^([01][0-9]|2[0-3]):[0-5][0-9]$"))
            .examples(["22:00"])
            .build()
    };
    ObjectBuilder::new()
        .schema_type(or_null(Type::Object))
        .property("start", time())
        .property("end", time())
        .required("start")
        .required("end")
        .additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(false)))
        .build()
        .into()
}

/// A channel that has a sender.
pub(crate) fn offered_channel() -> Schema {
    one_of(Channel::OFFERED.map(Channel::name), false)
}

fn one_of<'a>(values: impl IntoIterator<Item = &'a str>, is_nullable: bool) -> Schema {
    let kind = if is_nullable {
        or_null(Type::String)
    } else {
        Type::String.into()
    };
    let values = values.into_iter().map(|value| Some(value.to_owned()));
    let null = is_nullable.then_some(None);
    ObjectBuilder::new()
        .schema_type(kind)
        .enum_values(Some(values.chain(null)))
        .build()
        .into()
}
