//! The waiting room: a table of deliveries that wait, by the moment for which they wait.
//!
//! Key: `shard` and `wake` (`2026-11-21T07:00:00.000Z#ID#CHANNEL`). Beside it `request`, the delivery's request in its wire form, and
//! `userId`, by which the index finds what waits for a customer. Nothing expires here: what waits is forgotten by whoever handed it
//! over.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::batch_write_item::builders::BatchWriteItemInputBuilder;
use aws_sdk_dynamodb::types::{DeleteRequest, PutRequest, WriteRequest};
use domain::ports::{Defer, Deferred, Unavailable, WaitingRoom, WakeAll};
use domain::{DeliveryRequest, Place, UserId};
use jiff::Timestamp;
use std::collections::{HashMap, HashSet};

use crate::answer::in_few_words;
use crate::batch_get::{Key, SortKey, batch_get};
use crate::calls::DynamoDb;
use crate::item::{Item, text, text_of};

/// The index by customer.
const BY_USER: &str = "userId-index";

/// `BatchWriteItem` takes no more items than this.
const MAX_WRITES: usize = 25;

/// How often the writes that DynamoDB left unprocessed are asked for again.
const ROUNDS: usize = 5;

/// How many are read at a time.
const PAGE: i32 = 100;

const DEFERRING: &str = "put a delivery into the waiting room";
const LOOKING: &str = "look into the waiting room";
const FORGETTING: &str = "forget a delivery of the waiting room";
const WAKING: &str = "wake a customer's deliveries";

/// The waiting room.
#[derive(Debug, Clone)]
pub struct DynamoWaitingRoom<D = Client> {
    client: D,
    table: String,
}

impl<D> DynamoWaitingRoom<D> {
    /// The table of that name.
    #[must_use]
    pub const fn new(client: D, table: String) -> Self {
        Self { client, table }
    }
}

impl<D: DynamoDb> DynamoWaitingRoom<D> {
    /// Writes as many as a request takes at a time; how it went for each place.
    async fn write(
        &self,
        writes: Vec<(Place, WriteRequest)>,
        doing: &'static str,
    ) -> HashMap<Place, Result<(), Unavailable>> {
        let mut answers = HashMap::with_capacity(writes.len());
        for writes in writes.chunks(MAX_WRITES) {
            let undone = self
                .write_some(writes.iter().map(|(_, write)| write.clone()).collect())
                .await;
            for (place, _) in writes {
                let answer = match &undone {
                    Ok(places) if !places.contains(place) => Ok(()),
                    Ok(_) => Err(Unavailable::new(doing, "DynamoDB left it unprocessed")),
                    Err(why) => Err(Unavailable::new(doing, why.clone())),
                };
                answers.insert(place.clone(), answer);
            }
        }
        answers
    }

    /// The places of the writes that are still not done; or, in few words, why that is not known.
    async fn write_some(&self, mut writes: Vec<WriteRequest>) -> Result<HashSet<Place>, String> {
        for _round in 0..ROUNDS {
            let request = BatchWriteItemInputBuilder::default().request_items(&self.table, writes);
            let answer = self.client.batch_write_item(request).await;
            let output = answer.map_err(|error| in_few_words(&error))?;
            writes = output
                .unprocessed_items
                .and_then(|mut tables| tables.remove(&self.table))
                .unwrap_or_default();
            if writes.is_empty() {
                break;
            }
        }
        let item_of = |write: &WriteRequest| {
            let put = write.put_request().map(|put| place_of(put.item()));
            put.or_else(|| write.delete_request().map(|delete| place_of(delete.key())))
                .flatten()
        };
        Ok(writes.iter().filter_map(item_of).collect())
    }
}

impl DynamoWaitingRoom {
    async fn places_of(&self, user: &UserId) -> Result<Vec<Place>, Unavailable> {
        let mut pages = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(BY_USER)
            .key_condition_expression("userId = :user")
            .expression_attribute_values(":user", text(user.as_str()))
            .into_paginator()
            .items()
            .send();
        let mut places = Vec::new();
        while let Some(item) = pages.next().await {
            let item = item.map_err(|error| Unavailable::new(WAKING, in_few_words(&error)))?;
            places.extend(place_of(&item));
        }
        Ok(places)
    }
}

impl<D: DynamoDb> Defer for DynamoWaitingRoom<D> {
    async fn defer(&self, requests: &[DeliveryRequest]) -> Vec<Result<(), Unavailable>> {
        let place_of = |request: &DeliveryRequest| {
            let until = request.not_before.unwrap_or(request.handed_over_at);
            Place::of(request.id, request.channel, until)
        };
        let writes = requests.iter().map(|request| {
            let place = place_of(request);
            let mut item = key_of(&place);
            item.insert("request".to_owned(), text(request.to_wire()));
            item.extend(
                request
                    .user
                    .as_ref()
                    .map(|user| ("userId".to_owned(), text(user.as_str()))),
            );
            (place, item)
        });
        // A request may not name a key twice.
        let writes: HashMap<Place, Item> = writes.collect();
        let puts = writes.into_iter().filter_map(|(place, item)| Some((place, put(item)?)));
        let answers = self.write(puts.collect(), DEFERRING).await;
        requests
            .iter()
            .map(|request| told(&answers, &place_of(request), DEFERRING))
            .collect()
    }
}

impl WaitingRoom for DynamoWaitingRoom {
    async fn due(&self, shard: &str, by: Timestamp, behind: Option<&Place>) -> Result<Vec<Deferred>, Unavailable> {
        let output = self
            .client
            .query()
            .table_name(&self.table)
            // A word that DynamoDB keeps for itself.
            .key_condition_expression("#shard = :shard AND wake < :end")
            .expression_attribute_names("#shard", "shard")
            .expression_attribute_values(":shard", text(shard))
            .expression_attribute_values(":end", text(Place::after_all_due_by(by)))
            .set_exclusive_start_key(behind.map(key_of))
            .limit(PAGE)
            .send()
            .await
            .map_err(|error| Unavailable::new(LOOKING, in_few_words(&error)))?;
        let deferred = |item: &Item| {
            Some(Deferred {
                place: place_of(item)?,
                // What holds no request is nothing that anybody can read, and leads to its dead letter.
                text: text_of(item, "request").unwrap_or_default().to_owned(),
            })
        };
        Ok(output.items().iter().filter_map(deferred).collect())
    }

    async fn forget(&self, places: &[Place]) -> Vec<Result<(), Unavailable>> {
        let distinct: HashSet<&Place> = places.iter().collect();
        let deletes = distinct
            .into_iter()
            .filter_map(|place| Some((place.clone(), delete(place)?)));
        let answers = self.write(deletes.collect(), FORGETTING).await;
        places.iter().map(|place| told(&answers, place, FORGETTING)).collect()
    }
}

impl WakeAll for DynamoWaitingRoom {
    async fn wake_all_of(&self, user: &UserId, now: Timestamp) -> Result<u64, Unavailable> {
        let mut places = self.places_of(user).await?;
        places.retain(|place| place.until().is_none_or(|until| until > now));
        let keys = places.iter().map(|place| Key {
            table: self.table.clone(),
            attribute: "shard",
            value: place.shard.clone(),
            sort: Some(SortKey::Text("wake", place.wake.clone())),
        });
        let mut found = batch_get(&self.client, keys.collect())
            .await
            .map_err(|why| Unavailable::new(WAKING, why))?;
        let items = found.remove(&self.table).unwrap_or_default();
        let waiting: Vec<(Place, Item)> = items
            .into_iter()
            .filter_map(|item| Some((place_of(&item)?, item)))
            .collect();
        // Two that wait for the same delivery become one.
        let woken: HashMap<Place, Item> = waiting
            .iter()
            .map(|(place, item)| {
                let place = place.waking_at(now);
                let mut item = item.clone();
                item.extend(key_of(&place));
                (place, item)
            })
            .collect();
        // It is due now before it is no longer due later: what breaks in between is handed over twice, and sent once.
        let puts = woken.into_iter().filter_map(|(place, item)| Some((place, put(item)?)));
        for answer in self.write(puts.collect(), WAKING).await.into_values() {
            answer?;
        }
        let places: Vec<Place> = waiting.into_iter().map(|(place, _)| place).collect();
        for answer in self.forget(&places).await {
            answer?;
        }
        Ok(places.len() as u64)
    }
}

fn key_of(place: &Place) -> Item {
    Item::from([
        ("shard".to_owned(), text(place.shard.as_str())),
        ("wake".to_owned(), text(place.wake.as_str())),
    ])
}

fn place_of(item: &Item) -> Option<Place> {
    Some(Place {
        shard: text_of(item, "shard")?.to_owned(),
        wake: text_of(item, "wake")?.to_owned(),
    })
}

fn put(item: Item) -> Option<WriteRequest> {
    let put = PutRequest::builder().set_item(Some(item)).build().ok()?;
    Some(WriteRequest::builder().put_request(put).build())
}

fn delete(place: &Place) -> Option<WriteRequest> {
    let delete = DeleteRequest::builder().set_key(Some(key_of(place))).build().ok()?;
    Some(WriteRequest::builder().delete_request(delete).build())
}

fn told(
    answers: &HashMap<Place, Result<(), Unavailable>>,
    place: &Place,
    doing: &'static str,
) -> Result<(), Unavailable> {
    match answers.get(place) {
        Some(Ok(())) => Ok(()),
        Some(Err(error)) => Err(Unavailable::new(doing, error.cause.to_string())),
        None => Err(Unavailable::new(doing, "the request could not be built")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_dynamodb::operation::batch_get_item::BatchGetItemOutput;
    use aws_sdk_dynamodb::operation::batch_write_item::{
        BatchWriteItemError, BatchWriteItemInput, BatchWriteItemOutput,
    };
    use aws_sdk_dynamodb::operation::query::{QueryError, QueryOutput};
    use aws_sdk_dynamodb::types::error::InternalServerError;
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
    use testkit::{at, email_request, shipped};

    const THEN: i64 = 1_795_170_000;

    fn room(rules: &[&Rule]) -> DynamoWaitingRoom {
        let client = mock_client!(aws_sdk_dynamodb, RuleMode::Sequential, rules, |config| {
            config.retry_config(aws_sdk_dynamodb::config::retry::RetryConfig::disabled())
        });
        DynamoWaitingRoom::new(client, "room".to_owned())
    }

    fn request(order: usize) -> DeliveryRequest {
        email_request(&shipped("ana", &order.to_string(), at(1))).waiting_until(at(THEN))
    }

    fn place(order: usize) -> Place {
        Place::of(request(order).id, request(order).channel, at(THEN))
    }

    fn item(order: usize) -> Item {
        let mut item = key_of(&place(order));
        item.insert("request".to_owned(), text(request(order).to_wire()));
        item.insert("userId".to_owned(), text("ana"));
        item
    }

    fn writes(request: &BatchWriteItemInput) -> &[WriteRequest] {
        &request.request_items().unwrap()["room"]
    }

    fn done() -> BatchWriteItemOutput {
        BatchWriteItemOutput::builder().build()
    }

    #[tokio::test]
    async fn a_request_is_kept_under_the_moment_for_which_it_waits_and_its_customer() {
        let rule = mock!(Client::batch_write_item)
            .match_requests(|request| writes(request)[0].put_request().unwrap().item() == &item(1))
            .then_output(done);
        assert!(room(&[&rule]).defer(&[request(1)]).await[0].is_ok());
    }

    #[tokio::test]
    async fn a_request_of_dynamodb_holds_twenty_five_and_none_twice() {
        let of = |expected: usize| {
            mock!(Client::batch_write_item)
                .match_requests(move |request| writes(request).len() == expected)
                .then_output(done)
        };
        let (first, second) = (of(25), of(5));
        let mut requests: Vec<DeliveryRequest> = (0..30).map(request).collect();
        requests.push(request(0));
        let answers = room(&[&first, &second]).defer(&requests).await;
        assert_eq!(
            (answers.len(), answers.iter().filter(|answer| answer.is_ok()).count()),
            (31, 31)
        );
    }

    #[tokio::test]
    async fn what_is_left_unprocessed_is_written_again() {
        let first = mock!(Client::batch_write_item).then_output(|| {
            BatchWriteItemOutput::builder()
                .unprocessed_items("room", vec![put(item(2)).unwrap()])
                .build()
        });
        let second = mock!(Client::batch_write_item)
            .match_requests(|request| writes(request) == [put(item(2)).unwrap()])
            .then_output(done);
        let answers = room(&[&first, &second]).defer(&[request(1), request(2)]).await;
        assert!(answers.iter().all(Result::is_ok));
    }

    #[tokio::test]
    async fn what_stays_unprocessed_fails_alone() {
        let rule = mock!(Client::batch_write_item)
            .sequence()
            .output(|| {
                BatchWriteItemOutput::builder()
                    .unprocessed_items("room", vec![put(item(2)).unwrap()])
                    .build()
            })
            .times(ROUNDS)
            .build();
        let answers = room(&[&rule]).defer(&[request(1), request(2)]).await;
        assert!(answers[0].is_ok() && answers[1].is_err());
    }

    #[tokio::test]
    async fn a_failed_write_may_have_kept_nothing() {
        let rule = mock!(Client::batch_write_item)
            .then_error(|| BatchWriteItemError::InternalServerError(InternalServerError::builder().build()));
        assert!(room(&[&rule]).defer(&[request(1)]).await[0].is_err());
    }

    #[tokio::test]
    async fn what_is_due_is_asked_for_by_part_and_moment_from_behind_a_place_on() {
        let rule = mock!(Client::query)
            .match_requests(|query| {
                let values = query.expression_attribute_values().unwrap();
                query.key_condition_expression() == Some("#shard = :shard AND wake < :end")
                    && values[":shard"] == text("7")
                    && values[":end"] == text(Place::after_all_due_by(at(THEN)))
                    && query.exclusive_start_key() == Some(&key_of(&place(1)))
            })
            .then_output(|| {
                let unreadable = key_of(&place(3));
                QueryOutput::builder().items(item(2)).items(unreadable).build()
            });
        let due = room(&[&rule]).due("7", at(THEN), Some(&place(1))).await.unwrap();
        let texts: Vec<String> = due.into_iter().map(|deferred| deferred.text).collect();
        assert_eq!(texts, [request(2).to_wire(), String::new()]);
    }

    #[tokio::test]
    async fn a_failed_look_is_no_answer() {
        let rule =
            mock!(Client::query).then_error(|| QueryError::InternalServerError(InternalServerError::builder().build()));
        assert!(room(&[&rule]).due("7", at(THEN), None).await.is_err());
    }

    #[tokio::test]
    async fn what_was_handed_over_is_deleted() {
        let rule = mock!(Client::batch_write_item)
            .match_requests(|request| writes(request)[0].delete_request().unwrap().key() == &key_of(&place(1)))
            .then_output(done);
        assert!(room(&[&rule]).forget(&[place(1)]).await[0].is_ok());
    }

    #[tokio::test]
    async fn waking_makes_it_due_now_before_it_is_no_longer_due_later() {
        let now = at(THEN - 60);
        let found = mock!(Client::query)
            .match_requests(|query| {
                query.index_name() == Some(BY_USER)
                    && query.expression_attribute_values().unwrap()[":user"] == text("ana")
            })
            .then_output(|| QueryOutput::builder().items(key_of(&place(1))).build());
        let read = mock!(Client::batch_get_item)
            .then_output(|| BatchGetItemOutput::builder().responses("room", vec![item(1)]).build());
        let woken = mock!(Client::batch_write_item)
            .match_requests(move |request| {
                let item = writes(request)[0].put_request().unwrap().item();
                place_of(item) == Some(place(1).waking_at(now)) && text_of(item, "userId") == Some("ana")
            })
            .then_output(done);
        let forgotten = mock!(Client::batch_write_item)
            .match_requests(|request| writes(request)[0].delete_request().unwrap().key() == &key_of(&place(1)))
            .then_output(done);
        let room = room(&[&found, &read, &woken, &forgotten]);
        assert_eq!(
            room.wake_all_of(&UserId::try_from("ana").unwrap(), now).await.unwrap(),
            1
        );
    }

    #[tokio::test]
    async fn nobody_is_woken_where_nobody_waits() {
        let rule = mock!(Client::query).then_output(|| QueryOutput::builder().build());
        let ana = UserId::try_from("ana").unwrap();
        assert_eq!(room(&[&rule]).wake_all_of(&ana, at(THEN)).await.unwrap(), 0);
    }
}
