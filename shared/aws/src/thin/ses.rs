//! The call of SES v2 (SES API v2 Reference, `SendEmail`), with the fields that the hot path sets.

use aws_sdk_sesv2::error::{ErrorMetadata, SdkError};
use aws_sdk_sesv2::operation::send_email::builders::SendEmailInputBuilder;
use aws_sdk_sesv2::operation::send_email::{SendEmailError, SendEmailInput, SendEmailOutput};
use aws_sdk_sesv2::types::{Body, Content, Message, MessageHeader, MessageTag};
use serde::{Deserialize, Serialize};

use super::line::{FromMetadata, Line, Target};
use crate::calls::{Answer, Ses};

/// A thin client of SES.
#[derive(Debug, Clone)]
pub struct ThinSes(Line);

impl ThinSes {
    pub(super) const fn new(line: Line) -> Self {
        Self(line)
    }
}

impl Ses for ThinSes {
    async fn send_email(&self, request: SendEmailInputBuilder) -> Answer<SendEmailOutput, SendEmailError> {
        let request = request.build().map_err(SdkError::construction_failure)?;
        let body = EmailOut::of(&request);
        let answer: SentIn = self.0.call(Target::Path("/v2/email/outbound-emails"), &body).await?;
        Ok(SendEmailOutput::builder().set_message_id(answer.message_id).build())
    }
}

impl FromMetadata for SendEmailError {
    fn from_metadata(metadata: ErrorMetadata) -> Self {
        Self::generic(metadata)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct EmailOut<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    from_email_address: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    destination: Option<DestinationOut<'a>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    reply_to_addresses: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<EmailContentOut<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    email_tags: Vec<NameAndValue<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    configuration_set_name: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct DestinationOut<'a> {
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    to_addresses: &'a [String],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct EmailContentOut<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    simple: Option<MessageOut<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct MessageOut<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<ContentOut<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<BodyOut<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    headers: Vec<NameAndValue<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct BodyOut<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<ContentOut<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    html: Option<ContentOut<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ContentOut<'a> {
    data: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    charset: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct NameAndValue<'a> {
    name: &'a str,
    value: &'a str,
}

impl<'a> EmailOut<'a> {
    fn of(request: &'a SendEmailInput) -> Self {
        Self {
            from_email_address: request.from_email_address(),
            destination: request.destination().map(|to| DestinationOut {
                to_addresses: to.to_addresses(),
            }),
            reply_to_addresses: request.reply_to_addresses(),
            content: request.content().map(|content| EmailContentOut {
                simple: content.simple().map(MessageOut::of),
            }),
            email_tags: request.email_tags().iter().map(NameAndValue::of_tag).collect(),
            configuration_set_name: request.configuration_set_name(),
        }
    }
}

impl<'a> MessageOut<'a> {
    fn of(message: &'a Message) -> Self {
        Self {
            subject: message.subject().map(ContentOut::of),
            body: message.body().map(BodyOut::of),
            headers: message.headers().iter().map(NameAndValue::of_header).collect(),
        }
    }
}

impl<'a> BodyOut<'a> {
    fn of(body: &'a Body) -> Self {
        Self {
            text: body.text().map(ContentOut::of),
            html: body.html().map(ContentOut::of),
        }
    }
}

impl<'a> ContentOut<'a> {
    fn of(content: &'a Content) -> Self {
        Self {
            data: content.data(),
            charset: content.charset(),
        }
    }
}

impl<'a> NameAndValue<'a> {
    fn of_tag(tag: &'a MessageTag) -> Self {
        Self {
            name: tag.name(),
            value: tag.value(),
        }
    }

    fn of_header(header: &'a MessageHeader) -> Self {
        Self {
            name: header.name(),
            value: header.value(),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SentIn {
    message_id: Option<String>,
}
