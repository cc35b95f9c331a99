//! Events and notifications of SES (SES Developer Guide, "Contents of event data that Amazon SES publishes to Amazon SNS" and
//! "Amazon SNS notification contents for Amazon SES"): one shape, but for the name of the type and the tags.

use domain::{Channel, Contact, Evidence, NotificationId, Report, Strike, SuppressionReason};
use jiff::Timestamp;
use serde::Deserialize;

/// The envelope that SNS puts around a message when delivery is not raw.
#[derive(Deserialize)]
struct Envelope {
    #[serde(rename = "Message")]
    message: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    event_type: Option<String>,
    notification_type: Option<String>,
    mail: Option<Mail>,
    delivery: Option<Moment>,
    bounce: Option<Bounce>,
    complaint: Option<Complaint>,
    delivery_delay: Option<Moment>,
    open: Option<Open>,
    click: Option<Moment>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Mail {
    message_id: String,
    timestamp: Option<Timestamp>,
    #[serde(default)]
    tags: std::collections::HashMap<String, Vec<String>>,
    #[serde(default)]
    headers: Vec<Header>,
}

#[derive(Deserialize)]
struct Header {
    name: String,
    value: String,
}

#[derive(Deserialize)]
struct Moment {
    timestamp: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Open {
    timestamp: Option<Timestamp>,
    user_agent: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bounce {
    bounce_type: String,
    #[serde(default)]
    bounce_sub_type: String,
    #[serde(default)]
    bounced_recipients: Vec<Recipient>,
    timestamp: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Complaint {
    #[serde(default)]
    complained_recipients: Vec<Recipient>,
    complaint_feedback_type: Option<String>,
    timestamp: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Recipient {
    email_address: String,
}

/// Reads an event; nothing for one that is about no message.
pub(super) fn read(text: &str) -> Result<Option<Report>, String> {
    if let Ok(envelope) = serde_json::from_str::<Envelope>(text) {
        return read_bare(&envelope.message);
    }
    read_bare(text)
}

fn read_bare(text: &str) -> Result<Option<Report>, String> {
    if text.starts_with("Successfully validated SNS topic") {
        return Ok(None);
    }
    let wire: Wire = serde_json::from_str(text).map_err(|error| {
        format!(
            "message: expected an event of SES, which ends at line {} column {}",
            error.line(),
            error.column()
        )
    })?;
    let kind = wire.event_type.as_deref().or(wire.notification_type.as_deref());
    let Some(kind) = kind else {
        return Err("eventType: expected the type of an SES event, got nothing".to_owned());
    };
    if matches!(kind, "AmazonSnsSubscriptionSucceeded" | "Subscription" | "Received") {
        return Ok(None);
    }
    let Some(mail) = &wire.mail else {
        return Err("mail: expected the message that the event is about, got nothing".to_owned());
    };
    let moment = |part: Option<Option<Timestamp>>| part.flatten().or(mail.timestamp).unwrap_or(Timestamp::UNIX_EPOCH);
    let report = |evidence, at| Report {
        message_id: mail.message_id.clone(),
        delivery: mail.delivery(),
        evidence,
        at,
        strikes: Vec::new(),
    };
    let report = match kind {
        "Send" => report(Evidence::Accepted, moment(None)),
        "Delivery" => report(Evidence::Delivered, moment(wire.delivery.map(|part| part.timestamp))),
        "DeliveryDelay" => report(
            Evidence::Delayed,
            moment(wire.delivery_delay.map(|part| part.timestamp)),
        ),
        "Reject" => report(Evidence::Rejected, moment(None)),
        // Nothing was sent; our messages come rendered, so that this is somebody else's template.
        "Rendering Failure" => report(Evidence::Rejected, moment(None)),
        "Open" => {
            let by_machine = wire.open.as_ref().is_some_and(Open::is_by_machine);
            report(
                Evidence::Opened { by_machine },
                moment(wire.open.map(|part| part.timestamp)),
            )
        }
        "Click" => report(Evidence::Clicked, moment(wire.click.map(|part| part.timestamp))),
        "Bounce" => {
            let bounce = wire.bounce.ok_or("bounce: expected the bounce, got nothing")?;
            let at = moment(Some(bounce.timestamp));
            let (reason, strike) = bounce.meaning();
            Report {
                strikes: strikes(&bounce.bounced_recipients, strike, at, &mail.message_id),
                ..report(Evidence::Bounced { reason }, at)
            }
        }
        "Complaint" => {
            let complaint = wire.complaint.ok_or("complaint: expected the complaint, got nothing")?;
            let at = moment(Some(complaint.timestamp));
            // Some mailbox providers report through the same channel that a message is *not* spam.
            if complaint.complaint_feedback_type.as_deref() == Some("not-spam") {
                return Ok(Some(report(Evidence::Delivered, at)));
            }
            let strike = Some(SuppressionReason::Complaint);
            Report {
                strikes: strikes(&complaint.complained_recipients, strike, at, &mail.message_id),
                ..report(Evidence::Complained, at)
            }
        }
        _ => return Err("eventType: expected the type of an SES event, got an unknown one".to_owned()),
    };
    Ok(Some(report))
}

impl Mail {
    /// The delivery that the tags name, else the header that we put there.
    fn delivery(&self) -> Option<(NotificationId, Channel)> {
        let tag = |name: &str| {
            self.tags
                .get(name)
                .and_then(|values| values.first())
                .map(String::as_str)
        };
        let header = || {
            let ours = self
                .headers
                .iter()
                .find(|header| header.name.eq_ignore_ascii_case("X-Notification-Id"));
            ours.map(|header| header.value.as_str())
        };
        let id = NotificationId::try_from(tag("notification-id").or_else(header)?).ok()?;
        Some((id, Channel::Email))
    }
}

impl Bounce {
    /// What the delivery's record says, and what it means for the address.
    fn meaning(&self) -> (String, Option<SuppressionReason>) {
        let strike = match (self.bounce_type.as_str(), self.bounce_sub_type.as_str()) {
            ("Permanent", _) => Some(SuppressionReason::HardBounce),
            // These speak of the message, not of the mailbox.
            (_, "MessageTooLarge" | "ContentRejected" | "AttachmentRejected") => None,
            _ => Some(SuppressionReason::SoftBounces),
        };
        let name = match strike {
            Some(SuppressionReason::HardBounce) => "hard_bounce",
            _ => "soft_bounce",
        };
        // Words of SES, checked because they come from outside.
        let sub_type: String = self
            .bounce_sub_type
            .chars()
            .filter(char::is_ascii_alphabetic)
            .take(40)
            .collect();
        match sub_type.is_empty() {
            true => (name.to_owned(), strike),
            false => (format!("{name}: {sub_type}"), strike),
        }
    }
}

impl Open {
    /// Whether a mail service fetched the picture by itself, by the names under which such services are known.
    fn is_by_machine(&self) -> bool {
        const PROXIES: [&str; 4] = ["GoogleImageProxy", "YahooMailProxy", "via ggpht.com", "Barracuda"];
        let agent = self.user_agent.as_deref().unwrap_or_default();
        // Apple's Mail Privacy Protection says nothing but this.
        agent.is_empty() || agent == "Mozilla/5.0" || PROXIES.iter().any(|proxy| agent.contains(proxy))
    }
}

fn strikes(
    recipients: &[Recipient],
    reason: Option<SuppressionReason>,
    at: Timestamp,
    message_id: &str,
) -> Vec<(Contact, Strike)> {
    let Some(reason) = reason else { return Vec::new() };
    recipients
        .iter()
        .filter_map(|recipient| Contact::read(Channel::Email, &recipient.email_address))
        .map(|contact| {
            let strike = Strike {
                reason,
                at,
                source: message_id.to_owned(),
            };
            (contact, strike)
        })
        .collect()
}
