//! Where everything that is said of orders and parcels comes together: kept, folded, compared, and told on.

use domain::ports::{Clock, Unavailable};
use domain::{
    Effect, OrderId, OrderStatus, Saying, Standing, Teller, TrackingEvent, TrackingNumber, Zone, clean_line, roll_up,
};
use jiff::Timestamp;
use std::collections::{BTreeMap, HashMap};

use crate::news;
use crate::patrol::is_silence;
use crate::ports::{Kept, OrderFile, ParcelFile, ParcelNote, Register};
use crate::{OrderRecord, ParcelStanding, Registration, Told};

/// How often an order that somebody else is writing is read again.
const ROUNDS: usize = 10;

/// Orders share a parcel now and then; more than so many is nobody's practice.
const MOST_ORDERS: usize = 20;

/// Keeps orders.
#[derive(Debug)]
pub struct Desk<'d, S, C> {
    /// Where orders and parcels are kept.
    pub store: &'d S,
    /// The time.
    pub clock: &'d C,
    /// Where a day begins: as in the ids of the news.
    pub zone: &'d Zone,
}

/// What became of an order.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// The order.
    pub order: OrderId,
    /// Its status now.
    pub status: OrderStatus,
    /// Whether anything changed.
    pub has_changed: bool,
    /// How many news go out.
    pub news: u64,
    /// Whether it newly asks for somebody to have a look.
    pub is_newly_under_review: bool,
}

/// A change by hand.
#[derive(Debug, Clone, PartialEq)]
pub struct ByHand {
    /// The order.
    pub order: OrderId,
    /// One of its parcels; none means all of it.
    pub parcel: Option<TrackingNumber>,
    /// The new status.
    pub status: OrderStatus,
    /// Why.
    pub reason: String,
    /// Who says so.
    pub who: String,
}

/// A change by hand that is not possible.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CannotChange {
    /// Nobody knows the order.
    #[error("there is no such order")]
    NoOrder,
    /// The order has no such parcel.
    #[error("the order has no such parcel")]
    NoParcel,
    /// Orders of this type never have this status.
    #[error("expected one of {}", names(.0))]
    NotInWorkflow(Vec<OrderStatus>),
    /// There is no reason.
    #[error("expected a reason of 1 to 500 characters")]
    NoReason,
}

fn names(statuses: &[OrderStatus]) -> String {
    let names: Vec<&str> = statuses.iter().map(|status| status.name()).collect();
    names.join(", ")
}

impl<S: Register, C: Clock> Desk<'_, S, C> {
    /// Takes what the pipeline tells of an order. A parcel that it names is followed from now on.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when some of it may not have been taken; taking it again does no harm.
    pub async fn take_told(&self, told: Told) -> Result<Seen, Unavailable> {
        let Told { registration, saying } = told;
        let order = registration.id().clone();
        let now = self.clock.now();
        if let Some(saying) = saying {
            self.store.say(&order, &[saying]).await?;
        }
        for parcel in &registration.parcels {
            self.store.claim(&parcel.number, &order, parcel.carrier(), now).await?;
        }
        let seen = self.look_again(&order, Some(&registration)).await?;
        Ok(seen.unwrap_or(Seen {
            order,
            status: OrderStatus::Pending,
            has_changed: false,
            news: 0,
            is_newly_under_review: false,
        }))
    }

    /// Takes what carriers tell of parcels, heard at this moment; what became of each order that one of them belongs to. What is said
    /// of a parcel that nobody knows yet is kept until somebody does.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when some of it may not have been taken; taking it again does no harm.
    pub async fn take_tracking(&self, events: &[TrackingEvent], heard_at: Timestamp) -> Result<Vec<Seen>, Unavailable> {
        let mut by_parcel: BTreeMap<&TrackingNumber, Vec<Saying>> = BTreeMap::new();
        for event in events {
            let saying = Saying::of_carrier(event.clone(), heard_at);
            by_parcel.entry(&event.number).or_default().push(saying);
        }
        let mut orders: Vec<OrderId> = Vec::new();
        for (number, sayings) in by_parcel {
            self.store.hear(number, &sayings).await?;
            // Written first, read afterwards: whoever registers the parcel meanwhile finds it, or is found.
            for order in self
                .store
                .read_parcel(number)
                .await?
                .orders
                .into_iter()
                .take(MOST_ORDERS)
            {
                if !orders.contains(&order) {
                    orders.push(order);
                }
            }
        }
        let mut seen = Vec::with_capacity(orders.len());
        for order in orders {
            seen.extend(self.look_again(&order, None).await?);
        }
        Ok(seen)
    }

    /// Changes an order by hand.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when it may or may not have been changed; [`CannotChange`] when it was not, and why.
    pub async fn change_by_hand(&self, change: &ByHand) -> Result<Result<Seen, CannotChange>, Unavailable> {
        let reason = clean_line(&change.reason);
        if reason.is_empty() || reason.chars().count() > 500 {
            return Ok(Err(CannotChange::NoReason));
        }
        let Some(record) = self.store.read_order(&change.order).await?.record else {
            return Ok(Err(CannotChange::NoOrder));
        };
        if let Some(parcel) = &change.parcel
            && record.registration.parcel(parcel).is_none()
        {
            return Ok(Err(CannotChange::NoParcel));
        }
        let workflow = record.registration.order_type.workflow();
        if !workflow.knows(change.status) {
            return Ok(Err(CannotChange::NotInWorkflow(workflow.statuses().collect())));
        }
        let now = self.clock.now();
        let saying = Saying {
            at: now,
            heard_at: now,
            parcel: change.parcel.clone(),
            status: Some(change.status),
            detail: None,
            expected: None,
            by: Teller::Hand {
                who: change.who.clone(),
                reason,
            },
        };
        self.store.say(&change.order, &[saying]).await?;
        let seen = self.look_again(&change.order, None).await?;
        Ok(seen.ok_or(CannotChange::NoOrder))
    }

    /// Folds an order anew and writes what came of it; nothing where nobody knows the order.
    async fn look_again(&self, order: &OrderId, told: Option<&Registration>) -> Result<Option<Seen>, Unavailable> {
        for _round in 0..ROUNDS {
            let file = self.store.read_order(order).await?;
            let registration = match (&file.record, told) {
                (Some(record), None) => record.registration.clone(),
                (Some(record), Some(told)) => {
                    let mut merged = record.registration.clone();
                    merged.merge(told.clone());
                    merged
                }
                (None, Some(told)) => told.clone(),
                (None, None) => return Ok(None),
            };
            let mut parcels = HashMap::with_capacity(registration.parcels.len());
            for parcel in &registration.parcels {
                parcels.insert(parcel.number.clone(), self.store.read_parcel(&parcel.number).await?);
            }
            let now = self.clock.now();
            let after = fold(&file, registration, &parcels, now);
            let before = file.record.as_ref();
            let (outgoing, status) = (news::of(before, &after, self.zone, now), after.status());
            let has_changed = before.is_none_or(|before| !is_same(before, &after));
            let has_news = !outgoing.is_empty();
            if has_changed || has_news {
                match self.store.keep(before, &after, &outgoing).await? {
                    Kept::Done => {}
                    Kept::Stale => continue,
                }
            }
            for parcel in &after.parcels {
                let heard = parcels.get(&parcel.number).map(|file| file.sayings.as_slice());
                // That nothing was heard is nothing that was heard.
                let heard = heard.unwrap_or_default().iter().filter(|saying| !is_silence(saying));
                let note = ParcelNote {
                    last_heard_at: heard.map(|saying| saying.heard_at).max(),
                    has_ended: parcel.standing.has_ended(),
                };
                self.store.note(&parcel.number, &note).await?;
            }
            return Ok(Some(Seen {
                order: order.clone(),
                status,
                has_changed,
                news: outgoing.len() as u64,
                is_newly_under_review: after.needs_review && before.is_none_or(|before| !before.needs_review),
            }));
        }
        Err(Unavailable::new("write an order", "others write it all the time"))
    }
}

/// What all that was said makes of an order.
fn fold(
    file: &OrderFile,
    registration: Registration,
    parcels: &HashMap<TrackingNumber, ParcelFile>,
    now: Timestamp,
) -> OrderRecord {
    let order_type = registration.order_type;
    let whole = || file.sayings.iter().filter(|saying| saying.parcel.is_none());
    let (own, effects) = Standing::after(whole(), order_type, None);
    let before = file.record.as_ref();
    let reviewed_at = before.and_then(|before| before.reviewed_at);
    let is_new = |saying: &Saying| reviewed_at.is_none_or(|reviewed_at| saying.heard_at > reviewed_at);
    let asks_for_review = |effects: &[(&Saying, Effect)]| {
        let mut effects = effects.iter();
        effects.any(|(saying, effect)| effect.asks_for_review() && is_new(saying))
    };
    let by_hand = file
        .sayings
        .iter()
        .any(|saying| matches!(saying.by, Teller::Hand { .. }) && is_new(saying));
    let mut needs_review = by_hand || asks_for_review(&effects);
    let mut standings = Vec::with_capacity(registration.parcels.len());
    for parcel in &registration.parcels {
        let said = file
            .sayings
            .iter()
            .filter(|saying| saying.parcel.as_ref() == Some(&parcel.number));
        let carriers = parcels.get(&parcel.number).map(|file| file.sayings.as_slice());
        let all = whole().chain(said).chain(carriers.unwrap_or_default());
        let (standing, effects) = Standing::after(all, order_type, parcel.carrier());
        needs_review |= asks_for_review(&effects);
        standings.push(ParcelStanding {
            number: parcel.number.clone(),
            standing,
        });
    }
    let standing = roll_up(&own, standings.iter().map(|parcel| &parcel.standing)).clone();
    OrderRecord {
        registration,
        standing,
        parcels: standings,
        needs_review,
        reviewed_at,
        wishes: before.and_then(|before| before.wishes.clone()),
        created_at: before.map_or(now, |before| before.created_at),
        updated_at: now,
        version: before.map_or(1, |before| before.version.saturating_add(1)),
    }
}

/// Whether two records of an order differ in nothing but their age.
fn is_same(before: &OrderRecord, after: &OrderRecord) -> bool {
    before.registration == after.registration
        && before.standing == after.standing
        && before.parcels == after.parcels
        && before.needs_review == after.needs_review
}
