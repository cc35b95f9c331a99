//! A trial: one held message, taken to its sender by hand as its queue would take it.

use aws_sdk_lambda::operation::invoke::InvokeOutput;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName, QueueAttributeName};
use domain::Channel;
use domain::ports::{Trial, Unavailable};
use serde_json::{Map, Value, json};
use std::collections::HashMap;

use crate::ChannelQueues;
use crate::answer::in_few_words;

/// The sender has the message to itself for so long.
const HIDDEN_SECONDS: i32 = 120;

/// After a sender that broke down, the message comes back after this time.
const BACK_AFTER_SECONDS: i32 = 60;

/// A queue asked without any waiting answers for some of its servers only, and may call itself empty when it is not.
const WAIT_SECONDS: i32 = 1;

const TAKING: &str = "take a held message for a trial";
const INVOKING: &str = "invoke a sender for a trial";

/// Trials of the senders.
#[derive(Debug, Clone)]
pub struct LambdaTrial {
    lambda: aws_sdk_lambda::Client,
    sqs: aws_sdk_sqs::Client,
    functions: HashMap<Channel, String>,
    queues: HashMap<Channel, ChannelQueues>,
}

impl LambdaTrial {
    /// Trials of the senders with these names, with what waits in their queues.
    #[must_use]
    pub const fn new(
        lambda: aws_sdk_lambda::Client,
        sqs: aws_sdk_sqs::Client,
        functions: HashMap<Channel, String>,
        queues: HashMap<Channel, ChannelQueues>,
    ) -> Self {
        Self {
            lambda,
            sqs,
            functions,
            queues,
        }
    }

    async fn take(&self, queue_url: &str) -> Result<Option<Message>, Unavailable> {
        let answer = self
            .sqs
            .receive_message()
            .queue_url(queue_url)
            .max_number_of_messages(1)
            .wait_time_seconds(WAIT_SECONDS)
            .visibility_timeout(HIDDEN_SECONDS)
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .send()
            .await;
        match answer {
            Ok(output) => Ok(output.messages.unwrap_or_default().into_iter().next()),
            Err(error) => Err(Unavailable::new(TAKING, in_few_words(&error))),
        }
    }

    async fn arn_of(&self, queue_url: &str) -> Result<String, Unavailable> {
        let answer = self
            .sqs
            .get_queue_attributes()
            .queue_url(queue_url)
            .attribute_names(QueueAttributeName::QueueArn)
            .send()
            .await;
        let output = answer.map_err(|error| Unavailable::new(TAKING, in_few_words(&error)))?;
        output
            .attributes
            .and_then(|mut attributes| attributes.remove(&QueueAttributeName::QueueArn))
            .ok_or_else(|| Unavailable::new(TAKING, "its queue told no ARN"))
    }

    async fn invoke(&self, function: &str, payload: &Value) -> Result<InvokeOutput, Unavailable> {
        self.lambda
            .invoke()
            .function_name(function)
            .invocation_type(InvocationType::RequestResponse)
            .payload(Blob::new(payload.to_string()))
            .send()
            .await
            .map_err(|error| Unavailable::new(INVOKING, in_few_words(&error)))
    }

    /// The message is done with. Best effort: one that stays comes back, and finds its delivery finished.
    async fn delete(&self, queue_url: &str, receipt_handle: &str) {
        let call = self
            .sqs
            .delete_message()
            .queue_url(queue_url)
            .receipt_handle(receipt_handle);
        if let Err(error) = call.send().await {
            tracing::warn!(error = %in_few_words(&error), "could not delete the message of a trial; it comes back once");
        }
    }

    /// The sender broke down before it could say when to come back. Best effort, likewise.
    async fn hide(&self, queue_url: &str, receipt_handle: &str) {
        let call = self
            .sqs
            .change_message_visibility()
            .queue_url(queue_url)
            .receipt_handle(receipt_handle)
            .visibility_timeout(BACK_AFTER_SECONDS);
        if let Err(error) = call.send().await {
            tracing::warn!(error = %in_few_words(&error), "could not hide the message of a trial; it comes back a minute later");
        }
    }

    async fn try_one(&self, function: &str, queue_url: &str, message: &Message) -> Result<(), Unavailable> {
        let arn = self.arn_of(queue_url).await?;
        let receipt_handle = message.receipt_handle().unwrap_or_default();
        let answer = self.invoke(function, &payload(message, &arn)).await?;
        if answer.function_error().is_some() {
            self.hide(queue_url, receipt_handle).await;
        } else if is_done(&answer) {
            self.delete(queue_url, receipt_handle).await;
        }
        Ok(())
    }
}

impl Trial for LambdaTrial {
    async fn run(&self, channel: Channel) -> Result<bool, Unavailable> {
        let (Some(function), Some(queues)) = (self.functions.get(&channel), self.queues.get(&channel)) else {
            return Err(Unavailable::new(TAKING, "no sender is configured for it"));
        };
        for queue_url in [&queues.urgent, &queues.normal] {
            if let Some(message) = self.take(queue_url).await? {
                self.try_one(function, queue_url, &message).await?;
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// The event of one message as Lambda makes it (Lambda Developer Guide, "Using Lambda with Amazon SQS"), marked as a trial.
fn payload(message: &Message, queue_arn: &str) -> Value {
    let attributes: Map<String, Value> = message
        .attributes()
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.as_str().to_owned(), value.as_str().into()))
        .collect();
    json!({
        "trial": true,
        "Records": [{
            "messageId": message.message_id(),
            "receiptHandle": message.receipt_handle(),
            "body": message.body(),
            "attributes": attributes,
            "messageAttributes": {},
            "md5OfBody": message.md5_of_body(),
            "eventSource": "aws:sqs",
            "eventSourceARN": queue_arn,
            "awsRegion": queue_arn.split(':').nth(3),
        }],
    })
}

/// Whether the sender says that nothing failed. An answer of another form does not, and its message comes back.
fn is_done(answer: &InvokeOutput) -> bool {
    let answer = answer
        .payload()
        .map(|payload| serde_json::from_slice::<Value>(payload.as_ref()));
    let Some(Ok(answer)) = answer else { return false };
    answer
        .get("batchItemFailures")
        .and_then(Value::as_array)
        .is_some_and(Vec::is_empty)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_lambda::operation::invoke::InvokeError;
    use aws_sdk_lambda::types::error::ServiceException;
    use aws_sdk_sqs::operation::change_message_visibility::ChangeMessageVisibilityOutput;
    use aws_sdk_sqs::operation::delete_message::DeleteMessageOutput;
    use aws_sdk_sqs::operation::get_queue_attributes::GetQueueAttributesOutput;
    use aws_sdk_sqs::operation::receive_message::{ReceiveMessageError, ReceiveMessageOutput};
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};

    /// What a trial may ask of SQS and of the sender.
    struct Stage {
        urgent: Rule,
        normal: Rule,
        arn: Rule,
        invoke: Rule,
        delete: Rule,
        hide: Rule,
    }

    impl Stage {
        fn with(urgent: Rule, normal: Rule, invoke: Rule) -> Self {
            Self {
                urgent,
                normal,
                arn: mock!(aws_sdk_sqs::Client::get_queue_attributes).then_output(|| {
                    GetQueueAttributesOutput::builder()
                        .attributes(QueueAttributeName::QueueArn, "arn:aws:sqs:eu-west-1:1:urgent")
                        .build()
                }),
                invoke,
                delete: mock!(aws_sdk_sqs::Client::delete_message)
                    .match_requests(|request| request.receipt_handle() == Some("handle"))
                    .then_output(|| DeleteMessageOutput::builder().build()),
                hide: mock!(aws_sdk_sqs::Client::change_message_visibility)
                    .match_requests(|request| request.visibility_timeout() == Some(60))
                    .then_output(|| ChangeMessageVisibilityOutput::builder().build()),
            }
        }

        async fn run(&self) -> Result<bool, Unavailable> {
            let sqs = mock_client!(
                aws_sdk_sqs,
                RuleMode::MatchAny,
                [&self.urgent, &self.normal, &self.arn, &self.delete, &self.hide],
                |config| config.retry_config(aws_sdk_sqs::config::retry::RetryConfig::disabled())
            );
            let lambda = mock_client!(aws_sdk_lambda, RuleMode::MatchAny, [&self.invoke], |config| config
                .retry_config(aws_sdk_lambda::config::retry::RetryConfig::disabled()));
            let functions = HashMap::from([(Channel::Email, "email-sender".to_owned())]);
            let queues = ChannelQueues {
                normal: "https://sqs/normal".to_owned(),
                urgent: "https://sqs/urgent".to_owned(),
            };
            LambdaTrial::new(lambda, sqs, functions, HashMap::from([(Channel::Email, queues)]))
                .run(Channel::Email)
                .await
        }

        /// How often the sender was invoked, and the message deleted and hidden.
        fn calls(&self) -> (usize, usize, usize) {
            (self.invoke.num_calls(), self.delete.num_calls(), self.hide.num_calls())
        }
    }

    fn message() -> Message {
        Message::builder()
            .message_id("m-1")
            .receipt_handle("handle")
            .body("{\"delivery/1\":{}}")
            .md5_of_body("md5")
            .attributes(MessageSystemAttributeName::ApproximateReceiveCount, "3")
            .attributes(MessageSystemAttributeName::SentTimestamp, "1795000000000")
            .build()
    }

    fn queue(url: &'static str, message: Option<Message>) -> Rule {
        mock!(aws_sdk_sqs::Client::receive_message)
            .match_requests(move |request| {
                request.queue_url() == Some(url) && request.visibility_timeout() == Some(120)
            })
            .then_output(move || {
                ReceiveMessageOutput::builder()
                    .set_messages(message.clone().map(|message| vec![message]))
                    .build()
            })
    }

    fn urgent(message: Option<Message>) -> Rule {
        queue("https://sqs/urgent", message)
    }

    fn normal(message: Option<Message>) -> Rule {
        queue("https://sqs/normal", message)
    }

    fn answering(payload: &'static str) -> Rule {
        mock!(aws_sdk_lambda::Client::invoke).then_output(move || {
            InvokeOutput::builder()
                .status_code(200)
                .payload(Blob::new(payload))
                .build()
        })
    }

    #[test]
    fn a_sender_sees_what_its_queue_would_show_it_and_that_it_is_a_trial() {
        assert_eq!(
            payload(&message(), "arn:aws:sqs:eu-west-1:1:urgent"),
            json!({
                "trial": true,
                "Records": [{
                    "messageId": "m-1",
                    "receiptHandle": "handle",
                    "body": "{\"delivery/1\":{}}",
                    "attributes": { "ApproximateReceiveCount": "3", "SentTimestamp": "1795000000000" },
                    "messageAttributes": {},
                    "md5OfBody": "md5",
                    "eventSource": "aws:sqs",
                    "eventSourceARN": "arn:aws:sqs:eu-west-1:1:urgent",
                    "awsRegion": "eu-west-1",
                }],
            })
        );
    }

    #[tokio::test]
    async fn a_message_that_was_worked_on_is_deleted_and_the_urgent_one_comes_first() {
        let sender = answering("{\"batchItemFailures\":[]}");
        let stage = Stage::with(urgent(Some(message())), normal(Some(message())), sender);
        assert!(stage.run().await.unwrap());
        assert_eq!((stage.calls(), stage.normal.num_calls()), ((1, 1, 0), 0));
    }

    #[tokio::test]
    async fn a_message_that_was_not_worked_on_stays() {
        let sender = answering("{\"batchItemFailures\":[{\"itemIdentifier\":\"m-1\"}]}");
        let stage = Stage::with(urgent(None), normal(Some(message())), sender);
        assert!(stage.run().await.unwrap());
        assert_eq!(stage.calls(), (1, 0, 0));
    }

    #[tokio::test]
    async fn an_answer_of_another_form_leaves_the_message() {
        let stage = Stage::with(urgent(Some(message())), normal(None), answering("null"));
        assert!(stage.run().await.unwrap());
        assert_eq!(stage.calls(), (1, 0, 0));
    }

    #[tokio::test]
    async fn the_message_of_a_sender_that_broke_down_comes_back_after_a_minute() {
        let broken = mock!(aws_sdk_lambda::Client::invoke).then_output(|| {
            InvokeOutput::builder()
                .function_error("Unhandled")
                .payload(Blob::new("{\"batchItemFailures\":[]}"))
                .build()
        });
        let stage = Stage::with(urgent(Some(message())), normal(None), broken);
        assert!(stage.run().await.unwrap());
        assert_eq!(stage.calls(), (1, 0, 1));
    }

    #[tokio::test]
    async fn without_a_message_nothing_is_tried() {
        let stage = Stage::with(urgent(None), normal(None), answering("null"));
        assert!(!stage.run().await.unwrap());
        assert_eq!((stage.calls(), stage.normal.num_calls()), ((0, 0, 0), 1));
    }

    #[tokio::test]
    async fn a_sender_that_cannot_be_invoked_is_an_error_and_the_message_stays() {
        let failing = mock!(aws_sdk_lambda::Client::invoke)
            .then_error(|| InvokeError::ServiceException(ServiceException::builder().build()));
        let stage = Stage::with(urgent(Some(message())), normal(None), failing);
        assert!(stage.run().await.is_err());
        assert_eq!(stage.calls(), (1, 0, 0));
    }

    #[tokio::test]
    async fn a_queue_that_cannot_be_asked_is_an_error() {
        let silent = mock!(aws_sdk_sqs::Client::receive_message)
            .then_error(|| ReceiveMessageError::generic(aws_sdk_sqs::error::ErrorMetadata::builder().build()));
        let stage = Stage::with(silent, normal(Some(message())), answering("null"));
        assert!(stage.run().await.is_err());
    }
}
