//! The ids that providers gave to messages, in memory.

use domain::ports::{MessageLookUp, Unavailable};
use domain::{Channel, NotificationId};
use std::cell::RefCell;
use std::collections::HashMap;

use crate::recorded::Note;

/// The ids that providers gave to messages, in memory.
#[derive(Debug, Default)]
pub struct MemoryMessages {
    /// The deliveries by message id.
    pub known: RefCell<HashMap<String, (NotificationId, Channel)>>,
}

impl MessageLookUp for MemoryMessages {
    async fn find(&self, message_ids: &[String]) -> Result<HashMap<String, (NotificationId, Channel)>, Unavailable> {
        let known = self.known.borrow();
        Ok(message_ids
            .iter()
            .filter_map(|id| Some((id.clone(), *known.get(id)?)))
            .collect())
    }
}

impl Note for MemoryMessages {
    async fn note(&self, message_id: &str, id: NotificationId, channel: Channel) {
        self.known.borrow_mut().insert(message_id.to_owned(), (id, channel));
    }
}
