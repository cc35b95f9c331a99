//! Offering: a few messages first, and the rest only if the provider does not speak of the account.

use domain::ports::{Bury, Clock, Courier, CustomersLoad, LedgerAdvance, OrderNews, SendAnswer, TrafficShare};
use domain::{Traffic, chain};
use futures_util::FutureExt;
use futures_util::future::join_all;
use std::cell::Cell;
use std::panic::AssertUnwindSafe;

use super::deliver::End;
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

impl<P, L, D, C, M, T> Sending<'_, P, L, D, C, M, T>
where
    P: CustomersLoad,
    L: LedgerAdvance + OrderNews,
    D: Bury,
    C: Clock,
    M: Courier,
    T: TrafficShare,
{
    /// Offers these deliveries: the first few together, then all others together, unless the first were told to wait.
    pub(super) async fn offer_all(
        &self,
        mut open: Vec<(usize, &Held<'_>)>,
        counts: &mut SendingCounts,
        alarms: &mut Vec<String>,
    ) -> Vec<(usize, End)> {
        let rest = open.split_off(FIRST_CALLS.min(open.len()));
        let mut ends = Vec::with_capacity(open.len() + rest.len());
        let mut mood = Mood::Fine;
        for wave in [open, rest] {
            if wave.is_empty() {
                continue;
            }
            if let Mood::Busy(why) | Mood::Troubled(why) = &mood {
                ends.extend(wave.iter().map(|(index, _)| (*index, End::NotNow(why.clone()))));
                continue;
            }
            let mut answers = join_all(wave.iter().map(|(_, held)| self.offer(held))).await;
            mood = self.judge(&mut answers);
            match &mood {
                Mood::Fine => {}
                Mood::Busy(_) => self.slow_down(alarms).await,
                Mood::Troubled(why) => {
                    counts.breaker_opened += 1;
                    self.open_breaker(why, alarms).await;
                }
            }
            ends.extend(wave.iter().map(|(index, _)| *index).zip(answers));
        }
        ends
    }

    /// Writes one message and offers it, once.
    async fn offer(&self, held: &Held<'_>) -> End {
        let is_offered = Cell::new(false);
        let offer = async {
            let message = match self.courier.write(held.request) {
                Ok(message) => message,
                Err(reason) => return End::Unwritable(reason),
            };
            if self.is_too_late_to_offer() {
                return End::NoTimeLeft;
            }
            is_offered.set(true);
            End::Answer(self.courier.send(held.request, &message).await)
        };
        // A panic in one record is that record's own: the neighbours' messages go out.
        match AssertUnwindSafe(offer).catch_unwind().await {
            Ok(end) => end,
            Err(_panic) if is_offered.get() => End::Answer(SendAnswer::Unknown {
                reason: "panicked while sending".to_owned(),
            }),
            Err(_panic) => End::Answer(SendAnswer::NotTaken {
                reason: "panicked while writing the message".to_owned(),
            }),
        }
    }

    /// What a wave tells about the account. Rejections that come in a row are taken for the account's, so that no more
    /// messages fail for it; those of a trial are not, or a queue that begins with bad messages would stay closed.
    fn judge(&self, answers: &mut [End]) -> Mood {
        let is_accepted = |end: &End| matches!(end, End::Answer(SendAnswer::Accepted { .. }));
        let is_rejected = |end: &End| matches!(end, End::Answer(SendAnswer::Rejected { .. }));
        let rejected = answers.iter().filter(|end| is_rejected(end)).count();
        if answers.iter().any(is_accepted) {
            self.memory.rejections.set(0);
        } else {
            let more = u32::try_from(rejected).unwrap_or(u32::MAX);
            self.memory
                .rejections
                .set(self.memory.rejections.get().saturating_add(more));
        }
        if rejected > 0 && self.memory.rejections.get() >= REJECTIONS_IN_A_ROW && !self.is_trial {
            self.memory.rejections.set(0);
            for end in answers.iter_mut() {
                if let End::Answer(SendAnswer::Rejected { reason }) = end {
                    *end = End::Answer(SendAnswer::AccountTrouble {
                        reason: format!("{reason}, several in a row"),
                    });
                }
            }
        }
        let trouble = answers.iter().find_map(|end| match end {
            End::Answer(SendAnswer::AccountTrouble { reason }) => Some(Mood::Troubled(reason.clone())),
            End::Answer(_)
            | End::Unwanted(_)
            | End::HeldTooLong
            | End::NoTimeLeft
            | End::NotNow(_)
            | End::Unwritable(_) => None,
        });
        let busy = answers.iter().find_map(|end| match end {
            End::Answer(SendAnswer::Throttled { reason } | SendAnswer::Limited { reason }) => {
                Some(Mood::Busy(reason.clone()))
            }
            End::Answer(_)
            | End::Unwanted(_)
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
