//! From a provider's id of a message to its delivery, for providers whose reports name nothing else.

use aws_sdk_dynamodb::Client;
use domain::ports::{MessageLookUp, Unavailable};
use domain::{Channel, NotificationId};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;

use crate::answer::in_few_words;
use crate::batch_get::{Key, batch_get};
use crate::item::{Item, number, text, text_of};

/// No provider reports on a message that is older.
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(24 * 90);

const KEEPING: &str = "write down the provider's id of a message";
const FINDING: &str = "find the deliveries of a provider's messages";

/// The table of providers' message ids.
#[derive(Debug, Clone)]
pub struct ProviderMessages {
    client: Client,
    table: String,
}

impl ProviderMessages {
    /// The table of that name.
    #[must_use]
    pub const fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Writes down which delivery a message belongs to. Doing it again changes nothing.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when it may or may not have been written.
    pub async fn keep(
        &self,
        message_id: &str,
        id: NotificationId,
        channel: Channel,
        now: Timestamp,
    ) -> Result<(), Unavailable> {
        let expires_at = now.saturating_add(KEPT_FOR).unwrap_or(now);
        self.client
            .put_item()
            .table_name(&self.table)
            .item("messageId", text(message_id))
            .item("notificationId", text(id.to_string()))
            .item("channel", text(channel.name()))
            .item("expiresAt", number(expires_at.as_second()))
            .send()
            .await
            .map(|_written| ())
            .map_err(|error| Unavailable::new(KEEPING, in_few_words(&error)))
    }
}

impl MessageLookUp for ProviderMessages {
    async fn find(&self, message_ids: &[String]) -> Result<HashMap<String, (NotificationId, Channel)>, Unavailable> {
        let keys = message_ids.iter().map(|id| Key {
            table: self.table.clone(),
            attribute: "messageId",
            value: id.clone(),
            sort: None,
        });
        let mut found = batch_get(&self.client, keys.collect())
            .await
            .map_err(|why| Unavailable::new(FINDING, why))?;
        let items = found.remove(&self.table).unwrap_or_default();
        Ok(items.iter().filter_map(delivery_of).collect())
    }
}

fn delivery_of(item: &Item) -> Option<(String, (NotificationId, Channel))> {
    let id = NotificationId::try_from(text_of(item, "notificationId")?).ok()?;
    let channel = Channel::from_name(text_of(item, "channel")?)?;
    Some((text_of(item, "messageId")?.to_owned(), (id, channel)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_dynamodb::operation::batch_get_item::{BatchGetItemError, BatchGetItemOutput};
    use aws_sdk_dynamodb::operation::put_item::{PutItemError, PutItemOutput};
    use aws_sdk_dynamodb::types::error::InternalServerError;
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
    use testkit::at;

    fn id() -> NotificationId {
        NotificationId::from_digest([7; 16])
    }

    fn messages(rule: &Rule) -> ProviderMessages {
        let client = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [rule], |config| {
            config.retry_config(aws_sdk_dynamodb::config::retry::RetryConfig::disabled())
        });
        ProviderMessages::new(client, "messages".to_owned())
    }

    #[tokio::test]
    async fn an_id_is_kept_for_ninety_days() {
        let rule = mock!(Client::put_item)
            .match_requests(|request| {
                let expires_at = request.item().and_then(|item| item.get("expiresAt"));
                expires_at == Some(&number(1_000 + 90 * 86_400))
            })
            .then_output(|| PutItemOutput::builder().build());
        assert!(messages(&rule).keep("m-1", id(), Channel::Sms, at(1_000)).await.is_ok());
    }

    #[tokio::test]
    async fn an_id_that_may_not_be_kept_is_an_error() {
        let rule = mock!(Client::put_item)
            .then_error(|| PutItemError::InternalServerError(InternalServerError::builder().build()));
        assert!(
            messages(&rule)
                .keep("m-1", id(), Channel::Sms, at(1_000))
                .await
                .is_err()
        );
    }

    #[tokio::test]
    async fn known_ids_lead_to_their_deliveries_and_others_are_missing() {
        let rule = mock!(Client::batch_get_item).then_output(|| {
            let item = Item::from([
                ("messageId".to_owned(), text("m-1")),
                ("notificationId".to_owned(), text(id().to_string())),
                ("channel".to_owned(), text("sms")),
            ]);
            BatchGetItemOutput::builder().responses("messages", vec![item]).build()
        });
        let found = messages(&rule)
            .find(&["m-1".to_owned(), "m-2".to_owned()])
            .await
            .unwrap();
        assert_eq!(found, HashMap::from([("m-1".to_owned(), (id(), Channel::Sms))]));
    }

    #[tokio::test]
    async fn a_failed_look_up_is_no_answer() {
        let rule = mock!(Client::batch_get_item)
            .then_error(|| BatchGetItemError::InternalServerError(InternalServerError::builder().build()));
        assert!(messages(&rule).find(&["m-1".to_owned()]).await.is_err());
    }
}
