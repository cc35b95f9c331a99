//! The pages behind the links in e-mails: to stop messages of one type, and to choose what one hears of. No account is needed and no
//! script runs; whoever holds the link may do what it says.

mod answer;
mod book;
mod choices;
mod desk;
mod door;
mod form;
mod groups;
mod look;
mod screens;
mod words;
mod zones;

pub use answer::{Deed, Refusal};
pub use book::BrokenPages;
pub use door::router;

use domain::{Language, Night};
use links::LinkKeys;
use messages::Shop;

use book::Book;

/// What the pages need to know.
#[derive(Debug)]
pub struct Settings {
    /// In whose name they speak.
    pub shop: Shop,
    /// What signs the links that lead to them.
    pub keys: LinkKeys,
    /// What holds for customers who chose nothing.
    pub defaults: Defaults,
}

/// What holds for customers who chose nothing.
#[derive(Debug, Clone)]
pub struct Defaults {
    /// The shop's language.
    pub language: Language,
    /// The shop's night.
    pub night: Night,
}

/// The pages, over whatever keeps preferences and tells the time.
#[derive(Debug)]
pub struct CustomerPages<K, C> {
    keys: LinkKeys,
    defaults: Defaults,
    book: Book,
    keep: K,
    clock: C,
}

impl<K, C> CustomerPages<K, C> {
    /// The pages of this shop.
    ///
    /// # Errors
    ///
    /// [`BrokenPages`] when one of our own templates cannot be read.
    pub fn new(settings: Settings, keep: K, clock: C) -> Result<Self, BrokenPages> {
        Ok(Self {
            book: Book::new(&settings.shop, &settings.defaults)?,
            keys: settings.keys,
            defaults: settings.defaults,
            keep,
            clock,
        })
    }

    /// What keeps the preferences.
    pub const fn keep(&self) -> &K {
        &self.keep
    }
}
