//! What this function did for each record of a batch, told to the trace of that record.
//!
//! Lambda gives a batch one trace, of the invocation. The order's own came with its record: there a segment says how long the
//! record waited in its queue, and another one what was done for it, by which calls. Where no record is traced and the invocation
//! is not either, nothing is looked at, kept or sent.

use domain::ports::{
    Advanced, Clock, Courier, Customers, CustomersLoad, Defer, Draft, HandOver, LedgerAdvance, LedgerRecord,
    NotWritten, OrderNews, Recorded, SendAnswer, Step, TrafficShare, Unavailable,
};
use domain::{
    Asked, Breaker, Channel, Contact, DeliveryRequest, News, Notification, NotificationId, OrderId, Slowed,
    TraceContext, Traffic, UserId, Window,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use crate::segment::{Call, Daemon, End, MAX_CALLS, Segment, new_id};
use crate::{QueueMessage, Variables};

/// Where traces are told, and the trace of this invocation. The default tells nobody.
#[derive(Debug, Clone, Default)]
pub struct Traces {
    post: Option<Rc<Post>>,
    invocation: Option<TraceContext>,
}

/// The daemon, looked for when the first trace is to be told, and the name under which this function tells it.
#[derive(Debug, Default)]
pub(crate) struct Post {
    found: OnceCell<Option<(Daemon, String)>>,
}

impl Traces {
    /// Those of this process: they go to the daemon that Lambda names.
    pub(crate) fn of_process() -> Self {
        Self {
            post: Some(Rc::default()),
            invocation: None,
        }
    }

    /// The same, in an invocation with this header of Lambda's.
    pub(crate) fn within(&self, header: Option<&str>) -> Self {
        Self {
            post: self.post.clone(),
            invocation: header.and_then(TraceContext::of_header),
        }
    }

    /// Those of a function of this name, told to the daemon at this address, for tests.
    #[cfg(test)]
    pub(crate) fn told_to(address: &str, function: &str, invocation: Option<TraceContext>) -> Self {
        let post = Post::default();
        let _first = post
            .found
            .set(Daemon::at(address).map(|daemon| (daemon, function.to_owned())));
        Self {
            post: Some(Rc::new(post)),
            invocation,
        }
    }

    /// Where the invocation is in its own trace, if that is kept.
    #[must_use]
    pub const fn invocation(&self) -> Option<TraceContext> {
        self.invocation
    }

    fn daemon(&self) -> Option<&(Daemon, String)> {
        let found = self.post.as_ref()?.found.get_or_init(|| {
            let variables = Variables::of_process();
            let daemon = Daemon::at(&variables.optional("AWS_XRAY_DAEMON_ADDRESS")?)?;
            Some((daemon, variables.optional("AWS_LAMBDA_FUNCTION_NAME")?))
        });
        found.as_ref()
    }
}

/// The records of one round, each in its own trace, and the calls that are made for them.
#[derive(Debug)]
pub(crate) struct Journeys<'r, C> {
    traces: &'r Traces,
    records: &'r [QueueMessage],
    clock: &'r C,
    /// Nothing where nobody is traced.
    under_way: Option<UnderWay>,
}

#[derive(Debug)]
struct UnderWay {
    begun: Timestamp,
    /// One for each record.
    journeys: Vec<Option<Journey>>,
    calls: RefCell<Vec<(Option<NotificationId>, Call)>>,
}

#[derive(Debug, Clone, Copy)]
struct Journey {
    came_by: TraceContext,
    waiting: u64,
    working: u64,
}

/// What became of a record.
#[derive(Debug)]
pub(crate) struct Arrival {
    /// The notification that it is about.
    pub(crate) about: Option<NotificationId>,
    /// The channel by which that goes.
    pub(crate) channel: Option<Channel>,
    /// What became of it, in a word or two: no personal data.
    pub(crate) outcome: String,
    /// Whether that is a good end.
    pub(crate) end: End,
}

impl<'r, C: Clock> Journeys<'r, C> {
    /// Looks whether these records are traced. One that came without a trace, in an invocation that is traced, begins one of its
    /// own, so that a batch of ten orders does not become one trace.
    pub(crate) fn begin(traces: &'r Traces, records: &'r [QueueMessage], clock: &'r C) -> Self {
        let is_traced = traces.invocation.is_some() || records.iter().any(|record| record.trace.is_some());
        let under_way = (is_traced && traces.daemon().is_some()).then(|| {
            let begun = clock.now();
            let own = || {
                traces
                    .invocation
                    .map(|_| TraceContext::begun(begun, fastrand::u128(..)))
            };
            let journey = |record: &QueueMessage| {
                Some(Journey {
                    came_by: record.trace.or_else(own)?,
                    waiting: new_id(),
                    working: new_id(),
                })
            };
            UnderWay {
                begun,
                journeys: records.iter().map(journey).collect(),
                calls: RefCell::default(),
            }
        });
        Self {
            traces,
            records,
            clock,
            under_way,
        }
    }

    /// The records.
    pub(crate) const fn records(&self) -> &'r [QueueMessage] {
        self.records
    }

    /// The trace of what follows from a record: behind what is done for it here.
    pub(crate) fn onward(&self, index: usize) -> Option<TraceContext> {
        match &self.under_way {
            Some(under_way) => {
                let journey = under_way.journeys.get(index).copied().flatten()?;
                Some(journey.came_by.behind(journey.working))
            }
            None => self.records.get(index)?.trace,
        }
    }

    /// The same port, watched.
    pub(crate) const fn watch<'w, P>(&'w self, port: &'w P) -> Watched<'w, P, C> {
        Watched { port, journeys: self }
    }

    /// Tells what became of each record.
    pub(crate) fn end(&self, arrivals: impl Iterator<Item = Arrival>) {
        let (Some(under_way), Some((daemon, function))) = (&self.under_way, self.traces.daemon()) else {
            return;
        };
        let ended = self.clock.now();
        for ((record, journey), arrival) in self.records.iter().zip(&under_way.journeys).zip(arrivals) {
            let Some(journey) = journey else {
                continue;
            };
            let mut behind = journey.came_by;
            if let Some(sent_at) = record.sent_at {
                daemon.tell(&self.waited(record, journey, sent_at, under_way.begun).document());
                behind = behind.behind(journey.waiting);
            }
            let mut annotations: Vec<(&'static str, Value)> = vec![("outcome", arrival.outcome.into())];
            annotations.extend(arrival.about.map(|id| ("notification", id.to_string().into())));
            annotations.extend(arrival.channel.map(|channel| ("channel", channel.to_string().into())));
            // The batch that it was worked on in has a trace of its own.
            let invocation = self.traces.invocation.map(|trace| trace.trace_id());
            annotations.extend(invocation.map(|id| ("invocation", id.into())));
            let calls = under_way.calls.borrow();
            let of_this = calls
                .iter()
                .filter(|(about, _)| about.is_none() || *about == arrival.about);
            let segment = Segment {
                behind,
                id: journey.working,
                name: function.clone(),
                origin: "AWS::Lambda::Function",
                begun: under_way.begun,
                ended,
                annotations,
                end: arrival.end,
                calls: of_this.map(|(_, call)| *call).take(MAX_CALLS).collect(),
            };
            daemon.tell(&segment.document());
        }
    }

    fn waited(&self, record: &QueueMessage, journey: &Journey, sent_at: Timestamp, begun: Timestamp) -> Segment {
        Segment {
            behind: journey.came_by,
            id: journey.waiting,
            name: record.queue_arn.rsplit(':').next().unwrap_or_default().to_owned(),
            origin: "AWS::SQS::Queue",
            begun: sent_at,
            ended: begun,
            annotations: vec![("received", record.receive_count.into())],
            end: End::Well,
            calls: Vec::new(),
        }
    }

    /// Waits for a call, and notes when it was made: for all records, or for the one that is about this notification.
    async fn note<T>(
        &self,
        service: &'static str,
        deed: &'static str,
        about: Option<NotificationId>,
        call: impl Future<Output = T>,
    ) -> T {
        let Some(under_way) = &self.under_way else {
            return call.await;
        };
        let begun = self.clock.now();
        let answer = call.await;
        let call = Call {
            service,
            deed,
            begun,
            ended: self.clock.now(),
        };
        under_way.calls.borrow_mut().push((about, call));
        answer
    }
}

/// A port whose calls are noted.
#[derive(Debug)]
pub(crate) struct Watched<'w, P, C> {
    port: &'w P,
    journeys: &'w Journeys<'w, C>,
}

impl<P: CustomersLoad, C: Clock> CustomersLoad for Watched<'_, P, C> {
    async fn load(&self, users: &[UserId], contacts: &[Contact]) -> Result<Customers, Unavailable> {
        let call = self.port.load(users, contacts);
        self.journeys.note("DynamoDB", "read preferences", None, call).await
    }
}

impl<P: LedgerRecord, C: Clock> LedgerRecord for Watched<'_, P, C> {
    async fn record(&self, notifications: &[Notification]) -> Vec<Result<Recorded, Unavailable>> {
        let call = self.port.record(notifications);
        self.journeys.note("DynamoDB", "record the decision", None, call).await
    }
}

impl<P: LedgerAdvance, C: Clock> LedgerAdvance for Watched<'_, P, C> {
    async fn advance(&self, steps: &[Step]) -> Vec<Result<Advanced, Unavailable>> {
        let call = self.port.advance(steps);
        self.journeys.note("DynamoDB", "advance the ledger", None, call).await
    }
}

impl<P: OrderNews, C: Clock> OrderNews for Watched<'_, P, C> {
    async fn since(&self, orders: &[(OrderId, Timestamp)]) -> Result<HashMap<OrderId, Vec<News>>, Unavailable> {
        let call = self.port.since(orders);
        self.journeys.note("DynamoDB", "look for newer news", None, call).await
    }
}

impl<P: HandOver, C: Clock> HandOver for Watched<'_, P, C> {
    async fn hand_over(&self, requests: &[(DeliveryRequest, SignedDuration)]) -> Vec<Result<(), Unavailable>> {
        let call = self.port.hand_over(requests);
        self.journeys.note("SQS", "hand over", None, call).await
    }
}

impl<P: Defer, C: Clock> Defer for Watched<'_, P, C> {
    async fn defer(&self, requests: &[DeliveryRequest]) -> Vec<Result<(), Unavailable>> {
        let call = self.port.defer(requests);
        self.journeys.note("DynamoDB", "let wait", None, call).await
    }
}

impl<P: TrafficShare, C: Clock> TrafficShare for Watched<'_, P, C> {
    async fn look(&self, channel: Channel) -> Result<Traffic, Unavailable> {
        // Mostly remembered: a call of some milliseconds now and then.
        self.port.look(channel).await
    }

    async fn ask(&self, channel: Channel, window: &Window, is_urgent: bool, count: u32) -> Result<Asked, Unavailable> {
        let call = self.port.ask(channel, window, is_urgent, count);
        // Behind a channel without a provider's account there is nobody to ask.
        if !Channel::METERED.contains(&channel) {
            return call.await;
        }
        self.journeys.note("DynamoDB", "ask for permits", None, call).await
    }

    async fn slow_down(&self, channel: Channel, slowed: Slowed) -> Result<(), Unavailable> {
        let call = self.port.slow_down(channel, slowed);
        self.journeys.note("DynamoDB", "slow down", None, call).await
    }

    async fn set_breaker(&self, channel: Channel, breaker: &Breaker) -> Result<(), Unavailable> {
        let call = self.port.set_breaker(channel, breaker);
        self.journeys.note("DynamoDB", "set the breaker", None, call).await
    }
}

impl<P: Courier, C: Clock> Courier for Watched<'_, P, C> {
    type Message = P::Message;

    fn channel(&self) -> Channel {
        self.port.channel()
    }

    async fn write(&self, request: &DeliveryRequest) -> Result<Draft<P::Message>, NotWritten> {
        let call = self.port.write(request);
        match self.port.channel() {
            // What an e-mail takes is no call. A text message is also held to its limits.
            Channel::Email | Channel::Push | Channel::InApp => call.await,
            Channel::Sms => {
                self.journeys
                    .note("DynamoDB", "count the text message", Some(request.id), call)
                    .await
            }
        }
    }

    async fn send(&self, request: &DeliveryRequest, message: &P::Message) -> SendAnswer {
        let (service, deed) = match self.port.channel() {
            Channel::Email => ("SES", "send the e-mail"),
            Channel::Sms => ("SNS", "send the text message"),
            Channel::Push => ("SNS", "send the push message"),
            Channel::InApp => ("DynamoDB", "put the note into the inbox"),
        };
        let call = self.port.send(request, message);
        self.journeys.note(service, deed, Some(request.id), call).await
    }
}
