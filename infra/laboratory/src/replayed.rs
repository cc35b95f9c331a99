//! What reading the archive anew would change.

use domain::{OrderId, OrderStatus, Saying, Teller, TrackingDetail, TrackingEvent};
use jiff::Timestamp;
use std::fmt;

/// The most differences that are shown one by one.
const MOST_SHOWN: usize = 50;

/// Everything that was found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Replayed {
    /// Bodies that were read.
    pub bodies: usize,
    /// Bodies that nobody can read, by their place in the archive.
    pub unreadable: Vec<String>,
    /// Different events in all of them.
    pub events: usize,
    /// Events that differ from what is stored.
    pub differences: Vec<Difference>,
    /// Orders that would stand elsewhere.
    pub turns: Vec<Turn>,
}

/// An event that differs from what is stored of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// In what.
    pub kind: Kind,
    /// The event as it is read now.
    pub event: TrackingEvent,
    /// When it was heard.
    pub heard_at: Timestamp,
}

/// In what an event differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It is not stored.
    Missing,
    /// It is stored as something that nobody could read, and now somebody can.
    WasUnread,
    /// It is stored with another status or detail. What could be read once stays what it was: it is told, and not replaced.
    Other(Option<OrderStatus>, Option<TrackingDetail>),
}

/// An order that would stand elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// The order.
    pub order: OrderId,
    /// Where it stands.
    pub before: Option<OrderStatus>,
    /// Where it would stand.
    pub after: Option<OrderStatus>,
}

impl Difference {
    /// How this event differs from what is stored under its id; nothing where it does not.
    #[must_use]
    pub fn between(stored: Option<&Saying>, event: &TrackingEvent, heard_at: Timestamp) -> Option<Self> {
        let kind = match stored {
            None => Kind::Missing,
            Some(stored) if (stored.status, stored.detail) == (event.status, event.detail) => return None,
            Some(stored) if stored.status.is_none() => Kind::WasUnread,
            Some(stored) => Kind::Other(stored.status, stored.detail),
        };
        let event = event.clone();
        Some(Self { kind, event, heard_at })
    }

    /// Whether sending it again would put it right.
    #[must_use]
    pub const fn can_be_applied(&self) -> bool {
        matches!(self.kind, Kind::Missing | Kind::WasUnread)
    }

    /// As it would be stored.
    #[must_use]
    pub fn saying(&self) -> Saying {
        Saying::of_carrier(self.event.clone(), self.heard_at)
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, event, .. } = self;
        let was = match kind {
            Kind::Missing => "missing".to_owned(),
            Kind::WasUnread => "unread".to_owned(),
            Kind::Other(status, detail) => words(*status, *detail),
        };
        let code = match self.saying().by {
            Teller::Carrier { code, .. } => code.unwrap_or_default(),
            Teller::Pipeline { .. } | Teller::Hand { .. } => String::new(),
        };
        let now = words(event.status, event.detail);
        write!(
            f,
            "{} {} {:.0} {code}: {was} > {now}",
            event.carrier, event.number, event.at
        )
    }
}

fn words(status: Option<OrderStatus>, detail: Option<TrackingDetail>) -> String {
    let status = status.map_or("no status", OrderStatus::name);
    detail.map_or_else(|| status.to_owned(), |detail| format!("{status} ({})", detail.name()))
}

impl fmt::Display for Replayed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |is: fn(&Kind) -> bool| {
            self.differences
                .iter()
                .filter(|difference| is(&difference.kind))
                .count()
        };
        write!(
            f,
            "{} bodies with {} events, {} bodies that nobody can read\n{} missing, {} unread so far, {} with another status",
            self.bodies,
            self.events,
            self.unreadable.len(),
            count(|kind| *kind == Kind::Missing),
            count(|kind| *kind == Kind::WasUnread),
            count(|kind| matches!(kind, Kind::Other(..))),
        )?;
        for place in self.unreadable.iter().take(MOST_SHOWN) {
            write!(f, "\n  cannot be read: {place}")?;
        }
        for difference in self.differences.iter().take(MOST_SHOWN) {
            write!(f, "\n  {difference}")?;
        }
        let more = self.differences.len().saturating_sub(MOST_SHOWN);
        if more > 0 {
            write!(f, "\n  and {more} more")?;
        }
        for turn in &self.turns {
            let name = |status: Option<OrderStatus>| status.map_or("no status", OrderStatus::name);
            write!(
                f,
                "\n  order {}: {} > {}",
                turn.order,
                name(turn.before),
                name(turn.after)
            )?;
        }
        Ok(())
    }
}
