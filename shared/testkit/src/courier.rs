//! A courier that answers from a script and keeps what it was given.

use domain::ports::{Courier, Draft, NotWritten, SendAnswer};
use domain::{Channel, DeliveryRequest, NotificationId, SmsEncoding, SmsSize, Written};
use std::cell::RefCell;
use std::collections::VecDeque;

/// A courier whose provider answers from a script, and accepts once the script is over.
#[derive(Debug)]
pub struct ScriptedCourier {
    channel: Channel,
    script: RefCell<VecDeque<SendAnswer>>,
    /// Every message offered to the provider, in order.
    pub offered: RefCell<Vec<NotificationId>>,
    /// Why no message is written, where none is.
    pub not_written: RefCell<Option<NotWritten>>,
    /// The order whose message makes the writer panic.
    pub panics_at: Option<String>,
    /// What the provider answers once the script is over; it accepts where nothing is said.
    pub afterwards: RefCell<Option<SendAnswer>>,
}

impl ScriptedCourier {
    /// A courier of this channel, with these answers first.
    #[must_use]
    pub fn new(channel: Channel, script: impl IntoIterator<Item = SendAnswer>) -> Self {
        Self {
            channel,
            script: RefCell::new(script.into_iter().collect()),
            offered: RefCell::new(Vec::new()),
            not_written: RefCell::new(None),
            panics_at: None,
            afterwards: RefCell::new(None),
        }
    }
}

impl Courier for ScriptedCourier {
    type Message = ();

    fn channel(&self) -> Channel {
        self.channel
    }

    #[expect(clippy::panic, reason = "the test of a panicking record needs one")]
    async fn write(&self, request: &DeliveryRequest) -> Result<Draft<()>, NotWritten> {
        let order = request.content.order().map(|order| order.id.as_str());
        if self.panics_at.is_some() && self.panics_at.as_deref() == order {
            panic!("a record that panics, as a test asked for");
        }
        if let Some(why) = &*self.not_written.borrow() {
            return Err(why.clone());
        }
        let size = SmsSize {
            encoding: SmsEncoding::Gsm7,
            segments: 2,
        };
        Ok(Draft {
            message: (),
            written: match self.channel {
                Channel::Sms => Written::sms(request.language, "built-in", size),
                Channel::Email | Channel::Push | Channel::InApp => Written::email(request.language, "built-in"),
            },
        })
    }

    async fn send(&self, request: &DeliveryRequest, (): &()) -> SendAnswer {
        self.offered.borrow_mut().push(request.id);
        let scripted = self.script.borrow_mut().pop_front();
        let scripted = scripted.or_else(|| self.afterwards.borrow().clone());
        scripted.unwrap_or_else(|| SendAnswer::Accepted {
            message_id: format!("message-{}", request.id),
        })
    }
}
