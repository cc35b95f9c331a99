//! The counters of text messages in memory.

use domain::ports::{Reserved, SmsAllowance, Unavailable};
use domain::{Contact, NotificationId};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::future::pending;

/// The counters of text messages in memory.
#[derive(Debug, Default)]
pub struct MemoryAllowance {
    numbers: RefCell<HashMap<(Contact, Date), HashSet<NotificationId>>>,
    months: RefCell<HashMap<Date, u64>>,
    reserved: RefCell<HashSet<NotificationId>>,
    /// Whether it can be reached.
    pub is_out_of_reach: Cell<bool>,
    /// Whether it never answers.
    pub is_silent: Cell<bool>,
}

impl MemoryAllowance {
    /// The segments counted in the month of this moment.
    #[must_use]
    pub fn used(&self, now: Timestamp) -> u64 {
        self.months.borrow().get(&month_of(now)).copied().unwrap_or(0)
    }

    async fn reach(&self) -> Result<(), Unavailable> {
        if self.is_silent.get() {
            pending::<()>().await;
        }
        match self.is_out_of_reach.get() {
            true => Err(Unavailable::new(
                "count a text message",
                "the table is told to be out of reach",
            )),
            false => Ok(()),
        }
    }
}

impl SmsAllowance for MemoryAllowance {
    async fn count(
        &self,
        contact: &Contact,
        id: NotificationId,
        limit: u32,
        now: Timestamp,
    ) -> Result<bool, Unavailable> {
        self.reach().await?;
        let mut numbers = self.numbers.borrow_mut();
        let ids = numbers.entry((contact.clone(), day_of(now))).or_default();
        let has_room = ids.contains(&id) || u32::try_from(ids.len()).is_ok_and(|count| count < limit);
        if has_room {
            ids.insert(id);
        }
        Ok(has_room)
    }

    async fn reserve(
        &self,
        id: NotificationId,
        segments: u8,
        limit: u64,
        now: Timestamp,
    ) -> Result<Reserved, Unavailable> {
        self.reach().await?;
        let mut reserved = self.reserved.borrow_mut();
        if reserved.contains(&id) {
            return Ok(Reserved {
                is_granted: true,
                used: None,
            });
        }
        let Some(room) = limit.checked_sub(u64::from(segments)) else {
            return Ok(Reserved {
                is_granted: false,
                used: None,
            });
        };
        let mut months = self.months.borrow_mut();
        let used = months.entry(month_of(now)).or_default();
        let is_granted = *used <= room;
        if is_granted {
            reserved.insert(id);
            *used += u64::from(segments);
        }
        Ok(Reserved {
            is_granted,
            used: Some(*used),
        })
    }
}

fn day_of(now: Timestamp) -> Date {
    now.to_zoned(TimeZone::UTC).date()
}

fn month_of(now: Timestamp) -> Date {
    day_of(now).first_of_month()
}
