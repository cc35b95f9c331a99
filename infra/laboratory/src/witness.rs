//! What became of an order on the stack: where it stands, what was heard, what was told to whom.

use anyhow::{Context, Result};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_sqs::types::QueueAttributeName;
use domain::{OrderId, OrderStatus, TrackingNumber};
use emulator::Mailbox;
use std::collections::HashMap;
use tracking::OrderRecord;
use tracking::ports::{OrdersKeep, ParcelsKeep};

use crate::Stack;

type Item = HashMap<String, AttributeValue>;

/// Something that was decided about an order, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct News {
    /// The status that it tells.
    pub(crate) status: String,
    /// When that began, in seconds since 1970.
    pub(crate) at: i64,
    /// Whether no channel has anything left to do.
    pub(crate) is_settled: bool,
    /// What the provider calls the messages.
    messages: Vec<String>,
}

/// Looks at one order and its one parcel.
#[derive(Debug)]
pub(crate) struct Witness<'s> {
    stack: &'s Stack,
    order: OrderId,
    number: TrackingNumber,
}

impl<'s> Witness<'s> {
    pub(crate) fn of(stack: &'s Stack, order: &str, number: &str) -> Result<Self> {
        Ok(Self {
            stack,
            order: OrderId::try_from(order).context("expected an order's number")?,
            number: TrackingNumber::try_from(number).context("expected a parcel's number")?,
        })
    }

    /// The order as it stands.
    pub(crate) async fn record(&self) -> Result<Option<OrderRecord>> {
        Ok(self.stack.tracking().read_order(&self.order).await?.record)
    }

    pub(crate) async fn status(&self) -> Result<Option<OrderStatus>> {
        Ok(self.record().await?.map(|record| record.status()))
    }

    /// How many things its carrier has said that are kept.
    pub(crate) async fn heard(&self) -> Result<usize> {
        Ok(self.stack.tracking().read_parcel(&self.number).await?.sayings.len())
    }

    /// Whether news of the order still wait to be published.
    pub(crate) async fn has_waiting_news(&self) -> Result<bool> {
        let table = format!("{}-order-status", self.stack.prefix);
        let query = self
            .stack
            .dynamodb
            .query()
            .table_name(&table)
            .consistent_read(true)
            .key_condition_expression("about = :about AND begins_with(#item, :outbox)")
            .expression_attribute_names("#item", "item")
            .expression_attribute_values(":about", AttributeValue::S(format!("order#{}", self.order)))
            .expression_attribute_values(":outbox", AttributeValue::S("outbox#".to_owned()));
        let output = query.send().await.with_context(|| format!("could not read {table}"))?;
        Ok(!output.items().is_empty())
    }

    /// Everything that was decided about the order.
    pub(crate) async fn news(&self) -> Result<Vec<News>> {
        let table = format!("{}-notification-analytics", self.stack.prefix);
        // The index holds keys alone.
        let query = self
            .stack
            .dynamodb
            .query()
            .table_name(&table)
            .index_name("orderId-timestamp-index")
            .key_condition_expression("orderId = :order")
            .expression_attribute_values(":order", AttributeValue::S(self.order.to_string()));
        let found = query.send().await.with_context(|| format!("could not read {table}"))?;
        let mut news = Vec::new();
        for keys in found.items() {
            let id = keys.get("notificationId").cloned().context("expected notificationId")?;
            let get = self
                .stack
                .dynamodb
                .get_item()
                .table_name(&table)
                .key("notificationId", id);
            let output = get.consistent_read(true).send().await;
            let item = output.with_context(|| format!("could not read {table}"))?.item;
            news.extend(item.as_ref().map(news_of));
        }
        Ok(news)
    }

    /// The e-mails about the order, in the order in which the provider took them, each as the news that it tells.
    pub(crate) async fn told(&self) -> Result<Vec<News>> {
        let news = self.news().await?;
        let endpoint = self.stack.endpoint.as_deref().unwrap_or_default();
        let (emails, _texts) = Mailbox::all(endpoint).await?;
        let of_email = |email: emulator::Email| {
            let is_its = |news: &&News| news.messages.iter().any(|id| id == email.id());
            news.iter().find(is_its).cloned()
        };
        Ok(emails.into_iter().filter_map(of_email).collect())
    }

    /// Whether everything that carriers said so far was taken in.
    pub(crate) async fn is_all_heard(&self) -> Result<bool> {
        let url = self.stack.queue_url("carrier-events").await?;
        let names = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
            QueueAttributeName::ApproximateNumberOfMessagesDelayed,
        ];
        let ask = self.stack.sqs.get_queue_attributes().queue_url(url);
        let output = ask.set_attribute_names(Some(names.to_vec())).send().await;
        let attributes = output
            .context("could not look into carrier-events")?
            .attributes
            .unwrap_or_default();
        Ok(names
            .iter()
            .all(|name| attributes.get(name).is_some_and(|count| count == "0")))
    }
}

fn news_of(item: &Item) -> News {
    let text = |item: &Item, name: &str| item.get(name).and_then(|value| value.as_s().ok()).cloned();
    let results: Vec<&Item> = item
        .get("results")
        .and_then(|results| results.as_l().ok())
        .into_iter()
        .flatten()
        .filter_map(|result| result.as_m().ok())
        .collect();
    let is_open = |result: &&Item| {
        let outcome = text(result, "outcome").unwrap_or_default();
        matches!(outcome.as_str(), "queued" | "sending" | "in_doubt" | "deferred")
    };
    News {
        status: text(item, "status").unwrap_or_default(),
        at: item
            .get("timestamp")
            .and_then(|value| value.as_n().ok())
            .and_then(|seconds| seconds.parse().ok())
            .unwrap_or_default(),
        is_settled: !results.iter().any(is_open),
        messages: results.iter().filter_map(|result| text(result, "messageId")).collect(),
    }
}
