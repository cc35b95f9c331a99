//! Writes an e-mail in the customer's language and takes it to SES.

use aws::{DynamoTemplates, Letter, SesMailer, ThinDynamoDb, ThinSes};
use domain::ports::{Courier, Draft, NotWritten, SendAnswer};
use domain::{Channel, DeliveryRequest, Written};
use lambda::{SystemClock, TemplateBook};
use messages::{Reader, RenderedEmail, Shop};

use crate::customer_links::CustomerLinks;

/// Writes e-mails and takes them to SES.
#[derive(Debug)]
pub(crate) struct EmailCourier {
    pub(crate) book: TemplateBook<DynamoTemplates<ThinDynamoDb>, SystemClock>,
    pub(crate) shop: Shop,
    pub(crate) links: CustomerLinks,
    pub(crate) mailer: SesMailer<ThinSes>,
}

impl Courier for EmailCourier {
    type Message = RenderedEmail;

    fn channel(&self) -> Channel {
        Channel::Email
    }

    async fn write(&self, request: &DeliveryRequest) -> Result<Draft<RenderedEmail>, NotWritten> {
        let reader = Reader {
            language: request.language,
            zone: request.zone.clone(),
            links: self.links.of(request),
        };
        let message = self
            .book
            .templates()
            .email(&request.content, &reader, &self.shop)
            .map_err(|error| NotWritten::Unwritable(domain::chain(&error)))?;
        self.book.note(&message.origin);
        Ok(Draft {
            written: Written::email(message.origin.language, &message.origin.template),
            message,
        })
    }

    async fn send(&self, request: &DeliveryRequest, email: &RenderedEmail) -> SendAnswer {
        let unsubscribe = self.links.of(request).unsubscribe;
        let letter = Letter {
            subject: &email.subject,
            html: &email.html,
            text: &email.text,
            unsubscribe: unsubscribe.as_deref(),
        };
        self.mailer.send(request.id, &request.to, letter).await
    }
}
