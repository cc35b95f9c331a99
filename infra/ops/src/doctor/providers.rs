//! What SES and SNS say of the account. An endpoint that does not know a question is no fault of the account's.

use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sesv2::operation::get_email_identity::GetEmailIdentityError;

use super::{Finding, Level};
use crate::account::{Account, failed};
use crate::names::sender;
use crate::sms_logging::ROLE;

const SES: &str = "e-mail account";
const SENDER: &str = "sender";
const SNS: &str = "SMS account";
const LOGGING: &str = "SMS logging";

pub(super) async fn look(account: &Account) -> Vec<Finding> {
    let mut findings = ses(account).await;
    findings.push(identity(account).await);
    findings.extend(sms(account).await);
    findings
}

pub(crate) async fn ses(account: &Account) -> Vec<Finding> {
    let told = match account.ses.get_account().send().await {
        Ok(told) => told,
        Err(error) => return vec![unanswered(SES, "SES about the account (ses:GetAccount)", &error)],
    };
    let mut findings = Vec::new();
    if told.production_access_enabled() {
        findings.push(Finding::ok(SES, "SES has left its sandbox"));
    } else {
        findings.push(Finding::problem(
            SES,
            "SES is in its sandbox: only verified addresses receive anything",
            "ask for production access: aws sesv2 put-account-details --production-access-enabled …",
        ));
    }
    match told.enforcement_status() {
        Some("SHUTDOWN") => findings.push(Finding::problem(
            SES,
            "SES has shut the account down",
            "answer SES's case in the console",
        )),
        Some("PROBATION") => findings.push(Finding::problem(
            SES,
            "SES has put the account under review: its bounce or complaint rate is too high",
            "see the reputation page of the SES console, and answer its case",
        )),
        _ if !told.sending_enabled() => findings.push(Finding::problem(
            SES,
            "sending is disabled for the account",
            "aws sesv2 put-account-sending-attributes --sending-enabled",
        )),
        _ => findings.push(Finding::ok(SES, "sending is enabled")),
    }
    if let Some(quota) = told.send_quota() {
        findings.push(quota_left(
            quota.max24_hour_send(),
            quota.sent_last24_hours(),
            quota.max_send_rate(),
        ));
    }
    findings
}

/// A quota of -1 has no end (SES v2 API reference, `SendQuota`).
fn quota_left(most: f64, sent: f64, rate: f64) -> Finding {
    let what = format!("{sent:.0} of {most:.0} e-mails of the last 24 hours are used up, at most {rate:.0} per second");
    if most <= 0.0 {
        Finding::ok(
            SES,
            format!("{sent:.0} e-mails in the last 24 hours, without a daily limit"),
        )
    } else if most - sent < most * 0.1 {
        Finding::problem(
            SES,
            what,
            "ask for a higher quota in the console of Service Quotas, or wait",
        )
    } else {
        Finding::ok(SES, what)
    }
}

/// The sender as the e-mail function was told it.
async fn identity(account: &Account) -> Finding {
    let function = account.names.of(sender(domain::Channel::Email));
    let configuration = match account
        .lambda
        .get_function_configuration()
        .function_name(&function)
        .send()
        .await
    {
        Ok(configuration) => configuration,
        Err(error) => return unanswered(SENDER, &format!("Lambda about {function}"), &error),
    };
    let variables = configuration
        .environment
        .and_then(|environment| environment.variables)
        .unwrap_or_default();
    let Some(address) = variables.get("SENDER_EMAIL") else {
        return Finding::problem(
            SENDER,
            format!("{function} has no SENDER_EMAIL"),
            "deploy the stack again",
        );
    };
    identity_of(account, address).await
}

/// Whether SES sends as this address.
pub(crate) async fn identity_of(account: &Account, address: &str) -> Finding {
    let domain = address.rsplit_once('@').map(|(_, domain)| domain);
    for identity in domain.into_iter().chain([address]) {
        match account.ses.get_email_identity().email_identity(identity).send().await {
            Ok(found) if found.verified_for_sending_status() => {
                return Finding::ok(
                    SENDER,
                    "the parameter SenderEmail, or its domain, is a verified identity",
                );
            }
            Ok(_) => {}
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(GetEmailIdentityError::is_not_found_exception) => {}
            Err(error) => return unanswered(SENDER, "SES about the sender (ses:GetEmailIdentity)", &error),
        }
    }
    Finding::problem(
        SENDER,
        "neither the parameter SenderEmail nor its domain is a verified identity of SES in this region",
        "aws sesv2 create-email-identity --email-identity DOMAIN, and publish the DKIM records that it answers",
    )
}

pub(crate) async fn sms(account: &Account) -> Vec<Finding> {
    let mut findings = Vec::new();
    match account.sns.get_sms_sandbox_account_status().send().await {
        Ok(told) if told.is_in_sandbox() => findings.push(Finding::problem(
            SNS,
            "SMS is in its sandbox: only verified numbers receive anything",
            "leave the sandbox in the SNS console, under Text messaging",
        )),
        Ok(_) => findings.push(Finding::ok(SNS, "SMS has left its sandbox")),
        Err(error) => findings.push(unanswered(
            SNS,
            "SNS about the sandbox (sns:GetSMSSandboxAccountStatus)",
            &error,
        )),
    }
    let attributes = match account.sns.get_sms_attributes().send().await {
        Ok(told) => told.attributes.unwrap_or_default(),
        Err(error) => {
            findings.push(unanswered(
                SNS,
                "SNS about its limits and logs (sns:GetSMSAttributes)",
                &error,
            ));
            return findings;
        }
    };
    findings.push(match attributes.get("MonthlySpendLimit").map(String::as_str) {
        None | Some("" | "1") => Finding::note(
            SNS,
            "the monthly spend limit is 1 US dollar, with which every account begins",
            "aws sns set-sms-attributes --attributes MonthlySpendLimit=50, after AWS has raised the account's ceiling",
        ),
        Some(limit) => Finding::ok(SNS, format!("the monthly spend limit is {limit} US dollars")),
    });
    findings.push(match attributes.get(ROLE).filter(|role| !role.is_empty()) {
        Some(_) => Finding::ok(LOGGING, "SNS logs what became of text messages"),
        None => Finding::note(
            LOGGING,
            "nobody says what became of text messages after SNS accepted them",
            "ops sms-logging on --role-arn …",
        ),
    });
    findings
}

/// A question without an answer.
pub(crate) fn unanswered<E>(check: &'static str, question: &str, error: &SdkError<E, HttpResponse>) -> Finding
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let SdkError::ServiceError(answer) = error else {
        let what = failed(&format!("ask {question}"), error);
        return Finding::problem(check, format!("{what:#}"), "is the endpoint reachable?");
    };
    let code = answer.err().code().unwrap_or_default();
    let status = answer.raw().status().as_u16();
    if code.contains("AccessDenied") || code.contains("Authorization") || status == 403 {
        return Finding::note(
            check,
            format!("not allowed to ask {question}"),
            "give these credentials the permission",
        );
    }
    let is_strange = [
        "InvalidAction",
        "UnknownOperation",
        "NotImplemented",
        "InvalidRequest",
        "UnsupportedOperation",
    ];
    if is_strange.iter().any(|strange| code.contains(strange)) || matches!(status, 404 | 405 | 501) {
        return Finding::new(
            check,
            Level::Note,
            format!("not known by this endpoint: {question}"),
            None,
        );
    }
    let what = failed(&format!("ask {question}"), error);
    Finding::problem(
        check,
        format!("{what:#}"),
        "look again; if it lasts, look at the service's health page",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_is_a_problem_when_less_than_a_tenth_is_left() {
        assert_eq!(quota_left(50_000.0, 46_000.0, 14.0).level, Level::Problem);
        assert_eq!(quota_left(50_000.0, 40_000.0, 14.0).level, Level::Ok);
        assert_eq!(quota_left(-1.0, 40_000.0, 14.0).level, Level::Ok);
    }
}
