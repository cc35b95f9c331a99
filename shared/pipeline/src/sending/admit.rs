//! Admitting: how much of a batch may be offered now, by the pace that all senders share and by the breaker.

use domain::ports::{Bury, Clock, Courier, CustomersLoad, Defer, LedgerAdvance, OrderNews, TrafficShare};
use domain::{Breaker, DeliveryRequest, NotificationId, Traffic};
use jiff::{SignedDuration, Timestamp};

use super::{Asked, Ended, SendVerdict, Sending, SendingCounts};

/// How long messages are hidden that came while the breaker was open; by then their queue is held as a whole.
const BEHIND_THE_BREAKER: SignedDuration = SignedDuration::from_secs(30);

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
    /// What may go on, and when the rest comes again. What is held back is not claimed: it costs no attempt and no write.
    pub(super) async fn admit<'r>(
        &self,
        requests: &'r [Asked],
        counts: &mut SendingCounts,
    ) -> (Vec<&'r DeliveryRequest>, Vec<(NotificationId, Ended)>) {
        if requests.is_empty() {
            return (Vec::new(), Vec::new());
        }
        let traffic = self.look().await;
        let now = self.clock.now();
        if let (Breaker::Open { reason, .. }, false) = (&traffic.breaker, self.is_trial) {
            counts.held_back += requests.len() as u64;
            let held_back = requests.iter().map(|asked| {
                let at = self.spread(
                    now.saturating_add(BEHIND_THE_BREAKER).unwrap_or(now),
                    BEHIND_THE_BREAKER,
                );
                held_back(asked, at, &format!("the account is in trouble: {reason}"))
            });
            return (Vec::new(), held_back.collect());
        }
        let (urgent, normal): (Vec<&Asked>, Vec<&Asked>) = requests.iter().partition(|asked| asked.is_urgent);
        let (mut admitted, mut waiting) = (Vec::with_capacity(requests.len()), Vec::new());
        for (is_urgent, lane) in [(true, urgent), (false, normal)] {
            let granted = self.permits(&traffic, is_urgent, lane.len(), now).await;
            admitted.extend(lane.iter().take(granted).map(|asked| &asked.request));
            for asked in lane.into_iter().skip(granted) {
                counts.held_back += 1;
                waiting.push(held_back(
                    asked,
                    self.turn(&traffic, asked, now),
                    "its turn has not come",
                ));
            }
        }
        (admitted, waiting)
    }

    /// What the account may send. If nobody knows, the provider's own answers are what is left to go by.
    pub(super) async fn look(&self) -> Traffic {
        let channel = self.courier.channel();
        let known = self.traffic.look(channel).await;
        known.unwrap_or_else(|_nobody_knows| Traffic::usual(channel))
    }

    async fn permits(&self, traffic: &Traffic, is_urgent: bool, wanted: usize, now: Timestamp) -> usize {
        let count = u32::try_from(wanted).unwrap_or(u32::MAX);
        if count == 0 || self.is_trial {
            return wanted;
        }
        let window = traffic.window(now);
        let this_one = Some((window.name, is_urgent));
        if self.memory.used_up.get() == this_one {
            return 0;
        }
        let asked = self
            .traffic
            .ask(self.courier.channel(), &window, is_urgent, count)
            .await;
        // Uncounted, it is the provider who says when it is too much.
        let Ok(asked) = asked else { return wanted };
        let granted = window.grant(is_urgent, count, asked);
        if granted < count {
            self.memory.used_up.set(this_one);
        }
        usize::try_from(granted).unwrap_or(wanted)
    }

    /// When a message that got no permit asks again: an urgent one as soon as there are new permits, others later each time.
    fn turn(&self, traffic: &Traffic, asked: &Asked, now: Timestamp) -> Timestamp {
        let next = traffic.window(now).ends_at;
        if asked.is_urgent {
            return self.spread(next, SignedDuration::from_secs(1));
        }
        let later = self
            .policy
            .again_after_throttle(asked.receive_count, self.clock.chance(), now);
        later.max(next)
    }

    /// A moment within so long after this one.
    fn spread(&self, from: Timestamp, within: SignedDuration) -> Timestamp {
        let wait = SignedDuration::try_from_secs_f64(within.as_secs_f64() * self.clock.chance());
        let at = from
            .saturating_add(wait.unwrap_or(SignedDuration::ZERO))
            .unwrap_or(from);
        Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at)
    }
}

fn held_back(asked: &Asked, at: Timestamp, why: &str) -> (NotificationId, Ended) {
    let id = asked.request.id;
    let ended = Ended {
        verdict: SendVerdict::Again(id, at, why.to_owned()),
        owed: None,
    };
    (id, ended)
}
