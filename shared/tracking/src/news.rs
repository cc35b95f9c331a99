//! Which changes the customer hears of, and the event that says so: the same shape, and the same fact, as if the order's pipeline had
//! published it.

use domain::{Item, OrderStatus, Standing, TrackingDetail, TrackingNumber, Voice, Zone};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use crate::ports::OutgoingNews;
use crate::{OrderRecord, RegisteredParcel};

/// What happened longer ago is kept and not told: a parcel that is registered late brings its whole past.
const FRESH_FOR: SignedDuration = SignedDuration::from_hours(24 * 7);

/// An event is no larger than this, in bytes: SNS takes 256 KiB (Amazon SNS quotas), attributes included, and the outbox has to keep it.
const LARGEST: usize = 240 * 1024;

/// The news that turn one record of an order into the next.
pub(crate) fn of(before: Option<&OrderRecord>, after: &OrderRecord, zone: &Zone, now: Timestamp) -> Vec<OutgoingNews> {
    let mut news: Vec<OutgoingNews> = Vec::new();
    let mut add = |parcel: Option<&RegisteredParcel>, old: Option<&Standing>, new: &Standing| {
        if is_told(old, new, zone, now) {
            let key = key_of(parcel.map(|parcel| &parcel.number), new);
            if news.iter().all(|known| known.key != key) {
                let event = event_of(after, parcel, new);
                news.push(OutgoingNews { key, event });
            }
        }
    };
    if after.parcels.is_empty() {
        add(None, before.map(|before| &before.standing), &after.standing);
    }
    for parcel in &after.parcels {
        let is_of_all = parcel.standing.is_of_whole_order;
        let old = before.and_then(|before| match before.parcel(&parcel.number) {
            None if is_of_all && before.parcels.is_empty() => Some(&before.standing),
            // Where it was news, the parcels tell it that were there before this one.
            None if is_of_all => Some(&parcel.standing),
            old => old,
        });
        // What was said of the order as a whole is told once, of the order as a whole.
        let registered = after.registration.parcel(&parcel.number);
        let about = registered.filter(|_| !is_of_all);
        add(about, old, &parcel.standing);
    }
    news
}

/// Whether this is news to the customer, and ours to tell.
fn is_told(old: Option<&Standing>, new: &Standing, zone: &Zone, now: Timestamp) -> bool {
    let (Some(status), Some(since), Some(voice)) = (new.status, new.since, new.voice) else {
        return false;
    };
    let is_ours = match voice {
        // Whoever publishes it tells the customer.
        Voice::Pipeline => false,
        Voice::Hand => true,
        // A carrier that cancels has been told so by the shop, which prints another label more often than it gives up the order.
        Voice::Carrier => status != OrderStatus::Cancelled,
    };
    is_ours && now.duration_since(since) <= FRESH_FOR && old.is_none_or(|old| as_told(old, zone) != as_told(new, zone))
}

/// What of a standing the customer would notice: the fields from which the fact's own id is made.
fn as_told(standing: &Standing, zone: &Zone) -> (Option<OrderStatus>, Option<TrackingDetail>, String) {
    let detail = standing
        .detail
        .filter(|detail| *detail == TrackingDetail::ReadyForPickup);
    let more = match standing.status {
        // It waits: tomorrow that is no news.
        Some(OrderStatus::OutForDelivery) if detail.is_some() => None,
        Some(OrderStatus::Delayed) => standing.expected.map(|day| day.to_string()),
        Some(OrderStatus::Exception | OrderStatus::OutForDelivery) => standing
            .since
            .map(|since| since.to_zoned(zone.tz().clone()).date().to_string()),
        Some(
            OrderStatus::Pending
            | OrderStatus::Paid
            | OrderStatus::Confirmed
            | OrderStatus::Processing
            | OrderStatus::Picking
            | OrderStatus::Packed
            | OrderStatus::Shipped
            | OrderStatus::Delivered
            | OrderStatus::Cancelled
            | OrderStatus::Returned,
        )
        | None => None,
    };
    (standing.status, detail, more.unwrap_or_default())
}

/// Tells these news from all others of the order.
fn key_of(parcel: Option<&TrackingNumber>, standing: &Standing) -> String {
    let since = standing.since.map(|since| format!("{since:.3}")).unwrap_or_default();
    let status = standing.status.map_or("", OrderStatus::name);
    let detail = standing.detail.map_or("", TrackingDetail::name);
    // Parcels may be expected on different days. What was said of all of them at once is still said once, unless it is about the day.
    let is_of_the_day = standing.status == Some(OrderStatus::Delayed);
    let expected = standing.expected.filter(|_| parcel.is_some() || is_of_the_day);
    let expected = expected.map(|day| day.to_string()).unwrap_or_default();
    let number = parcel.map_or("", TrackingNumber::as_str);
    format!("{since}#{status}#{detail}#{expected}#{number}")
}

/// The event for the topic, as JSON.
fn event_of(order: &OrderRecord, parcel: Option<&RegisteredParcel>, standing: &Standing) -> String {
    let registration = &order.registration;
    let kept = &registration.order;
    let mut data = Map::new();
    let mut put = |name: &str, value: Value| {
        if !value.is_null() {
            data.insert(name.to_owned(), value);
        }
    };
    put("orderId", kept.id.as_str().into());
    put("status", standing.status.map(OrderStatus::name).into());
    put("customerName", kept.customer_name.clone().into());
    put("shippingAddress", lines(&kept.shipping_address));
    put("items", items(&kept.items));
    put(
        "totalAmount",
        kept.total.as_ref().map(|total| total.amount.to_string()).into(),
    );
    let of_parcel = parcel.map(|parcel| parcel.items.as_slice()).unwrap_or_default();
    let prices = kept
        .items
        .iter()
        .chain(of_parcel)
        .filter_map(|item| item.price.as_ref());
    let currency = kept.total.iter().chain(prices).map(|money| money.currency).next();
    put("currency", currency.map(|currency| currency.code().to_owned()).into());
    // The front door takes no other for a day; a carrier may name any.
    let expected = standing.expected.filter(|day| (2000..2100).contains(&day.year()));
    put("estimatedDelivery", expected.map(|day| day.to_string()).into());
    let reason = standing.detail.map(|detail| match detail {
        TrackingDetail::AttemptFailed => "recipient_absent",
        TrackingDetail::ReadyForPickup => "ready_for_pickup",
    });
    put("reason", reason.into());
    if let Some(parcel) = parcel {
        put("trackingNumber", parcel.spelling.clone().into());
        put("carrier", parcel.carrier_name.clone().into());
        put("parcelItems", items(&parcel.items));
        put("parcelNumber", parcel.place.into());
        // Told by two events, they may contradict each other.
        put(
            "parcelCount",
            parcel.count.filter(|count| Some(*count) >= parcel.place).into(),
        );
    }
    let mut event = Map::new();
    event.insert("notificationType".to_owned(), "order_status_update".into());
    let mut put = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            event.insert(name.to_owned(), value.into());
        }
    };
    put("userId", registration.user.as_ref().map(ToString::to_string));
    put("recipientEmail", registration.email.clone());
    put("recipientPhone", registration.phone.clone());
    put("language", registration.language.map(|language| language.to_string()));
    put("timestamp", standing.since.map(|since| since.to_string()));
    // That it can be fetched is a fact of its own, beside that it was on its way on the same day.
    if standing.detail == Some(TrackingDetail::ReadyForPickup) {
        let number = parcel.map_or("", |parcel| parcel.number.as_str());
        let since = standing.since.map(|since| since.to_string()).unwrap_or_default();
        put("eventId", Some(format!("ready_for_pickup:{number}:{since}")));
    }
    // What one event had room for may be too much together with what another told.
    for dispensable in ["items", "parcelItems", "shippingAddress"] {
        let text = text_of(&event, &data);
        if text.len() <= LARGEST {
            return text;
        }
        data.remove(dispensable);
    }
    text_of(&event, &data)
}

fn text_of(event: &Map<String, Value>, data: &Map<String, Value>) -> String {
    let mut event = event.clone();
    event.insert("orderData".to_owned(), Value::Object(data.clone()));
    Value::Object(event).to_string()
}

fn lines(lines: &[String]) -> Value {
    match lines {
        [] => Value::Null,
        lines => lines.iter().map(|line| Value::from(line.as_str())).collect(),
    }
}

fn items(items: &[Item]) -> Value {
    match items {
        [] => Value::Null,
        items => items.iter().map(item).collect(),
    }
}

fn item(item: &Item) -> Value {
    let price = item.price.as_ref().map(|price| price.amount.to_string());
    let mut value = json!({"name": item.name, "quantity": item.quantity.to_string()});
    if let (Some(price), Value::Object(value)) = (price, &mut value) {
        value.insert("price".to_owned(), price.into());
    }
    value
}
