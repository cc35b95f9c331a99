//! What a test asks of SES after it accepted an e-mail: which events, about whom, how often and when.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The events about accepted e-mails to some recipients, published in this order.
///
/// For a recipient that several of them fit, the first that names a text counts; one that names none is for everybody else.
///
/// ```
/// use fault_proxy::{Feedback, FeedbackEvent};
///
/// let feedback = Feedback::of([FeedbackEvent::Send, FeedbackEvent::hard_bounce()]).containing("ana@").times(2);
/// let text = r#"{"contains":"ana@","events":["send",{"bounce":{"kind":"permanent","sub_type":"General"}}],"times":2}"#;
/// assert_eq!(serde_json::to_string(&feedback).unwrap(), text);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Feedback {
    /// A text that the recipient's address must contain. Absent: everybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contains: Option<String>,
    /// What happens to the message, in the order of publication.
    pub events: Vec<FeedbackEvent>,
    /// How often each event is published: 1 where absent; 0 publishes nothing.
    #[serde(default = "once", skip_serializing_if = "is_once")]
    pub times: u64,
    /// How many milliseconds after the acceptance the first one is published.
    #[serde(default, skip_serializing_if = "is_default")]
    pub after_ms: u64,
    /// Writes the older form, in which an identity notifies: `notificationType`, and neither tags nor headers. It knows
    /// `Bounce`, `Complaint` and `Delivery` only, and needs no configuration set.
    #[serde(default, skip_serializing_if = "is_default")]
    pub identity_form: bool,
}

/// What SES says of a message that it accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeedbackEvent {
    /// It was accepted.
    Send,
    /// The recipient's server took it.
    Delivery,
    /// The recipient's server returned it, or SES gave up.
    Bounce {
        /// Whether it would again.
        kind: BounceKind,
        /// Why, such as `General`, `NoEmail`, `OnAccountSuppressionList` or `MailboxFull`.
        #[serde(default = "general")]
        sub_type: String,
    },
    /// The recipient called it unwanted.
    Complaint,
    /// It is late.
    DeliveryDelay,
    /// SES found a virus in it.
    Reject,
    /// The picture in it was fetched.
    Open {
        /// Whether a mail service fetched it by itself.
        #[serde(default)]
        machine: bool,
    },
    /// A link in it was followed.
    Click,
}

/// Whether an address that bounced would bounce again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BounceKind {
    /// It would.
    Permanent,
    /// It may work later.
    Transient,
}

/// A feedback that SES would not give.
#[derive(Debug, Error)]
#[error("expected Bounce, Complaint or Delivery in the form of identities, got {event}")]
pub(crate) struct UnknownToIdentities {
    event: &'static str,
}

impl Feedback {
    /// Each of `events` once, at once, for everybody.
    pub fn of(events: impl Into<Vec<FeedbackEvent>>) -> Self {
        Self {
            contains: None,
            events: events.into(),
            times: 1,
            after_ms: 0,
            identity_form: false,
        }
    }

    /// The same feedback, for recipients whose address contains `text` only.
    #[must_use]
    pub fn containing(mut self, text: impl Into<String>) -> Self {
        self.contains = Some(text.into());
        self
    }

    /// The same feedback, each event `count` times.
    #[must_use]
    pub fn times(mut self, count: u64) -> Self {
        self.times = count;
        self
    }

    /// The same feedback, this many milliseconds after the acceptance.
    #[must_use]
    pub fn after_ms(mut self, milliseconds: u64) -> Self {
        self.after_ms = milliseconds;
        self
    }

    /// The same feedback, as an identity notifies.
    #[must_use]
    pub fn in_identity_form(mut self) -> Self {
        self.identity_form = true;
        self
    }

    pub(crate) fn check(&self) -> Result<(), UnknownToIdentities> {
        let unknown = self
            .events
            .iter()
            .find(|event| self.identity_form && !event.is_known_to_identities());
        match unknown {
            Some(event) => Err(UnknownToIdentities { event: event.name() }),
            None => Ok(()),
        }
    }
}

impl FeedbackEvent {
    /// An address that does not exist.
    pub fn hard_bounce() -> Self {
        Self::Bounce {
            kind: BounceKind::Permanent,
            sub_type: general(),
        }
    }

    /// A mailbox that is full.
    pub fn soft_bounce() -> Self {
        Self::Bounce {
            kind: BounceKind::Transient,
            sub_type: "MailboxFull".to_owned(),
        }
    }

    /// As SES calls it in `eventType`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Send => "Send",
            Self::Delivery => "Delivery",
            Self::Bounce { .. } => "Bounce",
            Self::Complaint => "Complaint",
            Self::DeliveryDelay => "DeliveryDelay",
            Self::Reject => "Reject",
            Self::Open { .. } => "Open",
            Self::Click => "Click",
        }
    }

    fn is_known_to_identities(&self) -> bool {
        matches!(self, Self::Bounce { .. } | Self::Complaint | Self::Delivery)
    }
}

/// The feedback for `recipient` among those that stand.
pub(crate) fn fitting<'a>(standing: &'a [Feedback], recipient: &str) -> Option<&'a Feedback> {
    let names = |feedback: &&Feedback| feedback.contains.as_ref().is_some_and(|text| recipient.contains(text));
    let is_for_all = |feedback: &&Feedback| feedback.contains.is_none();
    standing.iter().find(names).or_else(|| standing.iter().find(is_for_all))
}

fn general() -> String {
    "General".to_owned()
}

fn once() -> u64 {
    1
}

fn is_once(times: &u64) -> bool {
    *times == 1
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_recipient_is_an_exception_wherever_it_stands() {
        let standing = [
            Feedback::of([FeedbackEvent::Delivery]),
            Feedback::of([FeedbackEvent::Complaint]).containing("ana@"),
        ];
        assert_eq!(fitting(&standing, "ana@example.com"), Some(&standing[1]));
    }

    #[test]
    fn everybody_else_has_the_feedback_for_all() {
        let standing = [
            Feedback::of([FeedbackEvent::Complaint]).containing("ana@"),
            Feedback::of([FeedbackEvent::Delivery]),
        ];
        assert_eq!(fitting(&standing, "luis@example.com"), Some(&standing[1]));
    }

    #[test]
    fn the_first_that_names_a_recipient_counts() {
        let standing = [
            Feedback::of([FeedbackEvent::Complaint]).containing("ana@"),
            Feedback::of([FeedbackEvent::Click]).containing("ana@example.com"),
        ];
        assert_eq!(fitting(&standing, "ana@example.com"), Some(&standing[0]));
    }

    #[test]
    fn what_is_absent_is_usual() {
        let feedback: Feedback = serde_json::from_str(r#"{"events":["send",{"open":{}}]}"#).unwrap();
        assert_eq!(
            feedback,
            Feedback::of([FeedbackEvent::Send, FeedbackEvent::Open { machine: false }])
        );
    }

    #[test]
    fn an_identity_does_not_notify_of_opens() {
        let error = Feedback::of([FeedbackEvent::Open { machine: true }])
            .in_identity_form()
            .check()
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "expected Bounce, Complaint or Delivery in the form of identities, got Open"
        );
    }
}
