//! Writes one page that shows every message of this run as its reader sees it, and what was not sent and why.

use std::fs;

use anyhow::{Context, Result};
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;

use crate::follow::Chapter;
use crate::inboxes::Note;
use crate::ledger::Delivery;
use crate::settings::Settings;
use emulator::{Email, Sms};

/// Renders the chapters into the page and prints where it is.
pub(crate) fn write(settings: &Settings, chapters: &[Chapter]) -> Result<()> {
    let page = Page::of(chapters);
    let html = render(&page).context("could not render the page of messages")?;
    let path = &settings.page;
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory).with_context(|| format!("could not create {}", directory.display()))?;
    }
    fs::write(path, html).with_context(|| format!("could not write {}", path.display()))?;

    let Page {
        emails,
        texts,
        notes,
        unsent,
        ..
    } = page;
    println!(
        "\n{} events, {emails} e-mails, {texts} SMS, {notes} notes, {} deliveries not made, each with its reason.",
        chapters.len(),
        unsent.len()
    );
    println!("Messages: {}", path.display());
    Ok(())
}

#[derive(Serialize)]
struct Page<'a> {
    emails: usize,
    texts: usize,
    notes: usize,
    problems: Vec<&'a str>,
    chapters: Vec<ChapterView<'a>>,
    unsent: Vec<Unsent<'a>>,
}

#[derive(Serialize)]
struct ChapterView<'a> {
    number: usize,
    title: &'a str,
    order: &'a str,
    customer: &'a str,
    language: &'a str,
    seconds: String,
    is_repetition: bool,
    deliveries: Vec<DeliveryView>,
    emails: &'a [Email],
    texts: Vec<Text<'a>>,
    notes: &'a [Note],
}

#[derive(Serialize)]
struct DeliveryView {
    channel: &'static str,
    outcome: String,
    why: Option<String>,
    kind: &'static str,
}

#[derive(Serialize)]
struct Text<'a> {
    to: &'a str,
    text: &'a str,
    length: usize,
}

#[derive(Serialize)]
struct Unsent<'a> {
    number: usize,
    title: &'a str,
    delivery: DeliveryView,
}

impl<'a> Page<'a> {
    fn of(chapters: &'a [Chapter]) -> Self {
        let numbered = || chapters.iter().zip(1..);
        let unsent = |(chapter, number): (&'a Chapter, usize)| {
            let not_sent = chapter.deliveries.iter().filter(|delivery| !delivery.is_sent());
            not_sent.map(move |delivery| Unsent {
                number,
                title: &chapter.event.title,
                delivery: DeliveryView::of(delivery),
            })
        };
        Self {
            emails: chapters.iter().map(|chapter| chapter.emails.len()).sum(),
            texts: chapters.iter().map(|chapter| chapter.texts.len()).sum(),
            notes: chapters.iter().map(|chapter| chapter.notes.len()).sum(),
            problems: chapters
                .iter()
                .flat_map(|chapter| &chapter.problems)
                .map(String::as_str)
                .collect(),
            chapters: numbered()
                .map(|(chapter, number)| ChapterView::of(chapter, number))
                .collect(),
            unsent: numbered().flat_map(unsent).collect(),
        }
    }
}

impl<'a> ChapterView<'a> {
    fn of(chapter: &'a Chapter, number: usize) -> Self {
        let text = |sms: &'a Sms| Text {
            to: &sms.to,
            text: &sms.text,
            length: sms.text.chars().count(),
        };
        Self {
            number,
            title: &chapter.event.title,
            order: &chapter.event.fact.order,
            customer: &chapter.event.customer,
            language: &chapter.event.language,
            seconds: format!("{:.2}", chapter.took.as_secs_f64()),
            is_repetition: chapter.is_repetition,
            deliveries: chapter.deliveries.iter().map(DeliveryView::of).collect(),
            emails: &chapter.emails,
            texts: chapter.texts.iter().map(text).collect(),
            notes: &chapter.notes,
        }
    }
}

impl DeliveryView {
    fn of(delivery: &Delivery) -> Self {
        let kind = match delivery {
            delivery if delivery.is_sent() => "sent",
            delivery if delivery.is_failure() || delivery.is_open() => "trouble",
            _ => "quiet",
        };
        Self {
            channel: channel(&delivery.channel),
            outcome: delivery.outcome.replace('_', " "),
            why: delivery.why(),
            kind,
        }
    }
}

fn channel(name: &str) -> &'static str {
    match name {
        "email" => "E-mail",
        "sms" => "SMS",
        "push" => "Push",
        "in_app" => "In-app",
        _ => "Another channel",
    }
}

fn render(page: &Page<'_>) -> Result<String, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    // The name's ending switches escaping on; what a customer wrote reaches the page as text only.
    environment.render_named_str("page.html", include_str!("page.html"), Serde(page))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::story::{Event, Fact};
    use serde_json::json;
    use std::time::Duration;

    const HOSTILE: &str = "<script>alert(1)</script>";

    fn chapter() -> Chapter {
        let email = json!({"MessageId": "1", "Source": "noreply@e-com67.com", "To": ["mallory@example.org"],
            "Subject": HOSTILE, "BodyText": HOSTILE, "BodyHtml": "<p class=\"x\">Hello</p><script>alert(1)</script>"});
        let sms = json!({"MessageId": "2", "PhoneNumber": "+34600123456", "Message": "Tu pedido está en camino ✓"});
        let skipped = Delivery {
            channel: "push".to_owned(),
            outcome: "skipped".to_owned(),
            reason: Some("no_address".to_owned()),
        };
        let fact = Fact {
            order: "1001".to_owned(),
            notification_type: "order_confirmation".to_owned(),
            status: None,
        };
        let event = Event {
            carrier: None,
            title: "Hostile name".to_owned(),
            text: String::new(),
            fact,
            customer: HOSTILE.to_owned(),
            language: "en".to_owned(),
        };
        Chapter {
            event,
            is_repetition: false,
            deliveries: vec![skipped],
            took: Duration::from_millis(310),
            emails: vec![serde_json::from_value(email).unwrap()],
            texts: vec![serde_json::from_value(sms).unwrap()],
            notes: vec![Note {
                title: HOSTILE.to_owned(),
                body: "Your order is on its way.".to_owned(),
                link: Some("https://shop.example.com/orders/1001".to_owned()),
            }],
            problems: vec![],
        }
    }

    fn html() -> String {
        render(&Page::of(&[chapter()])).unwrap()
    }

    #[test]
    fn nothing_that_a_customer_wrote_becomes_markup() {
        assert!(!html().contains("<script"));
    }

    #[test]
    fn a_message_cannot_leave_its_frame() {
        assert!(
            html().contains("sandbox=\"\" srcdoc=\"&lt;p class=&quot;x&quot;&gt;Hello"),
            "{}",
            html()
        );
    }

    #[test]
    fn the_length_of_a_text_message_counts_letters() {
        assert!(html().contains("26 characters"));
    }

    #[test]
    fn the_inbox_is_shown_too() {
        assert!(html().contains("Your order is on its way."));
    }

    #[test]
    fn what_was_not_sent_says_why() {
        assert!(html().contains("no address is known"));
    }
}
