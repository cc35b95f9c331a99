//! Entries of the delivery logs that SNS writes for text messages (SNS Developer Guide, "Viewing CloudWatch metrics and logs
//! for SMS deliveries"), and the form in which CloudWatch Logs hands them to a function.

use base64::Engine as _;
use domain::{Channel, Contact, Evidence, Report, Strike, SuppressionReason};
use flate2::read::GzDecoder;
use jiff::Timestamp;
use serde::Deserialize;
use std::io::Read;

#[derive(Deserialize)]
struct Wire {
    notification: Notification,
    #[serde(default)]
    delivery: Delivery,
    status: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Notification {
    message_id: String,
    timestamp: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Delivery {
    destination: String,
    provider_response: String,
}

/// Reads an entry; nothing when the text is none.
pub(super) fn read(text: &str) -> Option<Result<Report, String>> {
    let wire: Wire = serde_json::from_str(text).ok()?;
    Some(wire.report())
}

impl Wire {
    fn report(self) -> Result<Report, String> {
        let at = self.notification.timestamp.as_deref().and_then(moment);
        let at = at.unwrap_or(Timestamp::UNIX_EPOCH);
        let (evidence, strike) = match self.status.as_str() {
            "SUCCESS" => (Evidence::Delivered, None),
            "FAILURE" => {
                let (reason, strike) = meaning(&self.delivery.provider_response);
                let reason = reason.to_owned();
                (Evidence::Bounced { reason }, strike)
            }
            _ => return Err("status: expected SUCCESS or FAILURE".to_owned()),
        };
        let contact =
            strike.and_then(|reason| Some((Contact::read(Channel::Sms, &self.delivery.destination)?, reason)));
        let strikes = contact.map(|(contact, reason)| {
            let strike = Strike {
                reason,
                at,
                source: self.notification.message_id.clone(),
            };
            (contact, strike)
        });
        Ok(Report {
            message_id: self.notification.message_id,
            delivery: None,
            evidence,
            at,
            strikes: strikes.into_iter().collect(),
        })
    }
}

/// The moments of these logs look like `2016-06-28 00:40:34.558`, in UTC.
fn moment(text: &str) -> Option<Timestamp> {
    let moment: jiff::civil::DateTime = text.parse().ok()?;
    Some(moment.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
}

/// What the carriers' words mean (SNS Developer Guide, "SMS delivery failure reasons"): a code, and what it means for the number.
fn meaning(response: &str) -> (&'static str, Option<SuppressionReason>) {
    let response = response.to_ascii_lowercase();
    let says = |words: &str| response.contains(words);
    if says("opted out") {
        ("sms_opted_out", Some(SuppressionReason::OptedOut))
    } else if says("phone has blocked sms") || says("phone is on a blocked list") {
        ("phone_blocks_sms", Some(SuppressionReason::OptedOut))
    } else if says("invalid phone number") {
        ("invalid_phone_number", Some(SuppressionReason::HardBounce))
    } else if says("spam") {
        ("blocked_as_spam", None)
    } else if says("blocked list") || says("carrier has blocked") {
        ("blocked_by_carrier", None)
    } else if says("carrier is currently") {
        ("carrier_unreachable", Some(SuppressionReason::SoftBounces))
    } else if says("phone is currently") {
        ("phone_unreachable", Some(SuppressionReason::SoftBounces))
    } else if says("body is invalid") {
        ("invalid_message", None)
    } else if says("max price") {
        ("above_max_price", None)
    } else {
        ("unknown_carrier_error", None)
    }
}

/// What CloudWatch Logs hands to a function: `{"awslogs": {"data": …}}`, Base64 of gzip of JSON.
#[derive(Deserialize)]
struct Subscription {
    awslogs: Data,
}

#[derive(Deserialize)]
struct Data {
    data: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Logs {
    message_type: String,
    #[serde(default)]
    log_events: Vec<LogEvent>,
}

#[derive(Deserialize)]
struct LogEvent {
    message: String,
}

/// Logs that cannot be unpacked.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("could not unpack entries of a delivery log: expected {expected}")]
pub struct InvalidLogs {
    expected: &'static str,
}

/// More than CloudWatch Logs ever sends: 1 MB compressed.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// The entries in what CloudWatch Logs hands to a function; nothing when the payload is something else.
///
/// # Errors
///
/// [`InvalidLogs`] when it is logs and cannot be unpacked.
pub fn entries_of(payload: &str) -> Option<Result<Vec<String>, InvalidLogs>> {
    let subscription: Subscription = serde_json::from_str(payload).ok()?;
    Some(unpack(&subscription.awslogs.data))
}

fn unpack(data: &str) -> Result<Vec<String>, InvalidLogs> {
    let packed = base64::engine::general_purpose::STANDARD
        .decode(data)
        .map_err(|_not_base64| InvalidLogs { expected: "Base64" })?;
    let mut text = String::new();
    GzDecoder::new(packed.as_slice())
        .take(MAX_BYTES)
        .read_to_string(&mut text)
        .map_err(|_not_gzip| InvalidLogs {
            expected: "text compressed with gzip",
        })?;
    let logs: Logs = serde_json::from_str(&text).map_err(|_not_json| InvalidLogs {
        expected: "JSON with messageType and logEvents",
    })?;
    // The other type is a greeting that says that the subscription works.
    if logs.message_type != "DATA_MESSAGE" {
        return Ok(Vec::new());
    }
    Ok(logs.log_events.into_iter().map(|event| event.message).collect())
}
