//! Finished messages, and why one could not be finished.

use domain::{Language, SmsEncoding};
use minijinja::Error;

use crate::name::TemplateName;

/// Which template wrote a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The language it is written in.
    pub language: Language,
    /// The version: of an override its number, such as `7`; of a built-in template `built-in-` and a digest of its sources.
    pub template: String,
    /// The override that should have written it and could not: its name, version and what is wrong with it.
    pub broken: Option<String>,
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
    /// Which template wrote it.
    pub origin: Origin,
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
    /// Whether its end had to be cut off.
    pub is_cut: bool,
    /// Which template wrote it.
    pub origin: Origin,
}

/// A note on a telephone's screen, or in the inbox inside the shop's app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderedNote {
    /// One short line.
    pub title: String,
    /// A sentence or two.
    pub body: String,
    /// The page that it leads to.
    pub link: Option<String>,
    /// Which template wrote it.
    pub origin: Origin,
}

/// A message that cannot be rendered. Names the template, never a person.
#[derive(Debug, thiserror::Error)]
#[error("could not render the template {template}")]
pub struct RenderError {
    /// Which one.
    pub template: TemplateName,
    /// What is wrong with it.
    #[source]
    pub source: Error,
}
