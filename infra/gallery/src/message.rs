//! Messages about people who do not exist, rendered as they would be sent.

use anyhow::Result;
use domain::{Channel, Language, NotificationType, OrderStatus};
use messages::{RenderedEmail, RenderedNote, RenderedSms, TemplateName, Templates, samples};

use crate::preheader::preheader;

/// How much each of `messages::samples` says, in their order.
pub(crate) const EXTENTS: [&str; 3] = ["little", "full", "long"];

/// The sample of which pictures are taken.
pub(crate) const FULL: &str = "full";

/// A message in one language.
#[derive(Debug)]
pub(crate) struct Message {
    /// The type.
    pub(crate) kind: NotificationType,
    /// The type, and with a point between them the status: `order_status_update.shipped`.
    pub(crate) name: String,
    /// The language it is asked for in.
    pub(crate) language: Language,
    /// One per extent.
    pub(crate) samples: Vec<Sample>,
}

/// A message about one thing.
#[derive(Debug)]
pub(crate) struct Sample {
    /// One of [`EXTENTS`].
    pub(crate) extent: &'static str,
    pub(crate) email: RenderedEmail,
    /// What a mail program shows behind the subject.
    pub(crate) preheader: String,
    pub(crate) sms: RenderedSms,
    pub(crate) push: RenderedNote,
    pub(crate) in_app: RenderedNote,
}

impl Message {
    /// Every message in every language of which some template's name has all these parts.
    ///
    /// # Errors
    ///
    /// When a template is broken, or no name has all parts.
    pub(crate) fn all(parts: &[String]) -> Result<Vec<Self>> {
        let templates = Templates::new();
        let mut messages = Vec::new();
        for email in chosen(parts, |name| name.channel == Channel::Email, all_channels)? {
            messages.push(Self::render(&templates, &email)?);
        }
        Ok(messages)
    }

    fn render(templates: &Templates, name: &TemplateName) -> Result<Self> {
        let (reader, shop) = (samples::reader_of(name.kind, name.language), samples::shop());
        let mut rendered = Vec::new();
        for (content, extent) in samples::of(name.kind, name.status).iter().zip(EXTENTS) {
            let email = templates.email(content, &reader, &shop)?;
            rendered.push(Sample {
                extent,
                preheader: preheader(&email.html).unwrap_or_default(),
                email,
                sms: templates.sms(content, &reader, &shop)?,
                push: templates.push(content, &reader, &shop)?,
                in_app: templates.in_app(content, &reader, &shop)?,
            });
        }
        Ok(Self {
            kind: name.kind,
            name: message_name(name.kind, name.status),
            language: name.language,
            samples: rendered,
        })
    }

    /// What the sample's files are called, without an ending: `order_status_update.shipped.full`.
    pub(crate) fn stem(&self, sample: &Sample) -> String {
        format!("{}.{}", self.name, sample.extent)
    }
}

/// The templates that pass and of whose names one has all parts: the name itself, or one of those beside it.
///
/// # Errors
///
/// When there is none.
pub(crate) fn chosen(
    parts: &[String],
    passes: impl Fn(&TemplateName) -> bool,
    beside: impl Fn(&TemplateName) -> Vec<TemplateName>,
) -> Result<Vec<TemplateName>> {
    let has_all = |name: &TemplateName| {
        let name = name.to_string();
        parts.iter().all(|part| name.contains(part.as_str()))
    };
    let chosen: Vec<TemplateName> = TemplateName::all()
        .filter(|name| passes(name) && beside(name).iter().any(has_all))
        .collect();
    anyhow::ensure!(!chosen.is_empty(), "no template's name has all of: {}", parts.join(" "));
    Ok(chosen)
}

fn all_channels(name: &TemplateName) -> Vec<TemplateName> {
    Channel::ALL.map(|channel| TemplateName { channel, ..*name }).to_vec()
}

fn message_name(kind: NotificationType, status: Option<OrderStatus>) -> String {
    match status {
        Some(status) => format!("{kind}.{status}"),
        None => kind.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_has_every_sample() {
        for name in TemplateName::all() {
            assert_eq!(samples::of(name.kind, name.status).len(), EXTENTS.len(), "{name}");
        }
    }

    #[test]
    fn a_part_of_any_channel_chooses_the_whole_message() {
        let parts = ["payment_failed/sms".to_owned(), "/ro".to_owned()];
        let messages = Message::all(&parts).unwrap();
        assert_eq!(messages.len(), 1);
        assert_eq!(messages[0].name, "payment_failed");
        assert_eq!(messages[0].language, Language::Ro);
    }

    #[test]
    fn parts_that_no_name_has_are_an_error() {
        let problem = Message::all(&["fax".to_owned()]).unwrap_err().to_string();
        assert!(problem.contains("fax"), "{problem}");
    }
}
