//! Writes an event as SES publishes it to SNS (Amazon SES Developer Guide, "Contents of event data that Amazon SES publishes to
//! Amazon SNS", and "Amazon SNS notification contents" for the older form).

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::book::CallNumber;
use crate::call::Email;
use crate::feedback::{BounceKind, FeedbackEvent};
use crate::topic::TopicArn;

/// Addresses for documentation (RFC 5737): nobody's.
const SENDING_IP: &str = "192.0.2.1";
const READING_IP: &str = "198.51.100.7";
const OUTGOING_HOST: &str = "a1-2.smtp-out.eu-west-1.amazonses.com";
const OUTGOING_IP: &str = "192.0.2.25";
const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
/// Who fetches pictures on behalf of the readers of Gmail, before they look.
const PICTURE_PROXY: &str = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)";
/// For so long SES goes on trying: 14 hours.
const TRYING_MS: u64 = 14 * 3_600_000;

/// A message that SES accepted.
#[derive(Clone, Debug)]
pub(crate) struct Accepted {
    pub(crate) call: CallNumber,
    pub(crate) email: Email,
    pub(crate) message_id: String,
    /// When, in milliseconds since 1970.
    pub(crate) at_ms: u64,
}

/// One thing that happened to it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Happening<'a> {
    pub(crate) event: &'a FeedbackEvent,
    /// To which recipients, as they were written.
    pub(crate) recipients: &'a [String],
    /// When, in milliseconds since 1970.
    pub(crate) at_ms: u64,
    /// Tells it from every other one.
    pub(crate) number: u64,
    pub(crate) is_in_identity_form: bool,
}

/// The text that goes to the topic.
pub(crate) fn write(accepted: &Accepted, happening: &Happening<'_>, topic: &TopicArn) -> String {
    let kind = if happening.is_in_identity_form {
        "notificationType"
    } else {
        "eventType"
    };
    let (field, details) = details(accepted, happening);
    let fields = [
        (kind, json!(happening.event.name())),
        ("mail", mail(accepted, happening, topic)),
        (field, details),
    ];
    object(fields).to_string()
}

fn mail(accepted: &Accepted, happening: &Happening<'_>, topic: &TopicArn) -> Value {
    let email = &accepted.email;
    let from = email.from.as_deref().unwrap_or_default();
    let source_arn = format!(
        "arn:aws:ses:{}:{}:identity/{}",
        topic.region(),
        topic.account(),
        address(from)
    );
    let always = [
        ("timestamp", json!(time(accepted.at_ms))),
        ("source", json!(from)),
        ("sourceArn", json!(source_arn)),
        ("sendingAccountId", json!(topic.account())),
        ("messageId", json!(accepted.message_id)),
        ("destination", json!(email.to)),
    ];
    let by_form = if happening.is_in_identity_form {
        // Headers are left out unless an identity asks for them.
        vec![("sourceIp", json!(SENDING_IP))]
    } else {
        let common = json!({
            "from": [from],
            "to": email.to,
            "messageId": accepted.message_id,
            "subject": email.subject,
        });
        vec![
            ("headersTruncated", json!(false)),
            ("headers", headers(email)),
            ("commonHeaders", common),
            ("tags", json!(tags(email, happening.event))),
        ]
    };
    object(always.into_iter().chain(by_form))
}

fn object<'a>(fields: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    fields
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

fn headers(email: &Email) -> Value {
    let to = email.to.join(", ");
    let written = [
        ("From", email.from.as_deref()),
        ("To", Some(to.as_str())),
        ("Subject", email.subject.as_deref()),
        ("MIME-Version", Some("1.0")),
        ("Content-Type", Some("multipart/alternative")),
    ];
    let own = email
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    written
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .chain(own)
        .map(|(name, value)| json!({"name": name, "value": value}))
        .collect()
}

/// The sender's own tags, and those that SES adds.
fn tags(email: &Email, event: &FeedbackEvent) -> BTreeMap<String, Vec<String>> {
    let from = email.from.as_deref().map(address).unwrap_or_default();
    let domain = from.rsplit('@').next().unwrap_or_default();
    let outgoing = matches!(event, FeedbackEvent::Delivery).then_some(OUTGOING_IP);
    let added = [
        ("ses:operation", Some("SendEmail")),
        ("ses:configuration-set", email.configuration_set.as_deref()),
        ("ses:source-ip", Some(SENDING_IP)),
        ("ses:from-domain", Some(domain)),
        ("ses:caller-identity", Some("email-sender")),
        ("ses:outgoing-ip", outgoing),
    ];
    let own = email
        .tags
        .iter()
        .map(|(name, value)| (name.as_str(), Some(value.as_str())));
    added
        .into_iter()
        .chain(own)
        .filter_map(|(name, value)| Some((name.to_owned(), vec![value?.to_owned()])))
        .collect()
}

/// The field that tells more about the event, and what is in it.
fn details(accepted: &Accepted, happening: &Happening<'_>) -> (&'static str, Value) {
    let at = time(happening.at_ms);
    let addresses: Vec<_> = happening.recipients.iter().map(|written| address(written)).collect();
    let each = |fields: &dyn Fn(&str) -> Value| addresses.iter().map(|address| fields(address)).collect::<Value>();
    let feedback_id = format!("{}-{:06}", local_part(&accepted.message_id), happening.number);
    match happening.event {
        FeedbackEvent::Send => ("send", json!({})),
        FeedbackEvent::Delivery => {
            let details = json!({
                "timestamp": at,
                "processingTimeMillis": happening.at_ms.saturating_sub(accepted.at_ms),
                "recipients": addresses,
                "smtpResponse": "250 2.6.0 Message received",
                "reportingMTA": OUTGOING_HOST,
            });
            ("delivery", details)
        }
        FeedbackEvent::Bounce { kind, sub_type } => {
            let (kind, status, code) = match kind {
                BounceKind::Permanent => ("Permanent", "5.1.1", "smtp; 550 5.1.1 user unknown"),
                BounceKind::Transient => ("Transient", "4.2.2", "smtp; 452 4.2.2 mailbox full"),
            };
            let recipient = |address: &str| json!({"emailAddress": address, "action": "failed", "status": status, "diagnosticCode": code});
            let details = json!({
                "feedbackId": feedback_id,
                "bounceType": kind,
                "bounceSubType": sub_type,
                "bouncedRecipients": each(&recipient),
                "timestamp": at,
                "reportingMTA": format!("dns; {OUTGOING_HOST}"),
            });
            ("bounce", details)
        }
        FeedbackEvent::Complaint => {
            let details = json!({
                "feedbackId": feedback_id,
                "complaintSubType": null,
                "complainedRecipients": each(&|address| json!({"emailAddress": address})),
                "timestamp": at,
                "userAgent": "Example Feedback Loop (V0.01)",
                "complaintFeedbackType": "abuse",
                "arrivalDate": at,
            });
            ("complaint", details)
        }
        FeedbackEvent::DeliveryDelay => {
            let recipient = |address: &str| {
                json!({
                    "emailAddress": address,
                    "status": "4.4.1",
                    "diagnosticCode": "smtp; 421 4.4.1 Unable to connect to remote host",
                })
            };
            let details = json!({
                "timestamp": at,
                "delayType": "TransientCommunicationFailure",
                "expirationTime": time(happening.at_ms.saturating_add(TRYING_MS)),
                "delayedRecipients": each(&recipient),
            });
            ("deliveryDelay", details)
        }
        FeedbackEvent::Reject => ("reject", json!({"reason": "Bad content"})),
        FeedbackEvent::Open { machine } => {
            let agent = if *machine { PICTURE_PROXY } else { BROWSER };
            (
                "open",
                json!({"ipAddress": READING_IP, "timestamp": at, "userAgent": agent}),
            )
        }
        FeedbackEvent::Click => {
            let details = json!({
                "ipAddress": READING_IP,
                "timestamp": at,
                "userAgent": BROWSER,
                "link": "https://shop.example.com/orders",
                "linkTags": null,
            });
            ("click", details)
        }
    }
}

/// `ana@example.com` out of `Ana <ana@example.com>`.
fn address(written: &str) -> &str {
    written
        .rsplit_once('<')
        .map_or(written, |(_, address)| address.trim_end_matches('>'))
        .trim()
}

fn local_part(message_id: &str) -> &str {
    message_id.split('@').next().unwrap_or_default()
}

/// ISO 8601 with milliseconds.
fn time(milliseconds: u64) -> String {
    let time = i64::try_from(milliseconds)
        .ok()
        .and_then(|ms| Timestamp::from_millisecond(ms).ok());
    format!("{:.3}", time.unwrap_or(Timestamp::UNIX_EPOCH))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENT_MS: u64 = 1_795_000_000_000;

    fn accepted() -> Accepted {
        Accepted {
            call: CallNumber::default(),
            email: Email {
                from: Some("\"E-Com67 Platform\" <noreply@e-com67.com>".to_owned()),
                to: vec!["Ana <ana@example.com>".to_owned()],
                subject: Some("Tu pedido 1001".to_owned()),
                tags: [("notification-id", "ord-1"), ("channel", "email")]
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
                    .into(),
                headers: [("List-Unsubscribe".to_owned(), "<https://example.com/u>".to_owned())].into(),
                configuration_set: Some("notifications".to_owned()),
                ..Email::default()
            },
            message_id: "0102-abc@email.amazonses.com".to_owned(),
            at_ms: SENT_MS,
        }
    }

    fn event(event: &FeedbackEvent, is_in_identity_form: bool) -> Value {
        let accepted = accepted();
        let happening = Happening {
            event,
            recipients: &accepted.email.to,
            at_ms: SENT_MS + 1_250,
            number: 7,
            is_in_identity_form,
        };
        let topic: TopicArn = "arn:aws:sns:eu-west-1:000000000000:ses-events".parse().unwrap();
        serde_json::from_str(&write(&accepted, &happening, &topic)).unwrap()
    }

    #[test]
    fn a_send_says_nothing_but_that() {
        let event = event(&FeedbackEvent::Send, false);
        assert_eq!((&event["eventType"], &event["send"]), (&json!("Send"), &json!({})));
    }

    #[test]
    fn the_mail_is_told_by_its_id_its_sender_and_its_recipients() {
        let mail = &event(&FeedbackEvent::Send, false)["mail"];
        assert_eq!(mail["messageId"], "0102-abc@email.amazonses.com");
        assert_eq!(mail["source"], "\"E-Com67 Platform\" <noreply@e-com67.com>");
        assert_eq!(
            mail["sourceArn"],
            "arn:aws:ses:eu-west-1:000000000000:identity/noreply@e-com67.com"
        );
        assert_eq!(mail["sendingAccountId"], "000000000000");
        assert_eq!(mail["destination"], json!(["Ana <ana@example.com>"]));
        assert_eq!(mail["timestamp"], "2026-11-18T11:06:40.000Z");
    }

    #[test]
    fn the_tags_are_the_senders_own_and_those_of_ses() {
        let tags = &event(&FeedbackEvent::Send, false)["mail"]["tags"];
        assert_eq!(tags["notification-id"], json!(["ord-1"]));
        assert_eq!(tags["channel"], json!(["email"]));
        assert_eq!(tags["ses:configuration-set"], json!(["notifications"]));
        assert_eq!(tags["ses:from-domain"], json!(["e-com67.com"]));
    }

    #[test]
    fn the_headers_are_those_of_the_message() {
        let mail = &event(&FeedbackEvent::Send, false)["mail"];
        let own = json!({"name": "List-Unsubscribe", "value": "<https://example.com/u>"});
        assert!(mail["headers"].as_array().unwrap().contains(&own), "{mail}");
        assert_eq!(mail["commonHeaders"]["subject"], "Tu pedido 1001");
    }

    #[test]
    fn a_delivery_tells_when_and_to_whom() {
        let delivery = &event(&FeedbackEvent::Delivery, false)["delivery"];
        assert_eq!(delivery["recipients"], json!(["ana@example.com"]));
        assert_eq!(delivery["timestamp"], "2026-11-18T11:06:41.250Z");
        assert_eq!(delivery["processingTimeMillis"], 1_250);
    }

    #[test]
    fn a_hard_bounce_is_permanent() {
        let bounce = &event(&FeedbackEvent::hard_bounce(), false)["bounce"];
        assert_eq!(
            (&bounce["bounceType"], &bounce["bounceSubType"]),
            (&json!("Permanent"), &json!("General"))
        );
        assert_eq!(bounce["bouncedRecipients"][0]["emailAddress"], "ana@example.com");
        assert_eq!(bounce["feedbackId"], "0102-abc-000007");
    }

    #[test]
    fn a_soft_bounce_is_transient() {
        let bounce = &event(&FeedbackEvent::soft_bounce(), false)["bounce"];
        assert_eq!(
            (&bounce["bounceType"], &bounce["bounceSubType"]),
            (&json!("Transient"), &json!("MailboxFull"))
        );
    }

    #[test]
    fn a_complaint_names_the_recipient() {
        let complaint = &event(&FeedbackEvent::Complaint, false)["complaint"];
        assert_eq!(
            complaint["complainedRecipients"],
            json!([{"emailAddress": "ana@example.com"}])
        );
    }

    #[test]
    fn a_delay_ends_in_time() {
        let delay = &event(&FeedbackEvent::DeliveryDelay, false)["deliveryDelay"];
        assert_eq!(
            (&delay["timestamp"], &delay["expirationTime"]),
            (&json!("2026-11-18T11:06:41.250Z"), &json!("2026-11-19T01:06:41.250Z"))
        );
    }

    #[test]
    fn a_rejected_message_had_bad_content() {
        assert_eq!(
            event(&FeedbackEvent::Reject, false)["reject"],
            json!({"reason": "Bad content"})
        );
    }

    #[test]
    fn a_machine_that_opens_says_so() {
        let open = &event(&FeedbackEvent::Open { machine: true }, false)["open"];
        assert!(
            open["userAgent"].as_str().unwrap().contains("GoogleImageProxy"),
            "{open}"
        );
    }

    #[test]
    fn a_click_has_a_link() {
        let click = &event(&FeedbackEvent::Click, false)["click"];
        assert_eq!(click["link"], "https://shop.example.com/orders");
    }

    #[test]
    fn an_identity_tells_neither_tags_nor_headers() {
        let event = event(&FeedbackEvent::Delivery, true);
        assert_eq!(
            (&event["notificationType"], event.get("eventType")),
            (&json!("Delivery"), None)
        );
        assert_eq!((event["mail"].get("tags"), event["mail"].get("headers")), (None, None));
    }
}
