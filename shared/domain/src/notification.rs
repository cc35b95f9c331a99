//! A notification as the ledger keeps it, and the request that travels to a sender.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::decision::is_too_old;
use crate::{
    Channel, Contact, Content, Decision, Delivery, Event, Fingerprint, Language, Night, NotificationId,
    NotificationType, OrderId, OrderStatus, ParcelMark, Plan, Preferences, Reason, ShopDefaults, State, Suppression,
    TraceContext, UserId, Wait, Zone, rings,
};

/// One business fact for one recipient, with a delivery per channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Notification {
    /// Derived from the fact.
    pub id: NotificationId,
    /// The customer; none for guests and administrators.
    pub user: Option<UserId>,
    /// Its type.
    pub notification_type: NotificationType,
    /// The order it is about.
    pub order: Option<OrderId>,
    /// The status it tells.
    pub status: Option<OrderStatus>,
    /// The parcel it tells it of; none when it speaks of the whole order.
    pub parcel: Option<ParcelMark>,
    /// When the fact happened.
    pub at: Timestamp,
    /// When it was decided upon.
    pub recorded_at: Timestamp,
    /// Which invocation decided upon it: how a writer whose reply was lost recognises its own record.
    pub recorded_by: String,
    /// What the customer would read, where the publisher gave an explicit idempotency key.
    pub fingerprint: Option<Fingerprint>,
    /// A delivery per channel.
    pub deliveries: BTreeMap<Channel, Delivery>,
}

/// How one channel fared, as the ledger's `results` and the answer to a direct call tell it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChannelResult {
    /// The channel.
    pub channel: Channel,
    /// The state of its delivery.
    pub outcome: Outcome,
    /// Why, where there is a why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What the ledger knows of an order besides a message that is about to be sent.
#[derive(Debug, Clone, PartialEq)]
pub struct News {
    /// The notification.
    pub id: NotificationId,
    /// The customer whom it told.
    pub user: Option<UserId>,
    /// The status that it told.
    pub status: Option<OrderStatus>,
    /// The parcel of which it told it.
    pub parcel: Option<ParcelMark>,
    /// When that happened.
    pub at: Timestamp,
}

impl From<&Notification> for News {
    fn from(notification: &Notification) -> Self {
        Self {
            id: notification.id,
            user: notification.user.clone(),
            status: notification.status,
            parcel: notification.parcel.clone(),
            at: notification.at,
        }
    }
}

/// News that were sent on within this time are not asked about again.
const FRESH: SignedDuration = SignedDuration::from_secs(60);

/// The state of a delivery as callers read it.
pub type Outcome = State;

/// What a sender is asked to do. Travels through a queue as `{"delivery/1": …}`, so that old and new senders can share it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeliveryRequest {
    /// The notification.
    pub id: NotificationId,
    /// The channel.
    pub channel: Channel,
    /// The e-mail address, the phone number in E.164, or the id of the customer whose inbox it is.
    pub to: String,
    /// The customer; none for guests and administrators.
    pub user: Option<UserId>,
    /// The language to write in.
    pub language: Language,
    /// The customer's time zone.
    pub zone: Zone,
    /// When the fact happened.
    pub at: Timestamp,
    /// When it was handed over: from then on it counts how long it could not be sent.
    pub handed_over_at: Timestamp,
    /// Whether it travels in the urgent lane.
    pub is_urgent: bool,
    /// Not before this moment, as far as was known when it was put where it waits.
    pub not_before: Option<Timestamp>,
    /// Not before this moment because the event says so, whatever becomes of the customer's quiet hours.
    #[serde(default)]
    pub scheduled_for: Option<Timestamp>,
    /// Whether it rings at night. A request of the time before quiet hours were kept says nothing, and goes as was promised then.
    #[serde(default = "promised")]
    pub passes_quiet_hours: bool,
    /// What the message tells.
    pub content: Content,
    /// The trace that it belongs to, kept here as well because what waits for the morning waits in no queue. A request of the time
    /// before, and one that is not traced, says nothing.
    #[serde(
        default,
        deserialize_with = "crate::trace::lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub trace: Option<TraceContext>,
}

const fn promised() -> bool {
    true
}

impl Notification {
    /// The record of a plan, before anything is handed over.
    #[must_use]
    pub fn planned(event: &Event, plan: &Plan, shop: &ShopDefaults, recorded_by: &str, now: Timestamp) -> Self {
        Self {
            id: event.notification_id(&shop.zone),
            user: event.recipient.user.clone(),
            notification_type: event.content.notification_type(),
            order: event.content.order().map(|order| order.id.clone()),
            status: event.content.status(),
            parcel: event.content.parcel_mark(),
            at: event.at,
            recorded_at: now,
            recorded_by: recorded_by.to_owned(),
            fingerprint: event.idempotency_key.as_ref().map(|_key| event.fingerprint()),
            deliveries: plan
                .decisions
                .iter()
                .map(|(channel, decision)| (*channel, decision.delivery(now)))
                .collect(),
        }
    }

    /// The channels that were handed over, or will be: all whose delivery was not decided against.
    #[must_use]
    pub fn channels(&self) -> Vec<Channel> {
        let never_started = |delivery: &Delivery| {
            delivery.attempt == 0
                && matches!(
                    delivery.state,
                    State::Skipped | State::Suppressed | State::Superseded | State::Expired
                )
        };
        self.deliveries
            .iter()
            .filter(|(_, delivery)| !never_started(delivery))
            .map(|(channel, _)| *channel)
            .collect()
    }

    /// How each channel fared.
    #[must_use]
    pub fn results(&self) -> Vec<ChannelResult> {
        self.deliveries
            .iter()
            .map(|(channel, delivery)| ChannelResult::of(*channel, delivery))
            .collect()
    }
}

impl ChannelResult {
    /// How this delivery fared.
    #[must_use]
    pub fn of(channel: Channel, delivery: &Delivery) -> Self {
        Self {
            channel,
            outcome: delivery.state,
            reason: delivery.reason.clone(),
        }
    }
}

/// The wire forms of a request. A new form is added beside the old ones, which stay readable.
#[derive(Serialize, Deserialize)]
enum Wire {
    #[serde(rename = "delivery/1")]
    V1(Box<DeliveryRequest>),
}

impl DeliveryRequest {
    /// Reads a request from its wire form.
    ///
    /// # Errors
    ///
    /// What was expected, with the place in the text but none of its content.
    pub fn from_wire(text: &str) -> Result<Self, String> {
        match serde_json::from_str(text) {
            Ok(Wire::V1(request)) => Ok(*request),
            Err(error) => Err(format!(
                "message: expected a delivery/1 request of our own, which ends at line {} column {}",
                error.line(),
                error.column()
            )),
        }
    }

    /// The request in its wire form.
    #[must_use]
    pub fn to_wire(&self) -> String {
        serde_json::to_string(&Wire::V1(Box::new(self.clone()))).unwrap_or_default()
    }

    /// The delivery as the ledger held it when this request was handed over.
    #[must_use]
    pub fn opening_delivery(&self) -> Delivery {
        match self.not_before {
            Some(until) => {
                let wait = Wait {
                    until,
                    is_for_quiet_hours: self.earliest().is_none_or(|earliest| until > earliest),
                };
                Delivery::deferred(wait, self.handed_over_at)
            }
            None => Delivery::queued(self.handed_over_at),
        }
    }

    /// Since when it could go out: since it was handed over, or since what it waited for by plan was over.
    #[must_use]
    pub fn due_at(&self) -> Timestamp {
        self.handed_over_at.max(self.not_before.unwrap_or(self.handed_over_at))
    }

    /// Before which moment it may not go, whatever becomes of the customer's quiet hours.
    fn earliest(&self) -> Option<Timestamp> {
        match self.passes_quiet_hours {
            // Of the time before quiet hours were kept, or not held by them: it waits for nothing else.
            true => self.scheduled_for.or(self.not_before),
            false => self.scheduled_for,
        }
    }

    /// For what it waits, if it may not go out now: for the moment that the event names, or for the end of the customer's quiet
    /// hours. What goes out now reaches the provider within `so_long`, less than a minute, and does not ring inside them either.
    #[must_use]
    pub fn wait(
        &self,
        preferences: &Preferences,
        shop: &Night,
        so_long: SignedDuration,
        now: Timestamp,
    ) -> Option<Wait> {
        let earliest = self.earliest().map_or(now, |earliest| earliest.max(now));
        let until = match self.passes_quiet_hours || !rings(self.channel, self.content.notification_type()) {
            true => earliest,
            false => preferences.night(shop).leaves(earliest, so_long),
        };
        // The ledger keeps milliseconds.
        (until.as_millisecond() > now.as_millisecond()).then_some(Wait {
            until,
            is_for_quiet_hours: until > earliest,
        })
    }

    /// The same request, which waits until then.
    #[must_use]
    pub fn waiting_until(&self, until: Timestamp) -> Self {
        Self {
            not_before: Some(until),
            ..self.clone()
        }
    }

    /// The requests that follow from a plan: one per channel that is to be sent.
    pub fn planned<'a>(
        event: &'a Event,
        plan: &'a Plan,
        id: NotificationId,
        handed_over_at: Timestamp,
    ) -> impl Iterator<Item = Self> + 'a {
        plan.decisions
            .iter()
            .filter_map(move |(channel, decision)| match decision {
                Decision::Send { to, wait } => Some(Self {
                    id,
                    channel: *channel,
                    to: to.clone(),
                    user: event.recipient.user.clone(),
                    language: plan.language,
                    zone: plan.zone.clone(),
                    at: event.at,
                    handed_over_at,
                    is_urgent: event.is_urgent(),
                    not_before: wait.map(|wait| wait.until),
                    scheduled_for: event.scheduled_for,
                    passes_quiet_hours: event.passes_quiet_hours(),
                    content: event.content.clone(),
                    trace: None,
                }),
                Decision::Skip(_) => None,
            })
    }

    /// Where it goes, if something may be known against that.
    #[must_use]
    pub fn contact(&self) -> Option<Contact> {
        Contact::behind(self.channel, &self.to)
    }

    /// Whether it may still be sent, now that its turn has come; else why not.
    ///
    /// # Errors
    ///
    /// The reason with which the delivery ends.
    pub fn still_wanted(
        &self,
        preferences: &Preferences,
        suppression: Option<&Suppression>,
        now: Timestamp,
    ) -> Result<(), Reason> {
        if is_too_old(self.at, now) {
            return Err(Reason::TooOld);
        }
        if !preferences.wants(self.channel, &self.content) {
            return Err(Reason::OptedOut);
        }
        match suppression.and_then(|suppression| suppression.in_force(now)) {
            Some(hold) => Err(hold.reason.as_reason()),
            None => Ok(()),
        }
    }

    /// Whether newer news may have come while this waited: it was tried before, it was deferred, it stood in a queue, or it
    /// reached us late.
    #[must_use]
    pub fn may_be_overtaken(&self, delivery: &Delivery, now: Timestamp) -> bool {
        let has_waited = now.duration_since(self.handed_over_at) > FRESH;
        let came_late = self.handed_over_at.duration_since(self.at) > FRESH;
        self.content.status().is_some()
            && (delivery.attempt > 1 || delivery.generation > 0 || self.not_before.is_some() || has_waited || came_late)
    }

    /// Whether these news make this message untrue.
    #[must_use]
    pub fn is_overtaken_by(&self, news: &News) -> bool {
        let (Some(ours), Some(theirs)) = (self.content.status(), news.status) else {
            return false;
        };
        let is_of_the_same = match (self.content.parcel_mark(), &news.parcel) {
            (Some(ours), Some(theirs)) => ours == *theirs,
            // News of the whole order concern every parcel, and the other way round.
            (None, _) | (_, None) => true,
        };
        // The ledger keeps seconds.
        let is_newer = match news.at.as_second().cmp(&self.at.as_second()) {
            std::cmp::Ordering::Greater => theirs.overtakes(ours),
            std::cmp::Ordering::Equal => theirs.follows(ours),
            std::cmp::Ordering::Less => false,
        };
        news.id != self.id && news.user == self.user && is_of_the_same && is_newer
    }
}
