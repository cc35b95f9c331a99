//! The counters of text messages in DynamoDB: one item per number and day, one per month, and a mark per notification.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};
use domain::ports::{Reserved, SmsAllowance, Unavailable};
use domain::{Contact, NotificationId};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::ContactKey;
use crate::answer::{in_few_words, was_written};
use crate::item::{number, number_of, text};

/// The day is over by then, whatever the clocks of the senders say.
const DAY_KEPT_FOR: SignedDuration = SignedDuration::from_hours(24 * 2);

/// Longer than a month, and than anybody asks about it.
const MONTH_KEPT_FOR: SignedDuration = SignedDuration::from_hours(24 * 90);

/// Longer than a delivery is tried again, by itself or by an operator: dead letters are kept for 14 days.
const MARK_KEPT_FOR: SignedDuration = SignedDuration::from_hours(24 * 30);

const COUNTING: &str = "count a text message to a number";
const RESERVING: &str = "count the segments of a text message";
const LOOKING: &str = "look up how many segments were counted";

/// The table of the system's state, as far as it counts text messages.
#[derive(Debug, Clone)]
pub struct DynamoAllowance {
    client: Client,
    table: String,
    key: ContactKey,
}

impl DynamoAllowance {
    /// The table of that name, in which a number stands under a hash with this key.
    #[must_use]
    pub const fn new(client: Client, table: String, key: ContactKey) -> Self {
        Self { client, table, key }
    }

    fn update(&self, name: String, kept_for: SignedDuration, now: Timestamp) -> UpdateItemFluentBuilder {
        let expires_at = now.saturating_add(kept_for).unwrap_or(now);
        self.client
            .update_item()
            .table_name(&self.table)
            .key("name", text(name))
            .expression_attribute_names("#expires", "expiresAt")
            .expression_attribute_values(":expires", number(expires_at.as_second()))
    }

    async fn is_marked(&self, name: &str) -> Result<bool, Unavailable> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("name", text(name))
            .consistent_read(true)
            .send()
            .await;
        match answer {
            Ok(output) => Ok(output.item.is_some()),
            Err(error) => Err(Unavailable::new(RESERVING, in_few_words(&error))),
        }
    }
}

/// The segments counted in the month (UTC) of this moment, in the table of that name.
///
/// # Errors
///
/// [`Unavailable`] when that cannot be told.
pub async fn segments_of_month(client: &Client, table: &str, now: Timestamp) -> Result<u64, Unavailable> {
    let answer = client
        .get_item()
        .table_name(table)
        .key("name", text(month_name(now)))
        .consistent_read(true)
        .send()
        .await;
    match answer {
        Ok(output) => Ok(output
            .item
            .and_then(|item| number_of(&item, "segments"))
            .unwrap_or_default()),
        Err(error) => Err(Unavailable::new(LOOKING, in_few_words(&error))),
    }
}

impl SmsAllowance for DynamoAllowance {
    async fn count(
        &self,
        contact: &Contact,
        id: NotificationId,
        limit: u32,
        now: Timestamp,
    ) -> Result<bool, Unavailable> {
        let name = format!("{}#{}", self.key.of(contact), now.to_zoned(TimeZone::UTC).date());
        let answer = self
            .update(name, DAY_KEPT_FOR, now)
            .update_expression("SET #expires = :expires ADD #ids :ids")
            .condition_expression("attribute_not_exists(#ids) OR contains(#ids, :id) OR size(#ids) < :limit")
            .expression_attribute_names("#ids", "ids")
            .expression_attribute_values(":ids", AttributeValue::Ss(vec![id.to_string()]))
            .expression_attribute_values(":id", text(id.to_string()))
            .expression_attribute_values(":limit", number(limit))
            .send()
            .await;
        was_written(answer, UpdateItemError::is_conditional_check_failed_exception, COUNTING)
    }

    /// First the month, then the mark that says so: what dies in between is counted again by the next try, never left out.
    async fn reserve(
        &self,
        id: NotificationId,
        segments: u8,
        limit: u64,
        now: Timestamp,
    ) -> Result<Reserved, Unavailable> {
        let mark = format!("sms-counted#{id}");
        if self.is_marked(&mark).await? {
            return Ok(Reserved {
                is_granted: true,
                used: None,
            });
        }
        // A message larger than the whole budget finds no room, not even in a month without an item.
        let Some(room) = limit.checked_sub(u64::from(segments)) else {
            return Ok(Reserved {
                is_granted: false,
                used: None,
            });
        };
        let answer = self
            .update(month_name(now), MONTH_KEPT_FOR, now)
            .update_expression("SET #expires = :expires ADD #segments :segments")
            .condition_expression("attribute_not_exists(#segments) OR #segments <= :room")
            .expression_attribute_names("#segments", "segments")
            .expression_attribute_values(":segments", number(segments))
            .expression_attribute_values(":room", number(room))
            .return_values(ReturnValue::UpdatedNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let used = match answer {
            Ok(output) => output.attributes.and_then(|item| number_of(&item, "segments")),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(refused)) => {
                    let used = refused.item().and_then(|item| number_of(item, "segments"));
                    return Ok(Reserved {
                        is_granted: false,
                        used,
                    });
                }
                Some(_) | None => return Err(Unavailable::new(RESERVING, in_few_words(&error))),
            },
        };
        let marked = self
            .update(mark, MARK_KEPT_FOR, now)
            .update_expression("SET #expires = :expires")
            .send()
            .await;
        if let Err(error) = marked {
            tracing::warn!(
                notification.id = %id,
                error = in_few_words(&error),
                "the segments of notification {id} are counted again if it is tried again"
            );
        }
        Ok(Reserved { is_granted: true, used })
    }
}

fn month_name(now: Timestamp) -> String {
    format!("sms-segments#{}", now.strftime("%Y-%m"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::Item;
    use aws_sdk_dynamodb::operation::get_item::{GetItemError, GetItemOutput};
    use aws_sdk_dynamodb::operation::update_item::{UpdateItemInput, UpdateItemOutput};
    use aws_sdk_dynamodb::types::error::{ConditionalCheckFailedException, InternalServerError};
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
    use domain::Channel;
    use testkit::at;

    /// 20 November 2026, 10:00 UTC.
    const NOW: i64 = 1_795_168_800;

    fn id() -> NotificationId {
        NotificationId::from_digest([7; 16])
    }

    fn phone() -> Contact {
        Contact::of(Channel::Sms, "+34600123456")
    }

    fn client(rules: &[&Rule]) -> Client {
        mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, rules, |config| {
            config.retry_config(aws_sdk_dynamodb::config::retry::RetryConfig::disabled())
        })
    }

    fn allowance(rules: &[&Rule]) -> DynamoAllowance {
        let key = ContactKey::try_from("a key of many letters").unwrap();
        DynamoAllowance::new(client(rules), "state".to_owned(), key)
    }

    fn name_of(request: &UpdateItemInput) -> &str {
        request.key().unwrap()["name"].as_s().unwrap()
    }

    fn value<'a>(request: &'a UpdateItemInput, name: &str) -> &'a AttributeValue {
        &request.expression_attribute_values().unwrap()[name]
    }

    fn failing() -> UpdateItemError {
        UpdateItemError::InternalServerError(InternalServerError::builder().build())
    }

    fn refusing(item: Option<Item>) -> UpdateItemError {
        let refused = ConditionalCheckFailedException::builder().set_item(item).build();
        UpdateItemError::ConditionalCheckFailedException(refused)
    }

    fn segments(count: u64) -> Item {
        Item::from([("segments".to_owned(), number(count))])
    }

    fn mark(item: Option<Item>) -> Rule {
        mock!(Client::get_item)
            .match_requests(|request| {
                request.consistent_read() == Some(true)
                    && request.key().unwrap()["name"] == text(format!("sms-counted#{}", id()))
            })
            .then_output(move || GetItemOutput::builder().set_item(item.clone()).build())
    }

    fn month() -> Rule {
        mock!(Client::update_item)
            .match_requests(|request| {
                name_of(request) == "sms-segments#2026-11"
                    && *value(request, ":segments") == number(2)
                    && *value(request, ":room") == number(8)
                    && *value(request, ":expires") == number(NOW + 90 * 86_400)
            })
            .then_output(|| UpdateItemOutput::builder().set_attributes(Some(segments(6))).build())
    }

    fn marking() -> Rule {
        mock!(Client::update_item)
            .match_requests(|request| {
                name_of(request).starts_with("sms-counted#") && *value(request, ":expires") == number(NOW + 30 * 86_400)
            })
            .then_output(|| UpdateItemOutput::builder().build())
    }

    #[tokio::test]
    async fn a_number_stands_under_its_hash_and_day_and_never_as_it_is() {
        let rule = mock!(Client::update_item)
            .match_requests(|request| {
                let name = name_of(request);
                name.starts_with("sms#")
                    && name.ends_with("#2026-11-20")
                    && !format!("{request:?}").contains("600123456")
                    && *value(request, ":ids") == AttributeValue::Ss(vec![id().to_string()])
                    && *value(request, ":limit") == number(10)
                    && *value(request, ":expires") == number(NOW + 2 * 86_400)
            })
            .then_output(|| UpdateItemOutput::builder().build());
        assert_eq!(
            allowance(&[&rule]).count(&phone(), id(), 10, at(NOW)).await.ok(),
            Some(true)
        );
    }

    #[tokio::test]
    async fn a_full_day_is_an_answer_and_an_error_is_none() {
        let full = mock!(Client::update_item).then_error(|| refusing(None));
        assert_eq!(
            allowance(&[&full]).count(&phone(), id(), 10, at(NOW)).await.ok(),
            Some(false)
        );
        let broken = mock!(Client::update_item).then_error(failing);
        assert!(allowance(&[&broken]).count(&phone(), id(), 10, at(NOW)).await.is_err());
    }

    #[tokio::test]
    async fn segments_are_counted_and_then_marked() {
        let (mark, month, marking) = (mark(None), month(), marking());
        let reserved = allowance(&[&mark, &month, &marking])
            .reserve(id(), 2, 10, at(NOW))
            .await
            .unwrap();
        assert_eq!((reserved.is_granted, reserved.used), (true, Some(6)));
        assert_eq!((month.num_calls(), marking.num_calls()), (1, 1));
    }

    #[tokio::test]
    async fn what_is_marked_is_granted_and_not_counted_again() {
        let (mark, month) = (mark(Some(Item::new())), month());
        let reserved = allowance(&[&mark, &month]).reserve(id(), 2, 10, at(NOW)).await.unwrap();
        assert_eq!((reserved.is_granted, reserved.used), (true, None));
        assert_eq!(month.num_calls(), 0);
    }

    #[tokio::test]
    async fn a_used_up_month_refuses_and_tells_what_it_has() {
        let full = mock!(Client::update_item).then_error(|| refusing(Some(segments(9))));
        let reserved = allowance(&[&mark(None), &full])
            .reserve(id(), 2, 10, at(NOW))
            .await
            .unwrap();
        assert_eq!((reserved.is_granted, reserved.used), (false, Some(9)));
    }

    #[tokio::test]
    async fn a_message_larger_than_the_budget_is_refused_without_asking() {
        let reserved = allowance(&[&mark(None)]).reserve(id(), 2, 1, at(NOW)).await.unwrap();
        assert!(!reserved.is_granted);
    }

    #[tokio::test]
    async fn a_mark_that_cannot_be_written_does_not_hold_the_message_back() {
        let unmarked = mock!(Client::update_item)
            .match_requests(|request| name_of(request).starts_with("sms-counted#"))
            .then_error(failing);
        let reserved = allowance(&[&mark(None), &month(), &unmarked])
            .reserve(id(), 2, 10, at(NOW))
            .await
            .unwrap();
        assert!(reserved.is_granted);
    }

    #[tokio::test]
    async fn a_failed_look_and_a_failed_count_are_no_answer() {
        let unread = mock!(Client::get_item)
            .then_error(|| GetItemError::InternalServerError(InternalServerError::builder().build()));
        assert!(allowance(&[&unread]).reserve(id(), 2, 10, at(NOW)).await.is_err());
        let uncounted = mock!(Client::update_item).then_error(failing);
        assert!(
            allowance(&[&mark(None), &uncounted])
                .reserve(id(), 2, 10, at(NOW))
                .await
                .is_err()
        );
        assert!(segments_of_month(&client(&[&unread]), "state", at(NOW)).await.is_err());
    }

    #[tokio::test]
    async fn a_month_without_an_item_has_used_nothing() {
        for (item, used) in [(None, 0), (Some(segments(42)), 42)] {
            let rule = mock!(Client::get_item)
                .match_requests(|request| request.key().unwrap()["name"] == text("sms-segments#2026-11"))
                .then_output(move || GetItemOutput::builder().set_item(item.clone()).build());
            assert_eq!(
                segments_of_month(&client(&[&rule]), "state", at(NOW)).await.ok(),
                Some(used)
            );
        }
    }
}
