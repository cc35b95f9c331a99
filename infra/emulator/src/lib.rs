//! What the local emulator's SES and SNS have accepted: the messages as customers would see them.

mod http;
mod mailbox;

pub use mailbox::{Email, Mailbox, Sms};
