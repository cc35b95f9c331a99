//! The local emulator as customers meet it: what its SES and SNS have accepted, and the HTTP API behind its gateway.

mod http;
mod mailbox;

pub use http::{Answer, Api};
pub use mailbox::{Email, Mailbox, Sms};
