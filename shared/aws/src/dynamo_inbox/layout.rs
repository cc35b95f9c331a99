//! How a note lies in its item.

use domain::{Language, Note, NotificationId, NotificationType, OrderId, OrderStatus, UserId};
use jiff::Timestamp;

use crate::item::{Item, moment, moment_of, number, text, text_of};

/// The item of a note in this customer's inbox. Unread, it stands in the sparse index by its `unreadSince`.
pub(super) fn note_item(user: &UserId, note: &Note, expires_at: Timestamp) -> Item {
    let mut item = Item::from([
        ("userId".to_owned(), text(user.as_str())),
        ("notificationId".to_owned(), text(note.id.to_string())),
        ("title".to_owned(), text(note.title.as_str())),
        ("body".to_owned(), text(note.body.as_str())),
        ("notificationType".to_owned(), text(note.notification_type.name())),
        ("language".to_owned(), text(note.language.code())),
        ("createdAt".to_owned(), moment(note.created_at)),
        ("expiresAt".to_owned(), number(expires_at.as_second())),
    ]);
    item.extend(note.link.as_deref().map(|link| ("link".to_owned(), text(link))));
    item.extend(
        note.order
            .as_ref()
            .map(|order| ("orderId".to_owned(), text(order.as_str()))),
    );
    item.extend(note.status.map(|status| ("status".to_owned(), text(status.name()))));
    item.extend([match note.read_at {
        Some(at) => ("readAt".to_owned(), moment(at)),
        None => ("unreadSince".to_owned(), moment(note.created_at)),
    }]);
    item
}

/// The note in an item; nothing where it is none.
pub(super) fn note_of(item: &Item) -> Option<Note> {
    Some(Note {
        id: NotificationId::try_from(text_of(item, "notificationId")?).ok()?,
        title: text_of(item, "title")?.to_owned(),
        body: text_of(item, "body")?.to_owned(),
        link: text_of(item, "link").map(str::to_owned),
        notification_type: NotificationType::from_name(text_of(item, "notificationType")?)?,
        order: text_of(item, "orderId").and_then(|order| OrderId::try_from(order).ok()),
        status: text_of(item, "status").and_then(|status| OrderStatus::read(status).ok()),
        language: Language::try_from(text_of(item, "language")?).ok()?,
        created_at: moment_of(item, "createdAt")?,
        read_at: moment_of(item, "readAt"),
    })
}
