//! Writes a text message in the customer's language and takes it to SNS.

use aws::{DynamoAllowance, DynamoTemplates, ProviderMessages, SnsTexter};
use domain::ports::{Clock as _, Courier, Draft, NotWritten, SendAnswer};
use domain::{Channel, DeliveryRequest, SmsSize, Written};
use lambda::{SystemClock, TemplateBook};
use messages::{Reader, RenderedSms, Shop};
use pipeline::SmsGate;

/// Writes text messages and takes them to SNS.
#[derive(Debug)]
pub(crate) struct SmsCourier {
    pub(crate) book: TemplateBook<DynamoTemplates, SystemClock>,
    pub(crate) shop: Shop,
    pub(crate) gate: SmsGate<DynamoAllowance, SystemClock>,
    pub(crate) texter: SnsTexter,
    pub(crate) messages: ProviderMessages,
}

impl Courier for SmsCourier {
    type Message = RenderedSms;

    fn channel(&self) -> Channel {
        Channel::Sms
    }

    async fn write(&self, request: &DeliveryRequest) -> Result<Draft<RenderedSms>, NotWritten> {
        let reader = Reader {
            language: request.language,
            zone: request.zone.clone(),
            links: messages::Links::default(),
        };
        let message = self
            .book
            .templates()
            .sms(&request.content, &reader, &self.shop)
            .map_err(|error| NotWritten::Unwritable(domain::chain(&error)))?;
        self.book.note(&message.origin);
        let size = SmsSize {
            encoding: message.encoding,
            segments: message.segments,
        };
        self.gate.admit(request, size).await?;
        Ok(Draft {
            written: Written::sms(message.origin.language, &message.origin.template, size),
            message,
        })
    }

    async fn send(&self, request: &DeliveryRequest, sms: &RenderedSms) -> SendAnswer {
        let answer = self
            .texter
            .send(&request.to, &sms.text, request.content.notification_type())
            .await;
        // The delivery log names nothing but this id. Without the note the message stays `sent`, whatever becomes of it.
        if let SendAnswer::Accepted { message_id } = &answer
            && let Err(error) = self
                .messages
                .keep(message_id, request.id, Channel::Sms, SystemClock.now())
                .await
        {
            tracing::warn!(notification.id = %request.id, error = domain::chain(&error), "could not note the id of a text message");
        }
        answer
    }
}
