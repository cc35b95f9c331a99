//! The bell: tells the keeper of the queues that an account is in trouble, so that it acts before its next minute.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::operation::send_message::builders::SendMessageInputBuilder;
use domain::Channel;

use crate::answer::in_few_words;
use crate::calls::Sqs;

/// A queue at whose other end the keeper listens.
#[derive(Debug, Clone)]
pub struct SqsTroubleBell<S = Client> {
    client: S,
    queue_url: String,
}

impl<S: Sqs> SqsTroubleBell<S> {
    /// The bell at this queue.
    #[must_use]
    pub const fn new(client: S, queue_url: String) -> Self {
        Self { client, queue_url }
    }

    /// Rings once. Best effort: the keeper looks every minute anyway.
    pub async fn ring(&self, channel: Channel) {
        let request = SendMessageInputBuilder::default()
            .queue_url(&self.queue_url)
            .message_body(format!("{{\"trouble/1\":{{\"channel\":\"{channel}\"}}}}"));
        if let Err(error) = self.client.send_message(request).await {
            tracing::warn!(
                error = %in_few_words(&error),
                channel = %channel,
                "could not ring the bell for {channel}; the queues are held a minute later"
            );
        }
    }
}
