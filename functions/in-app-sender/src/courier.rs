//! Writes a note in the customer's language and puts it into the customer's inbox.

use aws::{DynamoInbox, DynamoTemplates};
use domain::ports::{Clock as _, Courier, Draft, NotWritten, SendAnswer};
use domain::{Channel, DeliveryRequest, Note, UserId, Written};
use lambda::{SystemClock, TemplateBook};
use messages::{Links, Reader, RenderedNote, Shop};

/// Writes notes and puts them into inboxes.
#[derive(Debug)]
pub(crate) struct InAppCourier {
    pub(crate) book: TemplateBook<DynamoTemplates, SystemClock>,
    pub(crate) shop: Shop,
    pub(crate) inbox: DynamoInbox,
    pub(crate) retention_days: i64,
}

impl Courier for InAppCourier {
    type Message = RenderedNote;

    fn channel(&self) -> Channel {
        Channel::InApp
    }

    async fn write(&self, request: &DeliveryRequest) -> Result<Draft<RenderedNote>, NotWritten> {
        let reader = Reader {
            language: request.language,
            zone: request.zone.clone(),
            links: Links::default(),
        };
        let message = self
            .book
            .templates()
            .in_app(&request.content, &reader, &self.shop)
            .map_err(|error| NotWritten::Unwritable(domain::chain(&error)))?;
        self.book.note(&message.origin);
        Ok(Draft {
            written: Written::email(message.origin.language, &message.origin.template),
            message,
        })
    }

    async fn send(&self, request: &DeliveryRequest, message: &RenderedNote) -> SendAnswer {
        let Ok(user) = UserId::try_from(request.to.as_str()) else {
            return SendAnswer::Refused {
                reason: "the address is no customer's id".to_owned(),
            };
        };
        let note = Note {
            id: request.id,
            title: message.title.clone(),
            body: message.body.clone(),
            link: message.link.clone(),
            notification_type: request.content.notification_type(),
            order: request.content.order().map(|order| order.id.clone()),
            status: request.content.status(),
            language: message.origin.language,
            // Of several puts the first one counts: this is when the customer could read it.
            created_at: SystemClock.now(),
            read_at: None,
        };
        self.inbox.put(&user, &note, self.retention_days).await
    }
}
