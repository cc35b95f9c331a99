//! Messages as their readers see them, in one text.

use domain::{Content, Language, NotificationType, OrderStatus};
use messages::{RenderedNote, Templates, samples};

/// Every type, and every status of those that have one.
pub(crate) fn message_names() -> Vec<(NotificationType, Option<OrderStatus>)> {
    let (updates, others): (Vec<_>, Vec<_>) = NotificationType::ALL
        .into_iter()
        .partition(|kind| *kind == NotificationType::OrderStatusUpdate);
    let statuses = OrderStatus::ALL.into_iter().map(Some);
    let updates = updates
        .into_iter()
        .flat_map(|kind| statuses.clone().map(move |status| (kind, status)));
    updates.chain(others.into_iter().map(|kind| (kind, None))).collect()
}

/// The words of an HTML document, a line for each block.
pub(crate) fn readable(html: &str) -> String {
    let body = html.split_once("<body").map_or("", |(_, body)| body);
    let mut text = String::new();
    for part in body.split('<').skip(1) {
        let (tag, words) = part.split_once('>').unwrap_or((part, ""));
        if tag.starts_with("a href=") {
            text.push_str("[→] ");
        }
        if ["/div", "/h1", "/h2", "/tr", "br", "br /"].contains(&tag) {
            text.push('\n');
        }
        if ["/th"].contains(&tag) {
            text.push_str(" | ");
        }
        if !tag.starts_with('!') {
            text.push_str(&words.split_whitespace().collect::<Vec<_>>().join(" "));
            if words.ends_with(' ') {
                text.push(' ');
            }
        }
    }
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join("\n")
}

/// A message by every channel: when all is known, when little is, and with long names.
pub(crate) fn shown(
    templates: &Templates,
    kind: NotificationType,
    status: Option<OrderStatus>,
    language: Language,
) -> String {
    let contents = samples::of(kind, status);
    let [little, full, long] = contents.as_slice() else {
        unreachable!("three samples of {kind}");
    };
    let mut text = String::new();
    for (title, content, with_html) in [
        ("ALL IS KNOWN", full, true),
        ("LITTLE IS KNOWN", little, false),
        ("LONG NAMES", long, false),
    ] {
        text.push_str(&format!(
            "######## {title}\n\n{}\n",
            one(templates, content, language, with_html)
        ));
    }
    text
}

fn one(templates: &Templates, content: &Content, language: Language, with_html: bool) -> String {
    let reader = samples::reader_of(content.notification_type(), language);
    let shop = samples::shop();
    let email = templates.email(content, &reader, &shop).unwrap();
    let sms = templates.sms(content, &reader, &shop).unwrap();
    let note = |note: RenderedNote| {
        let link = note.link.map_or_else(String::new, |link| format!("\n→ {link}"));
        format!("{}\n{}{link}", note.title, note.body)
    };
    let html = match with_html {
        true => format!("HTML\n{}\n\n", readable(&email.html)),
        false => String::new(),
    };
    format!(
        "SUBJECT\n{}\n\n{html}TEXT\n{}\nSMS ({:?}, {} segments, {} letters)\n{}\n\nPUSH\n{}\n\nIN APP\n{}\n",
        email.subject,
        email.text,
        sms.encoding,
        sms.segments,
        sms.text.chars().count(),
        sms.text,
        note(templates.push(content, &reader, &shop).unwrap()),
        note(templates.in_app(content, &reader, &shop).unwrap()),
    )
}
