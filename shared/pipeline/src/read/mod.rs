//! The front door for order events: from the text of a message to an [`Event`] in which everything is valid.
//!
//! Publishers are many and old: fields stand under `orderData` or flat beside it, amounts are numbers or strings, statuses
//! come in any case. What cannot be understood is refused with every wrong field named, never guessed.

mod by_type;
mod envelope;
mod fields;
mod limits;

use domain::{Channel, Event, Language, Priority, Recipient, ShopDefaults, UserId};
use jiff::{SignedDuration, Timestamp};
use std::fmt;

use fields::Fields;

/// What reading needs to know besides the message.
#[derive(Debug, Clone)]
pub struct Reading {
    /// What the shop assumes where an event is silent.
    pub shop: ShopDefaults,
    /// The topic whose alerts go to the administrator when they name nobody.
    pub admin_topic: Option<String>,
    /// Where those go.
    pub admin_email: Option<String>,
}

/// An event that cannot be read: everything that is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Refusal {
    /// The wrong fields, in the order in which they were met; at least one.
    pub problems: Vec<Problem>,
}

/// One wrong field.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Problem {
    /// Where: `orderData.items[2].price`.
    pub field: String,
    /// What was expected there, and what came. Never the value itself.
    pub problem: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            let gap = if index == 0 { "" } else { "; " };
            write!(f, "{gap}{}: {}", problem.field, problem.problem)?;
        }
        Ok(())
    }
}

impl Refusal {
    pub(crate) fn one(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self {
            problems: vec![Problem {
                field: field.into(),
                problem: problem.into(),
            }],
        }
    }
}

/// News of 60 days ago is sent no more. Half of that may be waited for; the other half is for publishers that are late, for nights and
/// for accounts in trouble.
const FURTHEST_SCHEDULE: SignedDuration = SignedDuration::from_hours(24 * 30);

/// Reads one message: an event as JSON text, bare or inside the envelope that SNS puts around it.
///
/// `published_at` is when the message was put on its topic or queue; it stands in for a `timestamp` that is missing.
///
/// # Errors
///
/// [`Refusal`] with every field that is wrong.
pub fn read_event(text: &str, published_at: Timestamp, reading: &Reading) -> Result<Event, Refusal> {
    let message = envelope::open(text)?;
    let published_at = message.published_at.unwrap_or(published_at);
    let mut fields = Fields::new(&message.event, &reading.shop);

    let mut recipient = Recipient {
        user: fields.top_id("userId").and_then(|id| UserId::try_from(id).ok()),
        email: fields.top_text("recipientEmail"),
        phone: fields.top_text("recipientPhone"),
    };
    let names_nobody = recipient == Recipient::default();
    if names_nobody && message.topic.is_some() && message.topic == reading.admin_topic {
        recipient.email.clone_from(&reading.admin_email);
    }
    if recipient == Recipient::default() && !fields.has_problem_with(&["userId", "recipientEmail", "recipientPhone"]) {
        fields.refuse(
            "userId",
            "expected userId, or recipientEmail or recipientPhone for somebody without an account",
        );
    }

    let language = fields
        .top_text("language")
        .and_then(|text| fields.checked("language", Language::closest(&text)))
        .flatten();
    let priority = fields.top_text("priority").and_then(|text| {
        fields.known(
            "priority",
            Priority::from_name(&text),
            "expected low, normal, high or urgent",
        )
    });
    let channels = fields.channels(Channel::from_name);
    let at = fields.timestamp("timestamp").unwrap_or(published_at);
    let scheduled_for = fields.timestamp("scheduledFor");
    if scheduled_for.is_some_and(|then| then.duration_since(published_at) > FURTHEST_SCHEDULE) {
        fields.refuse("scheduledFor", "expected a moment at most 30 days ahead");
    }
    let idempotency_key = fields.top_id("idempotencyKey");
    let event_id = fields.top_id("eventId");
    let content = by_type::read_content(&mut fields);

    match (content, fields.into_problems()) {
        (Some(content), problems) if problems.is_empty() => Ok(Event {
            recipient,
            content,
            at,
            priority: priority.unwrap_or_default(),
            language,
            channels,
            scheduled_for,
            idempotency_key,
            event_id,
        }),
        (None, problems) if problems.is_empty() => Err(Refusal::one("message", "expected an event, which this is not")),
        (_, problems) => Err(Refusal { problems }),
    }
}

/// Which way the order of an event goes, as far as the event says it: `orderType`, flat or under `orderData`. A type that we do not know is
/// one of goods in a parcel: it changes nothing of what the customer is told.
#[must_use]
pub fn order_type_of(text: &str) -> domain::OrderType {
    let named = envelope::open(text).ok().and_then(|message| {
        let nested = message.event.get("orderData").and_then(|order| order.get("orderType"));
        let name = message.event.get("orderType").or(nested)?.as_str()?.to_owned();
        domain::OrderType::from_name(&name)
    });
    named.unwrap_or_default()
}

#[cfg(test)]
mod tests;
