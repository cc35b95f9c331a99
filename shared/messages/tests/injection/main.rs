//! Ten thousand hostile texts in every field of every message: none may become markup, a link, a header, a line or a template.
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test ends at what it did not expect"
)]

mod document;
mod fields;
mod payloads;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};

use document::{Document, Step};
use domain::{Language, OrderId, SmsEncoding, clean_block, clean_line};
use fields::{Fill, HARMLESS, HARMLESS_PAGE, STRUCTURES, fields};
use icu::properties::{CodePointSetData, props::DefaultIgnorableCodePoint};
use messages::Templates;
use payloads::Payload;
use serde_json::Value;

/// What no message may say: the product of the payloads' factors.
const EVALUATED: &str = "1787569";

const LARGEST_EMAIL: usize = 102_000;

/// What a payload is besides its text, found out without the renderer.
#[derive(Debug, Clone)]
struct Attack<'p> {
    payload: &'p Payload,
    /// One clean line, as long as the text is.
    clean: String,
    is_seen: bool,
    paragraphs: usize,
    order_id: String,
    pages: [String; 2],
}

/// Everything on which the structure of a message may depend.
type Shape = (usize, usize, Option<&'static str>, bool, usize, bool, [bool; 2]);

fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

fn is_seen(text: &str) -> bool {
    let invisible = CodePointSetData::new::<DefaultIgnorableCodePoint>();
    text.chars().any(|c| !c.is_whitespace() && !invisible.contains(c))
}

fn cleaned(text: &str) -> String {
    clean_line(&text.replace(is_bidi_control, ""))
}

fn first(text: &str, letters: usize) -> String {
    text.chars().take(letters).collect::<String>().trim_end().to_owned()
}

/// Whether mail programs take an address to end here.
fn is_cutting(c: char) -> bool {
    matches!(c, '"' | '<' | '>' | '`')
}

/// Scheme and host of an address that a browser opens as a page and that no eye takes for another one.
fn origin(page: &str) -> Option<String> {
    let page = page.trim();
    let lower = page.to_ascii_lowercase();
    let rest = lower
        .strip_prefix("https://")
        .or_else(|| lower.strip_prefix("http://"))?;
    let host: String = rest.chars().take_while(|c| !matches!(c, '/' | '?' | '#')).collect();
    let is_host = host.chars().all(|c| c.is_alphanumeric() || ".-_:[]".contains(c))
        && host.starts_with(|c: char| c.is_alphanumeric() || c == '[');
    // Letters beyond ASCII, quotes and angle brackets are percent-encoded behind the host: three letters for each byte.
    let path = page.get(page.len() - rest.len() + host.len()..).unwrap_or_default();
    let length = page.len()
        + 2 * path
            .chars()
            .filter(|c| !c.is_ascii() || is_cutting(*c))
            .map(char::len_utf8)
            .sum::<usize>();
    let is_readable = |c: char| !c.is_whitespace() && !c.is_control() && c != '\\';
    (is_host && page.chars().all(is_readable) && length <= 2_000)
        .then(|| lower[..lower.len() - rest.len() + host.len()].to_owned())
}

impl<'p> Attack<'p> {
    fn of(payload: &'p Payload) -> Self {
        let text = payload.text.as_str();
        let clean = cleaned(text);
        let block: String = clean_block(text).chars().take(4_000).collect();
        let plain: String = text
            .chars()
            .filter(|c| OrderId::try_from(c.to_string().as_str()).is_ok() || *c == ' ')
            .take(128)
            .collect();
        Self {
            is_seen: is_seen(&clean),
            paragraphs: block.split('\n').filter(|line| is_seen(&cleaned(line))).count().min(20),
            order_id: if is_seen(&cleaned(&plain)) {
                plain
            } else {
                HARMLESS.to_owned()
            },
            pages: [text.to_owned(), format!("https://shop.example/?q={text}")],
            payload,
            clean,
        }
    }

    fn fill(&self, turn: usize, only: Option<&'static str>) -> Fill<'_> {
        Fill {
            turn,
            text: &self.payload.text,
            body: &self.payload.text,
            order_id: &self.order_id,
            pages: [&self.pages[0], &self.pages[1]],
            only,
        }
    }

    fn has_page(&self) -> bool {
        self.is_seen && self.clean.chars().count() <= 60
    }

    fn are_pages(&self) -> [bool; 2] {
        [origin(&self.pages[0]).is_some(), origin(&self.pages[1]).is_some()]
    }
}

/// The same message with harmless text wherever the attack has text that can be seen, and harmless pages for pages.
fn harmless(
    templates: &Templates,
    attack: &Attack<'_>,
    structure: usize,
    turn: usize,
    only: Option<&'static str>,
) -> (Document, String) {
    let pages = attack
        .are_pages()
        .map(|is_page| if is_page { HARMLESS_PAGE } else { "" });
    // A number of the same kind: one that has a page, or one that is too long for it.
    let text = match (attack.is_seen, attack.has_page()) {
        (false, _) => String::new(),
        (true, true) => HARMLESS.to_owned(),
        (true, false) => HARMLESS.repeat(8),
    };
    let fill = Fill {
        turn,
        text: &text,
        body: &format!("{HARMLESS}\n").repeat(attack.paragraphs),
        order_id: HARMLESS,
        pages,
        only,
    };
    let email = templates
        .email(&fill.content(structure), &fill.reader(), &fill.shop())
        .unwrap();
    (document::read(&email.html).unwrap(), email.text)
}

struct Attacker<'t> {
    templates: &'t Templates,
    harmless: HashMap<Shape, (Document, String)>,
    renders: usize,
    escapes: Vec<String>,
}

impl Attacker<'_> {
    fn attack(&mut self, attack: &Attack<'_>, structure: usize, turn: usize, only: Option<&'static str>) {
        let fill = attack.fill(turn, only);
        let shape = (
            structure,
            // Languages, addresses and logos come back after 20 turns, statuses and carriers as well after 780.
            turn % if structure == 1 { 780 } else { 20 },
            only,
            attack.is_seen,
            attack.paragraphs,
            attack.has_page(),
            attack.are_pages(),
        );
        let templates = self.templates;
        let expected = self
            .harmless
            .entry(shape)
            .or_insert_with(|| harmless(templates, attack, structure, turn, only));
        let (content, reader, shop) = (fill.content(structure), fill.reader(), fill.shop());
        let mut found = Vec::new();

        let email = templates.email(&content, &reader, &shop).unwrap();
        found.extend(escapes_of_line("subject", &email.subject, 121, attack));
        if email.subject.contains("=?") {
            found.push("the subject can hold an encoded word".to_owned());
        }
        if email.html.len() > LARGEST_EMAIL {
            found.push(format!("the e-mail has {} bytes", email.html.len()));
        }
        match document::read(&email.html) {
            Ok(read) => {
                found.extend(escapes_of_html(&read, &expected.0, attack, &fill, structure));
                if read.title.trim() != email.subject {
                    found.push(format!(
                        "the title is {:?}, the subject {:?}",
                        read.title, email.subject
                    ));
                }
            }
            Err(problem) => found.push(problem),
        }
        found.extend(escapes_of_text(&email.text, &expected.1, attack, only));

        for note in [
            templates.push(&content, &reader, &shop),
            templates.in_app(&content, &reader, &shop),
        ] {
            let note = note.unwrap();
            found.extend(escapes_of_line("title", &note.title, 66, attack));
            found.extend(escapes_of_line("body", &note.body, 241, attack));
            found.extend(escapes_of_link(note.link.as_deref(), &fill, structure));
        }
        let sms = templates.sms(&content, &reader, &shop).unwrap();
        found.extend(escapes_of_line("text message", &sms.text, 306, attack));
        if sms.encoding != SmsEncoding::of(&sms.text)
            || sms.segments != sms.encoding.segments(&sms.text)
            || sms.segments > 2
        {
            found.push(format!("{} segments, {:?}: {}", sms.segments, sms.encoding, sms.text));
        }
        let forces_nothing = attack
            .payload
            .text
            .chars()
            .all(|c| c.is_ascii() || !c.is_alphanumeric());
        if reader.language == Language::En && forces_nothing && sms.encoding == SmsEncoding::Ucs2 {
            found.push(format!("UCS-2 without need: {}", sms.text));
        }

        self.renders += 4;
        let (family, text) = (attack.payload.family, first(&attack.payload.text, 80));
        self.escapes.extend(
            found
                .into_iter()
                .map(|what| format!("{family} {text:?} in structure {structure}, turn {turn}, {only:?}: {what}")),
        );
    }
}

fn escapes_of_line(what: &str, line: &str, longest: usize, attack: &Attack<'_>) -> Vec<String> {
    let mut found = Vec::new();
    if line
        .chars()
        .any(|c| c.is_control() || is_bidi_control(c) || matches!(c, '\u{2028}' | '\u{2029}'))
    {
        found.push(format!("{what} with a control character: {line:?}"));
    }
    if line.chars().count() > longest {
        found.push(format!("{what} of {} letters", line.chars().count()));
    }
    if is_evaluated(line, attack) {
        found.push(format!("{what} evaluated: {line:?}"));
    }
    found
}

fn is_evaluated(text: &str, attack: &Attack<'_>) -> bool {
    let payload = &attack.payload.text;
    text.contains(EVALUATED)
        || payload.contains("7*7") && text.contains("49")
        || payload.contains("7*'7'") && text.contains("7777777")
}

fn escapes_of_text(text: &str, harmless: &str, attack: &Attack<'_>, only: Option<&str>) -> Vec<String> {
    let mut found = Vec::new();
    if text
        .chars()
        .any(|c| c.is_control() && c != '\n' || is_bidi_control(c) || matches!(c, '\u{2028}' | '\u{2029}'))
    {
        found.push("text with a control character".to_owned());
    }
    // Wrapping makes lines, but never an empty one.
    let paragraphs = |text: &str| text.split("\n\n").count();
    if paragraphs(text) != paragraphs(harmless) {
        found.push(format!(
            "text with {} paragraphs, not {}: {text}",
            paragraphs(text),
            paragraphs(harmless)
        ));
    }
    let in_one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if only.is_none() && !in_one_line.contains(&first(&attack.clean, 100)) && attack.is_seen {
        found.push(format!("text without the payload: {text}"));
    }
    if text.contains(EVALUATED) {
        found.push("text evaluated".to_owned());
    }
    found
}

fn escapes_of_link(link: Option<&str>, fill: &Fill<'_>, structure: usize) -> Vec<String> {
    let Some(given) = fill.link(structure) else {
        return Vec::new();
    };
    match (link.map(|link| (origin(link), link)), origin(&given)) {
        (None, None) => Vec::new(),
        (Some((Some(ours), link)), Some(theirs))
            if ours == theirs && !link.contains(is_cutting) && link[ours.len()..].is_ascii() =>
        {
            Vec::new()
        }
        (link, _) => vec![format!("a link to {link:?} for {given:?}")],
    }
}

fn escapes_of_html(
    read: &Document,
    harmless: &Document,
    attack: &Attack<'_>,
    fill: &Fill<'_>,
    structure: usize,
) -> Vec<String> {
    let mut found = Vec::new();
    if read.steps.len() != harmless.steps.len() {
        found.push(format!(
            "{} steps instead of {}",
            read.steps.len(),
            harmless.steps.len()
        ));
    }
    let case = Case {
        attack,
        fill,
        structure,
        subject: read.title.trim(),
    };
    let differing = read
        .steps
        .iter()
        .zip(&harmless.steps)
        .find(|(step, harmless)| !is_alike(step, harmless, &case));
    if let Some((step, harmless)) = differing {
        found.push(format!("{step:?} instead of {harmless:?}"));
    }
    if read.text.contains(EVALUATED) {
        found.push("HTML evaluated".to_owned());
    }
    if fill.only.is_none() && attack.is_seen && !read.text.contains(&first(&attack.clean, 100)) {
        found.push("HTML without the payload".to_owned());
    }
    found
}

/// One message under attack.
struct Case<'a> {
    attack: &'a Attack<'a>,
    fill: &'a Fill<'a>,
    structure: usize,
    subject: &'a str,
}

fn is_alike(step: &Step, harmless: &Step, case: &Case<'_>) -> bool {
    match (step, harmless) {
        (Step::Open(name, attributes), Step::Open(harmless_name, harmless)) => {
            name == harmless_name
                && attributes.len() == harmless.len()
                && attributes
                    .iter()
                    .zip(harmless)
                    .all(|((name, value), (harmless_name, harmless))| {
                        name == harmless_name && (value == harmless || is_fact(name, value, harmless, case))
                    })
        }
        (Step::Data(data), Step::Data(harmless)) => is_same_shape(data, harmless, case.attack),
        (step, harmless) => step == harmless,
    }
}

/// Whether this attribute holds what its field says, and no more.
fn is_fact(name: &str, value: &str, harmless: &str, case: &Case<'_>) -> bool {
    let given = ["shop.url", "shop.logo", "links.unsubscribe", "links.preferences"];
    let given = given
        .into_iter()
        .zip([0, 1, 0, 1])
        .map(|(field, place)| case.fill.page(field, place))
        .chain(case.fill.link(case.structure));
    match name {
        "href" if harmless.starts_with("mailto:") => value.strip_prefix("mailto:").is_some_and(|mailbox| {
            mailbox
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "@.-_+~%".contains(c))
        }),
        "href" if harmless.starts_with(TRACKING_PAGE) => is_tracking_page(value),
        "href" | "src" if harmless == HARMLESS_PAGE => {
            let ours = origin(value);
            ours.is_some() && !value.contains(is_cutting) && given.into_iter().any(|given| origin(&given) == ours)
        }
        "aria-label" => value == case.subject,
        "alt" if harmless.starts_with(HARMLESS) => {
            value == case.attack.clean || value.strip_suffix('…') == Some(&first(&case.attack.clean, 200))
        }
        _ => false,
    }
}

const TRACKING_PAGE: &str = "https://tracking.dpd.de/status/en_US/parcel/";

fn is_tracking_page(page: &str) -> bool {
    page.strip_prefix(TRACKING_PAGE)
        .is_some_and(|number| number.chars().all(|c| c.is_ascii_alphanumeric() || "-._~%".contains(c)))
}

/// The same keys and types, and in every text what its field says.
fn is_same_shape(data: &Value, harmless: &Value, attack: &Attack<'_>) -> bool {
    match (data, harmless) {
        (Value::Object(fields), Value::Object(harmless)) => {
            fields.len() == harmless.len()
                && fields
                    .iter()
                    .zip(harmless)
                    .all(|((key, value), (harmless_key, harmless))| {
                        key == harmless_key && is_same_shape(value, harmless, attack)
                    })
        }
        (Value::Array(values), Value::Array(harmless)) => {
            values.len() == harmless.len()
                && values
                    .iter()
                    .zip(harmless)
                    .all(|(value, harmless)| is_same_shape(value, harmless, attack))
        }
        (Value::String(text), Value::String(harmless)) if harmless.starts_with(TRACKING_PAGE) => is_tracking_page(text),
        (Value::String(text), Value::String(harmless)) if harmless.starts_with(HARMLESS) => {
            let shown = |field: &str| field.chars().take(120).collect::<String>();
            text == harmless || *text == shown(&attack.clean) || *text == shown(&cleaned(&attack.order_id))
        }
        (data, harmless) => data == harmless,
    }
}

/// Lets every processor attack with its share, and tells how many messages were rendered and what escaped.
fn attacked(payloads: &[Payload], each: impl Fn(&mut Attacker<'_>, usize, &Attack<'_>) + Sync) -> (usize, Vec<String>) {
    let templates = Templates::new();
    let next = AtomicUsize::new(0);
    let processors = std::thread::available_parallelism().map_or(2, usize::from);
    let work = || {
        let mut attacker = Attacker {
            templates: &templates,
            harmless: HashMap::new(),
            renders: 0,
            escapes: Vec::new(),
        };
        loop {
            let turn = next.fetch_add(1, Ordering::Relaxed);
            let Some(payload) = payloads.get(turn) else {
                return (attacker.renders, attacker.escapes);
            };
            each(&mut attacker, turn, &Attack::of(payload));
        }
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..processors).map(|_| scope.spawn(work)).collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).fold(
            (0, Vec::new()),
            |(renders, mut escapes), (more, found)| {
                escapes.extend(found);
                (renders + more, escapes)
            },
        )
    })
}

fn none_of(escapes: &[String]) {
    let some: Vec<&str> = escapes
        .iter()
        .step_by(escapes.len() / 12 + 1)
        .map(String::as_str)
        .collect();
    assert!(
        escapes.is_empty(),
        "{} escapes, such as:\n{}",
        escapes.len(),
        some.join("\n")
    );
}

#[test]
fn there_are_ten_thousand_payloads_of_sixteen_families() {
    let payloads = payloads::all();
    let texts: BTreeSet<&str> = payloads.iter().map(|payload| payload.text.as_str()).collect();
    let mut families: BTreeMap<&str, usize> = BTreeMap::new();
    for payload in &payloads {
        *families.entry(payload.family).or_default() += 1;
    }
    println!("{} payloads: {families:?}", payloads.len());
    assert_eq!(texts.len(), payloads.len());
    assert!(payloads.len() >= 10_000, "{}", payloads.len());
    assert_eq!(families.len(), 16);
    assert!(families.values().all(|count| *count >= 100), "{families:?}");
}

#[test]
fn no_payload_escapes_from_a_message_that_is_full_of_it() {
    let payloads = payloads::all();
    let (renders, escapes) = attacked(&payloads, |attacker, turn, attack| {
        for structure in 0..STRUCTURES {
            attacker.attack(attack, structure, turn, None);
        }
    });
    println!("{renders} renders");
    assert_eq!(renders, payloads.len() * STRUCTURES * 4);
    none_of(&escapes);
}

#[test]
fn no_payload_escapes_from_a_single_field() {
    // A prime step meets every family and every frame.
    let some: Vec<Payload> = payloads::all().into_iter().step_by(83).collect();
    let (renders, escapes) = attacked(&some, |attacker, turn, attack| {
        for structure in 0..STRUCTURES {
            for field in fields(structure) {
                attacker.attack(attack, structure, turn, Some(field));
            }
        }
    });
    println!("{renders} renders");
    none_of(&escapes);
}
