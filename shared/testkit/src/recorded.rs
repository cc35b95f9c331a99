//! What the twins are held to: the same calls, put to the twins and to the tables of a running stack, have the same answers.
//!
//! The answers of the stack are kept in `recorded/answers.txt`; `make recordings` writes them anew.

use domain::ports::{
    Advanced, CustomersLoad, Defer, InboxLoad, InboxMark, LedgerAdvance, LedgerLoad, LedgerRecord, MessageLookUp,
    OrderNews, Recorded, SmsAllowance, Step, SuppressionsKeep, TrafficKeep, Unavailable, WaitingRoom, WakeAll,
};
use domain::{
    Breaker, Channel, Contact, Delivery, DeliveryRequest, Evidence, Guard, InboxPage, Language, Lease, Notification,
    NotificationId, OrderStatus, Place, Reason, RetryPolicy, SmsEncoding, SmsSize, State, Strike, Suppression,
    SuppressionPolicy, SuppressionReason, Traffic, UserId, Wait, Written,
};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::fmt::{Debug, Write as _};

use crate::{at, confirmation, email_request, note, order, shipped};

/// The answers of the stack, as they were recorded.
pub const ANSWERS: &str = include_str!("../recorded/answers.txt");

const NOW: i64 = 1_795_168_800;

/// In the year 2100.
const FAR: i64 = 4_102_444_800;

/// What is called, and which run this is: on a stack that is used again, every run speaks of orders and people of its own.
#[derive(Debug)]
pub struct Script<'a, L, P, M, T, A, I, W> {
    /// The ledger.
    pub ledger: &'a L,
    /// Customers, and what speaks against their addresses.
    pub customers: &'a P,
    /// Finds deliveries by message id.
    pub messages: &'a M,
    /// What the account may send.
    pub traffic: &'a T,
    /// The counters of text messages.
    pub allowance: &'a A,
    /// The inboxes.
    pub inbox: &'a I,
    /// The waiting room.
    pub room: &'a W,
    /// The run.
    pub run: u64,
}

/// Notes a message id, as the SMS sender does.
pub trait Note {
    /// Notes it.
    fn note(&self, message_id: &str, id: NotificationId, channel: Channel) -> impl Future<Output = ()>;
}

/// Puts a note into an inbox, as the in-app sender does.
pub trait Put {
    /// Puts it there, unless it is there already.
    fn put(&self, user: &UserId, note: &domain::Note) -> impl Future<Output = ()>;
}

struct Answers {
    text: String,
}

impl Answers {
    fn tell(&mut self, call: &str, answer: impl Debug) {
        let _infallible = writeln!(self.text, "{call}: {answer:?}");
    }

    fn about(&mut self, subject: &str) {
        let _infallible = writeln!(self.text, "\n# {subject}");
    }
}

impl<L, P, M, T, A, I, W> Script<'_, L, P, M, T, A, I, W>
where
    L: LedgerRecord + LedgerAdvance + LedgerLoad + OrderNews,
    P: CustomersLoad + SuppressionsKeep,
    M: MessageLookUp + Note,
    T: TrafficKeep,
    A: SmsAllowance,
    I: InboxLoad + InboxMark + Put,
    W: Defer + WaitingRoom + WakeAll,
{
    /// Makes every call and tells the answers, in words that are the same in every run.
    pub async fn play(&self) -> String {
        let mut answers = Answers { text: String::new() };
        self.open_and_claim(&mut answers).await;
        self.settle_and_report(&mut answers).await;
        self.make_up(&mut answers).await;
        self.ask_for_news(&mut answers).await;
        self.suppress(&mut answers).await;
        self.find_messages(&mut answers).await;
        self.share_traffic(&mut answers).await;
        self.count_texts(&mut answers).await;
        self.read_an_inbox(&mut answers).await;
        self.wait(&mut answers).await;
        let names = (1..=4).map(|nth| (self.id(nth).to_string(), format!("notification-{nth}")));
        let text = names.fold(answers.text, |text, (id, name)| text.replace(&id, &name));
        text.replace(&format!("-{}", self.run), "").trim_start().to_owned()
    }

    /// The notifications that a run leaves behind.
    pub fn left_behind(&self) -> impl Iterator<Item = NotificationId> {
        (1..=4).map(|nth| self.id(nth))
    }

    fn id(&self, nth: u8) -> NotificationId {
        let mut digest = [nth; 16];
        let (run, _) = digest.split_at_mut(8);
        run.copy_from_slice(&self.run.to_be_bytes());
        NotificationId::from_digest(digest)
    }

    fn notification(&self, nth: u8, deliveries: &[(Channel, Delivery)]) -> Notification {
        Notification {
            id: self.id(nth),
            user: UserId::try_from(format!("user-{}", self.run)).ok(),
            notification_type: confirmation("a", "1", at(NOW)).content.notification_type(),
            order: Some(order(&format!("order-{}", self.run)).id),
            status: None,
            parcel: None,
            at: at(NOW),
            recorded_at: at(NOW),
            recorded_by: "orchestrator".to_owned(),
            fingerprint: None,
            deliveries: deliveries.iter().cloned().collect::<BTreeMap<_, _>>(),
        }
    }

    fn step(&self, nth: u8, guard: Guard, from: &Delivery, next: &Delivery) -> Step {
        Step {
            id: self.id(nth),
            channel: Channel::Email,
            guard,
            from: from.clone(),
            next: next.clone(),
            channels: None,
        }
    }

    /// Opening a notification, and who may claim its delivery.
    async fn open_and_claim(&self, answers: &mut Answers) {
        answers.about("opening and claiming");
        let queued = Delivery::queued(at(NOW));
        let later = Wait {
            until: at(NOW + 60),
            is_for_quiet_hours: false,
        };
        let deferred = Delivery::deferred(later, at(NOW));
        let skipped = Delivery::never_sent(State::Skipped, Reason::OptedOut, at(NOW));
        let first = self.notification(1, &[(Channel::Email, queued.clone()), (Channel::Sms, skipped)]);
        let second = self.notification(2, &[(Channel::Email, deferred.clone())]);
        for call in ["opened", "opened again"] {
            answers.tell(
                call,
                recorded(self.ledger.record(&[first.clone(), second.clone()]).await),
            );
        }
        let (guard, claimed) = queued.claim(lease("a"), at(NOW + 1));
        let too_early = deferred.claim(lease("a"), at(NOW + 59));
        let unknown = self.step(4, guard.clone(), &queued, &claimed);
        let steps = [
            self.step(1, guard.clone(), &queued, &claimed),
            self.step(2, too_early.0, &deferred, &too_early.1),
            unknown,
        ];
        answers.tell(
            "claimed; too early; unknown",
            advanced(self.ledger.advance(&steps).await),
        );
        let late = self.step(1, guard, &queued, &queued.claim(lease("b"), at(NOW + 1)).1);
        answers.tell("claimed by another", advanced(self.ledger.advance(&[late]).await));
        let due = deferred.claim(lease("a"), at(NOW + 60));
        let due = self.step(2, due.0, &deferred, &due.1);
        answers.tell("claimed when due", advanced(self.ledger.advance(&[due]).await));
    }

    /// Settling by the owner, by others, and by a report that comes twice.
    async fn settle_and_report(&self, answers: &mut Answers) {
        answers.about("settling");
        let queued = Delivery::queued(at(NOW));
        let (_, claimed) = queued.claim(lease("a"), at(NOW + 1));
        let another_attempt = Guard::In {
            attempt: 7,
            states: &[State::Sending],
        };
        let size = SmsSize {
            encoding: SmsEncoding::Ucs2,
            segments: 2,
        };
        let written = Written::sms(Language::Ru, "a template", size);
        let doubt = claimed.offered(Some(written)).doubt("no answer in time", at(NOW + 5));
        let stale = self.step(1, another_attempt, &claimed, &doubt);
        answers.tell("of another attempt", advanced(self.ledger.advance(&[stale]).await));
        let step = self.step(1, claimed.owners_guard(), &claimed, &doubt);
        answers.tell("in doubt", advanced(self.ledger.advance(&[step]).await));
        if let Some((guard, sent)) = doubt.learn(&Evidence::Accepted, "m-1", at(NOW + 6), at(NOW + 7)) {
            for call in ["settled by a report", "and again"] {
                let step = self.step(1, guard.clone(), &doubt, &sent);
                answers.tell(call, advanced(self.ledger.advance(&[step]).await));
            }
            let sent_too = self.step(1, claimed.owners_guard(), &claimed, &sent);
            answers.tell("by its slow owner", advanced(self.ledger.advance(&[sent_too]).await));
        }
        answers.tell("as it stands", self.stands(&[1, 2, 4]).await);
    }

    /// A channel that a later event asks for.
    async fn make_up(&self, answers: &mut Answers) {
        answers.about("making up");
        let left_out = Delivery::never_sent(State::Skipped, Reason::NotAskedFor, at(NOW));
        let third = self.notification(3, &[(Channel::Email, left_out.clone())]);
        answers.tell("opened", recorded(self.ledger.record(&[third]).await));
        let queued = Delivery::queued(at(NOW + 9));
        for (call, reason) in [
            ("skipped for another reason", Reason::OptedOut),
            ("skipped for this one", Reason::NotAskedFor),
            ("no longer skipped", Reason::NotAskedFor),
        ] {
            let step = Step {
                channels: Some(vec![Channel::Email]),
                ..self.step(3, Guard::SkippedFor { reason }, &left_out, &queued)
            };
            answers.tell(call, advanced(self.ledger.advance(&[step]).await));
        }
        answers.tell("as it stands", self.stands(&[3]).await);
    }

    async fn stands(&self, numbers: &[u8]) -> Vec<String> {
        let ids: Vec<NotificationId> = numbers.iter().map(|nth| self.id(*nth)).collect();
        match self.ledger.load(&ids).await {
            Ok(known) => {
                let known: BTreeMap<_, _> = known.into_iter().collect();
                known
                    .into_values()
                    .map(|notification| format!("{notification:?}"))
                    .collect()
            }
            Err(error) => vec![domain::chain(&error)],
        }
    }

    /// Newer news of an order.
    async fn ask_for_news(&self, answers: &mut Answers) {
        answers.about("news of an order");
        let event = shipped("a", &format!("news-{}", self.run), at(NOW + 30));
        let order = event.content.order().map(|order| order.id.clone());
        let fourth = Notification {
            order: order.clone(),
            status: Some(OrderStatus::Shipped),
            notification_type: event.content.notification_type(),
            at: at(NOW + 30),
            ..self.notification(4, &[(Channel::Email, Delivery::queued(at(NOW)))])
        };
        answers.tell("opened", recorded(self.ledger.record(&[fourth]).await));
        for (call, seconds) in [("since before", 29), ("since that second", 30), ("since after", 31)] {
            let asked: Vec<_> = order.iter().map(|order| (order.clone(), at(NOW + seconds))).collect();
            let news = self.ledger.since(&asked).await;
            let news = news.map(|news| news.into_values().flatten().collect::<Vec<_>>());
            answers.tell(call, news.map_err(|error| domain::chain(&error)));
        }
    }

    /// What speaks against an address, written by two at once.
    async fn suppress(&self, answers: &mut Answers) {
        answers.about("suppression");
        let contact = Contact::of(Channel::Email, &format!("ana-{}@example.com", self.run));
        let strike = |reason, seconds| Strike {
            reason,
            at: at(NOW + seconds),
            source: format!("m-{seconds}"),
        };
        let policy = SuppressionPolicy::default();
        answers.tell("before", words(self.customers.look_up(&contact).await));
        let soft = strike(SuppressionReason::SoftBounces, 1);
        let first = Suppression::default().after(&soft, &policy).unwrap_or_default();
        let hard = strike(SuppressionReason::HardBounce, 2);
        let second = first.after(&hard, &policy).unwrap_or_default();
        for (call, next) in [
            ("second before first", &second),
            ("first", &first),
            ("first again", &first),
            ("second", &second),
        ] {
            answers.tell(call, words(self.customers.keep(&contact, next).await));
        }
        let lifted = second.lifted("an operator", "a typo", at(NOW + 9));
        answers.tell("lifted", words(self.customers.keep(&contact, &lifted).await));
        answers.tell("after", words(self.customers.look_up(&contact).await));
        let nobody = UserId::try_from(format!("nobody-{}", self.run));
        let known = self
            .customers
            .load(&nobody.into_iter().collect::<Vec<_>>(), &[contact])
            .await;
        let known = known.map(|known| {
            (
                known.preferences.len(),
                known.suppressions.into_values().collect::<Vec<_>>(),
            )
        });
        answers.tell("as a sender sees it", words(known));
    }

    /// Deliveries by message id.
    async fn find_messages(&self, answers: &mut Answers) {
        answers.about("messages");
        let message = format!("sms-{}", self.run);
        let asked = [message.clone(), format!("unknown-{}", self.run)];
        answers.tell("before", words(self.messages.find(&asked).await));
        self.messages.note(&message, self.id(1), Channel::Sms).await;
        answers.tell("after", words(self.messages.find(&asked).await));
    }

    /// Permits of a window, and the breaker. By a channel that nothing else uses.
    async fn share_traffic(&self, answers: &mut Answers) {
        answers.about("traffic");
        let channel = Channel::Push;
        // A moment of this run's own, so that nobody else asked for this window.
        let seconds = i64::try_from(self.run % 1_000_000_000).unwrap_or_default();
        let window = Traffic::usual(channel).window(at(NOW + seconds * 16));
        for (call, is_urgent, count) in [("normal", false, 3), ("urgent", true, 1), ("normal again", false, 9)] {
            answers.tell(call, words(self.traffic.ask(channel, &window, is_urgent, count).await));
        }
        let closed = self.traffic.set_breaker(channel, &Breaker::Closed).await;
        answers.tell("closed", words(closed));
        answers.tell("limited", words(self.traffic.set_limit(channel, 7.5).await));
        let seen = |traffic: Traffic| (traffic.limit, traffic.breaker);
        answers.tell("seen", words(self.traffic.look(channel).await.map(seen)));
        let open = Traffic::usual(channel).troubled("AccountSuspendedException", &RetryPolicy::default(), at(NOW));
        answers.tell("opened", words(self.traffic.set_breaker(channel, &open).await));
        answers.tell("seen", words(self.traffic.look(channel).await.map(seen)));
        let closed = self.traffic.set_breaker(channel, &Breaker::Closed).await;
        answers.tell("closed", words(closed));
        answers.tell("seen", words(self.traffic.look(channel).await.map(seen)));
    }

    /// Waiting, so far ahead that nobody wakes it but this script.
    async fn wait(&self, answers: &mut Answers) {
        answers.about("waiting");
        let user = UserId::try_from(format!("sleeper-{}", self.run)).ok();
        let requests = [1, 2].map(|nth| DeliveryRequest {
            id: self.id(nth),
            user: user.clone(),
            not_before: Some(at(FAR + i64::from(nth))),
            ..email_request(&shipped("a", "1", at(NOW)))
        });
        for call in ["deferred", "deferred again"] {
            answers.tell(
                call,
                self.room
                    .defer(&requests)
                    .await
                    .iter()
                    .map(Result::is_ok)
                    .collect::<Vec<_>>(),
            );
        }
        let first = Place::of(self.id(1), Channel::Email, at(FAR + 1));
        answers.tell("due before", self.waiting(FAR, None).await);
        answers.tell("due by the first moment", self.waiting(FAR + 1, None).await);
        answers.tell("due by both", self.waiting(FAR + 2, None).await);
        answers.tell("due behind the first", self.waiting(FAR + 2, Some(&first)).await);
        for (call, user) in [
            ("woken", user.clone()),
            ("nobody woken", UserId::try_from(format!("nobody-{}", self.run)).ok()),
        ] {
            if let Some(user) = user {
                answers.tell(call, self.room.wake_all_of(&user, at(FAR - 9)).await.ok());
            }
        }
        answers.tell("due when woken", self.waiting(FAR - 9, None).await);
        let places = [1, 2].map(|nth| Place::of(self.id(nth), Channel::Email, at(FAR - 9)));
        for call in ["forgotten", "forgotten again"] {
            answers.tell(
                call,
                self.room
                    .forget(&places)
                    .await
                    .iter()
                    .map(Result::is_ok)
                    .collect::<Vec<_>>(),
            );
        }
        answers.tell("due at last", self.waiting(FAR + 2, None).await);
    }

    /// What waits of this run.
    async fn waiting(&self, by: i64, behind: Option<&Place>) -> Vec<(String, bool)> {
        let shard = Place::of(self.id(1), Channel::Email, at(by)).shard;
        let due = self.room.due(&shard, at(by), behind).await.unwrap_or_default();
        let own = due.into_iter().filter(|deferred| {
            let mut ids = [1, 2].map(|nth| self.id(nth).to_string()).into_iter();
            ids.any(|id| deferred.place.wake.contains(&id))
        });
        own.map(|deferred| (deferred.place.wake, DeliveryRequest::from_wire(&deferred.text).is_ok()))
            .collect()
    }

    /// The day of a number, and the month's segments. The month is long over, and this run's own.
    async fn count_texts(&self, answers: &mut Answers) {
        answers.about("text messages");
        let number = Contact::of(Channel::Sms, &format!("+34-{}", self.run));
        for (call, nth, limit) in [
            ("first of two", 1, 2),
            ("second of two", 2, 2),
            ("third of two", 3, 2),
            ("second again", 2, 2),
            ("third of three", 3, 3),
        ] {
            let counted = self.allowance.count(&number, self.id(nth), limit, at(NOW)).await;
            answers.tell(call, words(counted));
        }
        let months = i64::try_from(self.run % 10_000).unwrap_or_default();
        let then = at(NOW + months * 31 * 86_400);
        for (call, nth, limit) in [
            ("a budget of one", 1, 1),
            ("first two of three", 1, 3),
            ("next two of three", 2, 3),
            ("first again", 1, 3),
            ("next two of four", 2, 4),
        ] {
            let reserved = self.allowance.reserve(self.id(nth), 2, limit, then).await;
            answers.tell(call, words(reserved));
        }
    }
}

impl<L, P, M, T, A, I, W> Script<'_, L, P, M, T, A, I, W>
where
    I: InboxLoad + InboxMark + Put,
{
    /// Notes that are put, put again, paged through and marked, and those of another customer.
    async fn read_an_inbox(&self, answers: &mut Answers) {
        answers.about("inbox");
        let user = |name: &str| UserId::try_from(format!("{name}-{}", self.run));
        let (Ok(ana), Ok(luis)) = (user("ana"), user("luis")) else {
            return;
        };
        for nth in 1..=4 {
            self.inbox.put(&ana, &note(nth, at(NOW + i64::from(nth)))).await;
        }
        // Of the same moment, and of another customer.
        self.inbox.put(&ana, &note(5, at(NOW + 4))).await;
        self.inbox.put(&luis, &note(1, at(NOW))).await;
        answers.tell("unread", words(self.inbox.unread(&ana).await));
        let second = note(2, at(NOW)).id;
        for (call, user, id) in [
            ("marked", &ana, second),
            ("marked again", &ana, second),
            ("marked in another's", &luis, second),
        ] {
            answers.tell(call, words(self.inbox.mark(user, id, at(NOW + 10)).await));
        }
        self.inbox.put(&ana, &note(2, at(NOW + 99))).await;
        for (call, unread_only) in [("all", false), ("the unread", true)] {
            let mut from = None;
            for page in 1..=3 {
                let read = self.inbox.page(&ana, from, 2, unread_only).await;
                answers.tell(
                    &format!("{call}, page {page}"),
                    read.as_ref().map(titles).map_err(|error| domain::chain(error)),
                );
                from = read.ok().and_then(|page| page.next);
                if from.is_none() {
                    break;
                }
            }
        }
        answers.tell(
            "all marked until then",
            words(self.inbox.mark_all(&ana, at(NOW + 3)).await),
        );
        answers.tell("unread", words(self.inbox.unread(&ana).await));
        answers.tell("all marked", words(self.inbox.mark_all(&ana, at(NOW + 10)).await));
        answers.tell("unread", words(self.inbox.unread(&ana).await));
        answers.tell("unread by another", words(self.inbox.unread(&luis).await));
    }
}

/// What a page shows, and whether there is another.
fn titles(page: &InboxPage) -> (Vec<(String, bool)>, bool) {
    let shown = page
        .notes
        .iter()
        .map(|note| (note.title.clone(), note.read_at.is_some()));
    (shown.collect(), page.next.is_some())
}

fn lease(owner: &str) -> Lease {
    Lease {
        owner: owner.to_owned(),
        until: at(NOW + 90),
    }
}

fn words<T>(answer: Result<T, Unavailable>) -> Result<T, String> {
    answer.map_err(|error| domain::chain(&error))
}

/// What the ledger had to say, without what we told it ourselves.
fn recorded(answers: Vec<Result<Recorded, Unavailable>>) -> Vec<Result<Recorded, String>> {
    answers.into_iter().map(words).collect()
}

fn advanced(answers: Vec<Result<Advanced, Unavailable>>) -> Vec<Result<Advanced, String>> {
    answers.into_iter().map(words).collect()
}

/// A run of its own, from the time.
#[must_use]
pub fn run_of(now: Timestamp) -> u64 {
    u64::try_from(now.as_millisecond()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        MemoryAllowance, MemoryCustomers, MemoryInbox, MemoryLedger, MemoryMessages, MemoryTraffic, MemoryWaitingRoom,
    };

    #[tokio::test]
    async fn the_twins_answer_as_the_stack_did() {
        let script = Script {
            ledger: &MemoryLedger::default(),
            customers: &MemoryCustomers::default(),
            messages: &MemoryMessages::default(),
            traffic: &MemoryTraffic::default(),
            allowance: &MemoryAllowance::default(),
            inbox: &MemoryInbox::default(),
            room: &MemoryWaitingRoom::default(),
            run: 7_000_000_001,
        };
        let told = script.play().await;
        for (twin, stack) in told.lines().zip(ANSWERS.lines()) {
            assert_eq!(twin, stack);
        }
        assert_eq!(told.lines().count(), ANSWERS.lines().count());
    }
}
