//! Phone verifications in memory.

use domain::ports::{PhoneVerificationsKeep, Unavailable};
use domain::{PhoneVerification, UserId};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Phone verifications in memory.
#[derive(Debug, Default)]
pub struct MemoryPhoneVerifications(Mutex<HashMap<UserId, PhoneVerification>>);

impl PhoneVerificationsKeep for MemoryPhoneVerifications {
    async fn look_up(&self, user: &UserId) -> Result<Option<PhoneVerification>, Unavailable> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(kept.get(user).cloned())
    }

    async fn keep(
        &self,
        user: &UserId,
        before: Option<&PhoneVerification>,
        next: &PhoneVerification,
    ) -> Result<bool, Unavailable> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let stands = kept.get(user).map(|stored| (stored.sent_at, stored.attempts));
        let is_next = stands == before.map(|before| (before.sent_at, before.attempts));
        if is_next {
            kept.insert(user.clone(), next.clone());
        }
        Ok(is_next)
    }
}
