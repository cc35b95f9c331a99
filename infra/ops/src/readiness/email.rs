//! What SES needs beyond a verified sender: signatures, and the configuration set by which it tells what became of an e-mail.

use aws_sdk_sesv2::operation::get_configuration_set::GetConfigurationSetError;
use aws_sdk_sesv2::operation::get_email_identity::GetEmailIdentityError;
use aws_sdk_sesv2::types::{DkimStatus, EventType};

use super::Variables;
use crate::account::Account;
use crate::doctor::Finding;
use crate::doctor::providers::unanswered;

const DKIM: &str = "DKIM";
const SET: &str = "configuration";

/// Without these the ledger never learns of them (SES v2 API reference, `EventType`).
const NEEDED: [EventType; 3] = [EventType::Bounce, EventType::Complaint, EventType::Delivery];

/// Whether SES signs what this address sends. An address that is an identity itself is signed for by its domain, where that is one.
pub(super) async fn signature(account: &Account, address: &str) -> Finding {
    let domain = address.rsplit_once('@').map_or(address, |(_, domain)| domain);
    let mend = format!(
        "aws sesv2 create-email-identity --email-identity {domain}, publish the records that it answers, and \
         aws sesv2 put-email-identity-dkim-attributes --email-identity {domain} --signing-enabled"
    );
    match account.ses.get_email_identity().email_identity(domain).send().await {
        Ok(found) => {
            let dkim = found.dkim_attributes();
            let is_signed =
                dkim.is_some_and(|dkim| dkim.signing_enabled() && dkim.status() == Some(&DkimStatus::Success));
            if is_signed {
                Finding::ok(DKIM, "SES signs with the sender's domain")
            } else {
                let what = "SES does not sign with the sender's domain yet: many mailboxes refuse what is not signed";
                Finding::note(DKIM, what, mend)
            }
        }
        Err(error)
            if error
                .as_service_error()
                .is_some_and(GetEmailIdentityError::is_not_found_exception) =>
        {
            let what = "the sender's domain is no identity of SES, so nothing is signed: many mailboxes refuse that";
            Finding::note(DKIM, what, mend)
        }
        Err(error) => unanswered(DKIM, "SES about the sender's domain (ses:GetEmailIdentity)", &error),
    }
}

/// Whether the configuration set with which every e-mail is sent is there, and reports.
pub(super) async fn configuration_set(account: &Account, variables: &Variables) -> Vec<Finding> {
    let Some(name) = variables.get("CONFIGURATION_SET") else {
        let what = "the e-mail function has no CONFIGURATION_SET";
        return vec![Finding::problem(SET, what, "deploy the stack again: make deploy")];
    };
    let asked = account.ses.get_configuration_set().configuration_set_name(name);
    match asked.send().await {
        Ok(found)
            if found
                .sending_options()
                .is_some_and(|options| !options.sending_enabled()) =>
        {
            vec![Finding::problem(
                SET,
                format!("sending with the configuration set {name} is disabled"),
                format!(
                    "aws sesv2 put-configuration-set-sending-options --configuration-set-name {name} --sending-enabled"
                ),
            )]
        }
        Ok(_) => vec![
            Finding::ok(SET, format!("the configuration set {name} sends")),
            reports(account, name).await,
        ],
        Err(error)
            if error
                .as_service_error()
                .is_some_and(GetConfigurationSetError::is_not_found_exception) =>
        {
            vec![Finding::problem(
                SET,
                format!("there is no configuration set {name}: SES refuses every e-mail that names it"),
                "deploy the stack again: make deploy",
            )]
        }
        Err(error) => {
            let question = "SES about the configuration set (ses:GetConfigurationSet)";
            vec![unanswered(SET, question, &error)]
        }
    }
}

async fn reports(account: &Account, name: &str) -> Finding {
    let asked = account
        .ses
        .get_configuration_set_event_destinations()
        .configuration_set_name(name);
    let destinations = match asked.send().await {
        Ok(found) => found.event_destinations.unwrap_or_default(),
        Err(error) => {
            let question = "SES where it reports (ses:GetConfigurationSetEventDestinations)";
            return unanswered(SET, question, &error);
        }
    };
    let is_told = |event: &EventType| {
        destinations.iter().any(|destination| {
            destination.enabled()
                && destination.sns_destination().is_some()
                && destination.matching_event_types().contains(event)
        })
    };
    let untold: Vec<_> = NEEDED
        .iter()
        .filter(|event| !is_told(event))
        .map(EventType::as_str)
        .collect();
    if untold.is_empty() {
        Finding::ok(SET, "SES reports what became of e-mails")
    } else {
        Finding::note(
            SET,
            format!(
                "SES does not report {}: bounced addresses are written to again",
                untold.join(", ")
            ),
            "deploy the stack again: make deploy",
        )
    }
}
