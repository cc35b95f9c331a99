//! A topic that takes news of ours.

use aws_sdk_sns::Client;
use aws_sdk_sns::types::MessageAttributeValue;
use domain::FrontDoor;
use domain::ports::Unavailable;

use crate::answer::in_few_words;

const PUBLISHING: &str = "publish news";

/// The topic to which orders' events go.
#[derive(Debug, Clone)]
pub struct SnsTopic {
    client: Client,
    arn: String,
    origin: &'static str,
}

impl SnsTopic {
    /// The topic of that ARN; every message says where it comes from, so that nobody takes in what they said themselves.
    #[must_use]
    pub const fn new(client: Client, arn: String, origin: &'static str) -> Self {
        Self { client, arn, origin }
    }

    /// Publishes an event. Published twice, it is the same notification.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when it may or may not have been taken.
    pub async fn publish(&self, event: &str) -> Result<(), Unavailable> {
        let origin = MessageAttributeValue::builder()
            .data_type("String")
            .string_value(self.origin)
            .build()
            .map_err(|error| Unavailable::new(PUBLISHING, error))?;
        self.client
            .publish()
            .topic_arn(&self.arn)
            .message(event)
            .message_attributes("origin", origin)
            .send()
            .await
            .map(|_taken| ())
            .map_err(|error| Unavailable::new(PUBLISHING, in_few_words(&error)))
    }
}

impl FrontDoor for SnsTopic {
    async fn publish(&self, event: &str) -> Result<(), Unavailable> {
        Self::publish(self, event).await
    }
}
