//! Every variable that the function reads.

use lambda::{InvalidVariable, Variables};

/// What the function needs to know.
#[derive(Debug)]
pub(crate) struct Config {
    /// `ORDER_STATUS_TABLE`.
    pub(crate) table: String,
    /// `ORDER_NOTIFICATIONS_TOPIC_ARN`.
    pub(crate) topic_arn: String,
}

impl Config {
    /// Reads them.
    pub(crate) fn read(variables: &Variables) -> Result<Self, InvalidVariable> {
        Ok(Self {
            table: variables.text("ORDER_STATUS_TABLE")?,
            topic_arn: variables.text("ORDER_NOTIFICATIONS_TOPIC_ARN")?,
        })
    }
}
