//! Every variable that the webhook reads.

use lambda::{InvalidVariable, Variables};

use crate::Addresses;

/// What the webhook needs to know.
#[derive(Debug)]
pub struct Config {
    /// `CARRIER_SECRETS_ARN`.
    pub secrets_arn: String,
    /// `CARRIER_ARCHIVE_BUCKET`.
    pub archive_bucket: String,
    /// `CARRIER_EVENTS_QUEUE_URL`.
    pub carrier_events_queue: String,
    /// `CARRIER_HANDSHAKES_QUEUE_URL`.
    pub handshakes_queue: String,
    /// `CARRIER_ADDRESSES`: from where carriers may call, `fedex=20.65.16.22/31;dpd=213.95.42.108/32`; who is not named may from
    /// everywhere.
    pub addresses: Addresses,
}

impl Config {
    /// Reads them.
    ///
    /// # Errors
    ///
    /// [`InvalidVariable`] for the first that is wrong.
    pub fn read(variables: &Variables) -> Result<Self, InvalidVariable> {
        Ok(Self {
            secrets_arn: variables.text("CARRIER_SECRETS_ARN")?,
            archive_bucket: variables.text("CARRIER_ARCHIVE_BUCKET")?,
            carrier_events_queue: variables.text("CARRIER_EVENTS_QUEUE_URL")?,
            handshakes_queue: variables.text("CARRIER_HANDSHAKES_QUEUE_URL")?,
            addresses: variables
                .optional_checked("CARRIER_ADDRESSES", |text| Addresses::try_from(text))?
                .unwrap_or_default(),
        })
    }
}
