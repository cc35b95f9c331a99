//! Preferences in memory, with their log of consent.

use domain::ports::{Changed, ConsentsLoad, Kept, PreferencesKeep, Unavailable};
use domain::{Consent, ConsentChange, ConsentSource, Preferences, UserId};
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Preferences in memory, with their log of consent.
#[derive(Debug, Default)]
pub struct MemoryPreferences {
    state: Mutex<State>,
    /// Whether they can be reached.
    pub is_out_of_reach: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    stored: HashMap<UserId, Stored>,
    log: Vec<(UserId, Consent)>,
}

#[derive(Debug, Clone, Default)]
struct Stored {
    preferences: Preferences,
    version: u64,
    updated_at: Option<Timestamp>,
}

impl MemoryPreferences {
    /// Stores these as somebody does who writes by hand: without an entry in the log.
    pub fn put(&self, user: &UserId, preferences: Preferences) {
        let mut state = self.state();
        let stored = state.stored.entry(user.clone()).or_default();
        stored.preferences = preferences;
        stored.version += 1;
    }

    /// What is stored.
    #[must_use]
    pub fn stored(&self, user: &UserId) -> Preferences {
        self.state()
            .stored
            .get(user)
            .map(|stored| stored.preferences.clone())
            .unwrap_or_default()
    }

    /// The log, the oldest entry first.
    #[must_use]
    pub fn log(&self) -> Vec<(UserId, Consent)> {
        self.state().log.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reach(&self) -> Result<MutexGuard<'_, State>, Unavailable> {
        match self.is_out_of_reach.load(Ordering::Relaxed) {
            true => Err(Unavailable::new(
                "reach preferences",
                "the table is told to be out of reach",
            )),
            false => Ok(self.state()),
        }
    }
}

impl Stored {
    fn kept(&self) -> Kept {
        Kept {
            preferences: self.preferences.clone(),
            revision: format!("{:032x}", self.version),
            updated_at: self.updated_at,
        }
    }
}

impl PreferencesKeep for MemoryPreferences {
    async fn look_up(&self, user: &UserId) -> Result<Kept, Unavailable> {
        Ok(self.reach()?.stored.get(user).cloned().unwrap_or_default().kept())
    }

    async fn change(
        &self,
        user: &UserId,
        from: &Kept,
        to: &Preferences,
        by: &ConsentSource,
        now: Timestamp,
    ) -> Result<Changed, Unavailable> {
        let mut state = self.reach()?;
        let stored = state.stored.get(user).cloned().unwrap_or_default();
        if stored.kept().revision != from.revision {
            return Ok(Changed::Stale);
        }
        let changes = ConsentChange::between(&stored.preferences, to);
        if changes.is_empty() {
            return Ok(Changed::Done(stored.kept()));
        }
        let next = Stored {
            preferences: to.clone(),
            version: stored.version + 1,
            updated_at: Some(now),
        };
        let kept = next.kept();
        state.stored.insert(user.clone(), next);
        let by = by.clone();
        state.log.push((user.clone(), Consent { at: now, by, changes }));
        Ok(Changed::Done(kept))
    }
}

impl ConsentsLoad for MemoryPreferences {
    async fn latest(&self, user: &UserId, most: u16) -> Result<Vec<Consent>, Unavailable> {
        let state = self.reach()?;
        let of_user = state.log.iter().rev().filter(|(whose, _)| whose == user);
        Ok(of_user
            .take(usize::from(most))
            .map(|(_, consent)| consent.clone())
            .collect())
    }
}
