//! Histories in memory.

use domain::UserId;
use domain::ports::{HistoryLoad, HistoryPage, HistoryPlace, PastNotification, Unavailable};
use std::sync::{Mutex, PoisonError};

/// The notifications of all customers in memory, in any order.
#[derive(Debug, Default)]
pub struct MemoryHistory(pub Mutex<Vec<(UserId, PastNotification)>>);

impl HistoryLoad for MemoryHistory {
    async fn page(&self, user: &UserId, limit: u16, after: Option<&HistoryPlace>) -> Result<HistoryPage, Unavailable> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut own: Vec<PastNotification> = all
            .iter()
            .filter(|(whose, _)| whose == user)
            .map(|(_, past)| past.clone())
            .collect();
        let place = |past: &PastNotification| (past.at.as_second(), past.id.clone());
        own.sort_by_key(|past| std::cmp::Reverse(place(past)));
        own.retain(|past| after.is_none_or(|after| place(past) < (after.seconds, after.id.clone())));
        let is_more = own.len() > usize::from(limit);
        own.truncate(usize::from(limit));
        let next = own.last().filter(|_| is_more).map(|past| HistoryPlace {
            id: past.id.clone(),
            seconds: past.at.as_second(),
        });
        Ok(HistoryPage {
            notifications: own,
            next,
        })
    }
}
