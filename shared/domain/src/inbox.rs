//! A customer's inbox inside the shop's app: notes, newest first, each of them unread or read.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

use crate::{Language, NotificationId, NotificationType, OrderId, OrderStatus};

/// A note in a customer's inbox. One notification is one note, whoever puts it there and however often.
#[derive(Clone, PartialEq)]
pub struct Note {
    /// The notification.
    pub id: NotificationId,
    /// One short line.
    pub title: String,
    /// A sentence or two.
    pub body: String,
    /// The page that it leads to.
    pub link: Option<String>,
    /// What it tells.
    pub notification_type: NotificationType,
    /// The order it is about.
    pub order: Option<OrderId>,
    /// The status it tells.
    pub status: Option<OrderStatus>,
    /// The language it is written in.
    pub language: Language,
    /// When it came into the inbox.
    pub created_at: Timestamp,
    /// When it was read; unread without it.
    pub read_at: Option<Timestamp>,
}

/// A place in an inbox, from which its reader goes on. Names no customer: whose inbox it is, is told by who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboxPlace {
    /// When the last note before it came.
    pub created_at: Timestamp,
    /// Which one that was.
    pub id: NotificationId,
}

/// A part of an inbox.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct InboxPage {
    /// Notes, newest first.
    pub notes: Vec<Note>,
    /// Where the next page begins; none after the last one.
    pub next: Option<InboxPlace>,
}

/// How many notes are unread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unread {
    /// So many, at most [`Unread::MOST`].
    pub count: u32,
    /// Whether there may be more.
    pub is_more: bool,
}

/// How far marking a whole inbox came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MarkedAll {
    /// So many notes were unread and are read now.
    pub count: u32,
    /// Whether some are left, so that it is to be asked for again.
    pub is_more: bool,
}

impl Unread {
    /// Nobody counts further: a reader is told "1,000 or more".
    pub const MOST: u32 = 1_000;
}

impl InboxPage {
    /// No page has more notes.
    pub const LONGEST: u32 = 100;
}

impl From<&Note> for InboxPlace {
    fn from(note: &Note) -> Self {
        Self {
            created_at: note.created_at,
            id: note.id,
        }
    }
}

impl fmt::Debug for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What it says is between the shop and its customer.
        f.debug_struct("Note")
            .field("id", &self.id)
            .field("notification_type", &self.notification_type)
            .field("created_at", &self.created_at)
            .field("read_at", &self.read_at)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing_of_what_a_note_says() {
        let note = Note {
            id: NotificationId::from_digest([7; 16]),
            title: "Your parcel is on its way".to_owned(),
            body: "Ana, it comes today.".to_owned(),
            link: None,
            notification_type: NotificationType::OrderStatusUpdate,
            order: None,
            status: None,
            language: Language::En,
            created_at: Timestamp::UNIX_EPOCH,
            read_at: None,
        };
        let shown = format!("{note:?}");
        assert!(!shown.contains("parcel") && !shown.contains("Ana"), "{shown}");
    }
}
