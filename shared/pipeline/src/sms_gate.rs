//! The last gate of a text message: its country, the day of its number, and the month's segments.
//!
//! Segments are reserved before the message is offered, so that no number of senders at once overshoots the budget.

use domain::ports::{Clock, NotWritten, SmsAllowance, Unavailable};
use domain::{Channel, Contact, DeliveryRequest, NotificationId, PhoneNumber, Reason, SmsLimits, SmsSize, chain};
use futures_util::future::{Either, select};
use jiff::{SignedDuration, Timestamp};
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A table that takes longer counts as out of reach: the message waits for nothing while its lease runs out.
const PATIENCE: SignedDuration = SignedDuration::from_secs(3);

/// A table that did not answer is not asked again for so long: a batch would wait for it once per message.
const AGAIN_AFTER_SILENCE: SignedDuration = SignedDuration::from_secs(10);

/// A text message that wants to go out, whatever it says.
#[derive(Debug, Clone, Copy)]
pub struct SmsRequest<'n> {
    /// The number: its country must be served, and its day must have room.
    pub number: &'n PhoneNumber,
    /// Under which it is counted. What was let through once is let through again under the same id, and not counted again.
    pub id: NotificationId,
    /// Whether it has the larger share of each limit, and goes out uncounted where nobody can count.
    pub is_urgent: bool,
    /// How large it is.
    pub size: SmsSize,
}

/// Lets text messages through, or says why not.
#[derive(Debug)]
pub struct SmsGate<A, C> {
    pub(crate) allowance: A,
    pub(crate) limits: SmsLimits,
    pub(crate) clock: C,
    // Not cells: who answers HTTP requests holds the gate across threads.
    counts: Mutex<SmsGateCounts>,
    silent_until: Mutex<Option<Timestamp>>,
}

/// What there is to tell since it was last asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SmsGateCounts {
    /// How much of the month's segments is used up, in percent; nothing where nobody had to count.
    pub used_percent: Option<u64>,
    /// Messages that nobody could count: urgent ones, which went out all the same, and others, which wait.
    pub uncounted: u64,
}

impl<A: SmsAllowance, C: Clock> SmsGate<A, C> {
    /// A gate that counts here, and holds to these limits.
    #[must_use]
    pub fn new(allowance: A, limits: SmsLimits, clock: C) -> Self {
        Self {
            allowance,
            limits,
            clock,
            counts: Mutex::default(),
            silent_until: Mutex::default(),
        }
    }

    /// Whether the message of a delivery may be offered, which has this size.
    ///
    /// # Errors
    ///
    /// As for [`SmsGate::admit_text`], and [`Reason::InvalidAddress`] where the request names no number.
    pub async fn admit(&self, request: &DeliveryRequest, size: SmsSize) -> Result<(), NotWritten> {
        let number = PhoneNumber::try_from(request.to.as_str())
            .map_err(|_no_number| NotWritten::Unwanted(Reason::InvalidAddress))?;
        let request = SmsRequest {
            number: &number,
            id: request.id,
            is_urgent: request.is_urgent,
            size,
        };
        self.admit_text(request).await
    }

    /// Whether a text message may be offered.
    ///
    /// # Errors
    ///
    /// [`NotWritten::Unwanted`] with the limit that stands against it; [`NotWritten::NotNow`] when its counters cannot be
    /// reached. What is urgent goes out then, uncounted.
    pub async fn admit_text(&self, request: SmsRequest<'_>) -> Result<(), NotWritten> {
        // The list of countries may have become shorter while the message waited.
        if !self.limits.countries.serve(request.number) {
            return Err(NotWritten::Unwanted(Reason::CountryNotServed));
        }
        match self.count_in_time(request).await {
            Ok(None) => Ok(()),
            Ok(Some(reason)) => Err(NotWritten::Unwanted(reason)),
            Err(error) => {
                self.change(|counts| counts.uncounted += 1);
                match request.is_urgent {
                    true => Ok(()),
                    false => Err(NotWritten::NotNow(chain(&error))),
                }
            }
        }
    }

    /// The limit that stands against it; nobody can tell when the counters are silent, or were a moment ago.
    async fn count_in_time(&self, request: SmsRequest<'_>) -> Result<Option<Reason>, Unavailable> {
        if held(&self.silent_until).is_some_and(|until| self.clock.now() < until) {
            return Err(Unavailable::new("count a text message", "no answer a moment ago"));
        }
        match select(pin!(self.count(request)), pin!(self.clock.pause(PATIENCE))).await {
            Either::Left((counted, _)) => counted,
            Either::Right(((), _)) => {
                *held(&self.silent_until) = self.clock.now().checked_add(AGAIN_AFTER_SILENCE).ok();
                Err(Unavailable::new("count a text message", "no answer in time"))
            }
        }
    }

    /// What there is to tell since this was last asked.
    pub fn take_counts(&self) -> SmsGateCounts {
        std::mem::take(&mut *held(&self.counts))
    }

    /// The limit that stands against it, if one does. The number comes first: what it refuses takes nothing from the month.
    async fn count(&self, request: SmsRequest<'_>) -> Result<Option<Reason>, Unavailable> {
        let (now, is_urgent) = (self.clock.now(), request.is_urgent);
        let contact = Contact::of(Channel::Sms, request.number.as_str());
        let limit = self.limits.per_day(is_urgent);
        let is_counted = self.allowance.count(&contact, request.id, limit, now).await?;
        if !is_counted {
            return Ok(Some(Reason::SmsNumberLimit));
        }
        let limit = self.limits.per_month(is_urgent);
        let reserved = self
            .allowance
            .reserve(request.id, request.size.segments, limit, now)
            .await?;
        let used = reserved.used.map(|used| self.limits.used_percent(used));
        let refused_at = (!reserved.is_granted).then(|| SmsLimits::share_percent(is_urgent));
        self.change(|counts| counts.used_percent = counts.used_percent.max(used).max(refused_at));
        Ok(refused_at.map(|_percent| Reason::SmsBudgetUsedUp))
    }

    fn change(&self, change: impl FnOnce(&mut SmsGateCounts)) {
        change(&mut held(&self.counts));
    }
}

/// What a thread left behind that panicked is still a count.
fn held<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}
