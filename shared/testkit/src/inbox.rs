//! Inboxes in memory.

use domain::ports::{InboxLoad, InboxMark, Unavailable};
use domain::{InboxPage, InboxPlace, MarkedAll, Note, NotificationId, Unread, UserId};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::recorded::Put;

type Notes = BTreeMap<(UserId, NotificationId), Note>;

/// Inboxes in memory. A router may share them between its tasks.
#[derive(Debug, Default)]
pub struct MemoryInbox {
    notes: Mutex<Notes>,
    /// Whether they cannot be reached.
    pub is_out_of_reach: AtomicBool,
}

impl MemoryInbox {
    /// Puts a note there, unless it is there already.
    pub fn put(&self, user: &UserId, note: &Note) {
        self.notes()
            .entry((user.clone(), note.id))
            .or_insert_with(|| note.clone());
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reach(&self) -> Result<MutexGuard<'_, Notes>, Unavailable> {
        match self.is_out_of_reach.load(Ordering::Relaxed) {
            true => Err(Unavailable::new(
                "reach an inbox",
                "the table is told to be out of reach",
            )),
            false => Ok(self.notes()),
        }
    }
}

/// The notes of a customer, newest first.
fn of<'n>(notes: &'n Notes, user: &UserId) -> Vec<&'n Note> {
    let mut of_user: Vec<&Note> = notes
        .iter()
        .filter(|((owner, _), _)| owner == user)
        .map(|(_, note)| note)
        .collect();
    of_user.sort_unstable_by_key(|note| std::cmp::Reverse((note.created_at, note.id)));
    of_user
}

impl Put for MemoryInbox {
    async fn put(&self, user: &UserId, note: &Note) {
        self.put(user, note);
    }
}

impl InboxLoad for MemoryInbox {
    async fn page(
        &self,
        user: &UserId,
        from: Option<InboxPlace>,
        limit: u32,
        unread_only: bool,
    ) -> Result<InboxPage, Unavailable> {
        let notes = self.reach()?;
        let limit = usize::try_from(limit.clamp(1, InboxPage::LONGEST)).unwrap_or(usize::MAX);
        let is_wanted = |note: &&Note| {
            let is_further = from.is_none_or(|from| (note.created_at, note.id) < (from.created_at, from.id));
            is_further && !(unread_only && note.read_at.is_some())
        };
        let wanted: Vec<&Note> = of(&notes, user).into_iter().filter(is_wanted).collect();
        let page: Vec<Note> = wanted.iter().copied().take(limit).cloned().collect();
        let next = match wanted.len() > limit {
            true => page.last().map(InboxPlace::from),
            false => None,
        };
        Ok(InboxPage { notes: page, next })
    }

    async fn unread(&self, user: &UserId) -> Result<Unread, Unavailable> {
        let notes = self.reach()?;
        let count = of(&notes, user).iter().filter(|note| note.read_at.is_none()).count();
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        Ok(Unread {
            count: count.min(Unread::MOST),
            is_more: count >= Unread::MOST,
        })
    }
}

impl InboxMark for MemoryInbox {
    async fn mark(&self, user: &UserId, id: NotificationId, now: Timestamp) -> Result<bool, Unavailable> {
        let mut notes = self.reach()?;
        let note = notes.get_mut(&(user.clone(), id));
        Ok(note.is_some_and(|note| {
            note.read_at.get_or_insert(now);
            true
        }))
    }

    async fn mark_all(&self, user: &UserId, now: Timestamp) -> Result<MarkedAll, Unavailable> {
        let mut notes = self.reach()?;
        let mut count = 0;
        for ((owner, _), note) in notes.iter_mut() {
            if owner == user && note.read_at.is_none() && note.created_at <= now {
                note.read_at = Some(now);
                count += 1;
            }
        }
        Ok(MarkedAll { count, is_more: false })
    }
}
