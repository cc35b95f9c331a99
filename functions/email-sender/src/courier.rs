//! Writes an e-mail in the customer's language and takes it to SES.

use aws::{DynamoTemplates, Letter, SesMailer};
use domain::ports::{Courier, SendAnswer};
use domain::{Channel, DeliveryRequest};
use lambda::{SystemClock, TemplateBook};
use messages::{Reader, RenderedEmail, Shop};

use crate::customer_links::CustomerLinks;

/// Writes e-mails and takes them to SES.
#[derive(Debug)]
pub(crate) struct EmailCourier {
    pub(crate) book: TemplateBook<DynamoTemplates, SystemClock>,
    pub(crate) shop: Shop,
    pub(crate) links: CustomerLinks,
    pub(crate) mailer: SesMailer,
}

impl Courier for EmailCourier {
    type Message = RenderedEmail;

    fn channel(&self) -> Channel {
        Channel::Email
    }

    fn write(&self, request: &DeliveryRequest) -> Result<RenderedEmail, String> {
        let reader = Reader {
            language: request.language,
            zone: request.zone.clone(),
            links: self.links.of(request),
        };
        let email = self
            .book
            .templates()
            .email(&request.content, &reader, &self.shop)
            .map_err(|error| domain::chain(&error))?;
        self.book.note(&email.origin);
        Ok(email)
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
