//! Orders and parcels as their owners see them.

use domain::{Carrier, OrderStatus, Standing, TrackingDetail};
use serde::Serialize;
use tracking::{OrderRecord, RegisteredParcel};
use utoipa::ToSchema;

use crate::open_api;

/// Where an order or a parcel stands.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StandingView {
    /// Its status.
    #[schema(schema_with = open_api::status)]
    status: &'static str,
    /// Since when; missing before anything was said of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    since: Option<String>,
    /// What the status alone does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = open_api::detail)]
    detail: Option<&'static str>,
    /// The day on which it is expected, as last told.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = Date, example = "2026-11-24")]
    expected: Option<String>,
}

/// An order and its parcels.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OrderView {
    /// The order.
    order_id: String,
    /// Where it stands, all its parcels taken together.
    #[serde(flatten)]
    standing: StandingView,
    /// When any of it last changed.
    #[schema(format = DateTime)]
    updated_at: String,
    /// Its parcels, in the order in which the shop told them.
    parcels: Vec<ParcelView>,
}

/// A parcel.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ParcelView {
    /// Its number, as the shop writes it.
    #[schema(example = "1Z204W4R0308071865")]
    tracking_number: String,
    /// Who carries it: as customers know them, else as the shop calls them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "UPS")]
    carrier: Option<String>,
    /// The carrier's own page about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "https://www.ups.com/track?loc=en_US&tracknum=1Z204W4R0308071865")]
    tracking_page: Option<String>,
    /// Where it stands.
    #[serde(flatten)]
    standing: StandingView,
}

impl StandingView {
    /// A standing; `pending` before anything was said.
    pub(crate) fn of(standing: &Standing) -> Self {
        Self {
            status: standing.status.unwrap_or(OrderStatus::Pending).name(),
            since: standing.since.map(|since| since.to_string()),
            detail: standing.detail.map(TrackingDetail::name),
            expected: standing.expected.map(|day| day.to_string()),
        }
    }
}

impl OrderView {
    pub(crate) fn of(record: &OrderRecord) -> Self {
        let parcels = record.registration.parcels.iter();
        Self {
            order_id: record.registration.id().to_string(),
            standing: StandingView::of(&record.standing),
            updated_at: record.updated_at.to_string(),
            parcels: parcels.map(|parcel| ParcelView::of(record, parcel)).collect(),
        }
    }
}

impl ParcelView {
    fn of(record: &OrderRecord, parcel: &RegisteredParcel) -> Self {
        let known = parcel.carrier().map(|carrier| name_of(carrier).to_owned());
        Self {
            tracking_number: parcel.spelling.clone(),
            carrier: known.or_else(|| parcel.carrier_name.clone()),
            tracking_page: tracking_page(parcel),
            standing: StandingView::of(standing_of(record, parcel)),
        }
    }
}

/// Where a parcel stands; as its order, as long as nothing else is known.
pub(crate) fn standing_of<'r>(record: &'r OrderRecord, parcel: &RegisteredParcel) -> &'r Standing {
    let standing = record.parcel(&parcel.number);
    standing
        .filter(|standing| standing.status.is_some())
        .unwrap_or(&record.standing)
}

/// The carrier's own page about a parcel.
pub(crate) fn tracking_page(parcel: &RegisteredParcel) -> Option<String> {
    carriers::tracking_page(parcel.carrier_name.as_deref(), parcel.number.as_str())
}

/// A carrier as customers know it.
pub(crate) fn name_of(carrier: Carrier) -> &'static str {
    carriers::carrier_name(carrier.name()).unwrap_or(carrier.name())
}
