//! The ledger: what was decided about a notification, who holds it, what came of it.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use jiff::Timestamp;

use crate::order::Event;

/// How long a claim holds when nobody reports what came of it: longer than the function may run.
const CLAIM_SECONDS: i64 = 900;

/// How long a notification is remembered: 60 days.
const RETENTION_SECONDS: i64 = 60 * 24 * 3600;

/// The table of outcomes.
#[derive(Debug)]
pub(crate) struct Ledger {
    client: Client,
    table: String,
}

/// What asking for a notification came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Claim {
    /// It is ours to send.
    Granted,
    /// It was sent before.
    Sent,
    /// Another call is at it.
    Held,
}

impl Ledger {
    pub(crate) fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Records what was decided, unless something is recorded already.
    pub(crate) async fn record_decision(
        &self,
        id: &str,
        event: &Event,
        state: &str,
        now: Timestamp,
    ) -> Result<(), SdkError<PutItemError>> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .item("notificationId", text(id))
            .item("notificationType", text(&event.notification_type))
            .item("orderId", text(&event.order_data.order_id))
            .item("channels", AttributeValue::L(vec![text("email")]))
            .item("state", text(state))
            .item("timestamp", number(now.as_second()))
            .item("expiresAt", number(now.as_second() + RETENTION_SECONDS))
            .condition_expression("attribute_not_exists(notificationId)");
        let put = match &event.user_id {
            Some(user_id) => put.item("userId", text(user_id)),
            None => put,
        };
        match put.send().await {
            Err(SdkError::ServiceError(error)) if error.err().is_conditional_check_failed_exception() => Ok(()),
            answer => answer.map(|_| ()),
        }
    }

    /// Claims it, so that of two calls one sends.
    pub(crate) async fn claim(&self, id: &str, now: Timestamp) -> Result<Claim, SdkError<UpdateItemError>> {
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("notificationId", text(id))
            .update_expression("SET #state = :claimed, claimedUntil = :until")
            .condition_expression("#state = :decided OR (#state = :claimed AND claimedUntil < :now)")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":claimed", text("claimed"))
            .expression_attribute_values(":decided", text("decided"))
            .expression_attribute_values(":until", number(now.as_second() + CLAIM_SECONDS))
            .expression_attribute_values(":now", number(now.as_second()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let error = match answer {
            Ok(_) => return Ok(Claim::Granted),
            Err(error) => error,
        };
        let Some(UpdateItemError::ConditionalCheckFailedException(refusal)) = error.as_service_error() else {
            return Err(error);
        };
        let state = refusal.item().and_then(|item| item.get("state")?.as_s().ok());
        match state.map(String::as_str) {
            Some("sent") => Ok(Claim::Sent),
            _ => Ok(Claim::Held),
        }
    }

    /// Records that SES has it.
    pub(crate) async fn record_sent(
        &self,
        id: &str,
        message_id: &str,
        now: Timestamp,
    ) -> Result<(), SdkError<UpdateItemError>> {
        self.client
            .update_item()
            .table_name(&self.table)
            .key("notificationId", text(id))
            .update_expression("SET #state = :sent, messageId = :message, sentAt = :now REMOVE claimedUntil")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":sent", text("sent"))
            .expression_attribute_values(":message", text(message_id))
            .expression_attribute_values(":now", number(now.as_second()))
            .send()
            .await?;
        Ok(())
    }

    /// Gives the claim back after a failure, so that the next call may try.
    pub(crate) async fn release(&self, id: &str) -> Result<(), SdkError<UpdateItemError>> {
        self.client
            .update_item()
            .table_name(&self.table)
            .key("notificationId", text(id))
            .update_expression("SET #state = :decided REMOVE claimedUntil")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":decided", text("decided"))
            .send()
            .await?;
        Ok(())
    }
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn number(value: i64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}
