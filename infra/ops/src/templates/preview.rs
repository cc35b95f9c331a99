//! `ops templates preview`: a message as it would be sent.

use anyhow::{Context, Result, bail};
use clap::Args;
use domain::{Channel, Content};
use lambda::{Invocation, Variables};
use messages::{Links, Origin, Reader, RenderedNote, Shop, TemplateName, Templates, samples};
use serde::Serialize;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::{Known, Template, Which, which};
use crate::account::Account;
use crate::names::sender;
use crate::output::{Report, show};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ops templates preview order_status_update.shipped/email/es --version 3
  ops templates preview order_status_update.shipped/email/es --version 3 --event event.json --out /tmp/preview
  ops templates preview payment_failed/sms/en --version built-in

Without --version it shows what is in force, without --event a sample that says all that an event can say. Shop and time zone are \
those of the deployed functions. A preview has no links of a customer's own.")]
pub(crate) struct Preview {
    #[command(flatten)]
    template: Template,
    /// The number of a version, or built-in
    #[arg(long, value_name = "N", value_parser = which)]
    version: Option<Which>,
    /// A file with one event, as it would be published
    #[arg(long, value_name = "FILE")]
    event: Option<PathBuf>,
    /// Write subject, HTML and text as files into this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// A finished message, and who wrote it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Previewed {
    template: String,
    /// A version's number, or what stands for the built-in words.
    written_by: String,
    /// What is wrong with the version, where the built-in words had to take its place.
    broken: Option<String>,
    /// Of an e-mail.
    subject: Option<String>,
    /// Of a push message, or of a note in the inbox.
    title: Option<String>,
    text: String,
    html: Option<String>,
    link: Option<String>,
    /// Of a text message: `GSM-7` or `UCS-2`, and what it costs.
    encoding: Option<String>,
    segments: Option<u8>,
    /// The files that were written.
    files: Vec<String>,
}

impl Preview {
    pub(super) async fn run(&self, account: &Account, as_json: bool) -> Result<ExitCode> {
        let known = Known::of(account, self.template.name).await?;
        let live = known.live().map_or(Which::BuiltIn, Which::Version);
        let templates = Templates::new();
        if let Which::Version(version) = self.version.unwrap_or(live) {
            templates.adopt(vec![known.wording(known.version(version)?)]);
        }
        let variables = deployed(account).await?;
        let reading = variables.reading()?;
        let content = match &self.event {
            Some(path) => content_of(path, &known.name, &reading, account)?,
            None => samples::full(known.name.kind, known.name.status)
                .with_context(|| format!("there is no sample of {}: give an --event", known.name))?,
        };
        let reader = Reader {
            language: known.name.language,
            zone: reading.shop.zone,
            links: Links::default(),
        };
        let mut previewed = written(&templates, &known.name, &content, &reader, &shop(&variables)?)?;
        if let Some(folder) = &self.out {
            previewed.files = previewed.write_to(folder)?;
        }
        show(&previewed, as_json)
    }
}

/// The variables of the deployed e-mail function: shop, language, zone and currency are the same for all.
async fn deployed(account: &Account) -> Result<Variables> {
    let function = account.names.of(sender(Channel::Email));
    let variables = account.variables_of(&function).await?;
    let variables: Vec<(&str, &str)> = variables
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    Ok(Variables::given(&variables))
}

fn shop(variables: &Variables) -> Result<Shop> {
    Ok(Shop {
        name: variables.text("SHOP_NAME")?,
        url: variables.optional("SHOP_URL"),
        support_email: variables.text("SUPPORT_EMAIL")?,
        logo_url: variables.optional("SHOP_LOGO_URL"),
        colour: variables.optional("SHOP_COLOUR"),
        address: variables.optional("SHOP_ADDRESS"),
    })
}

/// What the event in a file is about, read as the orchestrator reads it.
fn content_of(path: &Path, name: &TemplateName, reading: &pipeline::Reading, account: &Account) -> Result<Content> {
    let file = path.display();
    let payload = std::fs::read_to_string(path)
        .with_context(|| format!("--event: expected a file with an event in JSON; could not read {file}"))?;
    let texts: Vec<String> = match Invocation::read(&payload) {
        Invocation::Queue(messages) | Invocation::Trial(messages) => {
            messages.into_iter().map(|message| message.text).collect()
        }
        Invocation::Topic(messages) => messages.into_iter().map(|message| message.envelope).collect(),
        Invocation::Direct(payload) => vec![payload],
    };
    let [text] = texts.as_slice() else {
        bail!("--event: expected one event, {file} has {}", texts.len());
    };
    let event = pipeline::read_event(text, account.now(), reading)
        .map_err(|refusal| anyhow::anyhow!("--event: {file} would be refused: {refusal}"))?;
    let told = TemplateName::of(&event.content, name.channel, name.language);
    if told != *name {
        bail!("--event: {file} leads to {told} and not to {name}");
    }
    Ok(event.content)
}

/// The message as a sender writes it.
fn written(
    templates: &Templates,
    name: &TemplateName,
    content: &Content,
    reader: &Reader,
    shop: &Shop,
) -> Result<Previewed> {
    let blank = |origin: Origin, text: String| Previewed {
        template: name.to_string(),
        written_by: origin.template,
        broken: origin.broken,
        subject: None,
        title: None,
        text,
        html: None,
        link: None,
        encoding: None,
        segments: None,
        files: Vec::new(),
    };
    let noted = |note: RenderedNote| Previewed {
        title: Some(note.title),
        link: note.link,
        ..blank(note.origin, note.body)
    };
    Ok(match name.channel {
        Channel::Email => {
            let email = templates.email(content, reader, shop)?;
            Previewed {
                subject: Some(email.subject),
                html: Some(email.html),
                ..blank(email.origin, email.text)
            }
        }
        Channel::Sms => {
            let sms = templates.sms(content, reader, shop)?;
            Previewed {
                encoding: Some(sms.encoding.to_string()),
                segments: Some(sms.segments),
                ..blank(sms.origin, sms.text)
            }
        }
        Channel::Push => noted(templates.push(content, reader, shop)?),
        Channel::InApp => noted(templates.in_app(content, reader, shop)?),
    })
}

impl Previewed {
    /// Writes what the message consists of, byte by byte as it would be sent; the files.
    fn write_to(&self, folder: &Path) -> Result<Vec<String>> {
        std::fs::create_dir_all(folder).with_context(|| format!("--out: could not make {}", folder.display()))?;
        let parts = [
            ("subject.txt", self.subject.as_ref()),
            ("title.txt", self.title.as_ref()),
            ("message.html", self.html.as_ref()),
            ("message.txt", Some(&self.text)),
        ];
        let mut files = Vec::new();
        for (file, part) in parts {
            if let Some(part) = part {
                let path = folder.join(file);
                std::fs::write(&path, part).with_context(|| format!("--out: could not write {}", path.display()))?;
                files.push(path.display().to_string());
            }
        }
        Ok(files)
    }
}

impl Report for Previewed {
    fn needs_a_person(&self) -> bool {
        self.broken.is_some()
    }
}

impl fmt::Display for Previewed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(broken) = &self.broken {
            writeln!(f, "broken, so that the built-in words take its place: {broken}")?;
        }
        if !self.files.is_empty() {
            return writeln!(f, "{}", self.files.join("\n"));
        }
        if let Some(subject) = self.subject.as_ref().or(self.title.as_ref()) {
            writeln!(f, "{subject}\n")?;
        }
        writeln!(f, "{}", self.text)?;
        if let Some(link) = &self.link {
            writeln!(f, "\n{link}")?;
        }
        if let (Some(encoding), Some(segments)) = (&self.encoding, self.segments) {
            let letters = self.text.chars().count();
            writeln!(f, "\n{letters} letters in {encoding}, segments: {segments}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use messages::Wording;
    use std::collections::BTreeMap;

    fn preview(name: &str, words: &[(&str, &str)]) -> Previewed {
        let name = TemplateName::try_from(name).unwrap();
        let templates = Templates::new();
        let words = words.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned()));
        templates.adopt(vec![Wording {
            name,
            version: 7,
            words: words.collect::<BTreeMap<_, _>>(),
        }]);
        let content = samples::full(name.kind, name.status).unwrap();
        written(
            &templates,
            &name,
            &content,
            &samples::reader(name.language),
            &samples::shop(),
        )
        .unwrap()
    }

    #[test]
    fn a_preview_says_which_version_wrote_it() {
        let previewed = preview(
            "order_status_update.shipped/email/es",
            &[("subject", "Ya sale: {{ order.id }}")],
        );
        assert_eq!(previewed.written_by, "7");
        assert_eq!(previewed.subject.as_deref(), Some("Ya sale: ORD-2026-004217"));
        assert!(previewed.html.is_some_and(|html| html.contains("<html")));
    }

    #[test]
    fn a_broken_version_shows_what_customers_would_get_and_needs_a_person() {
        let previewed = preview("order_status_update.shipped/sms/es", &[("sms", "{{ order.nothing }}")]);
        assert!(previewed.needs_a_person() && !previewed.text.is_empty());
        assert!(previewed.segments.is_some_and(|segments| segments > 0));
    }

    #[test]
    fn the_files_hold_the_message_byte_by_byte() {
        let folder = std::env::temp_dir().join(format!("ops-preview-{}", std::process::id()));
        let previewed = preview(
            "order_status_update.shipped/email/es",
            &[("subject", "Ya sale: {{ order.id }}")],
        );
        let files = previewed.write_to(&folder).unwrap();
        let read = |file: &str| std::fs::read_to_string(folder.join(file)).unwrap();
        assert_eq!(
            (files.len(), read("subject.txt")),
            (3, "Ya sale: ORD-2026-004217".to_owned())
        );
        assert_eq!(
            (Some(read("message.html")), read("message.txt")),
            (previewed.html, previewed.text)
        );
        std::fs::remove_dir_all(folder).unwrap();
    }
}
