//! Phone numbers that wait for their code, in DynamoDB: each write under what it replaces.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::ports::{PhoneVerificationsKeep, Unavailable};
use domain::{PhoneNumber, PhoneVerification, UserId};

use crate::answer::{in_few_words, was_written};
use crate::item::{Item, moment, moment_of, number, number_of, text, text_of};

const LOOKING_UP: &str = "look up a phone verification";
const KEEPING: &str = "write a phone verification";

/// The table of phone verifications.
#[derive(Debug, Clone)]
pub struct DynamoPhoneVerifications {
    client: Client,
    table: String,
}

impl DynamoPhoneVerifications {
    /// The table of that name.
    #[must_use]
    pub const fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }
}

impl PhoneVerificationsKeep for DynamoPhoneVerifications {
    async fn look_up(&self, user: &UserId) -> Result<Option<PhoneVerification>, Unavailable> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("userId", text(user.as_str()))
            .consistent_read(true)
            .send()
            .await;
        match answer {
            Ok(output) => Ok(output.item().and_then(verification_of)),
            Err(error) => Err(Unavailable::new(LOOKING_UP, in_few_words(&error))),
        }
    }

    async fn keep(
        &self,
        user: &UserId,
        before: Option<&PhoneVerification>,
        next: &PhoneVerification,
    ) -> Result<bool, Unavailable> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(verification_item(user, next)));
        let put = match before {
            None => put.condition_expression("attribute_not_exists(userId)"),
            Some(before) => put
                .condition_expression("sentAt = :sentAt AND attempts = :attempts")
                .expression_attribute_values(":sentAt", moment(before.sent_at))
                .expression_attribute_values(":attempts", number(before.attempts)),
        };
        was_written(
            put.send().await,
            PutItemError::is_conditional_check_failed_exception,
            KEEPING,
        )
    }
}

fn verification_item(user: &UserId, verification: &PhoneVerification) -> Item {
    Item::from([
        ("userId".to_owned(), text(user.as_str())),
        ("phoneNumber".to_owned(), text(verification.phone.as_str())),
        ("mac".to_owned(), AttributeValue::B(Blob::new(verification.mac.clone()))),
        ("sentAt".to_owned(), moment(verification.sent_at)),
        ("attempts".to_owned(), number(verification.attempts)),
        ("codes".to_owned(), number(verification.codes)),
        ("windowBeganAt".to_owned(), moment(verification.window_began_at)),
        ("expiresAt".to_owned(), number(verification.expires_at().as_second())),
    ])
}

fn verification_of(item: &Item) -> Option<PhoneVerification> {
    Some(PhoneVerification {
        phone: PhoneNumber::try_from(text_of(item, "phoneNumber")?).ok()?,
        mac: item.get("mac")?.as_b().ok()?.as_ref().to_vec(),
        sent_at: moment_of(item, "sentAt")?,
        attempts: number_of(item, "attempts")?,
        codes: number_of(item, "codes")?,
        window_began_at: moment_of(item, "windowBeganAt")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_dynamodb::operation::get_item::GetItemOutput;
    use aws_sdk_dynamodb::operation::put_item::{PutItemInput, PutItemOutput};
    use aws_sdk_dynamodb::types::error::{ConditionalCheckFailedException, InternalServerError};
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
    use testkit::at;

    fn ana() -> UserId {
        UserId::try_from("ana").unwrap()
    }

    fn begun() -> PhoneVerification {
        let phone = PhoneNumber::try_from("+34600123456").unwrap();
        PhoneVerification::begin(None, phone, vec![1, 2, 3], at(7)).unwrap()
    }

    fn table(rule: &Rule) -> DynamoPhoneVerifications {
        let client = mock_client!(aws_sdk_dynamodb, RuleMode::Sequential, [rule], |config| {
            config.retry_config(aws_sdk_dynamodb::config::retry::RetryConfig::disabled())
        });
        DynamoPhoneVerifications::new(client, "table".to_owned())
    }

    fn writing(matches: fn(&PutItemInput) -> bool) -> Rule {
        mock!(Client::put_item)
            .match_requests(matches)
            .then_output(|| PutItemOutput::builder().build())
    }

    #[tokio::test]
    async fn what_was_written_is_read_again() {
        let rule = mock!(Client::get_item)
            .match_requests(|request| request.consistent_read() == Some(true))
            .then_output(|| {
                GetItemOutput::builder()
                    .set_item(Some(verification_item(&ana(), &begun())))
                    .build()
            });
        assert_eq!(table(&rule).look_up(&ana()).await.unwrap(), Some(begun()));
        let nothing = mock!(Client::get_item).then_output(|| GetItemOutput::builder().build());
        assert_eq!(table(&nothing).look_up(&ana()).await.unwrap(), None);
    }

    #[tokio::test]
    async fn the_first_is_written_where_there_is_none_and_the_next_over_the_one_before() {
        let first = writing(|request| request.condition_expression() == Some("attribute_not_exists(userId)"));
        assert!(table(&first).keep(&ana(), None, &begun()).await.unwrap());
        let next = writing(|request| {
            let values = request.expression_attribute_values().unwrap();
            values[":sentAt"] == moment(at(7)) && values[":attempts"] == number(0)
        });
        let attempted = begun().attempted(at(8)).unwrap();
        assert!(table(&next).keep(&ana(), Some(&begun()), &attempted).await.unwrap());
    }

    #[tokio::test]
    async fn what_another_has_written_stands_and_silence_is_told() {
        let refused = mock!(Client::put_item).then_error(|| {
            PutItemError::ConditionalCheckFailedException(ConditionalCheckFailedException::builder().build())
        });
        assert!(!table(&refused).keep(&ana(), None, &begun()).await.unwrap());
        let silent = mock!(Client::put_item)
            .then_error(|| PutItemError::InternalServerError(InternalServerError::builder().build()));
        assert!(table(&silent).keep(&ana(), None, &begun()).await.is_err());
    }
}
