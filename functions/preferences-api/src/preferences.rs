//! `GET`, `PUT` and `PATCH /notifications/preferences`.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use domain::ports::{Changed, Kept, PreferencesKeep};
use domain::{ConsentSource, Language, PhoneNumber, Preferences, QuietHours, ShopDefaults, Zone};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::sync::Arc;
use utoipa::ToSchema;
use web::{Caller, Fields, IfMatch, Problem, entity_tag};

use crate::choices::{self, Meaning};
use crate::open_api;
use crate::phone;
use crate::ports::Ports;

/// The fields of a body, as a wrong one is told.
const FIELDS: [&str; 5] = ["preferences", "language", "timezone", "quietHours", "phoneNumber"];

/// What a customer hears of, and how: what was chosen, and the defaults for the rest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PreferencesView {
    /// By channel and type whether it is sent; status updates by status. A choice for a channel that has no sender yet is kept.
    #[schema(schema_with = open_api::choices_shown)]
    preferences: Map<String, Value>,
    /// The language of messages.
    #[schema(schema_with = open_api::language)]
    language: &'static str,
    /// The time zone by whose clock quiet hours are reckoned: a name of the IANA database.
    #[schema(schema_with = open_api::zone)]
    timezone: String,
    /// When nothing rings.
    quiet_hours: QuietHoursView,
    /// Where text messages go: E.164.
    #[schema(example = "+34600123456")]
    phone_number: Option<String>,
    /// Whether the customer has shown that the number is theirs.
    phone_verified: bool,
    /// When any of it was last changed.
    #[schema(format = DateTime)]
    updated_at: Option<String>,
}

/// From when until when nothing rings, by the clock on the customer's wall. Over midnight where the end is earlier; equal, never.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct QuietHoursView {
    /// `HH:MM`.
    #[schema(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$", example = "22:00")]
    start: String,
    /// `HH:MM`.
    #[schema(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$", example = "08:00")]
    end: String,
}

/// What is to hold instead.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "describes a body that is read field by field, so that everything wrong is told at once"
)]
pub(crate) struct PreferencesChange {
    /// By channel and type whether it is sent; `null` is the default.
    #[schema(schema_with = open_api::choices_taken)]
    preferences: Option<Map<String, Value>>,
    /// The language of messages; `null` is the shop's.
    #[schema(schema_with = open_api::language_or_null)]
    language: Option<String>,
    /// A name of the IANA database; `null` is the shop's.
    #[schema(schema_with = open_api::zone_or_null)]
    timezone: Option<String>,
    /// When nothing rings; `null` is the usual night.
    #[schema(schema_with = open_api::quiet_hours_or_null)]
    quiet_hours: Option<QuietHoursView>,
    /// Where text messages go: E.164; `null` is nowhere. Another number is not verified until `POST /notifications/verify-phone`.
    #[schema(pattern = "^[+][0-9 ().-]{7,30}$", example = "+34600123456")]
    phone_number: Option<String>,
}

impl PreferencesView {
    fn of(kept: &Kept, shop: &ShopDefaults) -> Self {
        let preferences = &kept.preferences;
        let hours = preferences.quiet_hours.unwrap_or(shop.quiet_hours);
        let time = |time: jiff::civil::Time| format!("{:02}:{:02}", time.hour(), time.minute());
        Self {
            preferences: choices::written(preferences),
            language: preferences.language.unwrap_or(shop.language).code(),
            timezone: preferences.zone.clone().unwrap_or_else(|| shop.zone.clone()).into(),
            quiet_hours: QuietHoursView {
                start: time(hours.start()),
                end: time(hours.end()),
            },
            phone_number: preferences.phone.clone(),
            phone_verified: preferences.phone_verified,
            updated_at: kept.updated_at.map(|at| at.to_string()),
        }
    }
}

/// The answer that shows what is kept, with its version.
pub(crate) fn shown(kept: &Kept, shop: &ShopDefaults) -> Response {
    let mut response = Json(PreferencesView::of(kept, shop)).into_response();
    response.headers_mut().insert(header::ETAG, entity_tag(&kept.revision));
    response
}

/// What I hear of.
///
/// What was chosen, and the defaults for the rest.
#[utoipa::path(
    get, path = "/notifications/preferences", operation_id = "getPreferences", tag = "preferences",
    responses(
        (status = 200, body = PreferencesView, headers(("ETag" = String, description = "the version, for If-Match"))),
        open_api::Refusals
    )
)]
pub(crate) async fn show<P: Ports>(State(ports): State<Arc<P>>, caller: Caller) -> Result<Response, Problem> {
    let kept = ports.preferences().look_up(&caller.user).await?;
    Ok(shown(&kept, ports.shop()))
}

/// Choose anew.
///
/// What the body leaves out goes back to its default. A value that only repeats the default that was shown is not stored.
#[utoipa::path(
    put, path = "/notifications/preferences", operation_id = "replacePreferences", tag = "preferences",
    params(("If-Match" = String, Header, description = "the ETag of what is replaced, or *")),
    request_body(content((PreferencesChange = "application/json"))),
    responses(
        (status = 200, body = PreferencesView, headers(("ETag" = String, description = "the new version"))),
        open_api::ChangeRefusals
    )
)]
pub(crate) async fn replace<P: Ports>(
    State(ports): State<Arc<P>>,
    Extension(now): Extension<Timestamp>,
    caller: Caller,
    if_match: IfMatch,
    fields: Fields,
) -> Result<Response, Problem> {
    change(&*ports, &caller, &if_match, fields, Meaning::Whole, now).await
}

/// Choose some things.
///
/// What the body leaves out stays; `null` goes back to the default (RFC 7396).
#[utoipa::path(
    patch, path = "/notifications/preferences", operation_id = "changePreferences", tag = "preferences",
    params(("If-Match" = String, Header, description = "the ETag of what is changed, or *")),
    request_body(content((PreferencesChange = "application/merge-patch+json"), (PreferencesChange = "application/json"))),
    responses(
        (status = 200, body = PreferencesView, headers(("ETag" = String, description = "the new version"))),
        open_api::ChangeRefusals
    )
)]
pub(crate) async fn merge<P: Ports>(
    State(ports): State<Arc<P>>,
    Extension(now): Extension<Timestamp>,
    caller: Caller,
    if_match: IfMatch,
    fields: Fields,
) -> Result<Response, Problem> {
    change(&*ports, &caller, &if_match, fields, Meaning::Merge, now).await
}

async fn change<P: Ports>(
    ports: &P,
    caller: &Caller,
    if_match: &IfMatch,
    fields: Fields,
    meaning: Meaning,
    now: Timestamp,
) -> Result<Response, Problem> {
    let kept = ports.preferences().look_up(&caller.user).await?;
    let to = wanted(fields, meaning, &kept.preferences)?;
    if !if_match.admits(&kept.revision) {
        return Err(Problem::stale());
    }
    match ports
        .preferences()
        .change(&caller.user, &kept, &to, &ConsentSource::Api, now)
        .await?
    {
        Changed::Done(kept) => Ok(shown(&kept, ports.shop())),
        Changed::Stale => Err(Problem::stale()),
    }
}

/// What a body asks for, over what is there.
fn wanted(mut fields: Fields, meaning: Meaning, from: &Preferences) -> Result<Preferences, Problem> {
    let mut to = from.clone();
    let choices = fields.take("preferences");
    choices::read(choices, meaning, from, &mut to, &mut fields);
    let languages = Language::ALL.map(Language::code).join(", ");
    let language = |text: &str| {
        let known = Language::ALL.into_iter().find(|language| language.code() == text);
        known.ok_or_else(|| format!("expected one of {languages}"))
    };
    read_text(&mut fields, "language", meaning, &mut to.language, language);
    read_text(&mut fields, "timezone", meaning, &mut to.zone, |text| {
        Zone::try_from(text).map_err(|problem| problem.to_string())
    });
    read_quiet_hours(&mut fields, meaning, &mut to.quiet_hours);
    // What was shown may come back, however another program has written it.
    let phone = |text: &str| match from.phone.as_deref() == Some(text) {
        true => Ok(text.to_owned()),
        false => phone::shaped(text).map_err(str::to_owned),
    };
    read_text(&mut fields, "phoneNumber", meaning, &mut to.phone, phone);
    read_only(
        &mut fields,
        "phoneVerified",
        &Value::Bool(from.phone_verified),
        "POST /notifications/verify-phone changes it",
    );
    if meaning == Meaning::Whole {
        // Part of what was shown, and of no effect.
        let _shown = fields.take("updatedAt");
    }
    fields.end(&FIELDS)?;
    if let Some(phone) = to.phone.take_if(|phone| from.phone.as_ref() != Some(phone)) {
        let number = PhoneNumber::try_from(phone.as_str()).map_err(|problem| phone::unusable(problem.to_string()))?;
        to.phone = Some(String::from(number));
    }
    if to.phone != from.phone {
        to.phone_verified = false;
    }
    Ok(to)
}

fn read_text<T>(
    fields: &mut Fields,
    name: &str,
    meaning: Meaning,
    to: &mut Option<T>,
    read: impl FnOnce(&str) -> Result<T, String>,
) {
    match fields.take(name) {
        None if meaning == Meaning::Merge => {}
        None | Some(Value::Null) => *to = None,
        Some(Value::String(text)) => match read(&text) {
            Ok(value) => *to = Some(value),
            Err(problem) => fields.wrong(format!("/{name}"), problem),
        },
        Some(_) => fields.wrong(format!("/{name}"), "expected a text or null"),
    }
}

fn read_quiet_hours(fields: &mut Fields, meaning: Meaning, to: &mut Option<QuietHours>) {
    let mut hours = match fields.take("quietHours") {
        None if meaning == Meaning::Merge => return,
        None | Some(Value::Null) => {
            *to = None;
            return;
        }
        Some(Value::Object(hours)) => hours,
        Some(_) => return fields.wrong("/quietHours", "expected an object with start and end, or null"),
    };
    let mut time = |name: &str| match hours.remove(name) {
        Some(Value::String(text)) if QuietHours::between(&text, &text).is_ok() => Some(text),
        Some(_) | None => {
            fields.wrong(format!("/quietHours/{name}"), domain::InvalidTimeOfDay.to_string());
            None
        }
    };
    let (start, end) = (time("start"), time("end"));
    for name in hours.keys() {
        fields.wrong(
            format!("/quietHours/{}", web::pointer_part(name)),
            "expected one of start, end",
        );
    }
    if let (Some(start), Some(end)) = (start, end) {
        *to = QuietHours::between(&start, &end).ok();
    }
}

/// A field that is shown and cannot be chosen may come back as it was shown.
fn read_only(fields: &mut Fields, name: &str, shown: &Value, how: &str) {
    if fields.take(name).is_some_and(|value| value != *shown) {
        fields.wrong(
            format!("/{name}"),
            format!("expected {shown}, which is what stands; {how}"),
        );
    }
}
