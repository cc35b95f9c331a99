//! The job that is measured: writing the e-mail of an order with two items.

pub mod rig;
pub mod scale;

use domain::{Content, Language, NotificationType};
use messages::{RenderError, RenderedEmail, Templates, samples};

/// One e-mail to be written, and all that it takes.
#[derive(Debug)]
pub struct Job {
    templates: Templates,
    content: Content,
    reader: messages::Reader,
    shop: messages::Shop,
}

impl Job {
    /// The confirmation of an order with two items, names, address and amounts, in this language; nothing when the samples of
    /// `messages` no longer hold such an order.
    #[must_use]
    pub fn new(language: Language) -> Option<Self> {
        let Content::OrderConfirmation(mut order) = samples::full(NotificationType::OrderConfirmation, None)? else {
            return None;
        };
        order.items.truncate(2);
        Some(Self {
            templates: Templates::new(),
            content: Content::OrderConfirmation(order),
            reader: samples::reader(language),
            shop: samples::shop(),
        })
    }

    /// Writes it: subject, HTML and plain text.
    ///
    /// # Errors
    ///
    /// [`RenderError`] when the template is broken.
    pub fn run(&self) -> Result<RenderedEmail, RenderError> {
        self.templates.email(&self.content, &self.reader, &self.shop)
    }
}
