//! Inboxes in DynamoDB: an item per note, under its customer and its notification.
//!
//! A note is the same item however often it is put there. The index `userId-createdAt-index` has all of a customer's notes by
//! the time at which they came, `userId-unreadSince-index` those that are unread. Both are local: what was written is read.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::Select;
use domain::ports::{InboxLoad, InboxMark, SendAnswer, Unavailable};
use domain::{InboxPage, InboxPlace, MarkedAll, Note, NotificationId, Unread, UserId};
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;

use crate::answer::{in_few_words, is_forbidden, is_throttle, read_error, was_written};
use crate::batch_get::{Key, SortKey, batch_get};
use crate::item::{Item, moment, moment_of, text, text_of};

mod layout;

use layout::{note_item, note_of};

const LISTING: &str = "read a page of an inbox";
const COUNTING: &str = "count the unread notes of an inbox";
const LOOKING_UP: &str = "look up a note of an inbox";
const MARKING: &str = "mark a note as read";

const BY_TIME: &str = "userId-createdAt-index";
const UNREAD: &str = "userId-unreadSince-index";

/// So many notes are marked at once.
const STEP: i32 = 25;

/// So many steps are made by one call: 1,000 notes.
const STEPS: u32 = 40;

/// The table of inboxes.
#[derive(Debug, Clone)]
pub struct DynamoInbox {
    client: Client,
    table: String,
}

impl DynamoInbox {
    /// The table of that name.
    #[must_use]
    pub const fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Puts a note into a customer's inbox, to be kept for so many days from its `created_at`. One that is there already stays
    /// as it is, read or unread, so that a repetition is accepted and changes nothing.
    pub async fn put(&self, user: &UserId, note: &Note, retention_days: i64) -> SendAnswer {
        let kept_for = SignedDuration::from_hours(retention_days.saturating_mul(24));
        let expires_at = note.created_at.saturating_add(kept_for).unwrap_or(Timestamp::MAX);
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(note_item(user, note, expires_at)))
            .condition_expression("attribute_not_exists(notificationId)")
            .send()
            .await;
        match put {
            Ok(_) => in_inbox(),
            Err(error) if is_there(&error) => in_inbox(),
            Err(error) => match read_error(&error, meaning) {
                // What came of a put without an answer, another put finds out.
                SendAnswer::Unknown { reason }
                | SendAnswer::NotTaken { reason }
                | SendAnswer::AccountTrouble { reason } => SendAnswer::Repeatable { reason },
                answer @ (SendAnswer::Accepted { .. }
                | SendAnswer::Throttled { .. }
                | SendAnswer::Limited { .. }
                | SendAnswer::Refused { .. }
                | SendAnswer::Rejected { .. }
                | SendAnswer::OptedOut { .. }
                | SendAnswer::Repeatable { .. }) => answer,
            },
        }
    }

    /// The note of this notification, if this customer has it.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when that cannot be told.
    pub async fn look_up(&self, user: &UserId, id: NotificationId) -> Result<Option<Note>, Unavailable> {
        let found = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("userId", text(user.as_str()))
            .key("notificationId", text(id.to_string()))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| Unavailable::new(LOOKING_UP, in_few_words(&error)))?;
        Ok(found.item().and_then(note_of))
    }

    /// A question about the notes of this customer by this index, newest first.
    fn ask(&self, user: &UserId, index: &str) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.table)
            .index_name(index)
            .key_condition_expression("userId = :user")
            .expression_attribute_values(":user", text(user.as_str()))
            .consistent_read(true)
            .scan_index_forward(false)
    }

    /// What an index has from this place on, up to so many.
    async fn read_on(
        &self,
        user: &UserId,
        index: &str,
        mut start: Option<Item>,
        most: usize,
    ) -> Result<Vec<Item>, Unavailable> {
        let mut items = Vec::with_capacity(most);
        loop {
            let found = self
                .ask(user, index)
                .limit(i32::try_from(most - items.len()).unwrap_or(1))
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(|error| Unavailable::new(LISTING, in_few_words(&error)))?;
            items.extend(found.items.unwrap_or_default());
            start = found.last_evaluated_key;
            if start.is_none() || items.len() >= most {
                return Ok(items);
            }
        }
    }

    /// The notes behind these keys, in their order. What was read or has expired meanwhile is left out.
    async fn fetch(&self, user: &UserId, keys: &[Item]) -> Result<Vec<Note>, Unavailable> {
        let ids: Vec<&str> = keys.iter().filter_map(|key| text_of(key, "notificationId")).collect();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let keys = ids.iter().map(|id| Key {
            table: self.table.clone(),
            attribute: "userId",
            value: user.as_str().to_owned(),
            sort: Some(SortKey::Text("notificationId", (*id).to_owned())),
        });
        let mut found = batch_get(&self.client, keys.collect())
            .await
            .map_err(|why| Unavailable::new(LISTING, why))?;
        let notes = found.remove(&self.table).unwrap_or_default();
        let mut notes: HashMap<String, Note> = notes
            .iter()
            .filter_map(note_of)
            .filter(|note| note.read_at.is_none())
            .map(|note| (note.id.to_string(), note))
            .collect();
        Ok(ids.iter().filter_map(|id| notes.remove(*id)).collect())
    }

    /// Marks a note that is unread; whether it was.
    async fn mark_unread(&self, user: &UserId, id: &str, now: Timestamp) -> Result<bool, Unavailable> {
        let marked = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("userId", text(user.as_str()))
            .key("notificationId", text(id))
            .update_expression("SET readAt = :now REMOVE unreadSince")
            .condition_expression("attribute_exists(unreadSince)")
            .expression_attribute_values(":now", moment(now))
            .send()
            .await;
        was_written(marked, UpdateItemError::is_conditional_check_failed_exception, MARKING)
    }
}

/// The inbox has it. Its id there is the notification's, which the ledger knows already.
fn in_inbox() -> SendAnswer {
    SendAnswer::Accepted {
        message_id: "inbox".to_owned(),
    }
}

fn is_there(error: &SdkError<PutItemError, aws_sdk_dynamodb::config::http::HttpResponse>) -> bool {
    error
        .as_service_error()
        .is_some_and(PutItemError::is_conditional_check_failed_exception)
}

/// What a refusal of the table means (DynamoDB Developer Guide, "Error handling").
fn meaning(code: &str, _message: &str, status: u16) -> SendAnswer {
    let reason = code.to_owned();
    match code {
        // The note itself: too large, or not what the table takes.
        "ValidationException" | "ItemCollectionSizeLimitExceededException" => SendAnswer::Refused { reason },
        "ProvisionedThroughputExceededException" => SendAnswer::Throttled { reason },
        _ if is_throttle(code, status) => SendAnswer::Throttled { reason },
        // The role, the table or its key: somebody has to act.
        _ if is_forbidden(code, status) => SendAnswer::Limited { reason },
        "ResourceNotFoundException"
        | "KMSAccessDeniedException"
        | "KMSDisabledException"
        | "KMSInvalidStateException" => SendAnswer::Limited { reason },
        _ => SendAnswer::Repeatable { reason },
    }
}

/// Where an index goes on after this place of this customer's.
fn start_after(user: &UserId, place: InboxPlace, sorted_by: &str) -> Item {
    Item::from([
        ("userId".to_owned(), text(user.as_str())),
        ("notificationId".to_owned(), text(place.id.to_string())),
        (sorted_by.to_owned(), moment(place.created_at)),
    ])
}

/// The place after this item of an index.
fn place_of(item: &Item, sorted_by: &str) -> Option<InboxPlace> {
    Some(InboxPlace {
        created_at: moment_of(item, sorted_by)?,
        id: NotificationId::try_from(text_of(item, "notificationId")?).ok()?,
    })
}

impl InboxLoad for DynamoInbox {
    async fn page(
        &self,
        user: &UserId,
        from: Option<InboxPlace>,
        limit: u32,
        unread_only: bool,
    ) -> Result<InboxPage, Unavailable> {
        let limit = usize::try_from(limit.clamp(1, InboxPage::LONGEST)).unwrap_or(1);
        let (index, sorted_by) = match unread_only {
            true => (UNREAD, "unreadSince"),
            false => (BY_TIME, "createdAt"),
        };
        let start = from.map(|place| start_after(user, place, sorted_by));
        // One more than asked for tells whether there is a next page.
        let mut items = self.read_on(user, index, start, limit + 1).await?;
        let is_more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| is_more);
        let next = next.and_then(|item| place_of(item, sorted_by));
        let notes = match unread_only {
            true => self.fetch(user, &items).await?,
            false => items.iter().filter_map(note_of).collect(),
        };
        Ok(InboxPage { notes, next })
    }

    async fn unread(&self, user: &UserId) -> Result<Unread, Unavailable> {
        let most = i32::try_from(Unread::MOST).unwrap_or(i32::MAX);
        let mut count = 0_i32;
        let mut start = None;
        while count < most {
            let found = self
                .ask(user, UNREAD)
                .select(Select::Count)
                .limit(most - count)
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(|error| Unavailable::new(COUNTING, in_few_words(&error)))?;
            count = count.saturating_add(found.count);
            start = found.last_evaluated_key;
            if start.is_none() {
                break;
            }
        }
        Ok(Unread {
            count: u32::try_from(count).unwrap_or_default(),
            is_more: start.is_some(),
        })
    }
}

impl InboxMark for DynamoInbox {
    async fn mark(&self, user: &UserId, id: NotificationId, now: Timestamp) -> Result<bool, Unavailable> {
        if self.mark_unread(user, &id.to_string(), now).await? {
            return Ok(true);
        }
        // Read already, or no note of theirs.
        Ok(self.look_up(user, id).await?.is_some())
    }

    async fn mark_all(&self, user: &UserId, now: Timestamp) -> Result<MarkedAll, Unavailable> {
        let mut count = 0_u32;
        for _step in 0..STEPS {
            // What is marked leaves the index, so that every step begins at the front.
            let found = self
                .ask(user, UNREAD)
                .key_condition_expression("userId = :user AND unreadSince <= :now")
                .expression_attribute_values(":now", moment(now))
                .limit(STEP)
                .send()
                .await
                .map_err(|error| Unavailable::new(LISTING, in_few_words(&error)))?;
            let ids: Vec<&str> = found
                .items()
                .iter()
                .filter_map(|item| text_of(item, "notificationId"))
                .collect();
            for marked in join_all(ids.iter().map(|id| self.mark_unread(user, id, now))).await {
                count = count.saturating_add(u32::from(marked?));
            }
            if found.last_evaluated_key().is_none() {
                return Ok(MarkedAll { count, is_more: false });
            }
        }
        Ok(MarkedAll { count, is_more: true })
    }
}

#[cfg(test)]
mod tests;
