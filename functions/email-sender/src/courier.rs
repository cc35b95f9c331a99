//! Writes an e-mail in the customer's language and takes it to SES.

use aws::{Letter, SesMailer};
use domain::ports::{Courier, SendAnswer};
use domain::{Channel, DeliveryRequest};
use messages::{Reader, RenderedEmail, Shop, Templates};

/// Writes e-mails and takes them to SES.
#[derive(Debug)]
pub(crate) struct EmailCourier {
    pub(crate) templates: Templates,
    pub(crate) shop: Shop,
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
            links: messages::Links::default(),
        };
        self.templates
            .email(&request.content, &reader, &self.shop)
            .map_err(|error| domain::chain(&error))
    }

    async fn send(&self, request: &DeliveryRequest, email: &RenderedEmail) -> SendAnswer {
        let letter = Letter {
            subject: &email.subject,
            html: &email.html,
            text: &email.text,
        };
        self.mailer.send(request.id, &request.to, letter).await
    }
}
