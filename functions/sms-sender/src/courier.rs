//! Writes a text message in the customer's language and takes it to SNS.

use aws::SnsTexter;
use domain::ports::{Courier, SendAnswer};
use domain::{Channel, DeliveryRequest, Language};
use messages::{Reader, RenderedSms, Shop, Templates};

/// Writes text messages and takes them to SNS.
#[derive(Debug)]
pub(crate) struct SmsCourier {
    pub(crate) templates: Templates,
    pub(crate) shop: Shop,
    pub(crate) fallback: Language,
    pub(crate) texter: SnsTexter,
}

impl Courier for SmsCourier {
    type Message = RenderedSms;

    fn channel(&self) -> Channel {
        Channel::Sms
    }

    fn write(&self, request: &DeliveryRequest) -> Result<RenderedSms, String> {
        let reader = Reader {
            language: request.language,
            zone: request.zone.clone(),
        };
        self.templates
            .sms(&request.content, &reader, self.fallback, &self.shop)
            .map_err(|error| domain::chain(&error))
    }

    async fn send(&self, request: &DeliveryRequest, sms: &RenderedSms) -> SendAnswer {
        self.texter
            .send(&request.to, &sms.text, request.content.notification_type())
            .await
    }
}
