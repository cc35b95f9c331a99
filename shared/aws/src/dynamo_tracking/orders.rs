//! Orders in DynamoDB: what was said of them, what was last made of them, and the news that came of it, written together.

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use domain::ports::Unavailable;
use domain::{OrderId, Saying, UserId};
use jiff::Timestamp;
use tracking::ports::{Kept, OrderFile, OrdersFind, OrdersKeep, Outbox, OutgoingNews, WishesKeep};
use tracking::{DeliveryWishes, OrderRecord};

use super::{DynamoTracking, about_order, place_of, sayings_of};
use crate::answer::{in_few_words, was_written};
use crate::item::{Item, moment, number, text, text_of};

const READING: &str = "read an order";
const SAYING: &str = "write what was said of an order";
const KEEPING: &str = "write an order";
const FINDING: &str = "find a customer's orders";
const WISHING: &str = "write a customer's wishes";
const LOOKING_FOR_NEWS: &str = "look for news that wait";
const PUBLISHED: &str = "take published news away";

/// The item that holds what was last made of an order.
pub(super) const RECORD: &str = "order";
/// News on their way out.
pub(super) const OUTBOX: &str = "outbox#";
/// Finds a customer's orders.
pub(super) const BY_USER: &str = "userId-updatedAt-index";
/// Finds news that wait.
const BY_WAITING: &str = "waiting-writtenAt-index";

impl DynamoTracking {
    fn record_item(&self, record: &OrderRecord) -> Result<Item, Unavailable> {
        let order = record.registration.id();
        let json = serde_json::to_string(record).map_err(|error| Unavailable::new(KEEPING, error))?;
        let mut item = Item::from([
            ("about".to_owned(), text(about_order(order))),
            ("item".to_owned(), text(RECORD)),
            ("record".to_owned(), text(json)),
            ("version".to_owned(), number(record.version)),
            ("updatedAt".to_owned(), moment(record.updated_at)),
            ("expiresAt".to_owned(), self.expires_at(record.updated_at)),
        ]);
        if let Some(user) = &record.registration.user {
            item.insert("userId".to_owned(), text(user.as_str()));
        }
        Ok(item)
    }

    fn news_item(&self, order: &OrderId, news: &OutgoingNews, now: Timestamp) -> Item {
        Item::from([
            ("about".to_owned(), text(about_order(order))),
            ("item".to_owned(), text(format!("{OUTBOX}{}", news.key))),
            ("orderId".to_owned(), text(order.as_str())),
            ("event".to_owned(), text(&news.event)),
            ("waiting".to_owned(), text("news")),
            ("writtenAt".to_owned(), moment(now)),
            ("expiresAt".to_owned(), self.expires_at(now)),
        ])
    }

    /// What must hold of what stands there.
    fn condition(before: Option<&OrderRecord>) -> (&'static str, Option<AttributeValue>) {
        match before {
            None => ("attribute_not_exists(about)", None),
            Some(before) => ("version = :version", Some(number(before.version))),
        }
    }
}

impl OrdersKeep for DynamoTracking {
    async fn read_order(&self, order: &OrderId) -> Result<OrderFile, Unavailable> {
        let items = self.all_about(&about_order(order), READING).await?;
        let record = items
            .iter()
            .find(|item| text_of(item, "item") == Some(RECORD))
            .map(|item| record_of(item, READING))
            .transpose()?;
        Ok(OrderFile {
            record,
            sayings: sayings_of(&items, READING)?,
        })
    }

    async fn say(&self, order: &OrderId, sayings: &[Saying]) -> Result<(), Unavailable> {
        self.say(&about_order(order), sayings, SAYING).await
    }

    async fn keep(
        &self,
        before: Option<&OrderRecord>,
        after: &OrderRecord,
        news: &[OutgoingNews],
    ) -> Result<Kept, Unavailable> {
        let put = |item: Item| Put::builder().table_name(&self.table).set_item(Some(item));
        let (condition, version) = Self::condition(before);
        let record = put(self.record_item(after)?)
            .condition_expression(condition)
            .set_expression_attribute_values(version.map(|version| [(":version".to_owned(), version)].into()));
        let news = news
            .iter()
            .map(|news| put(self.news_item(after.registration.id(), news, after.updated_at)));
        let writes = std::iter::once(record)
            .chain(news)
            .map(|put| Ok(TransactWriteItem::builder().put(put.build()?).build()))
            .collect::<Result<Vec<_>, aws_sdk_dynamodb::error::BuildError>>()
            .map_err(|error| Unavailable::new(KEEPING, error))?;
        let request = self.client.transact_write_items().set_transact_items(Some(writes));
        let Err(error) = request.send().await else {
            return Ok(Kept::Done);
        };
        if let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error.as_service_error() {
            let codes: Vec<&str> = cancelled
                .cancellation_reasons()
                .iter()
                .filter_map(|reason| reason.code())
                .collect();
            if codes.contains(&"ConditionalCheckFailed") || codes.contains(&"TransactionConflict") {
                return Ok(Kept::Stale);
            }
        }
        Err(Unavailable::new(KEEPING, in_few_words(&error)))
    }
}

impl OrdersFind for DynamoTracking {
    async fn latest_of(&self, user: &UserId, most: u16) -> Result<Vec<OrderRecord>, Unavailable> {
        let output = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(BY_USER)
            .key_condition_expression("userId = :user")
            .expression_attribute_values(":user", text(user.as_str()))
            .scan_index_forward(false)
            .limit(i32::from(most))
            .send()
            .await
            .map_err(|error| Unavailable::new(FINDING, in_few_words(&error)))?;
        output.items().iter().map(|item| record_of(item, FINDING)).collect()
    }
}

impl WishesKeep for DynamoTracking {
    async fn wish(&self, before: &OrderRecord, wishes: &DeliveryWishes) -> Result<Kept, Unavailable> {
        let after = OrderRecord {
            wishes: Some(wishes.clone()),
            version: before.version.saturating_add(1),
            ..before.clone()
        };
        let (condition, version) = Self::condition(Some(before));
        let answer = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(self.record_item(&after)?))
            .condition_expression(condition)
            .set_expression_attribute_values(version.map(|version| [(":version".to_owned(), version)].into()))
            .send()
            .await;
        match was_written(answer, PutItemError::is_conditional_check_failed_exception, WISHING)? {
            true => Ok(Kept::Done),
            false => Ok(Kept::Stale),
        }
    }
}

impl Outbox for DynamoTracking {
    async fn waiting(&self, before: Timestamp, most: u16) -> Result<Vec<(OrderId, OutgoingNews)>, Unavailable> {
        let output = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(BY_WAITING)
            .key_condition_expression("waiting = :news AND writtenAt < :before")
            .expression_attribute_values(":news", text("news"))
            .expression_attribute_values(":before", moment(before))
            .limit(i32::from(most))
            .send()
            .await
            .map_err(|error| Unavailable::new(LOOKING_FOR_NEWS, in_few_words(&error)))?;
        Ok(output.items().iter().filter_map(news_of).collect())
    }

    async fn published(&self, order: &OrderId, key: &str) -> Result<(), Unavailable> {
        let answer = self
            .client
            .delete_item()
            .table_name(&self.table)
            .key("about", text(about_order(order)))
            .key("item", text(format!("{OUTBOX}{key}")))
            .send()
            .await;
        answer
            .map(|_gone| ())
            .map_err(|error| Unavailable::new(PUBLISHED, in_few_words(&error)))
    }
}

pub(super) fn record_of(item: &Item, doing: &'static str) -> Result<OrderRecord, Unavailable> {
    let json = text_of(item, "record").unwrap_or_default();
    serde_json::from_str(json).map_err(|error| Unavailable::new(doing, place_of(&error)))
}

/// The news in an item, if it holds any.
fn news_of(item: &Item) -> Option<(OrderId, OutgoingNews)> {
    let news = OutgoingNews {
        key: text_of(item, "item")?.strip_prefix(OUTBOX)?.to_owned(),
        event: text_of(item, "event")?.to_owned(),
    };
    Some((OrderId::try_from(text_of(item, "orderId")?).ok()?, news))
}
