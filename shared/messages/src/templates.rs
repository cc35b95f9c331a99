//! Rendering: the words of a language, woven into the structure of a message, filled with what an event tells.

use std::sync::{Arc, PoisonError, RwLock};

use domain::{Channel, Content, Language, SmsEncoding, Zone, clean_line};
use minijinja::{
    Environment, Error, Value,
    value::{Enumerator, Object, Serde},
};

use crate::{
    engine::{self, Wordless},
    facts::Facts,
    html,
    name::TemplateName,
    overrides::InForce,
    plain_text,
    rendered::{Origin, RenderError, RenderedEmail, RenderedNote, RenderedSms},
    schema,
    shop::Shop,
    sms, words,
};

/// Longer subjects are cut by every mail program.
const SUBJECT_LENGTH: usize = 120;

/// A title is cut here: telephones show about 50 letters.
const TITLE_LENGTH: usize = 65;

/// A note is cut here: telephones show about 178 letters of a push message, and the inbox is no place for more.
const NOTE_LENGTH: usize = 240;

/// Who reads the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reader {
    /// The language to write in.
    pub language: Language,
    /// The zone in which days and times are told.
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

/// Every template: the built-in ones, compiled when first needed, and the overrides in force.
#[derive(Debug)]
pub struct Templates {
    built_in: Environment<'static>,
    pub(crate) in_force: RwLock<Arc<InForce>>,
}

impl Default for Templates {
    fn default() -> Self {
        Self::new()
    }
}

impl Templates {
    /// The built-in templates. Nothing is compiled yet: the build has shown that all of them can be.
    #[must_use]
    pub fn new() -> Self {
        Self {
            built_in: engine::environment(Wordless::LeftOut, |name, key| {
                words::built_in(name, key).map(str::to_owned)
            }),
            in_force: RwLock::default(),
        }
    }

    /// The e-mail in the reader's language.
    ///
    /// # Errors
    ///
    /// [`RenderError`] when the template is broken. That does not heal by itself.
    pub fn email(&self, content: &Content, reader: &Reader, shop: &Shop) -> Result<RenderedEmail, RenderError> {
        let name = TemplateName::of(content, Channel::Email, reader.language);
        let facts = Value::from(Serde(facts(content, &name, reader, shop)));
        let schema = schema::json_ld(content, shop).map_or(Value::from(()), Value::from_safe_string);
        let ((subject, html, text), origin) = self.render(&name, |environment| {
            let subject = phrase(environment, &name, "subject", &facts)?;
            let subject = one_line(&not_encoded(subject), SUBJECT_LENGTH);
            let context = Value::from_object(EmailContext {
                subject: Value::from(subject.as_str()),
                schema: schema.clone(),
                facts: facts.clone(),
            });
            let html = template(environment, &name, "email.html")?.render(context.clone())?;
            let text = template(environment, &name, "email.txt")?.render(context)?;
            Ok((subject, html, plain_text::tidy(&html::without_bidi_controls(&text))))
        })?;
        Ok(RenderedEmail {
            subject,
            html,
            text,
            origin,
        })
    }

    /// The text message in the reader's language: the fullest one that takes the fewest segments, and never more than two.
    ///
    /// # Errors
    ///
    /// As for [`Templates::email`].
    pub fn sms(&self, content: &Content, reader: &Reader, shop: &Shop) -> Result<RenderedSms, RenderError> {
        let name = TemplateName::of(content, Channel::Sms, reader.language);
        let (sized, origin) = self.render(&name, |environment| {
            let mut facts = facts(content, &name, reader, shop);
            let mut best = sized(environment, &name, &facts)?;
            for step in SHORTENINGS {
                if best.segments == 1 && !best.is_cut {
                    return Ok(best);
                }
                step(&mut facts);
                let shorter = sized(environment, &name, &facts)?;
                if shorter.is_better_than(&best) {
                    best = shorter;
                }
            }
            // What can be left unsaid is worth a segment, but not the end of the message.
            if best.is_cut {
                facts.is_brief = true;
                let brief = sized(environment, &name, &facts)?;
                if brief.is_better_than(&best) {
                    best = brief;
                }
            }
            Ok(best)
        })?;
        Ok(RenderedSms {
            text: sized.text,
            encoding: sized.encoding,
            segments: sized.segments,
            is_cut: sized.is_cut,
            origin,
        })
    }

    /// The push message in the reader's language.
    ///
    /// # Errors
    ///
    /// As for [`Templates::email`].
    pub fn push(&self, content: &Content, reader: &Reader, shop: &Shop) -> Result<RenderedNote, RenderError> {
        self.note(content, Channel::Push, reader, shop)
    }

    /// The message for the inbox inside the shop's app, in the reader's language.
    ///
    /// # Errors
    ///
    /// As for [`Templates::email`].
    pub fn in_app(&self, content: &Content, reader: &Reader, shop: &Shop) -> Result<RenderedNote, RenderError> {
        self.note(content, Channel::InApp, reader, shop)
    }

    fn note(
        &self,
        content: &Content,
        channel: Channel,
        reader: &Reader,
        shop: &Shop,
    ) -> Result<RenderedNote, RenderError> {
        let name = TemplateName::of(content, channel, reader.language);
        let facts = facts(content, &name, reader, shop);
        let link = facts.link.clone();
        let facts = Value::from(Serde(facts));
        let ((title, body), origin) = self.render(&name, |environment| {
            Ok((
                one_line(&phrase(environment, &name, "title", &facts)?, TITLE_LENGTH),
                one_line(&phrase(environment, &name, channel.name(), &facts)?, NOTE_LENGTH),
            ))
        })?;
        Ok(RenderedNote {
            title,
            body,
            link,
            origin,
        })
    }

    /// What the override in force makes of it, or, where there is none or it is broken, the built-in template.
    fn render<R>(
        &self,
        name: &TemplateName,
        make: impl Fn(&Environment<'static>) -> Result<R, Error>,
    ) -> Result<(R, Origin), RenderError> {
        let in_force = Arc::clone(&self.in_force.read().unwrap_or_else(PoisonError::into_inner));
        let origin = |template, broken| Origin {
            language: name.language,
            template,
            broken,
        };
        let mut broken = None;
        if let Some(version) = in_force.version_of(name) {
            match make(&in_force.environment) {
                Ok(message) => return Ok((message, origin(version.to_string(), None))),
                Err(error) => broken = Some(format!("{name}, version {version}: {}", domain::chain(&error))),
            }
        }
        let message = make(&self.built_in).map_err(|source| RenderError {
            template: *name,
            source,
        })?;
        let template = format!("built-in-{}", words::digest_of(name.folder()));
        Ok((message, origin(template, broken)))
    }
}

/// How a text message is made shorter: without the carrier's page, then with short names.
const SHORTENINGS: [fn(&mut Facts); 2] = [|facts| facts.parcel.page = None, Facts::shorten_names];

/// A text message and what it takes.
struct SizedText {
    text: String,
    encoding: SmsEncoding,
    segments: u8,
    /// Its end had to be cut off.
    is_cut: bool,
}

impl SizedText {
    /// Whether it tells more of its end, or as much in fewer segments.
    const fn is_better_than(&self, other: &Self) -> bool {
        match (self.is_cut, other.is_cut) {
            (false, true) => true,
            (true, false) => false,
            (true, true) | (false, false) => self.segments < other.segments,
        }
    }
}

fn facts(content: &Content, name: &TemplateName, reader: &Reader, shop: &Shop) -> Facts {
    let codes = |kind: &str, code: &str| words::meaning(name, kind, code);
    Facts::of(content, name.language, reader, shop, &codes)
}

fn template<'e>(
    environment: &'e Environment<'static>,
    name: &TemplateName,
    part: &str,
) -> Result<minijinja::Template<'e, 'e>, Error> {
    environment.get_template(&engine::source_name(name, part))
}

/// One phrase, in one line.
fn phrase(environment: &Environment<'static>, name: &TemplateName, key: &str, facts: &Value) -> Result<String, Error> {
    let text = template(environment, name, key)?.render(facts.clone())?;
    Ok(clean_line(&html::without_bidi_controls(&text)))
}

fn sized(environment: &Environment<'static>, name: &TemplateName, facts: &Facts) -> Result<SizedText, Error> {
    let text = phrase(environment, name, "sms", &Value::from(Serde(facts)))?;
    let whole = sms::simplified(&text);
    let text = sms::cut(&whole);
    let encoding = SmsEncoding::of(&text);
    Ok(SizedText {
        segments: encoding.segments(&text),
        is_cut: text != whole,
        encoding,
        text,
    })
}

/// A text of at most so many letters, cut between words.
fn one_line(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    let kept: String = text.chars().take(longest).collect();
    let kept = kept.rsplit_once(' ').map_or(kept.as_str(), |(words, _)| words);
    format!("{kept}…")
}

/// A subject in which nothing is left that a mail program would decode (RFC 2047, section 2: `=?charset?encoding?text?=`): what
/// stands in a code has passed no check of ours.
fn not_encoded(subject: String) -> String {
    match subject.contains("=?") {
        true => subject.replace("=?", "=\u{2060}?"),
        false => subject,
    }
}

/// What an e-mail's structure sees: the facts, its own subject, and the data for mail programs.
#[derive(Debug)]
struct EmailContext {
    subject: Value,
    schema: Value,
    facts: Value,
}

impl Object for EmailContext {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match key.as_str()? {
            "subject" => Some(self.subject.clone()),
            "schema" => Some(self.schema.clone()),
            name => self.facts.get_attr(name).ok().filter(|value| !value.is_undefined()),
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_cut_between_words() {
        let subject = one_line("word ".repeat(50).trim(), SUBJECT_LENGTH);
        assert!(subject.ends_with("word…"), "{subject}");
        assert!(subject.chars().count() <= SUBJECT_LENGTH + 1, "{subject}");
    }
}
