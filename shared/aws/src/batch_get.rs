//! Items of one or more tables by their keys: a hundred in a request, and again what DynamoDB left undone.

use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::operation::batch_get_item::builders::BatchGetItemInputBuilder;
use aws_sdk_dynamodb::types::KeysAndAttributes;
use std::collections::HashMap;

use crate::answer::in_few_words;
use crate::calls::DynamoDb;
use crate::item::{Item, number, text};

/// `BatchGetItem` takes no more keys than this, all tables together.
const MAX_KEYS: usize = 100;

/// How often the keys that DynamoDB left unprocessed are asked for again.
const ROUNDS: usize = 5;

/// The key of one item.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    /// The table.
    pub(crate) table: String,
    /// The name of its key.
    pub(crate) attribute: &'static str,
    /// The key.
    pub(crate) value: String,
    /// Its sort key, where the table has one.
    pub(crate) sort: Option<SortKey>,
}

/// The name of a sort key, and its value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum SortKey {
    /// A number.
    Number(&'static str, u32),
    /// A text.
    Text(&'static str, String),
}

impl Key {
    fn item(&self) -> Item {
        let sort = self.sort.as_ref().map(|sort| match sort {
            SortKey::Number(name, value) => ((*name).to_owned(), number(value)),
            SortKey::Text(name, value) => ((*name).to_owned(), text(value.as_str())),
        });
        let key = (self.attribute.to_owned(), text(self.value.as_str()));
        std::iter::once(key).chain(sort).collect()
    }
}

/// The items that stand under these keys now, by table; or, in few words, why that is not known for all of them.
pub(crate) async fn batch_get(
    client: &impl DynamoDb,
    mut keys: Vec<Key>,
) -> Result<HashMap<String, Vec<Item>>, String> {
    // DynamoDB refuses a request that names a key twice.
    keys.sort_unstable();
    keys.dedup();
    let mut found: HashMap<String, Vec<Item>> = HashMap::new();
    for keys in keys.chunks(MAX_KEYS) {
        let mut asked = request(keys).map_err(|incomplete| incomplete.to_string())?;
        for _round in 0..ROUNDS {
            if asked.is_empty() {
                break;
            }
            let output = client
                .batch_get_item(BatchGetItemInputBuilder::default().set_request_items(Some(asked)))
                .await
                .map_err(|error| in_few_words(&error))?;
            for (table, items) in output.responses.unwrap_or_default() {
                found.entry(table).or_default().extend(items);
            }
            asked = output.unprocessed_keys.unwrap_or_default();
        }
        if !asked.is_empty() {
            return Err("DynamoDB left keys unprocessed".to_owned());
        }
    }
    Ok(found)
}

/// Consistent reads: an opt-out that was acknowledged is obeyed, so that the answer may not be an older one.
fn request(keys: &[Key]) -> Result<HashMap<String, KeysAndAttributes>, BuildError> {
    keys.chunk_by(|one, other| one.table == other.table)
        .filter_map(|keys| Some((keys.first()?.table.clone(), keys)))
        .map(|(table, keys)| {
            let keys = keys.iter().map(Key::item).collect();
            let keys = KeysAndAttributes::builder()
                .set_keys(Some(keys))
                .consistent_read(true)
                .build()?;
            Ok((table, keys))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_dynamodb::Client;
    use aws_sdk_dynamodb::operation::batch_get_item::{BatchGetItemInput, BatchGetItemOutput};
    use aws_smithy_mocks::{RuleMode, mock, mock_client};

    fn key(table: &str, value: &str) -> Key {
        Key {
            table: table.to_owned(),
            attribute: "id",
            value: value.to_owned(),
            sort: None,
        }
    }

    fn item(value: &str) -> Item {
        Item::from([("id".to_owned(), text(value))])
    }

    fn left(value: &str) -> KeysAndAttributes {
        KeysAndAttributes::builder().keys(item(value)).build().unwrap()
    }

    fn count(request: &BatchGetItemInput) -> usize {
        let tables = request.request_items().into_iter().flatten();
        tables.map(|(_, keys)| keys.keys().len()).sum()
    }

    #[tokio::test]
    async fn keys_left_unprocessed_in_any_table_are_asked_for_again() {
        let first = mock!(Client::batch_get_item).then_output(|| {
            BatchGetItemOutput::builder()
                .responses("b", vec![item("1")])
                .unprocessed_keys("a", left("1"))
                .unprocessed_keys("b", left("2"))
                .build()
        });
        let second = mock!(Client::batch_get_item)
            .match_requests(|request| request.request_items().is_some_and(|tables| tables.len() == 2))
            .then_output(|| {
                BatchGetItemOutput::builder()
                    .responses("a", vec![item("1")])
                    .responses("b", vec![item("2")])
                    .build()
            });
        let client = mock_client!(aws_sdk_dynamodb, RuleMode::Sequential, [&first, &second]);
        let keys = vec![key("a", "1"), key("b", "1"), key("b", "2")];
        let found = batch_get(&client, keys).await.unwrap();
        assert_eq!(
            (found["a"].clone(), found["b"].clone()),
            (vec![item("1")], vec![item("1"), item("2")])
        );
    }

    #[tokio::test]
    async fn keys_that_stay_unprocessed_are_no_answer() {
        let rule = mock!(Client::batch_get_item)
            .then_output(|| BatchGetItemOutput::builder().unprocessed_keys("a", left("1")).build());
        let client = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [&rule]);
        assert!(batch_get(&client, vec![key("a", "1")]).await.is_err());
    }

    #[tokio::test]
    async fn a_request_names_a_hundred_keys_at_most_and_none_twice() {
        let of = |expected: usize| {
            mock!(Client::batch_get_item)
                .match_requests(move |request| count(request) == expected)
                .then_output(|| BatchGetItemOutput::builder().build())
        };
        let (first, second) = (of(100), of(50));
        let client = mock_client!(aws_sdk_dynamodb, RuleMode::Sequential, [&first, &second]);
        let keys = (0..150).flat_map(|n| {
            let key = key(if n % 2 == 0 { "a" } else { "b" }, &n.to_string());
            [key.clone(), key]
        });
        assert_eq!(batch_get(&client, keys.collect()).await, Ok(HashMap::new()));
        assert_eq!((first.num_calls(), second.num_calls()), (1, 1));
    }

    #[tokio::test]
    async fn keys_of_one_partition_are_told_apart_by_their_sort_key() {
        let rule = mock!(Client::batch_get_item)
            .match_requests(|request| {
                let keys = request
                    .request_items()
                    .and_then(|tables| tables.get("a"))
                    .unwrap()
                    .keys();
                keys.iter()
                    .map(|key| key.get("version"))
                    .eq([Some(&number(1)), Some(&number(2))])
            })
            .then_output(|| BatchGetItemOutput::builder().build());
        let client = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [&rule]);
        let keys = [1, 2].map(|version| Key {
            sort: Some(SortKey::Number("version", version)),
            ..key("a", "1")
        });
        assert_eq!(batch_get(&client, keys.to_vec()).await, Ok(HashMap::new()));
    }

    #[tokio::test]
    async fn every_read_is_consistent_and_no_key_asks_nothing() {
        let rule = mock!(Client::batch_get_item)
            .match_requests(|request| {
                let mut tables = request.request_items().into_iter().flatten();
                tables.all(|(_, keys)| keys.consistent_read() == Some(true))
            })
            .then_output(|| BatchGetItemOutput::builder().build());
        let client = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [&rule]);
        assert!(batch_get(&client, vec![key("a", "1"), key("b", "1")]).await.is_ok());
        assert!(batch_get(&client, Vec::new()).await.is_ok());
        assert_eq!(rule.num_calls(), 1);
    }
}
