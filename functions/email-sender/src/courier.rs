//! Writes an e-mail in the customer's language and takes it to SES.

use aws::{Letter, SesMailer};
use domain::ports::{Courier, Draft, NotWritten, SendAnswer};
use domain::{Channel, DeliveryRequest, Language, Written};
use messages::{Reader, RenderedEmail, Shop, Templates};

/// The name of the templates that are compiled in.
const BUILT_IN: &str = "built-in";

/// Writes e-mails and takes them to SES.
#[derive(Debug)]
pub(crate) struct EmailCourier {
    pub(crate) templates: Templates,
    pub(crate) shop: Shop,
    pub(crate) fallback: Language,
    pub(crate) mailer: SesMailer,
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
            links: messages::Links::default(),
        };
        let message = self
            .templates
            .email(&request.content, &reader, self.fallback, &self.shop)
            .map_err(|error| NotWritten::Unwritable(domain::chain(&error)))?;
        Ok(Draft {
            written: Written::email(message.language, BUILT_IN),
            message,
        })
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
