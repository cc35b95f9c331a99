//! Every variable that the waker reads.

use aws::ChannelQueues;
use domain::Channel;
use lambda::{InvalidVariable, Variables};
use std::collections::HashMap;

/// What the waker needs to know.
#[derive(Debug)]
pub(crate) struct Config {
    /// `DEFERRED_DELIVERIES_TABLE`.
    pub(crate) table: String,
    /// `EMAIL_QUEUE_URL`, `EMAIL_URGENT_QUEUE_URL`, `SMS_QUEUE_URL`, `SMS_URGENT_QUEUE_URL`, `IN_APP_QUEUE_URL`,
    /// `IN_APP_URGENT_QUEUE_URL`.
    pub(crate) queues: HashMap<Channel, ChannelQueues>,
    /// `SMS_QUEUE_URL`, `SMS_URGENT_QUEUE_URL`: what nobody can read goes to their dead letters, because text messages are what
    /// mostly waits.
    pub(crate) dead_letters: ChannelQueues,
}

impl Config {
    /// Reads them.
    pub(crate) fn read(variables: &Variables) -> Result<Self, InvalidVariable> {
        let sms = variables.lanes("SMS_QUEUE_URL", "SMS_URGENT_QUEUE_URL")?;
        Ok(Self {
            table: variables.text("DEFERRED_DELIVERIES_TABLE")?,
            queues: HashMap::from([
                (
                    Channel::Email,
                    variables.lanes("EMAIL_QUEUE_URL", "EMAIL_URGENT_QUEUE_URL")?,
                ),
                (Channel::Sms, sms.clone()),
                (
                    Channel::InApp,
                    variables.lanes("IN_APP_QUEUE_URL", "IN_APP_URGENT_QUEUE_URL")?,
                ),
            ]),
            dead_letters: sms,
        })
    }
}
