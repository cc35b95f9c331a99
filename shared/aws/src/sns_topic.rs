//! A topic that takes news of ours.

use aws_sdk_sns::Client;
use aws_sdk_sns::types::MessageAttributeValue;
use domain::FrontDoor;
use domain::TraceContext;
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

    /// Publishes an event, in this trace. Published twice, it is the same notification.
    ///
    /// SNS takes the trace from the header of the call and gives it to the queues behind it; whoever reads the message without
    /// SNS's help finds it in the attribute `traceparent` as well.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when it may or may not have been taken.
    pub async fn publish(&self, event: &str, trace: Option<TraceContext>) -> Result<(), Unavailable> {
        let mut call = self
            .client
            .publish()
            .topic_arn(&self.arn)
            .message(event)
            .message_attributes("origin", attribute(self.origin)?);
        if let Some(trace) = trace {
            call = call.message_attributes("traceparent", attribute(&trace.traceparent())?);
        }
        let header = trace.map(|trace| trace.to_string());
        call.customize()
            .mutate_request(move |request| {
                if let Some(header) = &header {
                    request.headers_mut().insert("x-amzn-trace-id", header.clone());
                }
            })
            .send()
            .await
            .map(|_taken| ())
            .map_err(|error| Unavailable::new(PUBLISHING, in_few_words(&error)))
    }
}

impl FrontDoor for SnsTopic {
    async fn publish(&self, event: &str) -> Result<(), Unavailable> {
        Self::publish(self, event, None).await
    }
}

fn attribute(value: &str) -> Result<MessageAttributeValue, Unavailable> {
    let attribute = MessageAttributeValue::builder().data_type("String").string_value(value);
    attribute.build().map_err(|error| Unavailable::new(PUBLISHING, error))
}
