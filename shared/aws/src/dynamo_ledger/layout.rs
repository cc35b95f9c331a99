//! How a notification lies in its item: the attributes that callers read, and a map per channel.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{
    Channel, ChannelResult, Delivery, Language, Lease, Notification, NotificationType, OrderId, OrderStatus,
    ParcelMark, Past, SmsEncoding, SmsSize, State, UserId, Written,
};
use jiff::Timestamp;

use super::{channel_list, id_of};
use crate::item::{Item, bool_of, map_of, maps_of, moment, moment_of, number, number_of, text, text_of};

/// The claim time of a delivery that nobody may claim: far beyond every clock (milliseconds, the year 2286).
const NEVER_MS: i64 = 9_999_999_999_999;

/// The attributes of a new notification.
pub(super) fn insert_values(notification: &Notification, retention_days: i64) -> Vec<(&'static str, AttributeValue)> {
    let channels = notification.channels();
    let results = notification
        .deliveries
        .iter()
        .map(|(channel, delivery)| result_item(*channel, delivery))
        .collect();
    let expires_at = notification
        .recorded_at
        .as_second()
        .saturating_add(retention_days.saturating_mul(86_400));
    let mut values = vec![
        ("notificationId", text(notification.id.to_string())),
        ("notificationType", text(notification.notification_type.name())),
        ("timestamp", number(notification.at.as_second())),
        ("channels", channel_list(&channels)),
        ("results", AttributeValue::L(results)),
        ("totalChannels", number(channels.len())),
        ("successfulChannels", number(0)),
        ("failedChannels", number(0)),
        ("recordedAt", moment(notification.recorded_at)),
        ("recordedBy", text(notification.recorded_by.as_str())),
        ("expiresAt", number(expires_at)),
    ];
    values.extend(notification.user.as_ref().map(|user| ("userId", text(user.as_str()))));
    values.extend(
        notification
            .order
            .as_ref()
            .map(|order| ("orderId", text(order.as_str()))),
    );
    values.extend(notification.status.map(|status| ("status", text(status.name()))));
    values.extend(notification.parcel.as_ref().map(|mark| ("parcel", text(mark.as_str()))));
    values.extend(
        notification
            .fingerprint
            .as_ref()
            .map(|print| ("fingerprint", text(print.as_str()))),
    );
    values.extend(
        notification
            .deliveries
            .iter()
            .map(|(channel, delivery)| (channel.name(), AttributeValue::M(delivery_item(delivery)))),
    );
    values
}

/// One channel's result, as callers read it.
pub(super) fn result_item(channel: Channel, delivery: &Delivery) -> AttributeValue {
    let result = ChannelResult::of(channel, delivery);
    let mut item = Item::from([
        ("channel".to_owned(), text(channel.name())),
        ("outcome".to_owned(), text(result.outcome.name())),
    ]);
    item.extend(result.reason.map(|reason| ("reason".to_owned(), text(reason))));
    item.extend(
        delivery
            .message_id
            .as_ref()
            .map(|id| ("messageId".to_owned(), text(id.as_str()))),
    );
    AttributeValue::M(item)
}

/// A delivery as a map; what is zero or nothing is left out, because every byte is paid for.
pub(super) fn delivery_item(delivery: &Delivery) -> Item {
    let claimable_at = delivery.claimable_at.map_or(NEVER_MS, Timestamp::as_millisecond);
    let mut item = Item::from([
        ("state".to_owned(), text(delivery.state.name())),
        ("claimableAt".to_owned(), number(claimable_at)),
        ("attempt".to_owned(), number(delivery.attempt)),
        ("changedAt".to_owned(), moment(delivery.changed_at)),
    ]);
    let mut add = |name: &str, value: Option<AttributeValue>| item.extend(value.map(|value| (name.to_owned(), value)));
    add(
        "failures",
        Some(delivery.failures).filter(|count| *count > 0).map(number),
    );
    add(
        "generation",
        Some(delivery.generation).filter(|count| *count > 0).map(number),
    );
    add("owner", delivery.lease.as_ref().map(|lease| text(lease.owner.as_str())));
    add("leaseUntil", delivery.lease.as_ref().map(|lease| moment(lease.until)));
    add("messageId", delivery.message_id.as_deref().map(text));
    add("written", delivery.written.as_ref().map(written_item));
    add("reason", delivery.reason.as_deref().map(text));
    add(
        "deadLettered",
        delivery.is_dead_lettered.then_some(AttributeValue::Bool(true)),
    );
    add("openedAt", delivery.opened_at.map(moment));
    add("clickedAt", delivery.clicked_at.map(moment));
    add(
        "trail",
        (!delivery.trail.is_empty()).then(|| AttributeValue::L(delivery.trail.iter().map(past_item).collect())),
    );
    item
}

/// `es gsm7/1 built-in`: language, encoding and segments (`-` where it is no text message), template. One text and no map, because
/// the names in a map would cost more bytes than what they name.
fn written_item(written: &Written) -> AttributeValue {
    let size = match written.sms {
        Some(sms) => format!("{}/{}", sms.encoding.name(), sms.segments),
        None => "-".to_owned(),
    };
    text(format!("{} {size} {}", written.language.code(), written.template))
}

/// What items of earlier versions do not have, and what cannot be read, is not there.
fn written_of(item: &Item) -> Option<Written> {
    let mut parts = text_of(item, "written")?.splitn(3, ' ');
    let (language, size, template) = (parts.next()?, parts.next()?, parts.next()?);
    let sms = match size.split_once('/') {
        Some((encoding, segments)) => Some(SmsSize {
            encoding: SmsEncoding::from_name(encoding)?,
            segments: segments.parse().ok()?,
        }),
        None => None,
    };
    Some(Written {
        language: Language::try_from(language).ok()?,
        template: template.to_owned(),
        sms,
    })
}

fn past_item(past: &Past) -> AttributeValue {
    let mut item = Item::from([
        ("state".to_owned(), text(past.state.name())),
        ("attempt".to_owned(), number(past.attempt)),
        ("at".to_owned(), moment(past.at)),
    ]);
    item.extend(past.reason.as_deref().map(|reason| ("reason".to_owned(), text(reason))));
    item.extend((past.times != 1).then(|| ("times".to_owned(), number(past.times))));
    AttributeValue::M(item)
}

fn past_of(item: &Item) -> Option<Past> {
    Some(Past {
        state: State::from_name(text_of(item, "state")?)?,
        reason: text_of(item, "reason").map(str::to_owned),
        attempt: number_of(item, "attempt")?,
        at: moment_of(item, "at")?,
        times: number_of(item, "times").unwrap_or(1),
    })
}

/// The delivery of one channel in an item.
pub(super) fn delivery_of(item: &Item, channel: Channel) -> Option<Delivery> {
    let map = map_of(item, channel.name())?;
    let lease = text_of(map, "owner").zip(moment_of(map, "leaseUntil"));
    Some(Delivery {
        state: State::from_name(text_of(map, "state")?)?,
        claimable_at: number_of(map, "claimableAt")
            .filter(|ms| *ms < NEVER_MS)
            .and_then(|ms| Timestamp::from_millisecond(ms).ok()),
        attempt: number_of(map, "attempt")?,
        failures: number_of(map, "failures").unwrap_or(0),
        generation: number_of(map, "generation").unwrap_or(0),
        lease: lease.map(|(owner, until)| Lease {
            owner: owner.to_owned(),
            until,
        }),
        message_id: text_of(map, "messageId").map(str::to_owned),
        written: written_of(map),
        reason: text_of(map, "reason").map(str::to_owned),
        changed_at: moment_of(map, "changedAt")?,
        is_dead_lettered: map.get("deadLettered").and_then(bool_of).unwrap_or(false),
        opened_at: moment_of(map, "openedAt"),
        clicked_at: moment_of(map, "clickedAt"),
        trail: maps_of(map, "trail").filter_map(past_of).collect(),
    })
}

/// The notification in an item.
pub(super) fn notification_of(item: &Item) -> Option<Notification> {
    Some(Notification {
        id: id_of(item)?,
        user: text_of(item, "userId").and_then(|user| UserId::try_from(user).ok()),
        notification_type: NotificationType::from_name(text_of(item, "notificationType")?)?,
        order: text_of(item, "orderId").and_then(|order| OrderId::try_from(order).ok()),
        status: text_of(item, "status").and_then(|status| OrderStatus::read(status).ok()),
        parcel: text_of(item, "parcel").map(|mark| ParcelMark::from_stored(mark.to_owned())),
        at: Timestamp::from_second(number_of(item, "timestamp")?).ok()?,
        recorded_at: moment_of(item, "recordedAt")?,
        recorded_by: text_of(item, "recordedBy").unwrap_or_default().to_owned(),
        fingerprint: text_of(item, "fingerprint").map(|print| domain::Fingerprint::from_stored(print.to_owned())),
        deliveries: Channel::ALL
            .into_iter()
            .filter_map(|channel| Some((channel, delivery_of(item, channel)?)))
            .collect(),
    })
}
