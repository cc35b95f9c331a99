//! Queues as SQS keeps them: hidden while somebody works on them, at least once, moved aside after too many receives.

use domain::ports::DeadLetter;
use domain::{Channel, DeliveryRequest};
use invariants::{Fate, Forgotten, Key, What, Word};
use jiff::SignedDuration;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use crate::invocation::Function;
use crate::world::{Due, State, Who, World};

/// How long a received message is hidden.
const VISIBILITY_MS: i64 = 180_000;

/// A queue that somebody is woken up by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Order events, all of them.
    Notifications,
    /// Copies of what is urgent.
    NotificationsUrgent,
    /// E-mails.
    Email,
    /// Urgent e-mails.
    EmailUrgent,
    /// Text messages.
    Sms,
    /// Urgent text messages.
    SmsUrgent,
    /// Notes for inboxes.
    InApp,
    /// Urgent notes.
    InAppUrgent,
    /// What providers report.
    DeliveryEvents,
}

impl Lane {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Notifications,
        Self::NotificationsUrgent,
        Self::Email,
        Self::EmailUrgent,
        Self::Sms,
        Self::SmsUrgent,
        Self::InApp,
        Self::InAppUrgent,
        Self::DeliveryEvents,
    ];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Notifications => "notifications",
            Self::NotificationsUrgent => "notifications-urgent",
            Self::Email => "email",
            Self::EmailUrgent => "email-urgent",
            Self::Sms => "sms",
            Self::SmsUrgent => "sms-urgent",
            Self::InApp => "in-app",
            Self::InAppUrgent => "in-app-urgent",
            Self::DeliveryEvents => "delivery-events",
        }
    }

    pub(crate) fn url(self) -> String {
        format!("https://sqs.eu-west-1.amazonaws.com/0/{}", self.name())
    }

    pub(crate) fn arn(self) -> String {
        format!("arn:aws:sqs:eu-west-1:0:{}", self.name())
    }

    pub(crate) const fn function(self) -> Function {
        match self {
            Self::Notifications | Self::NotificationsUrgent => Function::Orchestrator,
            Self::Email | Self::EmailUrgent => Function::EmailSender,
            Self::Sms | Self::SmsUrgent => Function::SmsSender,
            Self::InApp | Self::InAppUrgent => Function::InAppSender,
            Self::DeliveryEvents => Function::DeliveryEvents,
        }
    }

    /// How many invocations it feeds at once.
    const fn concurrency(self) -> u32 {
        match self {
            Self::Notifications | Self::Email | Self::InApp => 10,
            Self::NotificationsUrgent | Self::EmailUrgent | Self::Sms | Self::InAppUrgent | Self::DeliveryEvents => 5,
            Self::SmsUrgent => 2,
        }
    }

    const fn most_receives(self) -> u32 {
        match self {
            Self::Notifications | Self::NotificationsUrgent | Self::DeliveryEvents => 50,
            Self::Email | Self::EmailUrgent | Self::Sms | Self::SmsUrgent | Self::InApp | Self::InAppUrgent => 1_000,
        }
    }

    /// How long a batch is gathered.
    const fn window_ms(self) -> i64 {
        match self {
            Self::NotificationsUrgent | Self::EmailUrgent | Self::SmsUrgent | Self::InAppUrgent => 20,
            Self::Notifications | Self::Email | Self::Sms | Self::InApp | Self::DeliveryEvents => 1_000,
        }
    }

    pub(crate) const fn of_channel(channel: Channel, is_urgent: bool) -> Self {
        match (channel, is_urgent) {
            (Channel::Sms, false) => Self::Sms,
            (Channel::Sms, true) => Self::SmsUrgent,
            (Channel::InApp, false) => Self::InApp,
            (Channel::InApp, true) => Self::InAppUrgent,
            (Channel::Email | Channel::Push, false) => Self::Email,
            (Channel::Email | Channel::Push, true) => Self::EmailUrgent,
        }
    }

    const fn is_source(self) -> bool {
        matches!(self, Self::Notifications | Self::NotificationsUrgent)
    }

    fn with_url(url: &str) -> Option<Self> {
        let name = url.rsplit('/').next()?;
        Self::ALL.into_iter().find(|lane| lane.name() == name)
    }
}

/// What the recorder knows of a message.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tag {
    /// The publication that it is a copy of.
    pub(crate) publication: Option<u64>,
    /// The delivery that it asks for.
    pub(crate) delivery: Option<Key>,
    /// The message of which it is the `Send` event.
    pub(crate) sent: Option<(Key, u64)>,
}

struct Message {
    body: Rc<str>,
    sent_at: i64,
    receives: u32,
    receipt: u64,
    visible_at: i64,
    tag: Tag,
}

/// A queue.
pub(crate) struct Queue {
    lane: Lane,
    messages: HashMap<u64, Message>,
    by_time: BTreeSet<(i64, u64)>,
    pub(crate) is_flowing: bool,
    pub(crate) running: u32,
    looked_into_at: Option<i64>,
}

/// A message that somebody works on.
#[derive(Clone)]
pub(crate) struct Taken {
    pub(crate) id: u64,
    pub(crate) receipt: u64,
    pub(crate) receives: u32,
    pub(crate) body: Rc<str>,
    pub(crate) sent_at: i64,
    pub(crate) tag: Tag,
}

/// A letter in a dead letter queue.
#[derive(Clone)]
pub(crate) struct Letter {
    pub(crate) number: u64,
    pub(crate) lane: Lane,
    pub(crate) body: Rc<str>,
    pub(crate) reason: Option<String>,
    pub(crate) tag: Tag,
}

impl Queue {
    pub(crate) fn new(lane: Lane) -> Self {
        Self {
            lane,
            messages: HashMap::new(),
            by_time: BTreeSet::new(),
            is_flowing: true,
            running: 0,
            looked_into_at: None,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.messages.len()
    }

    /// How many are being worked on, or hidden for another reason.
    pub(crate) fn hidden(&self, now: i64) -> usize {
        self.by_time.range((now + 1, 0)..).count()
    }

    fn show(&mut self, id: u64, at: i64) {
        if let Some(message) = self.messages.get_mut(&id) {
            self.by_time.remove(&(message.visible_at, id));
            message.visible_at = at;
            self.by_time.insert((at, id));
        }
    }

    fn forget(&mut self, id: u64) -> Option<Message> {
        let message = self.messages.remove(&id)?;
        self.by_time.remove(&(message.visible_at, id));
        Some(message)
    }
}

impl State {
    pub(crate) fn queue(&mut self, lane: Lane) -> &mut Queue {
        #[expect(clippy::indexing_slicing, reason = "one for each")]
        &mut self.queues[lane as usize]
    }

    pub(crate) fn put(&mut self, lane: Lane, body: Rc<str>, tag: Tag, delay_ms: i64) {
        let (id, now) = (self.number(), self.now);
        let queue = self.queue(lane);
        let visible_at = now + delay_ms;
        queue.messages.insert(
            id,
            Message {
                body,
                sent_at: now,
                receives: 0,
                receipt: 0,
                visible_at,
                tag,
            },
        );
        queue.by_time.insert((visible_at, id));
        self.look_into(lane, visible_at + lane.window_ms());
    }

    /// Makes sure that somebody looks into this queue by then.
    fn look_into(&mut self, lane: Lane, at: i64) {
        let queue = self.queue(lane);
        if queue.looked_into_at.is_none_or(|known| known > at) {
            queue.looked_into_at = Some(at);
            self.plan(at, Due::Pump(lane));
        }
    }

    /// Up to so many visible messages.
    fn receive(&mut self, lane: Lane, most: usize, twice: f64) -> Vec<Taken> {
        let now = self.now;
        let mut taken = Vec::new();
        while taken.len() < most {
            let queue = self.queue(lane);
            let Some((at, id)) = queue.by_time.first().copied() else {
                break;
            };
            if at > now {
                break;
            }
            let Some(message) = queue.messages.get_mut(&id) else {
                break;
            };
            message.receives += 1;
            message.receipt += 1;
            if message.receives > lane.most_receives() {
                self.set_aside(lane, id);
                continue;
            }
            taken.push(Taken {
                id,
                receipt: message.receipt,
                receives: message.receives,
                body: Rc::clone(&message.body),
                sent_at: message.sent_at,
                tag: message.tag,
            });
            let is_given_twice = self.chance(twice);
            let visible_at = match is_given_twice {
                // At once: into the same batch, which a queue may do.
                true => now + self.rng.i64(-500..3_000).max(0),
                false => now + VISIBILITY_MS,
            };
            self.queue(lane).show(id, visible_at);
        }
        taken
    }

    /// The queue itself moves a message to the dead letters.
    fn set_aside(&mut self, lane: Lane, id: u64) {
        let Some(message) = self.queue(lane).forget(id) else {
            return;
        };
        if let (Some(publication), true) = (message.tag.publication, lane.is_source()) {
            self.tell(What::SourceForgot {
                message: publication,
                to: Forgotten::DeadLetter,
            });
        }
        self.add_letter(lane, message.body, None, message.tag);
    }

    fn add_letter(&mut self, lane: Lane, body: Rc<str>, reason: Option<String>, tag: Tag) {
        self.tell(What::DeadLettered {
            queue: Word::Borrowed(lane.name()),
            message: tag.publication,
            delivery: tag.delivery,
            reason: reason.clone().map(Word::Owned),
        });
        let number = self.number();
        self.letters.push(Letter {
            number,
            lane,
            body,
            reason,
            tag,
        });
    }

    /// The work on a message is said to be done.
    pub(crate) fn done(&mut self, lane: Lane, taken: &Taken, undeleted: f64) {
        if let Some((delivery, message_id)) = taken.tag.sent {
            self.tell(What::SendEvent {
                delivery,
                message_id,
                fate: Fate::Delivered,
            });
        }
        if self.chance(undeleted) {
            return;
        }
        if self.queue(lane).forget(taken.id).is_some()
            && let (Some(message), true) = (taken.tag.publication, lane.is_source())
        {
            self.tell(What::SourceForgot {
                message,
                to: Forgotten::Done,
            });
        }
    }

    /// Messages in all queues but the dead letters.
    pub(crate) fn waiting(&self) -> u64 {
        self.queues.iter().map(|queue| queue.len() as u64).sum()
    }
}

impl World {
    /// Wakes functions up while there is somebody to wake and something to do.
    pub(crate) fn pump(self: &std::rc::Rc<Self>, lane: Lane) {
        {
            let mut state = self.state();
            let now = state.now;
            let queue = state.queue(lane);
            if queue.looked_into_at.is_some_and(|at| at <= now) {
                queue.looked_into_at = None;
            }
        }
        loop {
            let batch = {
                let mut state = self.state();
                let queue = state.queue(lane);
                if !queue.is_flowing || queue.running >= lane.concurrency() {
                    return;
                }
                state.receive(lane, 10, self.setting.twice)
            };
            if batch.is_empty() {
                break;
            }
            self.state().queue(lane).running += 1;
            self.start_on(lane, batch, false);
        }
        let mut state = self.state();
        let first = state.queue(lane).by_time.first().copied();
        if let Some((at, _)) = first {
            state.look_into(lane, at + 1);
        }
    }

    /// The channels whose queues are held, and hold something back, although their breaker is closed.
    pub(crate) fn held_in_vain(&self) -> Vec<Channel> {
        let mut state = self.state();
        let mut held = Vec::new();
        for channel in Channel::METERED {
            let is_open = state.traffic(channel).breaker.is_open();
            let lanes = [false, true].map(|is_urgent| Lane::of_channel(channel, is_urgent));
            let mut lanes = lanes.into_iter();
            if !is_open && lanes.any(|lane| !state.queue(lane).is_flowing) {
                held.push(channel);
            }
        }
        held
    }

    /// A person lets the queues of a channel flow.
    pub(crate) fn let_flow(&self, channel: Channel) {
        set_valve(&mut self.state(), &Who::nobody(), &(channel, true));
    }

    /// One waiting message of a channel, for a trial.
    pub(crate) fn take_one(&self, channel: Channel) -> Option<(Lane, Taken)> {
        [true, false].into_iter().find_map(|is_urgent| {
            let lane = Lane::of_channel(channel, is_urgent);
            let taken = self.state().receive(lane, 1, 0.0).pop()?;
            Some((lane, taken))
        })
    }
}

/// A message is put on a queue by one of us.
pub(crate) fn enqueue(state: &mut State, _who: &Who, (lane, body, tag): &(Lane, Rc<str>, Tag)) {
    state.put(*lane, Rc::clone(body), *tag, 0);
}

/// A delivery is handed over.
pub(crate) fn hand_over(state: &mut State, who: &Who, (request, delay): &(DeliveryRequest, SignedDuration)) {
    let tag = Tag {
        delivery: Some(state.key(request.id, request.channel)),
        ..Tag::default()
    };
    // SQS takes whole seconds.
    let seconds = (delay.as_millis() + 999) / 1_000;
    let delay_ms = i64::try_from(seconds).unwrap_or(i64::MAX).clamp(0, 900) * 1_000;
    let lane = Lane::of_channel(request.channel, request.is_urgent);
    state.put(lane, wire(who, request).into(), tag, delay_ms);
}

/// The request as this process writes it.
pub(crate) fn wire(who: &Who, request: &DeliveryRequest) -> String {
    let body = request.to_wire();
    match who.is_old {
        // The version before left out what is not there.
        true => body
            .replace(",\"not_before\":null", "")
            .replace(",\"scheduled_for\":null", "")
            .replace(",\"user\":null", ""),
        false => body,
    }
}

/// A letter is put into a dead letter queue by one of us.
pub(crate) fn bury(state: &mut State, _who: &Who, (lane, letter, tag): &(Lane, DeadLetter, Tag)) {
    state.add_letter(*lane, letter.body.as_str().into(), Some(letter.reason.clone()), *tag);
}

/// A message is hidden, if whoever asks holds it.
pub(crate) fn hold_back(state: &mut State, _who: &Who, (url, receipt, seconds): &(String, String, i64)) {
    let Some(lane) = Lane::with_url(url) else { return };
    let mut numbers = receipt.split('-').filter_map(|text| text.parse::<u64>().ok());
    let (Some(id), Some(receipt)) = (numbers.next(), numbers.next()) else {
        return;
    };
    let at = state.now + (*seconds).clamp(0, 43_200 - 600) * 1_000;
    let queue = state.queue(lane);
    if queue
        .messages
        .get(&id)
        .is_some_and(|message| message.receipt == receipt)
    {
        queue.show(id, at);
        state.look_into(lane, at + 1);
    }
}

/// The queues of a channel are held, or let flow.
pub(crate) fn set_valve(state: &mut State, _who: &Who, (channel, is_flowing): &(Channel, bool)) {
    if !is_flowing {
        // The monitor comes every minute. Here it comes while there is something to look after.
        let at = state.now + 1;
        state.plan(at, Due::Do(Box::new(|world| world.watch_soon(60_000))));
    }
    for is_urgent in [false, true] {
        let lane = Lane::of_channel(*channel, is_urgent);
        let now = state.now;
        state.queue(lane).is_flowing = *is_flowing;
        if *is_flowing {
            state.look_into(lane, now + 1);
        }
    }
}

impl Queue {
    /// Which one it is.
    pub(crate) const fn lane(&self) -> Lane {
        self.lane
    }
}
