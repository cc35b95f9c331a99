//! A customer's notifications as the ledger's index tells them, newest first.

use aws_sdk_dynamodb::Client;
use domain::UserId;
use domain::ports::{HistoryLoad, HistoryPage, HistoryPlace, PastNotification, PastResult, Unavailable};
use jiff::Timestamp;

use crate::answer::in_few_words;
use crate::item::{Item, maps_of, number, number_of, text, text_of};

const READING: &str = "read a customer's notifications";

const INDEX: &str = "userId-timestamp-index";

/// The ledger's index of customers.
#[derive(Debug, Clone)]
pub struct DynamoHistory {
    client: Client,
    table: String,
}

impl DynamoHistory {
    /// The index of the ledger of that name.
    #[must_use]
    pub const fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }
}

impl HistoryLoad for DynamoHistory {
    async fn page(&self, user: &UserId, limit: u16, after: Option<&HistoryPlace>) -> Result<HistoryPage, Unavailable> {
        // The customer comes from the caller's token alone, also where the page goes on.
        let start = after.map(|place| {
            Item::from([
                ("userId".to_owned(), text(user.as_str())),
                ("timestamp".to_owned(), number(place.seconds)),
                ("notificationId".to_owned(), text(place.id.as_str())),
            ])
        });
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(INDEX)
            .key_condition_expression("userId = :user")
            .expression_attribute_values(":user", text(user.as_str()))
            .scan_index_forward(false)
            .limit(i32::from(limit))
            .set_exclusive_start_key(start)
            .send()
            .await;
        let output = answer.map_err(|error| Unavailable::new(READING, in_few_words(&error)))?;
        Ok(HistoryPage {
            notifications: output.items().iter().filter_map(past_of).collect(),
            next: output.last_evaluated_key().and_then(place_of),
        })
    }
}

fn place_of(key: &Item) -> Option<HistoryPlace> {
    Some(HistoryPlace {
        id: text_of(key, "notificationId")?.to_owned(),
        seconds: number_of(key, "timestamp")?,
    })
}

fn past_of(item: &Item) -> Option<PastNotification> {
    let part = |item: &Item, name: &str| text_of(item, name).map(domain::clean_line);
    Some(PastNotification {
        id: text_of(item, "notificationId")?.to_owned(),
        notification_type: part(item, "notificationType").unwrap_or_default(),
        order: part(item, "orderId"),
        status: part(item, "status"),
        at: Timestamp::from_second(number_of(item, "timestamp")?).ok()?,
        results: maps_of(item, "results")
            .map(|result| PastResult {
                channel: part(result, "channel").unwrap_or_default(),
                outcome: part(result, "outcome").unwrap_or_default(),
                reason: part(result, "reason"),
            })
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_dynamodb::operation::query::{QueryError, QueryOutput};
    use aws_sdk_dynamodb::types::AttributeValue;
    use aws_sdk_dynamodb::types::error::InternalServerError;
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
    use testkit::at;

    fn ana() -> UserId {
        UserId::try_from("ana").unwrap()
    }

    fn history(rule: &Rule) -> DynamoHistory {
        let client = mock_client!(aws_sdk_dynamodb, RuleMode::Sequential, [rule], |config| {
            config.retry_config(aws_sdk_dynamodb::config::retry::RetryConfig::disabled())
        });
        DynamoHistory::new(client, "ledger".to_owned())
    }

    fn key() -> Item {
        Item::from([
            ("userId".to_owned(), text("ana")),
            ("notificationId".to_owned(), text("n-1")),
            ("timestamp".to_owned(), number(7)),
        ])
    }

    #[tokio::test]
    async fn a_page_tells_how_each_channel_fared_and_where_it_goes_on() {
        let rule = mock!(Client::query)
            .match_requests(|request| request.scan_index_forward() == Some(false) && request.limit() == Some(2))
            .then_output(|| {
                let result = Item::from([
                    ("channel".to_owned(), text("email")),
                    ("outcome".to_owned(), text("skipped")),
                    ("reason".to_owned(), text("opted_out")),
                ]);
                let mut item = key();
                item.insert("notificationType".to_owned(), text("order_status_update"));
                item.insert("results".to_owned(), AttributeValue::L(vec![AttributeValue::M(result)]));
                let broken = Item::from([("userId".to_owned(), text("ana"))]);
                QueryOutput::builder()
                    .items(item)
                    .items(broken)
                    .set_last_evaluated_key(Some(key()))
                    .build()
            });
        let page = history(&rule).page(&ana(), 2, None).await.unwrap();
        let [told] = page.notifications.as_slice() else {
            panic!("{page:?}")
        };
        assert_eq!((told.id.as_str(), told.at, &told.order), ("n-1", at(7), &None));
        assert_eq!(told.results[0].reason.as_deref(), Some("opted_out"));
        let expected = HistoryPlace {
            id: "n-1".to_owned(),
            seconds: 7,
        };
        assert_eq!(page.next, Some(expected));
    }

    #[tokio::test]
    async fn a_page_goes_on_among_the_callers_own() {
        let rule = mock!(Client::query)
            .match_requests(|request| request.exclusive_start_key() == Some(&key()))
            .then_output(|| QueryOutput::builder().build());
        let place = HistoryPlace {
            id: "n-1".to_owned(),
            seconds: 7,
        };
        assert_eq!(
            history(&rule).page(&ana(), 2, Some(&place)).await.unwrap(),
            HistoryPage::default()
        );
    }

    #[tokio::test]
    async fn a_ledger_that_does_not_answer_is_told() {
        let silent =
            mock!(Client::query).then_error(|| QueryError::InternalServerError(InternalServerError::builder().build()));
        assert!(history(&silent).page(&ana(), 2, None).await.is_err());
    }
}
