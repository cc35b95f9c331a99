//! What the carriers of the world do each in their own way: one file per carrier, which proves that a message is theirs, reads it, and
//! knows how to ask.
//!
//! [`Webhook`] is the way in for carriers that call us, [`Poll`] the way out to those that are asked. Both give [`Sighting`]s: what a
//! carrier tells of one parcel. Nothing here has a clock or a network.

mod aftership;
mod archive;
mod code_table;
mod correos;
mod correos_express;
mod dhl;
mod dpd;
mod easypost;
mod fedex;
mod history;
mod moment;
mod oauth;
mod parse;
mod poll;
mod proof;
mod royal_mail;
mod shippo;
mod sighting;
mod tracking_page;
mod ups;
mod webhook;
mod words;

pub use dhl::confirm_call as dhl_confirm_call;
pub use poll::{AccessToken, Account, Call, Limits, Poll, PollError, Subscription, Window, poll};
pub use proof::Unproven;
pub use sighting::{Sighting, Told, Unreadable};
pub use tracking_page::{carrier_name, carrier_of, tracking_page};
pub use ups::issue_token as ups_token;
pub use webhook::{Answer, Delivery, Handshake, Keys, Request, Signed, Unsigned, Webhook, webhook};
