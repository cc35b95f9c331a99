//! Offering: a few messages first, and the rest only if the provider does not speak of the account.

use domain::ports::{
    Bury, Clock, Courier, CustomersLoad, Defer, LedgerAdvance, NotWritten, OrderNews, SendAnswer, TrafficShare,
};
use domain::{Traffic, Written, chain};
use futures_util::FutureExt;
use futures_util::future::join_all;
use std::cell::Cell;
use std::panic::AssertUnwindSafe;

use super::deliver::{End, Offer};
use super::{Held, Sending, SendingCounts};

/// So many messages are offered before anything is known; so many calls at most open the breaker.
const FIRST_CALLS: usize = 3;

/// So many rejections in a row speak of the account, whatever their words.
const REJECTIONS_IN_A_ROW: u32 = 3;

/// What a wave of offers tells about the account.
enum Mood {
    Fine,
    Busy(String),
    Troubled(String),
}

impl<P, L, D, C, M, T, W> Sending<'_, P, L, D, C, M, T, W>
where
    P: CustomersLoad,
    L: LedgerAdvance + OrderNews,
    D: Bury,
    C: Clock,
    M: Courier,
    T: TrafficShare,
    W: Defer,
{
    /// Offers these deliveries: the first few together, then all others together, unless the first were told to wait.
    pub(super) async fn offer_all(
        &self,
        mut open: Vec<(usize, &Held<'_>)>,
        counts: &mut SendingCounts,
        alarms: &mut Vec<String>,
    ) -> Vec<(usize, Offer)> {
        let rest = open.split_off(FIRST_CALLS.min(open.len()));
        let mut ends = Vec::with_capacity(open.len() + rest.len());
        let mut mood = Mood::Fine;
        for wave in [open, rest] {
            if wave.is_empty() {
                continue;
            }
            if let Mood::Busy(why) | Mood::Troubled(why) = &mood {
                let not_now = || Offer::from(End::NotNow(why.clone()));
                ends.extend(wave.iter().map(|(index, _)| (*index, not_now())));
                continue;
            }
            let mut offers = join_all(wave.iter().map(|(_, held)| self.offer(held))).await;
            mood = self.judge(&mut offers);
            match &mood {
                Mood::Fine => {}
                Mood::Busy(_) => self.slow_down(alarms).await,
                Mood::Troubled(why) => {
                    counts.breaker_opened += 1;
                    self.open_breaker(why, alarms).await;
                }
            }
            ends.extend(wave.iter().map(|(index, _)| *index).zip(offers));
        }
        ends
    }

    /// Writes one message and offers it, once.
    async fn offer(&self, held: &Held<'_>) -> Offer {
        let offered: Cell<Option<Written>> = Cell::new(None);
        let offer = async {
            // What cannot be offered any more is not written either: a gate would take the time in which the others are settled.
            if self.is_too_late_to_offer() {
                return End::NoTimeLeft;
            }
            let draft = match self.courier.write(held.request).await {
                Ok(draft) => draft,
                Err(NotWritten::Unwritable(reason)) => return End::Unwritable(reason),
                Err(NotWritten::Unwanted(reason)) => return End::Unwanted(reason),
                Err(NotWritten::NotNow(reason)) => return End::NotNow(reason),
            };
            if self.is_too_late_to_offer() {
                return End::NoTimeLeft;
            }
            offered.set(Some(draft.written));
            End::Answer(self.courier.send(held.request, &draft.message).await)
        };
        // A panic in one record is that record's own: the neighbours' messages go out.
        let end = AssertUnwindSafe(offer).catch_unwind().await;
        let written = offered.take();
        let end = end.unwrap_or_else(|_panic| {
            End::Answer(match written.is_some() {
                true => SendAnswer::Unknown {
                    reason: "panicked while sending".to_owned(),
                },
                false => SendAnswer::NotTaken {
                    reason: "panicked while writing the message".to_owned(),
                },
            })
        });
        Offer { end, written }
    }

    /// What a wave tells about the account. Rejections that come in a row are taken for the account's, so that no more
    /// messages fail for it; those of a trial are not, or a queue that begins with bad messages would stay closed.
    fn judge(&self, offers: &mut [Offer]) -> Mood {
        let is_accepted = |offer: &Offer| matches!(offer.end, End::Answer(SendAnswer::Accepted { .. }));
        let is_rejected = |offer: &&Offer| matches!(offer.end, End::Answer(SendAnswer::Rejected { .. }));
        let rejected = offers.iter().filter(is_rejected).count();
        if offers.iter().any(is_accepted) {
            self.memory.rejections.set(0);
        } else {
            let more = u32::try_from(rejected).unwrap_or(u32::MAX);
            self.memory
                .rejections
                .set(self.memory.rejections.get().saturating_add(more));
        }
        if rejected > 0 && self.memory.rejections.get() >= REJECTIONS_IN_A_ROW && !self.is_trial {
            self.memory.rejections.set(0);
            for offer in offers.iter_mut() {
                if let End::Answer(SendAnswer::Rejected { reason }) = &offer.end {
                    offer.end = End::Answer(SendAnswer::AccountTrouble {
                        reason: format!("{reason}, several in a row"),
                    });
                }
            }
        }
        let trouble = offers.iter().find_map(|offer| match &offer.end {
            End::Answer(SendAnswer::AccountTrouble { reason }) => Some(Mood::Troubled(reason.clone())),
            End::Answer(_)
            | End::Unwanted(_)
            | End::Early(_)
            | End::HeldTooLong
            | End::NoTimeLeft
            | End::NotNow(_)
            | End::Unwritable(_) => None,
        });
        let busy = offers.iter().find_map(|offer| match &offer.end {
            End::Answer(SendAnswer::Throttled { reason } | SendAnswer::Limited { reason }) => {
                Some(Mood::Busy(reason.clone()))
            }
            End::Answer(_)
            | End::Unwanted(_)
            | End::Early(_)
            | End::HeldTooLong
            | End::NoTimeLeft
            | End::NotNow(_)
            | End::Unwritable(_) => None,
        });
        trouble.or(busy).unwrap_or(Mood::Fine)
    }

    async fn slow_down(&self, alarms: &mut Vec<String>) {
        let channel = self.courier.channel();
        let traffic: Traffic = self.look().await;
        if let Some(slowed) = traffic.slower(self.clock.now())
            && let Err(error) = self.traffic.slow_down(channel, slowed).await
        {
            alarms.push(format!(
                "the others do not know that {channel} is too fast: {}",
                chain(&error)
            ));
        }
    }

    async fn open_breaker(&self, why: &str, alarms: &mut Vec<String>) {
        let channel = self.courier.channel();
        alarms.push(format!(
            "the {channel} provider refuses the account, not the message: {why}; its queues are held"
        ));
        let breaker = self.look().await.troubled(why, self.policy, self.clock.now());
        if let Err(error) = self.traffic.set_breaker(channel, &breaker).await {
            alarms.push(format!("the others do not know of the trouble: {}", chain(&error)));
        }
    }
}
