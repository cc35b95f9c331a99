//! Suppressions in DynamoDB: read and written one at a time, each write under the version that it replaces.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use domain::ports::{SuppressionsKeep, Unavailable};
use domain::{Contact, Suppression};

use crate::ContactKey;
use crate::answer::{in_few_words, was_written};
use crate::item::{number, text, text_of};
use crate::suppression_item::{suppression_item, suppression_of};

const LOOKING_UP: &str = "look up a suppression";
const KEEPING: &str = "write a suppression";
const LISTING: &str = "list the suppressions";

/// The table of suppressions.
#[derive(Debug, Clone)]
pub struct DynamoSuppressions {
    client: Client,
    table: String,
    key: ContactKey,
}

impl DynamoSuppressions {
    /// The table of that name. The key stays the same as long as the table: under another one nothing in it is found.
    #[must_use]
    pub const fn new(client: Client, table: String, key: ContactKey) -> Self {
        Self { client, table, key }
    }

    /// Every suppression with the key under which it stands: a scan of the whole table, page by page, for an operator's tool.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when the table cannot be read to its end.
    pub async fn all(&self) -> Result<Vec<(String, Suppression)>, Unavailable> {
        let mut items = self
            .client
            .scan()
            .table_name(&self.table)
            .into_paginator()
            .items()
            .send();
        let mut all = Vec::new();
        while let Some(item) = items.next().await {
            let item = item.map_err(|error| Unavailable::new(LISTING, in_few_words(&error)))?;
            if let Some(contact) = text_of(&item, "contact") {
                all.push((contact.to_owned(), suppression_of(&item)));
            }
        }
        Ok(all)
    }
}

impl SuppressionsKeep for DynamoSuppressions {
    async fn look_up(&self, contact: &Contact) -> Result<Option<Suppression>, Unavailable> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("contact", text(self.key.of(contact)))
            .consistent_read(true)
            .send()
            .await;
        match answer {
            Ok(output) => Ok(output.item().map(suppression_of)),
            Err(error) => Err(Unavailable::new(LOOKING_UP, in_few_words(&error))),
        }
    }

    async fn keep(&self, contact: &Contact, next: &Suppression) -> Result<bool, Unavailable> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(suppression_item(self.key.of(contact), next)))
            .expression_attribute_names("#version", "version");
        let put = if next.version <= 1 {
            // An item written by hand has no version and is read as version 0: it is replaced like one that is not there.
            put.condition_expression("attribute_not_exists(#version)")
        } else {
            put.condition_expression("#version = :before")
                .expression_attribute_values(":before", number(next.version.saturating_sub(1)))
        };
        was_written(
            put.send().await,
            PutItemError::is_conditional_check_failed_exception,
            KEEPING,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::Item;
    use aws_sdk_dynamodb::operation::get_item::{GetItemError, GetItemOutput};
    use aws_sdk_dynamodb::operation::put_item::{PutItemInput, PutItemOutput};
    use aws_sdk_dynamodb::operation::scan::ScanOutput;
    use aws_sdk_dynamodb::types::error::{ConditionalCheckFailedException, InternalServerError};
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
    use domain::{Channel, Strike, SuppressionPolicy, SuppressionReason};
    use testkit::at;

    fn contact() -> Contact {
        Contact::of(Channel::Email, "ana@example.com")
    }

    fn first() -> Suppression {
        let strike = Strike {
            reason: SuppressionReason::HardBounce,
            at: at(1),
            source: "m-1".to_owned(),
        };
        Suppression::default()
            .after(&strike, &SuppressionPolicy::default())
            .unwrap()
    }

    fn table(rules: &[&Rule]) -> DynamoSuppressions {
        let client = mock_client!(aws_sdk_dynamodb, RuleMode::Sequential, rules, |config| {
            config.retry_config(aws_sdk_dynamodb::config::retry::RetryConfig::disabled())
        });
        let key = ContactKey::try_from("a key of many letters").unwrap();
        DynamoSuppressions::new(client, "table".to_owned(), key)
    }

    fn writing(matches: fn(&PutItemInput) -> bool) -> Rule {
        mock!(Client::put_item)
            .match_requests(matches)
            .then_output(|| PutItemOutput::builder().build())
    }

    #[tokio::test]
    async fn what_is_not_there_is_known_not_to_be() {
        let rule = mock!(Client::get_item)
            .match_requests(|request| request.consistent_read() == Some(true))
            .then_output(|| GetItemOutput::builder().build());
        assert_eq!(table(&[&rule]).look_up(&contact()).await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_failed_look_up_is_no_answer() {
        let rule = mock!(Client::get_item)
            .then_error(|| GetItemError::InternalServerError(InternalServerError::builder().build()));
        assert!(table(&[&rule]).look_up(&contact()).await.is_err());
    }

    #[tokio::test]
    async fn the_first_version_is_written_where_none_was() {
        let rule = writing(|request| {
            request.condition_expression() == Some("attribute_not_exists(#version)")
                && request.item().is_some_and(|item| item.contains_key("contact"))
        });
        assert!(table(&[&rule]).keep(&contact(), &first()).await.unwrap());
    }

    #[tokio::test]
    async fn a_later_version_replaces_the_one_before_it() {
        let rule = writing(|request| {
            let before = request
                .expression_attribute_values()
                .and_then(|values| values.get(":before"));
            request.condition_expression() == Some("#version = :before") && before == Some(&number(1))
        });
        let next = first().lifted("ana", "a typo", at(2));
        assert!(table(&[&rule]).keep(&contact(), &next).await.unwrap());
    }

    #[tokio::test]
    async fn a_version_that_no_longer_stands_is_not_replaced() {
        let rule = mock!(Client::put_item).then_error(|| {
            PutItemError::ConditionalCheckFailedException(ConditionalCheckFailedException::builder().build())
        });
        assert!(!table(&[&rule]).keep(&contact(), &first()).await.unwrap());
    }

    #[tokio::test]
    async fn a_write_that_may_have_failed_says_so() {
        let rule = mock!(Client::put_item)
            .then_error(|| PutItemError::InternalServerError(InternalServerError::builder().build()));
        assert!(table(&[&rule]).keep(&contact(), &first()).await.is_err());
    }

    #[tokio::test]
    async fn the_whole_table_is_read_page_by_page() {
        let item = |contact: &str| suppression_item(contact.to_owned(), &first());
        let one = mock!(Client::scan).then_output(move || {
            ScanOutput::builder()
                .items(item("email#1"))
                .last_evaluated_key("contact", text("email#1"))
                .build()
        });
        let two = mock!(Client::scan)
            .match_requests(|request| {
                request.exclusive_start_key() == Some(&Item::from([("contact".to_owned(), text("email#1"))]))
            })
            .then_output(move || ScanOutput::builder().items(item("sms#2")).build());
        let all = table(&[&one, &two]).all().await.unwrap();
        assert_eq!(all, [("email#1".to_owned(), first()), ("sms#2".to_owned(), first())]);
    }
}
