//! The name of an SNS topic.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// `arn:aws:sns:REGION:ACCOUNT:NAME`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TopicArn {
    text: String,
    region: String,
    account: String,
}

/// Something else than the ARN of a topic.
#[derive(Debug, Error)]
#[error("expected arn:aws:sns:REGION:ACCOUNT:NAME, got {text}")]
pub struct TopicArnError {
    text: String,
}

impl TopicArn {
    pub(crate) fn region(&self) -> &str {
        &self.region
    }

    pub(crate) fn account(&self) -> &str {
        &self.account
    }
}

impl TryFrom<String> for TopicArn {
    type Error = TopicArnError;

    fn try_from(text: String) -> Result<Self, TopicArnError> {
        let parts: Vec<_> = text.split(':').map(str::to_owned).collect();
        match <[String; 6]>::try_from(parts) {
            Ok([arn, _partition, service, region, account, name])
                if arn == "arn"
                    && service == "sns"
                    && ![&region, &account, &name].iter().any(|part| part.is_empty()) =>
            {
                Ok(Self { text, region, account })
            }
            _ => Err(TopicArnError { text }),
        }
    }
}

impl FromStr for TopicArn {
    type Err = TopicArnError;

    fn from_str(text: &str) -> Result<Self, TopicArnError> {
        Self::try_from(text.to_owned())
    }
}

impl From<TopicArn> for String {
    fn from(topic: TopicArn) -> Self {
        topic.text
    }
}

impl fmt::Display for TopicArn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_in_a_region_of_an_account() {
        let topic: TopicArn = "arn:aws:sns:eu-west-1:000000000000:e-com67-ses-events".parse().unwrap();
        assert_eq!((topic.region(), topic.account()), ("eu-west-1", "000000000000"));
    }

    #[test]
    fn a_queue_is_no_topic() {
        let error = "arn:aws:sqs:eu-west-1:000000000000:email"
            .parse::<TopicArn>()
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "expected arn:aws:sns:REGION:ACCOUNT:NAME, got arn:aws:sqs:eu-west-1:000000000000:email"
        );
    }

    #[test]
    fn a_subscription_is_no_topic() {
        assert!(
            "arn:aws:sns:eu-west-1:000000000000:topic:1f2e"
                .parse::<TopicArn>()
                .is_err()
        );
    }
}
