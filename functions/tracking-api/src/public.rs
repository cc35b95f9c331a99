//! `GET /orders/track/{trackingNumber}` and `GET /track/{token}`: the way of a parcel, for whoever has its number and its postal code, or a
//! link. Nothing here tells whose it is, and what does not open looks the same whatever the cause.

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::Uri;
use axum::response::{IntoResponse, Response};
use domain::{Effect, OrderId, OrderStatus, Teller, TrackingDetail, TrackingNumber};
use futures_util::future::try_join_all;
use jiff::Timestamp;
use lambda::MetricName;
use links::InvalidLink;
use serde::Serialize;
use std::sync::Arc;
use tracking::ports::{OrderFile, ParcelFile};
use tracking::{Entry, OrderRecord, RegisteredParcel};
use utoipa::ToSchema;
use web::{Counted, IfNoneMatch, Problem};

use crate::config::PublicTracking;
use crate::door::{Door, Segment, Store};
use crate::open_api;
use crate::postal_code::is_code_of;
use crate::view::{StandingView, name_of, standing_of, tracking_page};

/// A parcel may hold several orders, and a number comes back after a year. One of more orders is a word such as `PENDING`, which some
/// pipeline writes where it has no number yet, and names nobody's parcel.
const MOST_ORDERS: usize = 3;

/// The number that is looked up in the place of what is none.
const NO_NUMBER: &str = "NO-SUCH-PARCEL";

/// So many events of a parcel are shown.
const MOST_EVENTS: usize = 200;

/// The way of a parcel.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TrackedParcelView {
    /// Where it stands.
    #[serde(flatten)]
    standing: StandingView,
    /// Who carries it, as customers know them; missing where we do not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "UPS")]
    carrier: Option<&'static str>,
    /// The carrier's own page about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "https://www.ups.com/track?loc=en_US&tracknum=1Z204W4R0308071865")]
    tracking_page: Option<String>,
    /// What happened, the newest first: what counted, 200 at most.
    events: Vec<TrackedEventView>,
}

/// The way of all parcels of an order.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TrackedOrderView {
    /// Where it stands, all parcels taken together.
    #[serde(flatten)]
    standing: StandingView,
    /// What happened to all of it, the newest first: what counted, 200 at most.
    events: Vec<TrackedEventView>,
    /// Each parcel, with what happened to it alone.
    parcels: Vec<TrackedParcelView>,
}

/// One thing that happened.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct TrackedEventView {
    /// When.
    #[schema(format = DateTime)]
    at: String,
    /// The status from then on; missing where it changed none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = open_api::status)]
    status: Option<&'static str>,
    /// What the status alone does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = open_api::detail)]
    detail: Option<&'static str>,
    /// Town and country.
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<String>,
    /// The carrier's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

impl TrackedEventView {
    /// An event fit for strangers; none where it says them nothing. Reasons are for the customer and the shop.
    fn of(Entry { saying, effect }: &Entry) -> Option<Self> {
        let (text, place) = match &saying.by {
            Teller::Carrier { text, place, .. } => (text.clone(), place.clone()),
            Teller::Pipeline { .. } | Teller::Hand { .. } => (None, None),
        };
        let is_shown = match effect {
            Effect::Applied => true,
            Effect::Silent => text.is_some(),
            Effect::OverruledByHand
            | Effect::AfterTheEnd
            | Effect::AlreadyFurther
            | Effect::NotPermitted
            | Effect::TooFarAhead
            | Effect::OtherCarrier => false,
        };
        is_shown.then(|| Self {
            at: saying.at.to_string(),
            status: saying.status.map(OrderStatus::name),
            detail: saying.detail.map(TrackingDetail::name),
            place,
            text,
        })
    }
}

fn events(entries: &[Entry], is_shown: impl Fn(Option<&TrackingNumber>) -> bool) -> Vec<TrackedEventView> {
    let shown = entries.iter().filter(|entry| is_shown(entry.saying.parcel.as_ref()));
    shown.filter_map(TrackedEventView::of).take(MOST_EVENTS).collect()
}

impl TrackedParcelView {
    fn of(record: &OrderRecord, parcel: &RegisteredParcel, events: Vec<TrackedEventView>) -> Self {
        Self {
            standing: StandingView::of(standing_of(record, parcel)),
            carrier: parcel.carrier().map(name_of),
            tracking_page: tracking_page(parcel),
            events,
        }
    }
}

/// Where this parcel stands.
///
/// For whoever knows its number and the postal code to which it goes; a shop may ask for the number alone, or show nothing. Whatever does not
/// open is the same 404: an unknown number, a wrong code, none.
#[utoipa::path(
    get, path = "/orders/track/{trackingNumber}", operation_id = "trackParcel", tag = "public",
    security(()),
    params(
        ("trackingNumber" = String, Path, description = "the carrier's number"),
        ("postalCode" = Option<String>, Query, description = "that of the address; blanks, hyphens and case do not count"),
        ("If-None-Match" = Option<String>, Header, description = "the ETag of what the caller has")
    ),
    responses(
        (status = 200, body = TrackedParcelView, headers(("ETag" = String, description = "for If-None-Match"))),
        (status = 304, description = "the caller has it already"),
        open_api::PublicRefusals
    )
)]
pub(crate) async fn by_number<S: Store>(
    State(door): State<Arc<Door<S>>>,
    known: IfNoneMatch,
    uri: Uri,
    number: Segment,
) -> Result<Response, Problem> {
    let code = match door.settings.public {
        PublicTracking::Off => return Ok(refused(MetricName::ParcelNotShown)),
        PublicTracking::Number => None,
        PublicTracking::PostalCode => Some(postal_code(&uri)),
    };
    let asked = number.ok().and_then(|Path(text)| TrackingNumber::try_from(text).ok());
    let is_number = asked.is_some();
    let number = match asked {
        Some(number) => number,
        None => TrackingNumber::try_from(NO_NUMBER).map_err(|_never| Problem::internal())?,
    };
    // From here on the same is read whatever the number is: the parcel, and so many orders.
    let parcel = door.store.read_parcel(&number).await?;
    let ids = orders_of(&number, &parcel)?;
    let files = try_join_all(ids.iter().map(|id| door.store.read_order(id))).await?;
    let is_shown = |file: &OrderFile| {
        let record = file.record.as_ref();
        let record = record.filter(|record| is_number & record.registration.parcel(&number).is_some());
        let address = record.map(|record| record.registration.order.shipping_address.as_slice());
        match &code {
            Some(code) => is_code_of(code, address),
            None => record.is_some(),
        }
    };
    // Each is looked at, whatever those before it were.
    let shown: Vec<OrderFile> = files.into_iter().filter(is_shown).collect();
    let latest = shown
        .iter()
        .max_by_key(|file| file.record.as_ref().map(|record| record.updated_at));
    let found = latest.and_then(|file| {
        let record = file.record.as_ref()?;
        Some((file, record, record.registration.parcel(&number)?))
    });
    let Some((file, record, registered)) = found else {
        return Ok(refused(MetricName::ParcelNotShown));
    };
    let entries = tracking::timeline(file, std::slice::from_ref(&parcel));
    let events = events(&entries, |about| about.is_none_or(|about| *about == number));
    Ok(known.shown(None, &TrackedParcelView::of(record, registered, events)))
}

/// The orders of a parcel; what is missing is filled with ids that no order has.
fn orders_of(number: &TrackingNumber, parcel: &ParcelFile) -> Result<Vec<OrderId>, Problem> {
    let mut ids = match parcel.orders.len() {
        0..=MOST_ORDERS => parcel.orders.clone(),
        _ => Vec::new(),
    };
    for nth in ids.len()..MOST_ORDERS {
        let none = OrderId::try_from(format!("no order {nth} of parcel {number}"));
        ids.push(none.map_err(|_never| Problem::internal())?);
    }
    Ok(ids)
}

fn postal_code(uri: &Uri) -> String {
    let query = uri.query().unwrap_or_default();
    let mut parameters = form_urlencoded::parse(query.as_bytes());
    let code = parameters.find(|(name, _)| name == "postalCode");
    code.map(|(_, code)| code.into_owned()).unwrap_or_default()
}

/// Where the parcels of this link stand.
///
/// A signed link, which opens nothing else. Whatever does not open is the same 404: a link that was cut, forged, made for something else, or
/// has expired.
#[utoipa::path(
    get, path = "/track/{token}", operation_id = "trackOrder", tag = "public",
    security(()),
    params(
        ("token" = String, Path, description = "the end of a trackingLink"),
        ("If-None-Match" = Option<String>, Header, description = "the ETag of what the caller has")
    ),
    responses(
        (status = 200, body = TrackedOrderView, headers(("ETag" = String, description = "for If-None-Match"))),
        (status = 304, description = "the caller has it already"),
        open_api::PublicRefusals
    )
)]
pub(crate) async fn by_link<S: Store>(
    State(door): State<Arc<Door<S>>>,
    Extension(now): Extension<Timestamp>,
    known: IfNoneMatch,
    link: Segment,
) -> Result<Response, Problem> {
    let link = link.map(|Path(link)| link).unwrap_or_default();
    let token = match door.settings.keys.verify_order(&link, now) {
        Ok(token) => token,
        Err(invalid) => return Ok(refused(metric_of(invalid))),
    };
    let file = door.store.read_order(&token.order).await?;
    let Some(record) = &file.record else {
        return Ok(refused(MetricName::ParcelNotShown));
    };
    let files = door.parcels_of(record).await?;
    let entries = tracking::timeline(&file, &files);
    let parcels = record.registration.parcels.iter().map(|parcel| {
        let of_it = events(&entries, |about| about == Some(&parcel.number));
        TrackedParcelView::of(record, parcel, of_it)
    });
    let view = TrackedOrderView {
        standing: StandingView::of(&record.standing),
        events: events(&entries, |about| about.is_none()),
        parcels: parcels.collect(),
    };
    Ok(known.shown(None, &view))
}

/// The one answer to whatever does not open; the cause is counted, and told nobody.
fn refused(metric: MetricName) -> Response {
    (Extension(Counted::once(metric)), Problem::not_found()).into_response()
}

const fn metric_of(invalid: InvalidLink) -> MetricName {
    match invalid {
        InvalidLink::Malformed => MetricName::LinkRefusedMalformed,
        InvalidLink::UnknownKey => MetricName::LinkRefusedUnknownKey,
        InvalidLink::BadSignature => MetricName::LinkRefusedBadSignature,
        InvalidLink::Expired => MetricName::LinkRefusedExpired,
    }
}
