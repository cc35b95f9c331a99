//! What customers read: every message as e-mail (HTML and plain text) and SMS, in their language.
//!
//! A folder per message holds its structure (`email.mjml`, `email.txt`) once and its words once per language
//! (`en.ini`, `es.ini`); `layout` holds what all messages share. Words are rendered first, as plain text; the HTML
//! structure escapes whatever is put into it, so that no name can become markup.

mod dates;
mod facts;
mod html;
mod locale;
mod money;
mod plain_text;
mod sms;
mod templates;

pub use facts::Shop;
pub use sms::SmsEncoding;
pub use templates::{Links, Reader, RenderError, RenderedEmail, RenderedSms, Templates};
