//! Traffic in DynamoDB: one item per channel for pace and breaker, one per window for its permits.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::get_item::builders::GetItemInputBuilder;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemInputBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use domain::ports::{Clock, TrafficKeep, TrafficShare, Unavailable};
use domain::{Asked, Breaker, Channel, Slowed, Traffic, Window};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::SqsTroubleBell;
use crate::answer::{in_few_words, was_written};
use crate::calls::{DynamoDb, Sqs};
use crate::item::{Item, map_of, moment, moment_of, number, number_of, text, text_of};

/// So old may an answer be, unless this process itself wrote something meanwhile.
const REMEMBERED_FOR: SignedDuration = SignedDuration::from_secs(10);

/// A window is of no use once it is over; the table forgets it after this time.
const WINDOW_KEPT_FOR: SignedDuration = SignedDuration::from_hours(1);

/// Patience asked for many times within this time counts once.
const COUNTS_ONCE: SignedDuration = SignedDuration::from_secs(1);

const LOOKING: &str = "look up what the account may send";
const ASKING: &str = "ask for permits to send";
const SLOWING: &str = "tell the other senders to slow down";
const BREAKING: &str = "write down whether the account may send";
const LIMITING: &str = "write down how fast the account may send";

/// The table of the system's state, as far as it is about traffic.
#[derive(Debug)]
pub struct DynamoTraffic<C, D = Client, S = aws_sdk_sqs::Client> {
    client: D,
    table: String,
    clock: C,
    sms_limit: Option<f64>,
    bell: Option<SqsTroubleBell<S>>,
    remembered_for: SignedDuration,
    memory: Mutex<Memory>,
}

/// What was read some seconds ago, and how often this process wrote.
#[derive(Debug, Default)]
struct Memory {
    writes: u64,
    seen: HashMap<Channel, (Timestamp, Traffic)>,
}

impl<C: Clock> DynamoTraffic<C> {
    /// The table of that name, for the keeper of the queues: nothing is remembered, because everybody else goes by what it
    /// decides, and no bell is rung, because it would ring for itself.
    #[must_use]
    pub fn for_keeper(client: Client, table: String, clock: C) -> Self {
        Self {
            client,
            table,
            clock,
            sms_limit: None,
            bell: None,
            remembered_for: SignedDuration::ZERO,
            memory: Mutex::default(),
        }
    }
}

impl<C: Clock, D: DynamoDb, S: Sqs> DynamoTraffic<C, D, S> {
    /// The table of that name, for a sender: an answer is remembered for ten seconds of this clock, unless a breaker is open,
    /// and the bell is rung when one opens.
    #[must_use]
    pub fn for_sender(client: D, table: String, clock: C, bell: SqsTroubleBell<S>) -> Self {
        Self {
            client,
            table,
            clock,
            sms_limit: None,
            bell: Some(bell),
            remembered_for: REMEMBERED_FOR,
            memory: Mutex::default(),
        }
    }

    /// The same, with this limit (text messages per second) as long as the table holds none.
    #[must_use]
    pub fn with_sms_limit(self, limit: f64) -> Self {
        Self {
            sms_limit: Some(limit),
            ..self
        }
    }

    fn usual(&self, channel: Channel) -> Traffic {
        let usual = Traffic::usual(channel);
        let limit = self.sms_limit.filter(|_| channel == Channel::Sms);
        Traffic {
            limit: limit.unwrap_or(usual.limit),
            ..usual
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was seen before a write of this process is forgotten, and what is being read while it writes is not kept.
    fn forget(&self, channel: Channel) {
        let mut memory = self.memory();
        memory.writes = memory.writes.wrapping_add(1);
        memory.seen.remove(&channel);
    }

    fn update(&self, name: String) -> UpdateItemInputBuilder {
        UpdateItemInputBuilder::default()
            .table_name(&self.table)
            .key("name", text(name))
    }

    /// Writes. A condition that does not hold means that somebody else has said so already.
    async fn write(
        &self,
        channel: Channel,
        update: UpdateItemInputBuilder,
        doing: &'static str,
    ) -> Result<(), Unavailable> {
        let answer = self.client.update_item(update).await;
        self.forget(channel);
        was_written(answer, UpdateItemError::is_conditional_check_failed_exception, doing).map(|_was_written| ())
    }
}

impl<C: Clock, D: DynamoDb, S: Sqs> TrafficShare for DynamoTraffic<C, D, S> {
    async fn look(&self, channel: Channel) -> Result<Traffic, Unavailable> {
        let now = self.clock.now();
        let writes_before = {
            let memory = self.memory();
            if let Some((seen_at, traffic)) = memory.seen.get(&channel)
                && (SignedDuration::ZERO..self.remembered_for).contains(&now.duration_since(*seen_at))
            {
                return Ok(traffic.clone());
            }
            memory.writes
        };
        let request = GetItemInputBuilder::default()
            .table_name(&self.table)
            .key("name", text(traffic_name(channel)))
            .consistent_read(true);
        let answer = self.client.get_item(request).await;
        let usual = self.usual(channel);
        let traffic = match answer {
            Ok(output) => output
                .item
                .map_or_else(|| usual.clone(), |item| traffic_of(&item, &usual)),
            Err(error) => return Err(Unavailable::new(LOOKING, in_few_words(&error))),
        };
        let mut memory = self.memory();
        // An open breaker is looked up each time: whoever went by it once the queues flow again would hold back what may go.
        if memory.writes == writes_before && !traffic.breaker.is_open() {
            memory.seen.insert(channel, (now, traffic.clone()));
        }
        Ok(traffic)
    }

    async fn ask(&self, channel: Channel, window: &Window, is_urgent: bool, count: u32) -> Result<Asked, Unavailable> {
        let expires_at = window.ends_at.saturating_add(WINDOW_KEPT_FOR).unwrap_or(window.ends_at);
        // The SDK may repeat it after a lost reply: then some permits are counted twice and go unused, never the other way.
        let update = self
            .update(format!("window#{channel}#{}", window.name))
            .update_expression("SET #expires = :expires ADD #lane :count")
            .expression_attribute_names("#expires", "expiresAt")
            .expression_attribute_names("#lane", if is_urgent { "urgent" } else { "normal" })
            .expression_attribute_values(":expires", number(expires_at.as_second()))
            .expression_attribute_values(":count", number(count))
            .return_values(ReturnValue::AllNew);
        match self.client.update_item(update).await {
            Ok(output) => {
                let counted = output.attributes.unwrap_or_default();
                let so_far = |lane: &str| number_of(&counted, lane).unwrap_or(0);
                Ok(Asked {
                    normal: so_far("normal"),
                    urgent: so_far("urgent"),
                })
            }
            Err(error) => Err(Unavailable::new(ASKING, in_few_words(&error))),
        }
    }

    async fn slow_down(&self, channel: Channel, slowed: Slowed) -> Result<(), Unavailable> {
        let before = slowed.at.saturating_sub(COUNTS_ONCE).unwrap_or(slowed.at);
        let update = self
            .update(traffic_name(channel))
            .update_expression("SET #to = :to, #at = :at")
            .condition_expression("attribute_not_exists(#at) OR #at <= :before")
            .expression_attribute_names("#to", "slowedTo")
            .expression_attribute_names("#at", "slowedAt")
            .expression_attribute_values(":to", number(slowed.to))
            .expression_attribute_values(":at", moment(slowed.at))
            .expression_attribute_values(":before", moment(before));
        self.write(channel, update, SLOWING).await
    }

    async fn set_breaker(&self, channel: Channel, breaker: &Breaker) -> Result<(), Unavailable> {
        let update = self
            .update(traffic_name(channel))
            .expression_attribute_names("#breaker", "breaker");
        let update = match breaker_item(breaker) {
            Some(open) => update
                .update_expression("SET #breaker = :open")
                .expression_attribute_values(":open", AttributeValue::M(open)),
            None => update.update_expression("REMOVE #breaker"),
        };
        self.write(channel, update, BREAKING).await?;
        if let (Some(bell), true) = (&self.bell, breaker.is_open()) {
            bell.ring(channel).await;
        }
        Ok(())
    }
}

impl<C: Clock, D: DynamoDb, S: Sqs> TrafficKeep for DynamoTraffic<C, D, S> {
    async fn set_limit(&self, channel: Channel, limit: f64) -> Result<(), Unavailable> {
        let update = self
            .update(traffic_name(channel))
            .update_expression("SET #limit = :limit")
            .expression_attribute_names("#limit", "limit")
            .expression_attribute_values(":limit", number(limit));
        self.write(channel, update, LIMITING).await
    }
}

fn traffic_name(channel: Channel) -> String {
    format!("traffic#{channel}")
}

fn traffic_of(item: &Item, usual: &Traffic) -> Traffic {
    let slowed = number_of(item, "slowedTo").zip(moment_of(item, "slowedAt"));
    Traffic {
        limit: number_of(item, "limit")
            .filter(|limit| *limit > 0.0)
            .unwrap_or(usual.limit),
        slowed: slowed.map(|(to, at)| Slowed { to, at }),
        breaker: map_of(item, "breaker").map_or(Breaker::Closed, breaker_of),
    }
}

/// An open breaker; a closed one is not there.
fn breaker_item(breaker: &Breaker) -> Option<Item> {
    match breaker {
        Breaker::Closed => None,
        Breaker::Open {
            since,
            reason,
            troubles,
            probe_at,
        } => Some(Item::from([
            ("since".to_owned(), moment(*since)),
            ("reason".to_owned(), text(reason.as_str())),
            ("troubles".to_owned(), number(troubles)),
            ("probeAt".to_owned(), moment(*probe_at)),
        ])),
    }
}

/// One that is there is open, whatever can be read of it; the next trial closes it.
fn breaker_of(item: &Item) -> Breaker {
    Breaker::Open {
        since: moment_of(item, "since").unwrap_or(Timestamp::UNIX_EPOCH),
        reason: text_of(item, "reason").unwrap_or("unreadable").to_owned(),
        troubles: number_of(item, "troubles").unwrap_or(1),
        probe_at: moment_of(item, "probeAt").unwrap_or(Timestamp::UNIX_EPOCH),
    }
}

#[cfg(test)]
mod tests;
