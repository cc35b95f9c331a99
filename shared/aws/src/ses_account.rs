//! What SES says of the account: how fast it may send, and whether at all. For text messages nobody says, so that the
//! configuration does.

use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::operation::get_account::GetAccountOutput;
use aws_sdk_sesv2::operation::get_email_identity::GetEmailIdentityError;
use domain::ports::{Account, AccountFacts, Unavailable};
use domain::{Channel, Traffic};

use crate::answer::in_few_words;

const ASKING: &str = "ask SES about the account";
const ASKING_ABOUT_THE_SENDER: &str = "ask SES about the sender's identity";

/// What SES says of the account.
#[derive(Debug, Clone)]
pub struct SesAccount {
    client: Client,
    sender: String,
    sms_limit: f64,
}

impl SesAccount {
    /// The account that sends e-mail from this address, and so many text messages per second: SNS has no call that tells.
    #[must_use]
    pub const fn new(client: Client, sender: String, sms_limit: f64) -> Self {
        Self {
            client,
            sender,
            sms_limit,
        }
    }

    async fn ask_ses(&self) -> Result<Account, Unavailable> {
        let account = self.client.get_account().send().await;
        let account = account.map_err(|error| Unavailable::new(ASKING, in_few_words(&error)))?;
        let rate = account.send_quota().map_or(0.0, |quota| quota.max_send_rate());
        let trouble = match trouble_of(&account) {
            Some(trouble) => Some(trouble),
            None if self.is_verified().await? => None,
            None => Some("the sender is not verified"),
        };
        Ok(Account {
            limit: if rate > 0.0 {
                rate
            } else {
                Traffic::usual(Channel::Email).limit
            },
            trouble: trouble.map(str::to_owned),
        })
    }

    /// Whether the sender's domain is verified, or else its address.
    async fn is_verified(&self) -> Result<bool, Unavailable> {
        let domain = self.sender.rsplit_once('@').map(|(_, domain)| domain);
        for identity in domain.into_iter().chain([self.sender.as_str()]) {
            match self.client.get_email_identity().email_identity(identity).send().await {
                Ok(identity) if identity.verified_for_sending_status() => return Ok(true),
                Ok(_) => {}
                Err(error)
                    if error
                        .as_service_error()
                        .is_some_and(GetEmailIdentityError::is_not_found_exception) => {}
                Err(error) => return Err(Unavailable::new(ASKING_ABOUT_THE_SENDER, in_few_words(&error))),
            }
        }
        Ok(false)
    }
}

impl AccountFacts for SesAccount {
    async fn ask(&self, channel: Channel) -> Result<Account, Unavailable> {
        let limit = match channel {
            Channel::Email => return self.ask_ses().await,
            Channel::Sms => self.sms_limit,
            Channel::Push | Channel::InApp => Traffic::usual(channel).limit,
        };
        Ok(Account { limit, trouble: None })
    }
}

/// Why the account may not send (SES v2 API reference, `GetAccount`). A quota of -1 has no end.
fn trouble_of(account: &GetAccountOutput) -> Option<&'static str> {
    let is_used_up = account
        .send_quota()
        .is_some_and(|quota| quota.max24_hour_send() > 0.0 && quota.sent_last24_hours() >= quota.max24_hour_send());
    if account.enforcement_status() == Some("SHUTDOWN") {
        Some("the account is shut down")
    } else if !account.sending_enabled() {
        Some("sending is disabled for the account")
    } else if is_used_up {
        Some("the daily quota is used up")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_sesv2::error::ErrorMetadata;
    use aws_sdk_sesv2::operation::get_account::GetAccountError;
    use aws_sdk_sesv2::operation::get_email_identity::GetEmailIdentityOutput;
    use aws_sdk_sesv2::types::SendQuota;
    use aws_sdk_sesv2::types::error::NotFoundException;
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};

    async fn email(rules: &[&Rule]) -> Result<Account, Unavailable> {
        let client = mock_client!(aws_sdk_sesv2, RuleMode::MatchAny, rules, |config| {
            config.retry_config(aws_sdk_sesv2::config::retry::RetryConfig::disabled())
        });
        SesAccount::new(client, "shop@example.com".to_owned(), 5.0)
            .ask(Channel::Email)
            .await
    }

    fn quota(rate: f64, sent: f64, max: f64) -> SendQuota {
        SendQuota::builder()
            .max_send_rate(rate)
            .sent_last24_hours(sent)
            .max24_hour_send(max)
            .build()
    }

    fn account(is_enabled: bool, status: &'static str, quota: &SendQuota) -> Rule {
        let quota = quota.clone();
        mock!(Client::get_account).then_output(move || {
            GetAccountOutput::builder()
                .sending_enabled(is_enabled)
                .enforcement_status(status)
                .send_quota(quota.clone())
                .build()
        })
    }

    fn identity(name: &'static str, is_verified: bool) -> Rule {
        mock!(Client::get_email_identity)
            .match_requests(move |request| request.email_identity() == Some(name))
            .then_output(move || {
                GetEmailIdentityOutput::builder()
                    .verified_for_sending_status(is_verified)
                    .build()
            })
    }

    fn no_identity(name: &'static str) -> Rule {
        mock!(Client::get_email_identity)
            .match_requests(move |request| request.email_identity() == Some(name))
            .then_error(|| GetEmailIdentityError::NotFoundException(NotFoundException::builder().build()))
    }

    #[tokio::test]
    async fn a_healthy_account_tells_its_rate() {
        let healthy = account(true, "HEALTHY", &quota(50.0, 10.0, 50_000.0));
        let answer = email(&[&healthy, &identity("example.com", true)]).await.unwrap();
        assert_eq!(
            answer,
            Account {
                limit: 50.0,
                trouble: None
            }
        );
    }

    #[tokio::test]
    async fn every_trouble_has_its_words() {
        let cases = [
            (
                (false, "HEALTHY", 0.0, 200.0),
                Some("sending is disabled for the account"),
            ),
            ((true, "SHUTDOWN", 0.0, 200.0), Some("the account is shut down")),
            ((true, "PROBATION", 0.0, 200.0), None),
            ((true, "HEALTHY", 200.0, 200.0), Some("the daily quota is used up")),
            ((true, "HEALTHY", 200.0, -1.0), None),
        ];
        for ((is_enabled, status, sent, max), expected) in cases {
            let rule = account(is_enabled, status, &quota(14.0, sent, max));
            let answer = email(&[&rule, &identity("example.com", true)]).await.unwrap();
            assert_eq!(answer.trouble.as_deref(), expected, "{status} {sent} {max}");
        }
    }

    #[tokio::test]
    async fn an_unverified_domain_may_have_a_verified_address() {
        let healthy = account(true, "HEALTHY", &quota(14.0, 0.0, 200.0));
        for domain in [no_identity("example.com"), identity("example.com", false)] {
            let answer = email(&[&healthy, &domain, &identity("shop@example.com", true)])
                .await
                .unwrap();
            assert_eq!(answer.trouble, None);
        }
    }

    #[tokio::test]
    async fn a_sender_of_whom_nothing_is_verified_is_trouble() {
        let healthy = account(true, "HEALTHY", &quota(14.0, 0.0, 200.0));
        let (domain, address) = (no_identity("example.com"), no_identity("shop@example.com"));
        let answer = email(&[&healthy, &domain, &address]).await.unwrap();
        assert_eq!(answer.trouble.as_deref(), Some("the sender is not verified"));
    }

    #[tokio::test]
    async fn an_account_without_a_rate_has_the_usual_one() {
        let account = account(true, "HEALTHY", &quota(0.0, 0.0, 200.0));
        let answer = email(&[&account, &identity("example.com", true)]).await.unwrap();
        assert!((answer.limit - 14.0).abs() < f64::EPSILON);
    }

    #[tokio::test]
    async fn an_account_of_which_ses_says_nothing_is_not_called_healthy() {
        let rule = mock!(Client::get_account)
            .then_error(|| GetAccountError::generic(ErrorMetadata::builder().code("InternalFailure").build()));
        assert!(email(&[&rule]).await.is_err());
        let healthy = account(true, "HEALTHY", &quota(14.0, 0.0, 200.0));
        let identity = mock!(Client::get_email_identity)
            .then_error(|| GetEmailIdentityError::generic(ErrorMetadata::builder().code("AccessDenied").build()));
        assert!(email(&[&healthy, &identity]).await.is_err());
    }

    #[tokio::test]
    async fn text_messages_go_as_fast_as_was_configured() {
        let client = mock_client!(aws_sdk_sesv2, RuleMode::MatchAny, &[] as &[&Rule]);
        let account = SesAccount::new(client, "shop@example.com".to_owned(), 5.0);
        assert_eq!(
            account.ask(Channel::Sms).await.unwrap(),
            Account {
                limit: 5.0,
                trouble: None
            }
        );
    }
}
