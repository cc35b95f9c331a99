//! The calls of SQS (SQS API Reference, 2012-11-05, AWS JSON protocol), with the fields that the hot path sets.

use aws_sdk_sqs::error::{BuildError, ErrorMetadata, SdkError};
use aws_sdk_sqs::operation::change_message_visibility_batch::builders::ChangeMessageVisibilityBatchInputBuilder;
use aws_sdk_sqs::operation::change_message_visibility_batch::{
    ChangeMessageVisibilityBatchError, ChangeMessageVisibilityBatchOutput,
};
use aws_sdk_sqs::operation::send_message::builders::SendMessageInputBuilder;
use aws_sdk_sqs::operation::send_message::{SendMessageError, SendMessageOutput};
use aws_sdk_sqs::operation::send_message_batch::builders::SendMessageBatchInputBuilder;
use aws_sdk_sqs::operation::send_message_batch::{SendMessageBatchError, SendMessageBatchOutput};
use aws_sdk_sqs::types::{
    BatchResultErrorEntry, ChangeMessageVisibilityBatchRequestEntry, ChangeMessageVisibilityBatchResultEntry,
    SendMessageBatchRequestEntry, SendMessageBatchResultEntry,
};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

use super::line::{FromMetadata, Line, Target};
use crate::calls::{Answer, Sqs};

/// A thin client of SQS.
#[derive(Debug, Clone)]
pub struct ThinSqs(Line);

impl ThinSqs {
    pub(super) const fn new(line: Line) -> Self {
        Self(line)
    }
}

impl Sqs for ThinSqs {
    async fn change_message_visibility_batch(
        &self,
        request: ChangeMessageVisibilityBatchInputBuilder,
    ) -> Answer<ChangeMessageVisibilityBatchOutput, ChangeMessageVisibilityBatchError> {
        let request = request.build().map_err(SdkError::construction_failure)?;
        let body = Batch {
            queue_url: request.queue_url(),
            entries: request.entries().iter().map(Visibility::of).collect::<Vec<_>>(),
        };
        let target = Target::Operation("AmazonSQS.ChangeMessageVisibilityBatch");
        let answer: BatchIn<IdIn> = self.0.call(target, &body).await?;
        let successful = answer.successful.into_iter().map(|entry| {
            let entry = ChangeMessageVisibilityBatchResultEntry::builder().id(entry.id);
            entry.build()
        });
        let output = successful.collect::<Result<Vec<_>, _>>().and_then(|successful| {
            ChangeMessageVisibilityBatchOutput::builder()
                .set_successful(Some(successful))
                .set_failed(Some(failed(answer.failed)?))
                .build()
        });
        output.map_err(SdkError::construction_failure)
    }

    async fn send_message(&self, request: SendMessageInputBuilder) -> Answer<SendMessageOutput, SendMessageError> {
        let request = request.build().map_err(SdkError::construction_failure)?;
        let body = Single {
            queue_url: request.queue_url(),
            message_body: request.message_body(),
            delay_seconds: request.delay_seconds(),
        };
        let answer: SentIn = self.0.call(Target::Operation("AmazonSQS.SendMessage"), &body).await?;
        Ok(SendMessageOutput::builder().set_message_id(answer.message_id).build())
    }

    async fn send_message_batch(
        &self,
        request: SendMessageBatchInputBuilder,
    ) -> Answer<SendMessageBatchOutput, SendMessageBatchError> {
        let request = request.build().map_err(SdkError::construction_failure)?;
        let body = Batch {
            queue_url: request.queue_url(),
            entries: request.entries().iter().map(Entry::of).collect::<Vec<_>>(),
        };
        let target = Target::Operation("AmazonSQS.SendMessageBatch");
        let answer: BatchIn<EntryIn> = self.0.call(target, &body).await?;
        let successful = answer.successful.into_iter().map(|entry| {
            SendMessageBatchResultEntry::builder()
                .id(entry.id)
                .message_id(entry.message_id)
                .md5_of_message_body(entry.md5_of_message_body)
                .build()
        });
        let output = successful.collect::<Result<Vec<_>, _>>().and_then(|successful| {
            SendMessageBatchOutput::builder()
                .set_successful(Some(successful))
                .set_failed(Some(failed(answer.failed)?))
                .build()
        });
        output.map_err(SdkError::construction_failure)
    }
}

macro_rules! errors {
    ($($error:ty),*) => {
        $(impl FromMetadata for $error {
            fn from_metadata(metadata: ErrorMetadata) -> Self {
                Self::generic(metadata)
            }
        })*
    };
}

errors!(
    ChangeMessageVisibilityBatchError,
    SendMessageError,
    SendMessageBatchError
);

fn failed(entries: Vec<FailedIn>) -> Result<Vec<BatchResultErrorEntry>, BuildError> {
    let entries = entries.into_iter().map(|entry| {
        BatchResultErrorEntry::builder()
            .id(entry.id)
            .code(entry.code)
            .sender_fault(entry.sender_fault)
            .set_message(entry.message)
            .build()
    });
    entries.collect()
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Batch<'a, T> {
    #[serde(skip_serializing_if = "Option::is_none")]
    queue_url: Option<&'a str>,
    entries: Vec<T>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Visibility<'a> {
    id: &'a str,
    receipt_handle: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    visibility_timeout: Option<i32>,
}

impl<'a> Visibility<'a> {
    fn of(entry: &'a ChangeMessageVisibilityBatchRequestEntry) -> Self {
        Self {
            id: entry.id(),
            receipt_handle: entry.receipt_handle(),
            visibility_timeout: entry.visibility_timeout,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Single<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    queue_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_body: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delay_seconds: Option<i32>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Entry<'a> {
    id: &'a str,
    message_body: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    delay_seconds: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_attributes: Option<HashMap<&'a String, Attribute<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_system_attributes: Option<HashMap<&'a str, Attribute<'a>>>,
}

impl<'a> Entry<'a> {
    fn of(entry: &'a SendMessageBatchRequestEntry) -> Self {
        let attributes = entry.message_attributes();
        let system = entry.message_system_attributes();
        Self {
            id: entry.id(),
            message_body: entry.message_body(),
            delay_seconds: entry.delay_seconds,
            message_attributes: attributes.map(|all| {
                let all = all.iter();
                all.map(|(name, value)| (name, Attribute::new(value.data_type(), value.string_value())))
                    .collect()
            }),
            message_system_attributes: system.map(|all| {
                let all = all.iter();
                all.map(|(name, value)| (name.as_str(), Attribute::new(value.data_type(), value.string_value())))
                    .collect()
            }),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Attribute<'a> {
    data_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    string_value: Option<&'a str>,
}

impl<'a> Attribute<'a> {
    const fn new(data_type: &'a str, string_value: Option<&'a str>) -> Self {
        Self {
            data_type,
            string_value,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct BatchIn<T> {
    #[serde(default = "Vec::new")]
    successful: Vec<T>,
    #[serde(default)]
    failed: Vec<FailedIn>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct IdIn {
    id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct EntryIn {
    id: String,
    #[serde(default)]
    message_id: String,
    #[serde(default, rename = "MD5OfMessageBody")]
    md5_of_message_body: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct FailedIn {
    id: String,
    code: String,
    #[serde(default)]
    sender_fault: bool,
    message: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SentIn {
    message_id: Option<String>,
}
