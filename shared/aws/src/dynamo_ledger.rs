//! The ledger in DynamoDB: conditions in batches, by PartiQL.
//!
//! `BatchExecuteStatement` takes up to 25 independent statements, each with its own condition and each failing alone
//! (DynamoDB Developer Guide, "Running batch operations with PartiQL"). A delivery is written as a whole, under a condition
//! on the claim time or on state and attempt, so that a batch of ten costs one request.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::operation::batch_execute_statement::builders::BatchExecuteStatementInputBuilder;
use aws_sdk_dynamodb::operation::query::builders::QueryInputBuilder;
use aws_sdk_dynamodb::types::{
    AttributeValue, BatchStatementErrorCodeEnum, BatchStatementRequest, BatchStatementResponse,
    ReturnValuesOnConditionCheckFailure,
};
use domain::ports::{Advanced, LedgerAdvance, LedgerLoad, LedgerRecord, OrderNews, Recorded, Step, Unavailable};
use domain::{Channel, Guard, News, Notification, NotificationId, OrderId};
use futures_util::future::join_all;
use jiff::Timestamp;
use std::collections::HashMap;

use crate::answer::in_few_words;
use crate::batch_get::{Key, batch_get};
use crate::calls::DynamoDb;
use crate::item::{Item, moment, number, text, text_of};

mod layout;

use layout::{delivery_item, delivery_of, insert_values, notification_of, result_item};

/// `BatchExecuteStatement` takes no more statements than this.
const MAX_STATEMENTS: usize = 25;

const RECORDING: &str = "record a decision in the ledger";
const ADVANCING: &str = "move a delivery in the ledger";
const LOOKING_UP: &str = "look up a notification in the ledger";
const ASKING_FOR_NEWS: &str = "ask the ledger for newer news of an order";

/// Finds the notifications of an order by time. It projects keys only, so that no change of a delivery writes to it.
const ORDER_INDEX: &str = "orderId-timestamp-index";

/// An order has few news; of more than this, the newest are those that count.
const MOST_NEWS: i32 = 50;

/// The ledger in DynamoDB.
#[derive(Debug, Clone)]
pub struct DynamoLedger<D = Client> {
    client: D,
    table: String,
    retention_days: i64,
}

impl<D> DynamoLedger<D> {
    /// The table of that name, which forgets a notification after so many days.
    #[must_use]
    pub const fn new(client: D, table: String, retention_days: i64) -> Self {
        Self {
            client,
            table,
            retention_days,
        }
    }
}

impl<D: DynamoDb> DynamoLedger<D> {
    /// Runs one batch: a response for each statement, or why there is none.
    async fn run(
        &self,
        statements: Result<Vec<BatchStatementRequest>, BuildError>,
    ) -> Result<Vec<BatchStatementResponse>, String> {
        let statements = statements.map_err(|incomplete| incomplete.to_string())?;
        let expected = statements.len();
        let request = BatchExecuteStatementInputBuilder::default().set_statements(Some(statements));
        let answer = self.client.batch_execute_statement(request).await;
        let output = answer.map_err(|error| in_few_words(&error))?;
        match output.responses {
            Some(responses) if responses.len() == expected => Ok(responses),
            _ => Err("DynamoDB answered for another number of statements".to_owned()),
        }
    }

    async fn record_chunk(&self, notifications: &[Notification]) -> Vec<Result<Recorded, Unavailable>> {
        let statements = notifications
            .iter()
            .map(|notification| self.insertion(notification))
            .collect();
        let responses = match self.run(statements).await {
            Ok(responses) => responses,
            Err(why) => {
                return notifications
                    .iter()
                    .map(|_| Err(Unavailable::new(RECORDING, why.clone())))
                    .collect();
            }
        };
        let is_duplicate = |response: &BatchStatementResponse| {
            response.error().and_then(|error| error.code()) == Some(&BatchStatementErrorCodeEnum::DuplicateItem)
        };
        let known: Vec<NotificationId> = notifications
            .iter()
            .zip(&responses)
            .filter(|(_, response)| is_duplicate(response))
            .map(|(notification, _)| notification.id)
            .collect();
        let mut known = self.load(&known).await;
        notifications
            .iter()
            .zip(responses)
            .map(|(notification, response)| match response.error() {
                None => Ok(Recorded::Created),
                Some(_) if is_duplicate(&response) => match &mut known {
                    Ok(known) => known
                        .remove(&notification.id)
                        .map(|existing| Recorded::AlreadyThere(Box::new(existing)))
                        .ok_or_else(|| Unavailable::new(LOOKING_UP, "it is there and cannot be read")),
                    Err(why) => Err(Unavailable::new(LOOKING_UP, why.cause.to_string())),
                },
                Some(error) => Err(Unavailable::new(RECORDING, code_of(error.code()))),
            })
            .collect()
    }

    fn insertion(&self, notification: &Notification) -> Result<BatchStatementRequest, BuildError> {
        let values = insert_values(notification, self.retention_days);
        let names: Vec<String> = values.iter().map(|(name, _)| format!("'{name}': ?")).collect();
        BatchStatementRequest::builder()
            .statement(format!("INSERT INTO \"{}\" VALUE {{{}}}", self.table, names.join(", ")))
            .set_parameters(Some(values.into_iter().map(|(_, value)| value).collect()))
            .build()
    }

    /// The notifications of one order that are not older than this moment, newest first.
    async fn ids_of(&self, order: &OrderId, since: Timestamp) -> Result<Vec<NotificationId>, Unavailable> {
        let request = QueryInputBuilder::default()
            .table_name(&self.table)
            .index_name(ORDER_INDEX)
            .key_condition_expression("#order = :order AND #at >= :since")
            .expression_attribute_names("#order", "orderId")
            .expression_attribute_names("#at", "timestamp")
            .expression_attribute_values(":order", text(order.as_str()))
            .expression_attribute_values(":since", number(since.as_second()))
            .scan_index_forward(false)
            .limit(MOST_NEWS);
        match self.client.query(request).await {
            Ok(output) => Ok(output.items().iter().filter_map(id_of).collect()),
            Err(error) => Err(Unavailable::new(ASKING_FOR_NEWS, in_few_words(&error))),
        }
    }

    fn update(&self, step: &Step) -> Result<BatchStatementRequest, BuildError> {
        let channel = step.channel.name();
        let mut sets = vec![format!("SET \"{channel}\"=?")];
        let mut values = vec![AttributeValue::M(delivery_item(&step.next))];
        let mut add = |set: String, value: AttributeValue| {
            sets.push(set);
            values.push(value);
        };
        if is_worth_telling(step) {
            add(
                format!("SET \"results\"[{}]=?", step.channel.position()),
                result_item(step.channel, &step.next),
            );
            let count = |is: fn(domain::State) -> bool| i32::from(is(step.next.state)) - i32::from(is(step.from.state));
            for (name, change) in [
                ("successfulChannels", count(domain::State::is_success)),
                ("failedChannels", count(domain::State::is_failure)),
            ] {
                if change != 0 {
                    add(format!("SET \"{name}\"=\"{name}\"+?"), number(change));
                }
            }
        }
        if let Some(channels) = &step.channels {
            add("SET \"channels\"=?".to_owned(), channel_list(channels));
            add("SET \"totalChannels\"=?".to_owned(), number(channels.len()));
        }
        let mut conditions = vec!["\"notificationId\"=?".to_owned()];
        values.push(text(step.id.to_string()));
        match &step.guard {
            Guard::Claimable { attempt, by } => {
                conditions.push(format!(
                    "\"{channel}\".\"claimableAt\"<=? AND \"{channel}\".\"attempt\"=?"
                ));
                values.extend([moment(*by), number(attempt)]);
            }
            Guard::In { attempt, states } => {
                let places = vec!["?"; states.len()].join(",");
                conditions.push(format!(
                    "\"{channel}\".\"attempt\"=? AND \"{channel}\".\"state\" IN [{places}]"
                ));
                values.push(number(attempt));
                values.extend(states.iter().map(|state| text(state.name())));
            }
            Guard::SkippedFor { reason } => {
                conditions.push(format!(
                    "\"{channel}\".\"attempt\"=? AND \"{channel}\".\"state\"=? AND \"{channel}\".\"reason\"=?"
                ));
                values.extend([number(0), text(domain::State::Skipped.name()), text(reason.code())]);
            }
        }
        BatchStatementRequest::builder()
            .statement(format!(
                "UPDATE \"{}\" {} WHERE {}",
                self.table,
                sets.join(" "),
                conditions.join(" AND ")
            ))
            .set_parameters(Some(values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()
    }

    async fn advance_chunk(&self, steps: &[Step]) -> Vec<Result<Advanced, Unavailable>> {
        match self.run(steps.iter().map(|step| self.update(step)).collect()).await {
            Ok(responses) => steps
                .iter()
                .zip(responses)
                .map(|(step, response)| advanced(step, &response))
                .collect(),
            Err(why) => steps
                .iter()
                .map(|_| Err(Unavailable::new(ADVANCING, why.clone())))
                .collect(),
        }
    }
}

impl<D: DynamoDb> LedgerRecord for DynamoLedger<D> {
    async fn record(&self, notifications: &[Notification]) -> Vec<Result<Recorded, Unavailable>> {
        let mut recorded = Vec::with_capacity(notifications.len());
        for chunk in notifications.chunks(MAX_STATEMENTS) {
            recorded.extend(self.record_chunk(chunk).await);
        }
        recorded
    }
}

impl<D: DynamoDb> LedgerAdvance for DynamoLedger<D> {
    async fn advance(&self, steps: &[Step]) -> Vec<Result<Advanced, Unavailable>> {
        let mut advanced = Vec::with_capacity(steps.len());
        for chunk in steps.chunks(MAX_STATEMENTS) {
            advanced.extend(self.advance_chunk(chunk).await);
        }
        advanced
    }
}

impl<D: DynamoDb> LedgerLoad for DynamoLedger<D> {
    async fn load(&self, ids: &[NotificationId]) -> Result<HashMap<NotificationId, Notification>, Unavailable> {
        let keys = ids.iter().map(|id| Key {
            table: self.table.clone(),
            attribute: "notificationId",
            value: id.to_string(),
            sort: None,
        });
        let mut found = batch_get(&self.client, keys.collect())
            .await
            .map_err(|why| Unavailable::new(LOOKING_UP, why))?;
        Ok(found
            .remove(&self.table)
            .unwrap_or_default()
            .iter()
            .filter_map(notification_of)
            .map(|notification| (notification.id, notification))
            .collect())
    }
}

impl<D: DynamoDb> OrderNews for DynamoLedger<D> {
    async fn since(&self, orders: &[(OrderId, Timestamp)]) -> Result<HashMap<OrderId, Vec<News>>, Unavailable> {
        let mut earliest: HashMap<&OrderId, Timestamp> = HashMap::with_capacity(orders.len());
        for (order, since) in orders {
            earliest
                .entry(order)
                .and_modify(|moment| *moment = (*moment).min(*since))
                .or_insert(*since);
        }
        let asked = earliest.iter().map(|(order, since)| self.ids_of(order, *since));
        let mut ids = Vec::new();
        for found in join_all(asked).await {
            ids.extend(found?);
        }
        let mut news: HashMap<OrderId, Vec<News>> = HashMap::with_capacity(orders.len());
        for notification in self.load(&ids).await?.values() {
            if let Some(order) = &notification.order {
                news.entry(order.clone()).or_default().push(News::from(notification));
            }
        }
        Ok(news)
    }
}

/// Whether readers of `results` should hear of it. A claim or an attempt is not told: it would cost a second write, to the
/// index.
fn is_worth_telling(step: &Step) -> bool {
    let is_news = step.from.state != step.next.state || step.from.reason != step.next.reason;
    is_news && !(step.from.state.is_open() && step.next.state.is_open())
}

fn advanced(step: &Step, response: &BatchStatementResponse) -> Result<Advanced, Unavailable> {
    let Some(error) = response.error() else {
        return Ok(Advanced::Done);
    };
    match error.code() {
        Some(BatchStatementErrorCodeEnum::ConditionalCheckFailed) => {
            let delivery = error.item().and_then(|item| delivery_of(item, step.channel));
            Ok(delivery.map_or(Advanced::Unknown, |delivery| Advanced::Refused(Box::new(delivery))))
        }
        code => Err(Unavailable::new(ADVANCING, code_of(code))),
    }
}

fn code_of(code: Option<&BatchStatementErrorCodeEnum>) -> String {
    code.map_or("no error code", BatchStatementErrorCodeEnum::as_str)
        .to_owned()
}

fn channel_list(channels: &[Channel]) -> AttributeValue {
    AttributeValue::L(channels.iter().map(|channel| text(channel.name())).collect())
}

/// The id under which an item stands.
fn id_of(item: &Item) -> Option<NotificationId> {
    NotificationId::try_from(text_of(item, "notificationId")?).ok()
}

#[cfg(test)]
mod tests;
