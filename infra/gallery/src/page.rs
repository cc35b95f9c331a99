//! The pages: one that shows every subject, one per language with every message, one per language to make the contact sheet of.

use anyhow::{Context, Result};
use domain::Language;
use messages::{RenderedNote, RenderedSms, samples};
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;

use crate::files::{self, Folder};
use crate::message::{EXTENTS, FULL, Message, Sample};
use crate::pictures::{self, Inspection, WIDTHS};
use crate::sms::size;

/// A page's source: what pages share, then what is its own.
macro_rules! source {
    ($page:literal) => {
        concat!(
            include_str!("page/parts.html"),
            include_str!("page/head.html"),
            include_str!($page)
        )
    };
}

const INDEX: &str = source!("page/index.html");
const LANGUAGE: &str = source!("page/language.html");
const SHEET: &str = source!("page/sheet.html");

/// Messages and what was found about them.
#[derive(Debug)]
pub(crate) struct Gallery<'a> {
    messages: &'a [Message],
    inspection: &'a Inspection,
}

impl<'a> Gallery<'a> {
    pub(crate) fn new(messages: &'a [Message], inspection: &'a Inspection) -> Self {
        Self { messages, inspection }
    }

    /// Writes the page of every language, and the one that leads to them.
    pub(crate) fn write(&self, folder: &Folder) -> Result<()> {
        folder.write("index.html", render(INDEX, &self.index())?.as_bytes())?;
        for language in self.languages() {
            let page = render(LANGUAGE, &self.language(language))?;
            folder.write(&files::page(language), page.as_bytes())?;
        }
        Ok(())
    }

    fn languages(&self) -> Vec<Language> {
        let has_any = |language: &Language| self.messages.iter().any(|message| message.language == *language);
        Language::ALL.into_iter().filter(has_any).collect()
    }

    fn index(&self) -> IndexView<'a> {
        let languages = self.languages();
        let mut names: Vec<&str> = Vec::new();
        for message in self.messages {
            if !names.contains(&message.name.as_str()) {
                names.push(&message.name);
            }
        }
        let row = |name| RowView {
            name,
            cells: languages.iter().map(|language| self.cell(name, *language)).collect(),
        };
        IndexView {
            languages: languages.iter().map(|language| self.tab(*language, None)).collect(),
            emails: self.messages.iter().map(|message| message.samples.len()).sum(),
            pictures: self.inspection.pictures.len(),
            findings: self
                .inspection
                .findings
                .iter()
                .map(|finding| FindingView {
                    email: &finding.email,
                    what: &finding.what,
                })
                .collect(),
            rows: names.into_iter().map(row).collect(),
        }
    }

    fn cell(&self, name: &str, language: Language) -> CellView<'a> {
        let message = self
            .messages
            .iter()
            .find(|message| message.name == name && message.language == language);
        let full = message.and_then(|message| message.samples.iter().find(|sample| sample.extent == FULL));
        CellView {
            language: language.code(),
            page: files::page(language),
            subject: full.map(|sample| sample.email.subject.as_str()),
        }
    }

    fn tab(&self, language: Language, current: Option<Language>) -> TabView {
        let sheet = pictures::sheet_name(language);
        TabView {
            language: language.code(),
            title: title(language),
            page: files::page(language),
            sheet: self.inspection.pictures.contains(&sheet).then_some(sheet),
            is_current: current == Some(language),
        }
    }

    fn language(&self, language: Language) -> LanguageView<'a> {
        let tabs = self.languages();
        let messages = self.messages.iter().filter(|message| message.language == language);
        LanguageView {
            language: language.code(),
            title: title(language),
            shop: samples::shop().name,
            languages: tabs.iter().map(|tab| self.tab(*tab, Some(language))).collect(),
            extents: EXTENTS,
            messages: messages.map(|message| self.message(message)).collect(),
        }
    }

    fn message(&self, message: &'a Message) -> MessageView<'a> {
        MessageView {
            name: &message.name,
            kind: message.kind.name(),
            samples: message
                .samples
                .iter()
                .map(|sample| self.sample(message, sample))
                .collect(),
        }
    }

    fn sample(&self, message: &Message, sample: &'a Sample) -> SampleView<'a> {
        let email = files::email(message, sample);
        let findings = self.inspection.findings.iter().filter(|finding| finding.email == email);
        let pictures = [false, true].into_iter().flat_map(|is_dark| {
            WIDTHS.map(|width| PictureView {
                file: pictures::name(message, width, is_dark),
                width,
                is_dark,
            })
        });
        let pictures =
            pictures.filter(|picture| sample.extent == FULL && self.inspection.pictures.contains(&picture.file));
        SampleView {
            extent: sample.extent,
            subject: &sample.email.subject,
            preheader: &sample.preheader,
            text_file: files::text(message, sample),
            text: &sample.email.text,
            kilobytes: format!("{:.1}", sample.email.html.len() as f64 / 1024.0),
            pictures: pictures.collect(),
            findings: findings.map(|finding| finding.what.as_str()).collect(),
            sms: SmsView::of(&sample.sms),
            push: NoteView::of(&sample.push),
            in_app: NoteView::of(&sample.in_app),
            template: &sample.email.origin.template,
            written_in: sample.email.origin.language.code(),
            email,
        }
    }
}

/// The page of which the contact sheet is a picture: the full e-mails of a language, small, with what is sent by other channels.
///
/// # Errors
///
/// When the page is broken.
pub(crate) fn sheet(messages: &[Message], language: Language) -> Result<String> {
    let messages = messages.iter().filter(|message| message.language == language);
    let cards = messages.filter_map(|message| {
        let sample = message.samples.iter().find(|sample| sample.extent == FULL)?;
        Some(CardView {
            name: &message.name,
            picture: pictures::name(message, WIDTHS[0], false),
            subject: &sample.email.subject,
            sms: SmsView::of(&sample.sms),
            push: NoteView::of(&sample.push),
        })
    });
    let view = SheetView {
        language: language.code(),
        title: title(language),
        cards: cards.collect(),
    };
    render(SHEET, &view)
}

#[derive(Serialize)]
struct IndexView<'a> {
    languages: Vec<TabView>,
    emails: usize,
    pictures: usize,
    findings: Vec<FindingView<'a>>,
    rows: Vec<RowView<'a>>,
}

#[derive(Serialize)]
struct FindingView<'a> {
    email: &'a str,
    what: &'a str,
}

#[derive(Serialize)]
struct RowView<'a> {
    name: &'a str,
    cells: Vec<CellView<'a>>,
}

#[derive(Serialize)]
struct CellView<'a> {
    language: &'static str,
    page: String,
    subject: Option<&'a str>,
}

#[derive(Serialize)]
struct TabView {
    language: &'static str,
    title: &'static str,
    page: String,
    sheet: Option<String>,
    is_current: bool,
}

#[derive(Serialize)]
struct LanguageView<'a> {
    language: &'static str,
    title: &'static str,
    shop: String,
    languages: Vec<TabView>,
    extents: [&'static str; 3],
    messages: Vec<MessageView<'a>>,
}

#[derive(Serialize)]
struct MessageView<'a> {
    name: &'a str,
    kind: &'static str,
    samples: Vec<SampleView<'a>>,
}

#[derive(Serialize)]
struct SampleView<'a> {
    extent: &'static str,
    subject: &'a str,
    preheader: &'a str,
    email: String,
    text_file: String,
    text: &'a str,
    kilobytes: String,
    pictures: Vec<PictureView>,
    findings: Vec<&'a str>,
    sms: SmsView<'a>,
    push: NoteView<'a>,
    in_app: NoteView<'a>,
    template: &'a str,
    written_in: &'static str,
}

#[derive(Serialize)]
struct PictureView {
    file: String,
    width: u32,
    is_dark: bool,
}

#[derive(Serialize)]
struct NoteView<'a> {
    title: &'a str,
    body: &'a str,
    link: Option<&'a str>,
}

impl<'a> NoteView<'a> {
    fn of(note: &'a RenderedNote) -> Self {
        Self {
            title: &note.title,
            body: &note.body,
            link: note.link.as_deref(),
        }
    }
}

#[derive(Serialize)]
struct SmsView<'a> {
    parts: Vec<&'a str>,
    size: String,
}

impl<'a> SmsView<'a> {
    fn of(sms: &'a RenderedSms) -> Self {
        Self {
            parts: sms.encoding.parts(&sms.text),
            size: size(sms),
        }
    }
}

#[derive(Serialize)]
struct SheetView<'a> {
    language: &'static str,
    title: &'static str,
    cards: Vec<CardView<'a>>,
}

#[derive(Serialize)]
struct CardView<'a> {
    name: &'a str,
    picture: String,
    subject: &'a str,
    sms: SmsView<'a>,
    push: NoteView<'a>,
}

/// A language's name in that language.
const fn title(language: Language) -> &'static str {
    match language {
        Language::Es => "Español",
        Language::En => "English",
        Language::Ro => "Română",
        Language::Ru => "Русский",
    }
}

fn render(source: &str, view: &impl Serialize) -> Result<String> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    // The name's ending switches escaping on; what an event or a language says reaches a page as text only.
    environment
        .render_named_str("page.html", source, Serde(view))
        .context("could not render a page of the gallery")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pictures::Finding;
    use crate::sms::text_message;

    const HOSTILE: &str = "</title><script>alert('1')</script>\"><img src=x onerror=alert(1)>";

    fn messages() -> Vec<Message> {
        let parts = ["payment_failed".to_owned(), "/es".to_owned()];
        Message::all(&parts).unwrap()
    }

    #[test]
    fn nothing_that_a_message_says_becomes_markup() {
        let mut messages = messages();
        for sample in &mut messages[0].samples {
            sample.email.subject = HOSTILE.to_owned();
            sample.email.text = HOSTILE.to_owned();
            sample.preheader = HOSTILE.to_owned();
            sample.sms.text = HOSTILE.to_owned();
            for note in [&mut sample.push, &mut sample.in_app] {
                note.title = HOSTILE.to_owned();
                note.body = HOSTILE.to_owned();
                note.link = Some(HOSTILE.to_owned());
            }
        }
        let mut inspection = Inspection::default();
        inspection.findings.insert(Finding {
            email: files::email(&messages[0], &messages[0].samples[1]),
            what: HOSTILE.to_owned(),
        });
        let gallery = Gallery::new(&messages, &inspection);
        for page in [
            render(INDEX, &gallery.index()).unwrap(),
            render(LANGUAGE, &gallery.language(Language::Es)).unwrap(),
            sheet(&messages, Language::Es).unwrap(),
        ] {
            assert!(page.contains("alert("), "{page}");
            assert!(!page.contains("<script>alert"), "{page}");
            assert!(!page.contains("<img src=x"), "{page}");
        }
    }

    #[test]
    fn no_page_asks_the_network_for_anything() {
        let messages = messages();
        let inspection = Inspection::default();
        let gallery = Gallery::new(&messages, &inspection);
        for page in [
            render(INDEX, &gallery.index()).unwrap(),
            render(LANGUAGE, &gallery.language(Language::Es)).unwrap(),
            sheet(&messages, Language::Es).unwrap(),
        ] {
            assert!(!page.contains("src=\"http"), "{page}");
            assert!(!page.contains("href=\"http"), "{page}");
            assert!(
                page.contains("default-src &#x27;none&#x27;") || page.contains("default-src 'none'"),
                "{page}"
            );
        }
    }

    #[test]
    fn a_text_message_stands_in_one_bubble_per_segment() {
        let mut messages = messages();
        messages[0].samples[1].sms = text_message(&format!("{}bbb", "a".repeat(158)));
        let inspection = Inspection::default();
        let page = render(LANGUAGE, &Gallery::new(&messages, &inspection).language(Language::Es)).unwrap();
        assert!(
            page.contains(&format!("<p class=\"bubble\">{}</p>", "a".repeat(153))),
            "{page}"
        );
        assert!(page.contains("<p class=\"bubble\">aaaaabbb</p>"), "{page}");
        assert!(page.contains("GSM-7 · 2 segments · 161 of 306"), "{page}");
    }

    #[test]
    fn pictures_are_shown_where_there_are_any() {
        let messages = messages();
        let without = Inspection::default();
        let mut with = Inspection::default();
        with.pictures.insert(pictures::name(&messages[0], 375, false));
        let page = |inspection| render(LANGUAGE, &Gallery::new(&messages, inspection).language(Language::Es)).unwrap();
        assert!(!page(&without).contains(".png"));
        assert!(page(&with).contains("payment_failed.375.png"));
        assert!(!page(&with).contains("payment_failed.640.png"));
    }
}
