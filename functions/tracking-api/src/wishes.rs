//! `POST /orders/{id}/delivery-preferences`.

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use domain::{OrderStatus, clean_line};
use jiff::Timestamp;
use jiff::ToSpan;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use tracking::ports::Kept;
use tracking::{DeliveryWishes, OrderRecord};
use utoipa::ToSchema;
use web::{Caller, Fields, IfMatch, IfNoneMatch, Problem};

use crate::door::{Door, Segment, Store, is_owned_by, order_id};
use crate::open_api;

/// The fields of a body, as a wrong one is told.
const FIELDS: [&str; 4] = ["safePlace", "neighbour", "day", "instructions"];

const LONGEST_PLACE: usize = 100;
const LONGEST_INSTRUCTIONS: usize = 500;
const FURTHEST_DAYS: i32 = 60;

/// How often an order that somebody else is writing is read again.
const ROUNDS: usize = 5;

/// What the customer wishes for the delivery.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeliveryPreferencesView {
    /// Where it may be left when nobody is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    safe_place: Option<String>,
    /// Whether a neighbour may take it.
    #[serde(skip_serializing_if = "Option::is_none")]
    neighbour: Option<bool>,
    /// On which day.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = Date)]
    day: Option<String>,
    /// What the courier should know.
    #[serde(skip_serializing_if = "Option::is_none")]
    instructions: Option<String>,
    /// When any of it was last told; missing where nothing ever was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    told_at: Option<String>,
}

/// What is wished for instead. What is left out stays; `null` takes it away, and so does an empty text.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "describes a body that is read field by field, so that everything wrong is told at once"
)]
pub(crate) struct DeliveryPreferencesChange {
    /// Where it may be left when nobody is in.
    #[schema(max_length = 100, example = "in the shed behind the house")]
    safe_place: Option<String>,
    /// Whether a neighbour may take it.
    neighbour: Option<bool>,
    /// On which day: from today on, up to 60 days ahead, by the shop's calendar.
    #[schema(format = Date, example = "2026-11-24")]
    day: Option<String>,
    /// What the courier should know.
    #[schema(max_length = 500, example = "the bell is broken, please knock")]
    instructions: Option<String>,
}

impl DeliveryPreferencesView {
    pub(crate) fn of(wishes: &DeliveryWishes) -> Self {
        Self {
            safe_place: wishes.safe_place.clone(),
            neighbour: wishes.neighbour,
            day: wishes.day.map(|day| day.to_string()),
            instructions: wishes.instructions.clone(),
            told_at: wishes.told_at.map(|at| at.to_string()),
        }
    }
}

/// What a body says of one field.
enum Said<T> {
    Nothing,
    This(Option<T>),
}

impl<T> Said<T> {
    fn over(&self, kept: Option<T>) -> Option<T>
    where
        T: Clone,
    {
        match self {
            Self::Nothing => kept,
            Self::This(wish) => wish.clone(),
        }
    }
}

/// What a body asks for.
struct Change {
    safe_place: Said<String>,
    neighbour: Said<bool>,
    day: Said<Date>,
    instructions: Said<String>,
}

impl Change {
    fn read(mut fields: Fields, today: Date) -> Result<Self, Problem> {
        let change = Self {
            safe_place: read(&mut fields, "safePlace", |value| words(value, LONGEST_PLACE)),
            neighbour: read(&mut fields, "neighbour", |value| {
                let neighbour = value.as_bool();
                neighbour
                    .map(Some)
                    .ok_or_else(|| "expected true, false or null".to_owned())
            }),
            day: read(&mut fields, "day", day),
            instructions: read(&mut fields, "instructions", |value| words(value, LONGEST_INSTRUCTIONS)),
        };
        fields.end(&FIELDS)?;
        let last = today.saturating_add(FURTHEST_DAYS.days());
        match change.day {
            Said::This(Some(day)) if !(today..=last).contains(&day) => Err(Problem::unprocessable(
                "/day",
                format!("expected a day from {today} to {last}"),
            )),
            Said::This(_) | Said::Nothing => Ok(change),
        }
    }

    /// What is kept then; nothing where that is what is kept already.
    fn over(&self, kept: Option<&DeliveryWishes>, now: Timestamp) -> Option<DeliveryWishes> {
        let kept = kept.cloned().unwrap_or_default();
        let wished = DeliveryWishes {
            safe_place: self.safe_place.over(kept.safe_place.clone()),
            neighbour: self.neighbour.over(kept.neighbour),
            day: self.day.over(kept.day),
            instructions: self.instructions.over(kept.instructions.clone()),
            told_at: kept.told_at,
        };
        (wished != kept).then_some(DeliveryWishes {
            told_at: Some(now),
            ..wished
        })
    }
}

fn read<T>(fields: &mut Fields, name: &str, read: impl FnOnce(&Value) -> Result<Option<T>, String>) -> Said<T> {
    match fields.take(name) {
        None => Said::Nothing,
        Some(Value::Null) => Said::This(None),
        Some(value) => match read(&value) {
            Ok(wish) => Said::This(wish),
            Err(problem) => {
                fields.wrong(format!("/{name}"), problem);
                Said::Nothing
            }
        },
    }
}

/// One clean line; an empty one is no wish.
fn words(value: &Value, longest: usize) -> Result<Option<String>, String> {
    let line = value.as_str().map(clean_line);
    match line {
        Some(line) if line.is_empty() => Ok(None),
        Some(line) if line.chars().count() <= longest => Ok(Some(line)),
        Some(_) | None => Err(format!("expected a text of at most {longest} characters, or null")),
    }
}

fn day(value: &Value) -> Result<Option<Date>, String> {
    let day: Option<Date> = value.as_str().and_then(|text| {
        let day: Date = text.parse().ok()?;
        // One spelling: the parser takes others too.
        (day.to_string() == text).then_some(day)
    });
    day.map(Some)
        .ok_or_else(|| "expected a day such as 2026-11-24, or null".to_owned())
}

/// Why nothing can be wished for any more.
fn too_late(record: &OrderRecord) -> Option<&'static str> {
    if record.standing.has_ended() {
        Some("the order has ended")
    } else if record.status() == OrderStatus::OutForDelivery {
        Some("the order is out for delivery")
    } else {
        None
    }
}

/// Whether the caller is content with this version. Its tags begin with it.
fn admits(if_match: &Result<IfMatch, Problem>, version: u64) -> bool {
    match if_match {
        Err(_) | Ok(IfMatch::Any) => true,
        Ok(IfMatch::OneOf(revisions)) => revisions.iter().any(|revision| {
            let named = revision
                .split_once('-')
                .map_or(revision.as_str(), |(version, _hash)| version);
            named.parse() == Ok(version)
        }),
    }
}

/// How my order should be delivered.
///
/// What the body leaves out stays; `null` takes it away. Until the order is out for delivery. With `If-Match` only if the order has not changed
/// since it was read.
#[utoipa::path(
    post, path = "/orders/{id}/delivery-preferences", operation_id = "tellDeliveryPreferences", tag = "orders",
    params(
        ("id" = String, Path, description = "the order, as the shop calls it"),
        ("If-Match" = Option<String>, Header, description = "the ETag of the order's status, or of the last answer here")
    ),
    request_body(content((DeliveryPreferencesChange = "application/json"))),
    responses(
        (status = 200, body = DeliveryPreferencesView, headers(("ETag" = String, description = "for If-Match"))),
        open_api::WishRefusals
    )
)]
pub(crate) async fn tell<S: Store>(
    State(door): State<Arc<Door<S>>>,
    Extension(now): Extension<Timestamp>,
    caller: Caller,
    id: Segment,
    if_match: Result<IfMatch, Problem>,
    fields: Fields,
) -> Result<Response, Problem> {
    let today = now.to_zoned(door.settings.zone.tz().clone()).date();
    let change = Change::read(fields, today)?;
    let id = order_id(id)?;
    for _round in 0..ROUNDS {
        let record = door.open_known(&caller, &id).await?.record;
        if !is_owned_by(&record, &caller.user) {
            return Err(Problem::forbidden());
        }
        if let Some(why) = too_late(&record) {
            return Err(Problem::conflict(why));
        }
        if !admits(&if_match, record.version) {
            return Err(Problem::stale());
        }
        let Some(wishes) = change.over(record.wishes.as_ref(), now) else {
            return Ok(shown(record.version, &record.wishes.unwrap_or_default()));
        };
        match door.store.wish(&record, &wishes).await? {
            Kept::Done => return Ok(shown(record.version.saturating_add(1), &wishes)),
            // Read again: the order may be on its way by now, or another version than the caller's.
            Kept::Stale => {}
        }
    }
    Err(Problem::unavailable())
}

fn shown(version: u64, wishes: &DeliveryWishes) -> Response {
    IfNoneMatch::default().shown(Some(version), &DeliveryPreferencesView::of(wishes))
}
