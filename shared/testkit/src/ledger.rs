//! The ledger in memory, with the same conditions as the table, and calls that can be made to fail.

use domain::ports::{Advanced, LedgerAdvance, LedgerLoad, LedgerRecord, OrderNews, Recorded, Step, Unavailable};
use domain::{Channel, Delivery, News, Notification, NotificationId, OrderId};
use jiff::Timestamp;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};

/// The ledger in memory.
#[derive(Debug, Default)]
pub struct MemoryLedger {
    notifications: RefCell<BTreeMap<NotificationId, Notification>>,
    failing_calls: Cell<u32>,
    lost_replies: Cell<u32>,
}

impl MemoryLedger {
    /// The next calls fail without having written anything.
    pub fn fail(&self, calls: u32) {
        self.failing_calls.set(calls);
    }

    /// The next calls write, and then fail.
    pub fn lose_replies(&self, calls: u32) {
        self.lost_replies.set(calls);
    }

    /// Every notification.
    #[must_use]
    pub fn all(&self) -> Vec<Notification> {
        self.notifications.borrow().values().cloned().collect()
    }

    /// One delivery.
    #[must_use]
    pub fn delivery(&self, id: NotificationId, channel: Channel) -> Option<Delivery> {
        self.notifications.borrow().get(&id)?.deliveries.get(&channel).cloned()
    }

    /// Puts a delivery there, whatever was there before.
    pub fn put(&self, id: NotificationId, channel: Channel, delivery: Delivery) {
        if let Some(notification) = self.notifications.borrow_mut().get_mut(&id) {
            notification.deliveries.insert(channel, delivery);
        }
    }

    fn is_used_up(count: &Cell<u32>) -> bool {
        let left = count.get();
        count.set(left.saturating_sub(1));
        left == 0
    }

    fn answer<T>(&self, write: impl FnOnce() -> T) -> Result<T, Unavailable> {
        if !Self::is_used_up(&self.failing_calls) {
            return Err(Unavailable::new("write to the ledger", "it is told to fail"));
        }
        let written = write();
        if !Self::is_used_up(&self.lost_replies) {
            return Err(Unavailable::new("write to the ledger", "the reply is told to be lost"));
        }
        Ok(written)
    }
}

impl LedgerRecord for MemoryLedger {
    async fn record(&self, notifications: &[Notification]) -> Vec<Result<Recorded, Unavailable>> {
        let mut stored = self.notifications.borrow_mut();
        notifications
            .iter()
            .map(|notification| {
                self.answer(|| match stored.get(&notification.id) {
                    Some(existing) => Recorded::AlreadyThere(Box::new(existing.clone())),
                    None => {
                        stored.insert(notification.id, notification.clone());
                        Recorded::Created
                    }
                })
            })
            .collect()
    }
}

impl LedgerAdvance for MemoryLedger {
    async fn advance(&self, steps: &[Step]) -> Vec<Result<Advanced, Unavailable>> {
        let mut stored = self.notifications.borrow_mut();
        steps
            .iter()
            .map(|step| {
                self.answer(|| {
                    let current = stored
                        .get_mut(&step.id)
                        .and_then(|known| known.deliveries.get_mut(&step.channel));
                    match current {
                        None => Advanced::Unknown,
                        Some(current) if step.guard.admits(current) => {
                            *current = step.next.clone();
                            Advanced::Done
                        }
                        Some(current) => Advanced::Refused(Box::new(current.clone())),
                    }
                })
            })
            .collect()
    }
}

impl LedgerLoad for MemoryLedger {
    async fn load(&self, ids: &[NotificationId]) -> Result<HashMap<NotificationId, Notification>, Unavailable> {
        self.answer(|| {
            let stored = self.notifications.borrow();
            ids.iter()
                .filter_map(|id| Some((*id, stored.get(id)?.clone())))
                .collect()
        })
    }
}

impl OrderNews for MemoryLedger {
    async fn since(&self, orders: &[(OrderId, Timestamp)]) -> Result<HashMap<OrderId, Vec<News>>, Unavailable> {
        self.answer(|| {
            let stored = self.notifications.borrow();
            let news = |order: &OrderId, since: Timestamp| {
                let is_meant = |known: &&Notification| {
                    known.order.as_ref() == Some(order) && known.at.as_second() >= since.as_second()
                };
                stored.values().filter(is_meant).map(News::from).collect()
            };
            orders
                .iter()
                .map(|(order, since)| (order.clone(), news(order, *since)))
                .collect()
        })
    }
}
