//! Every message as plain text, for reading in a terminal.

use anyhow::Result;
use domain::Channel;
use messages::{RenderedNote, TemplateName, Templates, samples};

use crate::message::{EXTENTS, chosen};
use crate::sms::size;

/// The messages whose names have all these parts, one below the other.
///
/// # Errors
///
/// When a template is broken, or no name has all parts.
pub(crate) fn of(parts: &[String]) -> Result<String> {
    let templates = Templates::new();
    let mut listing = String::new();
    for name in chosen(parts, |_| true, |name| vec![*name])? {
        for (content, extent) in samples::of(name.kind, name.status).iter().zip(EXTENTS) {
            let (reader, shop) = (samples::reader_of(name.kind, name.language), samples::shop());
            let message = match name.channel {
                Channel::Email => {
                    let email = templates.email(content, &reader, &shop)?;
                    format!("{}\n---\n{}", email.subject, email.text)
                }
                Channel::Sms => {
                    let sms = templates.sms(content, &reader, &shop)?;
                    format!("{}\n{}", size(&sms), sms.text)
                }
                Channel::Push => note(&templates.push(content, &reader, &shop)?),
                Channel::InApp => note(&templates.in_app(content, &reader, &shop)?),
            };
            listing.push_str(&heading(&name, extent));
            listing.push_str(message.trim_end());
            listing.push_str("\n\n");
        }
    }
    Ok(listing)
}

fn heading(name: &TemplateName, extent: &str) -> String {
    format!("=== {name} ({extent})\n")
}

fn note(note: &RenderedNote) -> String {
    let link = note.link.as_deref().unwrap_or("no link");
    format!("{}\n{}\n{link}", note.title, note.body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_listing_has_every_sample_of_the_chosen_templates() {
        let listing = of(&["payment_failed/sms/es".to_owned()]).unwrap();
        assert_eq!(listing.matches("=== payment_failed/sms/es").count(), 3, "{listing}");
        assert_eq!(listing.matches("===").count(), 3, "{listing}");
        assert!(listing.contains("GSM-7 · 1 segment · "), "{listing}");
    }
}
