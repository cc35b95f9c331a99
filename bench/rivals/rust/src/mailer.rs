//! E-mail through SES v2.

use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::error::{BuildError, SdkError};
use aws_sdk_sesv2::operation::send_email::SendEmailError;
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message as Letter, MessageHeader, MessageTag};

use crate::message::Message;

/// SES, and who the e-mails are from.
#[derive(Debug)]
pub(crate) struct Mailer {
    client: Client,
    from: String,
}

/// Why an e-mail was not handed over.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SendError {
    /// A part of the request was missing.
    #[error("the e-mail could not be built")]
    Build(#[from] BuildError),
    /// SES did not take it.
    #[error("SES did not accept the e-mail")]
    Ses(#[source] Box<SdkError<SendEmailError>>),
}

impl Mailer {
    pub(crate) fn new(client: Client, from: String) -> Self {
        Self { client, from }
    }

    /// Hands it to SES; returns SES's id of it.
    pub(crate) async fn send(&self, to: &str, message: Message, notification_id: &str) -> Result<String, SendError> {
        let unsubscribe = header("List-Unsubscribe", format!("<{}>", message.unsubscribe_url))?;
        let one_click = header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned())?;
        let body = Body::builder()
            .html(content(message.html)?)
            .text(content(message.text)?)
            .build();
        let letter = Letter::builder()
            .subject(content(message.subject)?)
            .body(body)
            .headers(unsubscribe)
            .headers(one_click)
            .build();
        let tag = MessageTag::builder()
            .name("notification-id")
            .value(notification_id)
            .build()?;
        let output = self
            .client
            .send_email()
            .from_email_address(&self.from)
            .destination(Destination::builder().to_addresses(to).build())
            .content(EmailContent::builder().simple(letter).build())
            .email_tags(tag)
            .send()
            .await
            .map_err(|error| SendError::Ses(Box::new(error)))?;
        Ok(output.message_id.unwrap_or_default())
    }
}

fn content(text: String) -> Result<Content, BuildError> {
    Content::builder().data(text).charset("UTF-8").build()
}

fn header(name: &str, value: String) -> Result<MessageHeader, BuildError> {
    MessageHeader::builder().name(name).value(value).build()
}
