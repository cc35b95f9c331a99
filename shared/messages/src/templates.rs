//! Rendering: the words of a language into the structure of a message.

use std::collections::BTreeMap;

use domain::{Content, Language, NotificationType, OrderStatus, Zone, clean_line};
use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, State, UndefinedBehavior, Value, context, escape_formatter,
    syntax::SyntaxConfig,
    value::{Kwargs, Serde},
};

use crate::{
    facts::{Facts, Shop, section_of},
    html,
    locale::plural_of,
    plain_text,
    sms::{self, SmsEncoding},
};

include!(concat!(env!("OUT_DIR"), "/templates.rs"));

/// The folder of what all messages share.
const SHARED_FOLDER: &str = "layout";

/// The section whose words the other sections of a file may use.
const SHARED_SECTION: &str = "shared";

/// The key of the text message; all other keys belong to the e-mail.
const SMS_KEY: &str = "sms";

/// Longer subjects are cut by every mail program.
const SUBJECT_LENGTH: usize = 120;

/// Names in a text message are cut to this where the whole text would need a second segment.
const SHORT_NAME: usize = 20;

/// Who reads the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reader {
    /// The language to write in, if there are words for it.
    pub language: Language,
    /// The zone in which days are told.
    pub zone: Zone,
    /// Pages of the customer's own that an e-mail may lead to.
    pub links: Links,
}

/// Pages of one customer's own, behind signed addresses.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Links {
    /// Where messages of this type are stopped; none where that is not possible.
    pub unsubscribe: Option<String>,
    /// Where the customer chooses what to be told.
    pub preferences: Option<String>,
}

/// An e-mail, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderedEmail {
    /// One line.
    pub subject: String,
    /// A whole HTML document.
    pub html: String,
    /// The same in plain text.
    pub text: String,
    /// The language it is written in.
    pub language: Language,
}

/// A text message, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderedSms {
    /// The text.
    pub text: String,
    /// How it travels.
    pub encoding: SmsEncoding,
    /// How many segments it takes, which is what it costs: at most two.
    pub segments: u8,
    /// The language it is written in.
    pub language: Language,
}

/// A message that cannot be rendered. Names the type, status and channel, never a person.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// There are no words for this type, status and channel in any language.
    #[error("no {message}")]
    NoTemplate {
        /// Which one, such as `email template for payment_failed`.
        message: String,
    },
    /// A template of ours is broken.
    #[error("could not render the {message}")]
    Template {
        /// Which one, such as `email template for order_status_update (shipped), language es`.
        message: String,
        /// What is wrong with it.
        #[source]
        source: Error,
    },
}

/// The words of one section by key: the names of their templates.
type Section = BTreeMap<&'static str, String>;

/// Every template, compiled.
#[derive(Debug)]
pub struct Templates {
    environment: Environment<'static>,
    /// By folder, language and section.
    sections: BTreeMap<(&'static str, &'static str, &'static str), Section>,
}

impl Templates {
    /// Compiles every template.
    ///
    /// # Errors
    ///
    /// [`RenderError::Template`] when one is broken; its message names it.
    pub fn load() -> Result<Self, RenderError> {
        let broken = |name: &str| {
            let message = name.to_owned();
            move |source| RenderError::Template { message, source }
        };
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|name| {
            if name.ends_with(".html") {
                AutoEscape::Html
            } else {
                AutoEscape::None
            }
        });
        environment.set_formatter(|out, state, value| match value.as_str() {
            Some(text) if matches!(state.auto_escape(), AutoEscape::Html) => {
                out.write_str(&html::escaped(text)).map_err(Error::from)
            }
            _ => escape_formatter(out, state, value),
        });
        // A tag on a line of its own leaves no empty line behind.
        environment.set_syntax(
            SyntaxConfig::builder()
                .trim_blocks(true)
                .lstrip_blocks(true)
                .build()
                .map_err(broken("syntax of the templates"))?,
        );
        environment.add_filter("plural", plural);
        environment.add_filter("wrapped", |text: &str| plain_text::wrapped(text));
        environment.add_filter("heading", |text: &str| plain_text::heading(text));
        environment.add_filter("row", |label: &str, value: &str| plain_text::row(label, value));
        environment.add_filter("item", |name: &str, amount: Option<&str>| {
            plain_text::item(name, amount.unwrap_or_default())
        });

        for (name, source) in STRUCTURES {
            environment.add_template(name, source).map_err(broken(name))?;
        }
        let mut sections: BTreeMap<_, Section> = BTreeMap::new();
        for (folder, language, section, key, source) in PHRASES {
            let name = format!("{folder}/{language}.ini [{section}] {key}");
            environment
                .add_template_owned(name.clone(), *source)
                .map_err(broken(&name))?;
            sections
                .entry((*folder, *language, *section))
                .or_default()
                .insert(key, name);
        }
        Ok(Self { environment, sections })
    }

    /// The languages in which this type of message, with this status, is written.
    #[must_use]
    pub fn languages_of(&self, kind: NotificationType, status: Option<OrderStatus>) -> Vec<Language> {
        let section = status.map_or("message", OrderStatus::name);
        Language::ALL
            .into_iter()
            .filter(|language| self.is_written(kind.name(), *language, section))
            .collect()
    }

    /// The e-mail in the reader's language, else in `fallback`, else in English.
    ///
    /// # Errors
    ///
    /// [`RenderError::NoTemplate`] when none of these has words for the content, [`RenderError::Template`] when a
    /// template is broken. Neither heals by itself.
    pub fn email(
        &self,
        content: &Content,
        reader: &Reader,
        fallback: Language,
        shop: &Shop,
    ) -> Result<RenderedEmail, RenderError> {
        let message = Message::of(content, "email");
        let language = self.language_of(&message, reader.language, fallback)?;
        let facts = message.facts(content, language, &reader.zone, shop)?;
        let render = || -> Result<RenderedEmail, Error> {
            let words = self.words(&message, &facts, |key| key != SMS_KEY)?;
            let subject = one_line(words.get("subject").map_or("", String::as_str));
            let facts = Value::from(Serde(&facts));
            let structure = |ending: &'static str, form: fn(&str) -> Value| {
                let name = format!("{}/email.{ending}", message.folder());
                let words = words.iter().map(|(key, text)| (*key, form(text)));
                self.environment.get_template(&name)?.render(context! {
                    subject => subject.as_str(),
                    words => Value::from_pairs(words),
                    ..facts.clone()
                })
            };
            Ok(RenderedEmail {
                html: structure("html", |text| Value::from(text))?,
                text: plain_text::tidy(&structure("txt", |text| Value::from(plain(text)))?),
                subject,
                language,
            })
        };
        render().map_err(|source| message.broken(language, source))
    }

    /// The text message in the reader's language, else in `fallback`, else in English.
    ///
    /// # Errors
    ///
    /// As for [`Templates::email`].
    pub fn sms(
        &self,
        content: &Content,
        reader: &Reader,
        fallback: Language,
        shop: &Shop,
    ) -> Result<RenderedSms, RenderError> {
        let message = Message::of(content, "sms");
        let language = self.language_of(&message, reader.language, fallback)?;
        let mut facts = message.facts(content, language, &reader.zone, shop)?;
        let render = |facts: &Facts| -> Result<(String, SmsEncoding, u8), Error> {
            let words = self.words(&message, facts, |key| key == SMS_KEY)?;
            let text = words.get(SMS_KEY).map_or("", String::as_str);
            let text = sms::cut(&sms::simplified(&plain(text)));
            let encoding = SmsEncoding::of(&text);
            let segments = encoding.segments(&text);
            Ok((text, encoding, segments))
        };
        let broken = |source| message.broken(language, source);

        // The fullest text that needs the fewest segments: with the carrier's page, with the bare number, with short names.
        let mut best = render(&facts).map_err(broken)?;
        let shorten: [fn(&mut Facts); 2] = [
            |facts| facts.parcel.page = None,
            |facts| {
                shorten(&mut facts.shop.name);
                shorten(&mut facts.order.id);
                if let Some(carrier) = &mut facts.parcel.carrier {
                    shorten(carrier);
                }
            },
        ];
        for step in shorten {
            if best.2 == 1 {
                break;
            }
            step(&mut facts);
            let shorter = render(&facts).map_err(broken)?;
            if shorter.2 < best.2 {
                best = shorter;
            }
        }
        let (text, encoding, segments) = best;
        Ok(RenderedSms {
            text,
            encoding,
            segments,
            language,
        })
    }

    fn is_written(&self, folder: &str, language: Language, section: &str) -> bool {
        let code = language.code();
        self.sections
            .keys()
            .any(|(f, l, s)| *f == folder && *l == code && *s == section)
    }

    fn language_of(&self, message: &Message, wanted: Language, fallback: Language) -> Result<Language, RenderError> {
        [wanted, fallback, Language::En]
            .into_iter()
            .find(|language| self.is_written(message.folder(), *language, message.section))
            .ok_or_else(|| message.missing())
    }

    /// The words that a message needs: those that all messages share first, so that its own may use them.
    fn words(
        &self,
        message: &Message,
        facts: &Facts,
        is_needed: fn(&str) -> bool,
    ) -> Result<BTreeMap<&'static str, String>, Error> {
        let language = facts.language;
        let facts = Value::from(Serde(facts));
        let mut words = BTreeMap::<&'static str, String>::new();
        for (folder, section) in [
            (SHARED_FOLDER, SHARED_SECTION),
            (message.folder(), SHARED_SECTION),
            (message.folder(), message.section),
        ] {
            let Some(templates) = self.sections.get(&(folder, language, section)) else {
                continue;
            };
            let known = words.iter().map(|(key, text)| (*key, text.as_str()));
            let known = Value::from_pairs(known);
            let mut rendered = Vec::new();
            let is_shared = section == SHARED_SECTION;
            for (key, name) in templates.iter().filter(|(key, _)| is_shared || is_needed(key)) {
                let text = self.environment.get_template(name)?.render(context! {
                    words => known.clone(),
                    ..facts.clone()
                })?;
                rendered.push((*key, single_spaced(&text)));
            }
            words.extend(rendered);
        }
        Ok(words)
    }
}

/// Which message is rendered for which channel.
struct Message {
    kind: NotificationType,
    status: Option<OrderStatus>,
    section: &'static str,
    channel: &'static str,
}

impl Message {
    fn of(content: &Content, channel: &'static str) -> Self {
        Self {
            kind: content.notification_type(),
            status: content.status(),
            section: section_of(content),
            channel,
        }
    }

    fn folder(&self) -> &'static str {
        self.kind.name()
    }

    fn facts(&self, content: &Content, language: Language, zone: &Zone, shop: &Shop) -> Result<Facts, RenderError> {
        Facts::of(content, language, zone, shop).ok_or_else(|| self.missing())
    }

    fn named(&self) -> String {
        let status = self.status.map_or_else(String::new, |status| format!(" ({status})"));
        format!("{} template for {}{status}", self.channel, self.kind)
    }

    fn missing(&self) -> RenderError {
        RenderError::NoTemplate { message: self.named() }
    }

    fn broken(&self, language: Language, source: Error) -> RenderError {
        RenderError::Template {
            message: format!("{}, language {language}", self.named()),
            source,
        }
    }
}

/// `{{ count|plural(one="item", other="items") }}` in the language of the message.
fn plural(state: &State<'_, '_>, count: u64, forms: Kwargs) -> Result<String, Error> {
    let code = state.lookup("language").unwrap_or_default();
    let language = Language::try_from(code.as_str().unwrap_or_default())
        .map_err(|unknown| Error::new(ErrorKind::InvalidOperation, "no language to count in").with_source(unknown))?;
    let form: Option<String> = forms.get(plural_of(language, count))?;
    form.map_or_else(|| forms.get("other"), Ok)
}

/// A text without the marks that keep a name in its own direction.
fn plain(text: &str) -> String {
    html::without_bidi_controls(text)
}

/// Words with one blank between them. No-break spaces stay.
fn single_spaced(text: &str) -> String {
    let words: Vec<_> = text.split([' ', '\n']).filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

/// A subject: one line, cut between words.
fn one_line(text: &str) -> String {
    let text = clean_line(&plain(text));
    if text.chars().count() <= SUBJECT_LENGTH {
        return text;
    }
    let kept: String = text.chars().take(SUBJECT_LENGTH).collect();
    let kept = kept.rsplit_once(' ').map_or(kept.as_str(), |(words, _)| words);
    format!("{kept}…")
}

fn shorten(name: &mut String) {
    if name.chars().count() > SHORT_NAME {
        *name = name.chars().take(SHORT_NAME).collect();
        name.push_str("...");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fact_that_nobody_knows_breaks_the_template() {
        let templates = Templates::load().unwrap();
        for source in ["{{ nobody }}", "{{ shop.nobody }}"] {
            let problem = templates
                .environment
                .render_str(source, context! { shop => context! {} });
            assert_eq!(problem.unwrap_err().kind(), ErrorKind::UndefinedError, "{source}");
        }
    }

    #[test]
    fn a_long_subject_is_cut_between_words() {
        let subject = one_line(&"word ".repeat(50));
        assert!(subject.ends_with("word…"), "{subject}");
        assert!(subject.chars().count() <= SUBJECT_LENGTH + 1, "{subject}");
    }
}
