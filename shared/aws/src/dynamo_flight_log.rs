//! Which canary flew last, in the table of the system's state: one item, `canary`.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use domain::ports::Unavailable;
use domain::{Flight, FlightLog, NotificationId};
use jiff::SignedDuration;

use crate::answer::{in_few_words, was_written};
use crate::item::{Item, moment, moment_of, number, text, text_of};

const READING: &str = "read which canary flew last";
const WRITING: &str = "write down that a canary flies";

/// The name of the item.
const NAME: &str = "canary";

/// A canary of which nobody asked for so long is forgotten: the stack's canaries were off meanwhile.
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(24);

/// The log of flights.
#[derive(Debug, Clone)]
pub struct DynamoFlightLog {
    client: Client,
    table: String,
}

impl DynamoFlightLog {
    /// The table of that name.
    #[must_use]
    pub const fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }
}

impl FlightLog for DynamoFlightLog {
    async fn last(&self) -> Result<Option<Flight>, Unavailable> {
        let output = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("name", text(NAME))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| Unavailable::new(READING, in_few_words(&error)))?;
        match output.item() {
            None => Ok(None),
            Some(item) => flight_of(item)
                .map(Some)
                .ok_or_else(|| Unavailable::new(READING, "it is not in the shape that is kept there")),
        }
    }

    async fn begin(&self, before: Option<&Flight>, next: &Flight) -> Result<bool, Unavailable> {
        let expires_at = next.published_at.saturating_add(KEPT_FOR).unwrap_or(next.published_at);
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .item("name", text(NAME))
            .item("slot", moment(next.slot))
            .item("publishedAt", moment(next.published_at))
            .item("notificationId", text(next.id.to_string()))
            .item("expiresAt", number(expires_at.as_second()));
        let put = match before {
            None => put.condition_expression("attribute_not_exists(slot)"),
            Some(before) => put
                .condition_expression("slot = :before")
                .expression_attribute_values(":before", moment(before.slot)),
        };
        let answer = put.send().await;
        was_written(answer, PutItemError::is_conditional_check_failed_exception, WRITING)
    }
}

fn flight_of(item: &Item) -> Option<Flight> {
    Some(Flight {
        slot: moment_of(item, "slot")?,
        published_at: moment_of(item, "publishedAt")?,
        id: NotificationId::try_from(text_of(item, "notificationId")?).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_dynamodb::operation::get_item::GetItemOutput;
    use aws_sdk_dynamodb::operation::put_item::PutItemOutput;
    use aws_sdk_dynamodb::types::error::ConditionalCheckFailedException;
    use aws_smithy_mocks::{RuleMode, mock, mock_client};
    use jiff::Timestamp;

    fn flight() -> Flight {
        Flight {
            slot: Timestamp::from_second(1_795_168_800).unwrap(),
            published_at: Timestamp::from_millisecond(1_795_168_800_412).unwrap(),
            id: NotificationId::from_digest([7; 16]),
        }
    }

    #[tokio::test]
    async fn what_was_written_is_read_again() {
        let written = mock!(aws_sdk_dynamodb::Client::put_item)
            .match_requests(|put| put.condition_expression() == Some("attribute_not_exists(slot)"))
            .then_output(|| PutItemOutput::builder().build());
        let read = mock!(aws_sdk_dynamodb::Client::get_item).then_output(|| {
            GetItemOutput::builder()
                .item("slot", moment(flight().slot))
                .item("publishedAt", moment(flight().published_at))
                .item("notificationId", text(flight().id.to_string()))
                .build()
        });
        let client = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, &[&written, &read]);
        let log = DynamoFlightLog::new(client, "state".to_owned());
        assert!(log.begin(None, &flight()).await.unwrap());
        assert_eq!(log.last().await.unwrap(), Some(flight()));
    }

    #[tokio::test]
    async fn a_flight_is_begun_once() {
        let refused = mock!(aws_sdk_dynamodb::Client::put_item)
            .match_requests(|put| put.condition_expression() == Some("slot = :before"))
            .then_error(|| {
                PutItemError::ConditionalCheckFailedException(ConditionalCheckFailedException::builder().build())
            });
        let client = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, &[&refused]);
        let log = DynamoFlightLog::new(client, "state".to_owned());
        assert!(!log.begin(Some(&flight()), &flight()).await.unwrap());
    }

    #[tokio::test]
    async fn an_item_in_another_shape_is_no_flight_and_no_silence_either() {
        let read = mock!(aws_sdk_dynamodb::Client::get_item)
            .then_output(|| GetItemOutput::builder().item("slot", text("yesterday")).build());
        let client = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, &[&read]);
        assert!(DynamoFlightLog::new(client, "state".to_owned()).last().await.is_err());
    }
}
