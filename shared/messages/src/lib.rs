//! What customers read: every message as e-mail (HTML and plain text), SMS, push message and note in the inbox, in their language.
//!
//! A folder per kind of message holds its structure (`email.mjml`, `email.txt`) once and its words once per language
//! (`en.ini`, `es.ini`, `ro.ini`, `ru.ini`); `layout` holds what all messages share. Words and structure are woven into one template,
//! which escapes whatever an event puts into it, so that no name can become markup.

mod dates;
mod engine;
mod facts;
mod html;
mod locale;
mod money;
mod name;
mod overrides;
mod phone_code;
mod phrase;
mod plain_text;
mod rendered;
pub mod samples;
mod schema;
mod shop;
mod sms;
mod templates;
mod weave;
mod words;
pub mod words_file;

pub use name::{TemplateName, UnknownTemplate};
pub use overrides::Wording;
pub use phone_code::{PhoneCodeSms, phone_code_sms};
pub use rendered::{Origin, RenderError, RenderedEmail, RenderedNote, RenderedSms};
pub use shop::{Shop, ShopFacts};
pub use templates::{Links, Reader, Templates};
