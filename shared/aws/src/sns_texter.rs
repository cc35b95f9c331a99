//! Text messages through SNS: `Publish` to a number, offered once.

use aws_sdk_sns::Client;
use aws_sdk_sns::types::MessageAttributeValue;
use domain::ports::SendAnswer;
use domain::{NotificationType, Reason};

use crate::answer::{is_forbidden, is_throttle, read_error};

/// Text messages through SNS.
#[derive(Debug, Clone)]
pub struct SnsTexter {
    client: Client,
    sender_id: Option<String>,
}

impl SnsTexter {
    /// A texter over a client whose own retries are off ([`crate::Connection::sns`]), with the alphanumeric sender that
    /// phones show where the country allows one.
    #[must_use]
    pub const fn new(client: Client, sender_id: Option<String>) -> Self {
        Self { client, sender_id }
    }

    /// Offers one text message to SNS, once. `to` is a number in E.164.
    pub async fn send(&self, to: &str, text: &str, notification_type: NotificationType) -> SendAnswer {
        let Ok(kind) = attribute(notification_type.sms_class().name()) else {
            return cannot_build();
        };
        let mut request = self
            .client
            .publish()
            .phone_number(to)
            .message(text)
            .message_attributes("AWS.SNS.SMS.SMSType", kind);
        if let Some(sender_id) = &self.sender_id {
            let Ok(sender_id) = attribute(sender_id) else {
                return cannot_build();
            };
            request = request.message_attributes("AWS.SNS.SMS.SenderID", sender_id);
        }
        match request.send().await {
            Ok(output) => SendAnswer::Accepted {
                message_id: output.message_id.unwrap_or_default(),
            },
            Err(error) => read_error(&error, meaning),
        }
    }
}

fn cannot_build() -> SendAnswer {
    SendAnswer::Refused {
        reason: "the message attributes could not be built".to_owned(),
    }
}

fn attribute(value: &str) -> Result<MessageAttributeValue, aws_sdk_sns::error::BuildError> {
    MessageAttributeValue::builder()
        .data_type("String")
        .string_value(value)
        .build()
}

/// What a refusal by SNS means (SNS API reference, `Publish`, "Errors").
fn meaning(code: &str, message: &str, status: u16) -> SendAnswer {
    let reason = code.to_owned();
    let message = message.to_ascii_lowercase();
    match code {
        _ if is_throttle(code, status) => SendAnswer::Throttled { reason },
        _ if is_forbidden(code, status) => SendAnswer::AccountTrouble { reason },
        _ if message.contains("opted out") => SendAnswer::OptedOut {
            reason: Reason::SmsOptedOut.code().to_owned(),
        },
        // The monthly spend limit, and the sandbox.
        _ if message.contains("spend") || message.contains("sandbox") => SendAnswer::AccountTrouble { reason },
        "InvalidParameter"
        | "InvalidParameterValue"
        | "ParameterValueInvalid"
        | "InvalidParameterException"
        | "ValidationError"
        | "ValidationException" => SendAnswer::Refused { reason },
        _ => SendAnswer::NotTaken { reason },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_sns::operation::publish::PublishOutput;
    use aws_smithy_mocks::{RuleMode, mock, mock_client};

    #[tokio::test]
    async fn an_accepted_text_brings_its_id_and_says_that_it_is_transactional() {
        let rule = mock!(Client::publish)
            .match_requests(|request| {
                let kind = request
                    .message_attributes()
                    .and_then(|all| all.get("AWS.SNS.SMS.SMSType"));
                kind.and_then(MessageAttributeValue::string_value) == Some("Transactional")
            })
            .then_output(|| PublishOutput::builder().message_id("m-1").build());
        let client = mock_client!(aws_sdk_sns, RuleMode::MatchAny, [&rule]);
        let texter = SnsTexter::new(client, Some("Shop".to_owned()));
        let answer = texter
            .send("+34600123456", "Hola", NotificationType::OrderStatusUpdate)
            .await;
        assert_eq!(
            answer,
            SendAnswer::Accepted {
                message_id: "m-1".to_owned()
            }
        );
    }

    #[test]
    fn every_refusal_has_a_meaning() {
        let account = |code: &str| SendAnswer::AccountTrouble { reason: code.into() };
        let cases = [
            (
                ("Throttled", ""),
                SendAnswer::Throttled {
                    reason: "Throttled".into(),
                },
            ),
            (("AuthorizationError", ""), account("AuthorizationError")),
            (
                ("InvalidParameter", "Invalid parameter: PhoneNumber"),
                SendAnswer::Refused {
                    reason: "InvalidParameter".into(),
                },
            ),
            (
                ("InvalidParameter", "phone number is opted out"),
                SendAnswer::OptedOut {
                    reason: "sms_opted_out".into(),
                },
            ),
            (
                ("SomethingElse", "No quota left for account: spend limit"),
                account("SomethingElse"),
            ),
            (
                ("KMSDisabled", ""),
                SendAnswer::NotTaken {
                    reason: "KMSDisabled".into(),
                },
            ),
        ];
        for ((code, message), expected) in cases {
            assert_eq!(meaning(code, message, 400), expected, "{code}: {message}");
        }
    }
}
