//! The numbers that answered STOP, as SNS lists them for the account.

use aws_sdk_sns::Client;
use domain::ports::{OptOutList, Unavailable};
use domain::{Channel, Contact};

use crate::answer::in_few_words;

const READING: &str = "read the list of numbers that opted out";

/// The account's list of numbers that opted out.
#[derive(Debug, Clone)]
pub struct SnsOptOuts {
    client: Client,
}

impl SnsOptOuts {
    /// The list of the account that this client speaks for.
    #[must_use]
    pub const fn new(client: Client) -> Self {
        Self { client }
    }
}

impl OptOutList for SnsOptOuts {
    async fn read(&self) -> Result<Vec<Contact>, Unavailable> {
        let mut numbers = self
            .client
            .list_phone_numbers_opted_out()
            .into_paginator()
            .items()
            .send();
        let mut contacts = Vec::new();
        while let Some(number) = numbers.next().await {
            let number = number.map_err(|error| Unavailable::new(READING, in_few_words(&error)))?;
            // What is no number for us is never written to.
            contacts.extend(Contact::read(Channel::Sms, &number));
        }
        Ok(contacts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_sns::operation::list_phone_numbers_opted_out::{
        ListPhoneNumbersOptedOutError, ListPhoneNumbersOptedOutOutput,
    };
    use aws_sdk_sns::types::error::InternalErrorException;
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};

    fn opt_outs(rules: &[&Rule]) -> SnsOptOuts {
        SnsOptOuts::new(mock_client!(aws_sdk_sns, RuleMode::Sequential, rules, |config| {
            config.retry_config(aws_sdk_sns::config::retry::RetryConfig::disabled())
        }))
    }

    fn first_page() -> Rule {
        mock!(Client::list_phone_numbers_opted_out).then_output(|| {
            ListPhoneNumbersOptedOutOutput::builder()
                .phone_numbers("+34600123456")
                .next_token("more")
                .build()
        })
    }

    #[tokio::test]
    async fn the_list_is_read_to_its_end() {
        let first = first_page();
        let second = mock!(Client::list_phone_numbers_opted_out)
            .match_requests(|request| request.next_token() == Some("more"))
            .then_output(|| {
                ListPhoneNumbersOptedOutOutput::builder()
                    .phone_numbers("not a number")
                    .phone_numbers("+40712345678")
                    .build()
            });
        let contacts = opt_outs(&[&first, &second]).read().await.unwrap();
        assert_eq!(
            contacts,
            [
                Contact::of(Channel::Sms, "+34600123456"),
                Contact::of(Channel::Sms, "+40712345678")
            ]
        );
    }

    #[tokio::test]
    async fn half_a_list_is_none() {
        let first = first_page();
        let second = mock!(Client::list_phone_numbers_opted_out).then_error(|| {
            ListPhoneNumbersOptedOutError::InternalErrorException(InternalErrorException::builder().build())
        });
        assert!(opt_outs(&[&first, &second]).read().await.is_err());
    }
}
