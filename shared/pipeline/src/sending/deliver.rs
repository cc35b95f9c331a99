//! Delivering: what is held is looked at once more, offered to the provider, and gets its next value.

use domain::ports::{
    Bury, Clock, Courier, Customers, CustomersLoad, Defer, LedgerAdvance, OrderNews, SendAnswer, TrafficShare,
    Unavailable,
};
use domain::{Delivery, News, OrderId, Preferences, Reason, Wait, Written, chain};
use jiff::Timestamp;
use std::collections::HashMap;

use super::{Held, NO_TIME_LEFT, Sending, SendingCounts};
use crate::customers::load_for;

/// How the work on one held delivery ended.
#[derive(Debug, Clone)]
pub(super) enum End {
    /// Nobody wants it any more, for this reason.
    Unwanted(Reason),
    /// It may not ring now.
    Early(Wait),
    /// It could not be sent for too long.
    HeldTooLong,
    /// It was not offered: the invocation ends.
    NoTimeLeft,
    /// It was not offered: nothing is taken now, or nobody can tell whether it may be.
    NotNow(String),
    /// It cannot be written.
    Unwritable(String),
    /// What the provider answered.
    Answer(SendAnswer),
}

/// The end of one held delivery, and what is kept of its message if it was offered.
#[derive(Debug, Clone)]
pub(super) struct Offer {
    pub(super) end: End,
    pub(super) written: Option<Written>,
}

impl From<End> for Offer {
    fn from(end: End) -> Self {
        Self { end, written: None }
    }
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
    /// Sends everything held and says what each delivery becomes.
    pub(super) async fn deliver(
        &self,
        held: &[Held<'_>],
        counts: &mut SendingCounts,
        alarms: &mut Vec<String>,
    ) -> Vec<Delivery> {
        if held.is_empty() {
            return Vec::new();
        }
        let (customers, news) = match self.look_again(held).await {
            Ok(known) => known,
            Err(error) => {
                let reason = chain(&error);
                let waiting = held.iter().map(|held| self.wait_a_while(&held.delivery, &reason));
                return waiting.collect();
            }
        };
        let mut ends: Vec<Option<Offer>> = held
            .iter()
            .map(|held| self.objection(held, &customers, &news).map(Offer::from))
            .collect();
        let open: Vec<(usize, &Held<'_>)> = held
            .iter()
            .enumerate()
            .filter(|(index, _)| ends.get(*index).is_some_and(Option::is_none))
            .collect();
        for (index, offer) in self.offer_all(open, counts, alarms).await {
            if let Some(place) = ends.get_mut(index) {
                *place = Some(offer);
            }
        }
        held.iter()
            .zip(ends)
            .map(|(held, offer)| {
                let offer = offer.unwrap_or_else(|| Offer::from(End::NoTimeLeft));
                self.weigh(&held.delivery.offered(offer.written), offer.end, counts)
            })
            .collect()
    }

    /// What is known now of the customers, and of the orders that may have moved on meanwhile.
    async fn look_again(&self, held: &[Held<'_>]) -> Result<(Customers, HashMap<OrderId, Vec<News>>), Unavailable> {
        let users = held.iter().filter_map(|held| held.request.user.as_ref());
        let contacts = held.iter().filter_map(|held| held.request.contact());
        let customers = load_for(self.customers, users, contacts).await?;
        let now = self.clock.now();
        let mut orders: HashMap<OrderId, Timestamp> = HashMap::new();
        for held in held
            .iter()
            .filter(|held| held.request.may_be_overtaken(&held.delivery, now))
        {
            if let Some(order) = held.request.content.order() {
                let since = orders.entry(order.id.clone()).or_insert(held.request.at);
                *since = (*since).min(held.request.at);
            }
        }
        let mut orders: Vec<(OrderId, Timestamp)> = orders.into_iter().collect();
        orders.sort_unstable();
        let news = match orders.is_empty() {
            true => HashMap::new(),
            false => self.ledger.since(&orders).await?,
        };
        Ok((customers, news))
    }

    /// Why a delivery is not offered at all, if there is a reason.
    fn objection(&self, held: &Held<'_>, customers: &Customers, news: &HashMap<OrderId, Vec<News>>) -> Option<End> {
        let request = held.request;
        let now = self.clock.now();
        let nobody = Preferences::default();
        let known = request.user.as_ref().and_then(|user| customers.preferences.get(user));
        let contact = request.contact();
        let suppression = contact.and_then(|contact| customers.suppressions.get(&contact));
        let preferences = known.unwrap_or(&nobody);
        if let Err(reason) = request.still_wanted(preferences, suppression, now) {
            return Some(End::Unwanted(reason));
        }
        let news = request.content.order().and_then(|order| news.get(&order.id));
        if news.is_some_and(|news| news.iter().any(|news| request.is_overtaken_by(news))) {
            return Some(End::Unwanted(Reason::Superseded));
        }
        // An operator who sends it again has decided that it is not too late.
        let is_late = held.delivery.generation == 0 && now.duration_since(request.due_at()) > self.policy.hold_at_most;
        if is_late {
            return Some(End::HeldTooLong);
        }
        let wait = request.wait(preferences, self.night, self.time_left(), now);
        wait.map(End::Early)
    }

    fn weigh(&self, delivery: &Delivery, end: End, counts: &mut SendingCounts) -> Delivery {
        let now = self.clock.now();
        match end {
            End::Unwanted(reason) => delivery.close(reason.state(), reason.code(), now),
            End::Early(wait) => delivery.defer(wait, now),
            End::HeldTooLong => delivery.park(Reason::HeldTooLong.code(), now),
            End::NoTimeLeft => delivery.give_back(NO_TIME_LEFT, now),
            End::NotNow(reason) => self.wait_a_while(delivery, &reason),
            End::Unwritable(reason) => delivery.close(domain::State::Failed, &reason, now),
            End::Answer(answer) => {
                match &answer {
                    SendAnswer::Throttled { .. } => counts.throttled += 1,
                    SendAnswer::Limited { .. } => counts.limited += 1,
                    SendAnswer::AccountTrouble { .. } => counts.account_trouble += 1,
                    SendAnswer::Accepted { .. }
                    | SendAnswer::NotTaken { .. }
                    | SendAnswer::Refused { .. }
                    | SendAnswer::Rejected { .. }
                    | SendAnswer::OptedOut { .. }
                    | SendAnswer::Repeatable { .. }
                    | SendAnswer::Unknown { .. } => {}
                }
                delivery.settle(&answer, self.policy, self.clock.chance(), now)
            }
        }
    }

    /// Back to the queue without a try used up, after a wait that spreads.
    pub(super) fn wait_a_while(&self, delivery: &Delivery, reason: &str) -> Delivery {
        let answer = SendAnswer::Throttled {
            reason: reason.to_owned(),
        };
        delivery.settle(&answer, self.policy, self.clock.chance(), self.clock.now())
    }
}
