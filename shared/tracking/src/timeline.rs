//! The history of an order as it is shown: everything that was said, the newest first, and what it did.

use domain::{Effect, Saying, Standing};

use crate::ports::{OrderFile, ParcelFile};

/// One entry.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// What was said.
    pub saying: Saying,
    /// What it did: to its parcel, or to the order as a whole.
    pub effect: Effect,
}

/// The history of an order with these parcels, the newest first.
#[must_use]
pub fn timeline(order: &OrderFile, parcels: &[ParcelFile]) -> Vec<Entry> {
    let Some(record) = &order.record else { return Vec::new() };
    let order_type = record.registration.order_type;
    let whole = || order.sayings.iter().filter(|saying| saying.parcel.is_none());
    let (_, effects) = Standing::after(whole(), order_type, None);
    let mut entries: Vec<Entry> = effects.into_iter().map(entry).collect();
    for parcel in &record.registration.parcels {
        let of_it = |saying: &&Saying| saying.parcel.as_ref() == Some(&parcel.number);
        let carriers = parcels.iter().flat_map(|file| &file.sayings).filter(of_it);
        let said = order.sayings.iter().filter(of_it);
        let (_, effects) = Standing::after(whole().chain(said).chain(carriers), order_type, parcel.carrier());
        entries.extend(
            effects
                .into_iter()
                .filter(|(saying, _)| saying.parcel.is_some())
                .map(entry),
        );
    }
    entries.sort_by_key(|entry| std::cmp::Reverse((entry.saying.at, entry.saying.id())));
    entries
}

fn entry((saying, effect): (&Saying, Effect)) -> Entry {
    Entry {
        saying: saying.clone(),
        effect,
    }
}
