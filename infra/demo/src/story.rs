//! The events of the demo, in the order in which a shop would publish them, and the calls of carriers between them.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use anyhow::{Context, Result, bail};
use domain::Carrier;
use jiff::Timestamp;
use serde_json::Value;

/// One event, ready to be published.
#[derive(Debug)]
pub(crate) struct Event {
    /// From the file's name.
    pub(crate) title: String,
    /// Who tells it: a carrier, or else the shop.
    pub(crate) carrier: Option<Carrier>,
    /// What is told: the file's text, or the webhook in it, with an order number, a tracking number and a time of this run, so that the
    /// demo can be run again.
    pub(crate) text: String,
    pub(crate) fact: Fact,
    pub(crate) customer: String,
    pub(crate) language: String,
}

/// The number of the parcel of which a carrier tells.
const FEDEX_NUMBER: &str = "790000000031";

/// What makes two events the same, and by what the ledger's item is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fact {
    pub(crate) order: String,
    pub(crate) notification_type: String,
    pub(crate) status: Option<String>,
}

impl Fact {
    /// What happened to the order, in a word or two.
    pub(crate) fn news(&self) -> String {
        self.status
            .as_ref()
            .unwrap_or(&self.notification_type)
            .replace('_', " ")
    }
}

/// Reads every `*.json` in `directory`, in the order of their names.
pub(crate) fn read(directory: &Path) -> Result<Vec<Event>> {
    let looking = || format!("could not read the events in {}", directory.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).with_context(looking)? {
        let path = entry.with_context(looking)?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            files.push(path);
        }
    }
    files.sort();
    if files.is_empty() {
        bail!("expected events in {}, found none", directory.display());
    }
    let now = now();
    let mark = mark(now);
    files
        .iter()
        .map(|file| read_file(file, &mark, now).with_context(|| format!("could not read {}", file.display())))
        .collect()
}

fn read_file(file: &Path, mark: &str, now: Timestamp) -> Result<Event> {
    let name = file.file_stem().context("a file without a name")?.to_string_lossy();
    event(&title(&name), &fs::read_to_string(file)?, mark, now)
}

fn event(title: &str, text: &str, mark: &str, now: Timestamp) -> Result<Event> {
    let event: Value = serde_json::from_str(text)?;
    let field = |pointer: &str| event.pointer(pointer).and_then(Value::as_str);
    let order = field("/orderData/orderId").context("orderData.orderId: expected a text")?;
    let marked = format!("{order}-{mark}");
    let mut text = text.replace(order, &marked);
    if let Some(timestamp) = field("/orderData/timestamp") {
        text = text.replace(timestamp, &now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    }
    // A parcel of this run alone: what a carrier tells of a number goes to every order that it belongs to.
    text = text.replace(FEDEX_NUMBER, &format!("79{:010}", now.as_second()));
    let carrier = field("/carrier")
        .map(|name| Carrier::from_name(name).with_context(|| format!("carrier: expected a carrier's name, got {name}")))
        .transpose()?;
    if carrier.is_some() {
        let told: Value = serde_json::from_str(&text)?;
        text = told
            .get("webhook")
            .context("webhook: expected what the carrier sends")?
            .to_string();
    }

    let notification_type = field("/notificationType").context("notificationType: expected a text")?;
    let is_update = notification_type == "order_status_update";
    Ok(Event {
        title: title.to_owned(),
        carrier,
        text,
        fact: Fact {
            order: marked,
            notification_type: notification_type.to_owned(),
            status: field("/orderData/status").filter(|_| is_update).map(str::to_lowercase),
        },
        customer: field("/orderData/customerName").unwrap_or("a customer").to_owned(),
        language: field("/language").unwrap_or("es").to_owned(),
    })
}

/// `03-shipped-with-tracking` becomes `Shipped with tracking`.
fn title(name: &str) -> String {
    let words = name
        .trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == '-')
        .replace('-', " ");
    let mut letters = words.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}

/// Four letters and digits that differ from one run to the next.
fn mark(now: Timestamp) -> String {
    const DIGITS: [char; 36] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L',
        'M', 'N', 'O', 'P', 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z',
    ];
    let mut rest = usize::try_from(now.as_second()).unwrap_or_default();
    let mut mark: Vec<char> = Vec::new();
    for _ in 0..4 {
        mark.extend(DIGITS.get(rest % DIGITS.len()));
        rest /= DIGITS.len();
    }
    mark.iter().rev().collect()
}

#[expect(clippy::disallowed_methods, reason = "the demo's events happen now")]
fn now() -> Timestamp {
    Timestamp::try_from(SystemTime::now()).unwrap_or(Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHIPPED: &str = r#"{"notificationType":"order_status_update","orderData":{"orderId":"1001","status":"SHIPPED","timestamp":"2026-11-04T08:05:00Z"}}"#;

    fn shipped() -> Event {
        event("Shipped", SHIPPED, "7K2F", "2027-03-01T10:00:00Z".parse().unwrap()).unwrap()
    }

    #[test]
    fn each_run_has_order_numbers_of_its_own() {
        assert_eq!(shipped().fact.order, "1001-7K2F");
    }

    #[test]
    fn an_event_happens_when_the_demo_runs() {
        assert!(shipped().text.contains(r#""timestamp":"2027-03-01T10:00:00Z""#));
    }

    #[test]
    fn a_status_in_capitals_is_the_same_status() {
        assert_eq!(shipped().fact.status.as_deref(), Some("shipped"));
    }

    #[test]
    fn what_a_carrier_tells_is_its_webhook_alone() {
        let text = r#"{"carrier":"fedex","notificationType":"order_status_update","orderData":{"orderId":"ES-1","status":"delivered"},
            "webhook":{"trackingNumber":"790000000031"}}"#;
        let event = event("Told", text, "7K2F", "2027-03-01T10:00:00Z".parse().unwrap()).unwrap();
        assert_eq!(event.carrier, Some(Carrier::Fedex));
        assert_eq!(event.text, r#"{"trackingNumber":"791803895200"}"#);
    }

    #[test]
    fn a_title_is_made_from_the_name_of_the_file() {
        assert_eq!(title("03-shipped-with-tracking"), "Shipped with tracking");
    }

    #[test]
    fn two_runs_a_second_apart_differ() {
        let first = "2026-11-20T10:00:00Z".parse().unwrap();
        let second = "2026-11-20T10:00:01Z".parse().unwrap();
        assert_ne!(mark(first), mark(second));
    }
}
