//! What is said of an account, answer by answer.

use aws_sdk_lambda::operation::get_function_configuration::GetFunctionConfigurationError;
use aws_sdk_lambda::types::error::ResourceNotFoundException;
use aws_sdk_sesv2::operation::get_configuration_set::{GetConfigurationSetError, GetConfigurationSetOutput};
use aws_sdk_sesv2::operation::get_configuration_set_event_destinations::GetConfigurationSetEventDestinationsOutput;
use aws_sdk_sesv2::operation::get_email_identity::GetEmailIdentityOutput;
use aws_sdk_sesv2::types::error::NotFoundException;
use aws_sdk_sesv2::types::{DkimAttributes, DkimStatus, EventDestination, EventType, SendingOptions, SnsDestination};
use aws_sdk_sns::operation::list_subscriptions_by_topic::ListSubscriptionsByTopicOutput;
use aws_sdk_sns::types::Subscription;
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};

use super::*;
use crate::doctor::Level;

/// Each client with its rules; a question without one ends the test.
fn account(ses: &[&Rule], sns: &[&Rule], lambda: &[&Rule]) -> Account {
    Account::of_clients(
        "shop",
        mock_client!(aws_sdk_sesv2, RuleMode::MatchAny, ses),
        mock_client!(aws_sdk_sns, RuleMode::MatchAny, sns),
        mock_client!(aws_sdk_lambda, RuleMode::MatchAny, lambda),
    )
}

fn variables() -> Variables {
    let pairs = [
        ("CONFIGURATION_SET", "shop-notifications"),
        (
            "ADMIN_TOPIC_ARN",
            "arn:aws:sns:eu-west-1:123456789012:shop-admin-notifications",
        ),
    ];
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

fn levels(findings: &[Finding]) -> Vec<Level> {
    findings.iter().map(|finding| finding.level).collect()
}

fn identity(status: DkimStatus) -> Rule {
    mock!(aws_sdk_sesv2::Client::get_email_identity)
        .match_requests(|request| request.email_identity() == Some("example.com"))
        .then_output(move || {
            let dkim = DkimAttributes::builder().signing_enabled(true).status(status.clone());
            GetEmailIdentityOutput::builder().dkim_attributes(dkim.build()).build()
        })
}

fn sends(is_enabled: bool) -> Rule {
    mock!(aws_sdk_sesv2::Client::get_configuration_set).then_output(move || {
        let options = SendingOptions::builder().sending_enabled(is_enabled).build();
        GetConfigurationSetOutput::builder().sending_options(options).build()
    })
}

fn reports(events: &'static [EventType]) -> Rule {
    mock!(aws_sdk_sesv2::Client::get_configuration_set_event_destinations).then_output(move || {
        let topic = SnsDestination::builder().topic_arn("arn").build().unwrap();
        let destination = EventDestination::builder()
            .name("sns")
            .enabled(true)
            .set_matching_event_types(Some(events.to_vec()))
            .sns_destination(topic);
        GetConfigurationSetEventDestinationsOutput::builder()
            .event_destinations(destination.build().unwrap())
            .build()
    })
}

/// Every topic has these subscriptions: queue and ARN.
fn subscribed(pairs: &'static [(&'static str, &'static str)]) -> Rule {
    mock!(aws_sdk_sns::Client::list_subscriptions_by_topic).then_output(move || {
        let subscription = |(queue, arn): &(&str, &str)| {
            let endpoint = format!("arn:aws:sqs:eu-west-1:123456789012:{queue}");
            Subscription::builder()
                .endpoint(endpoint)
                .subscription_arn(*arn)
                .build()
        };
        ListSubscriptionsByTopicOutput::builder()
            .set_subscriptions(Some(pairs.iter().map(subscription).collect()))
            .build()
    })
}

#[tokio::test]
async fn a_stack_that_is_not_there_is_told_from_one_that_cannot_be_read() {
    let absent = mock!(aws_sdk_lambda::Client::get_function_configuration).then_error(|| {
        GetFunctionConfigurationError::ResourceNotFoundException(ResourceNotFoundException::builder().build())
    });
    assert_eq!(deployed(&account(&[], &[], &[&absent])).await.unwrap(), None);
}

#[tokio::test]
async fn a_domain_whose_records_are_not_published_signs_nothing_yet() {
    let pending = identity(DkimStatus::Pending);
    let finding = email::signature(&account(&[&pending], &[], &[]), "noreply@example.com").await;
    assert_eq!(finding.level, Level::Note);
    let signed = identity(DkimStatus::Success);
    let finding = email::signature(&account(&[&signed], &[], &[]), "noreply@example.com").await;
    assert_eq!(finding.level, Level::Ok);
}

#[tokio::test]
async fn a_configuration_set_that_is_missing_stops_every_email() {
    let absent = mock!(aws_sdk_sesv2::Client::get_configuration_set)
        .then_error(|| GetConfigurationSetError::NotFoundException(NotFoundException::builder().build()));
    let findings = email::configuration_set(&account(&[&absent], &[], &[]), &variables()).await;
    assert_eq!(levels(&findings), [Level::Problem]);
}

#[tokio::test]
async fn a_configuration_set_that_is_switched_off_stops_every_email() {
    let off = sends(false);
    let findings = email::configuration_set(&account(&[&off], &[], &[]), &variables()).await;
    assert_eq!(levels(&findings), [Level::Problem]);
    assert!(
        findings[0]
            .mend
            .as_ref()
            .unwrap()
            .ends_with("shop-notifications --sending-enabled")
    );
}

#[tokio::test]
async fn bounces_that_nobody_reports_are_noted() {
    let (on, told) = (sends(true), reports(&[EventType::Complaint, EventType::Delivery]));
    let findings = email::configuration_set(&account(&[&on, &told], &[], &[]), &variables()).await;
    assert_eq!(levels(&findings), [Level::Ok, Level::Note]);
    assert!(findings[1].what.contains("BOUNCE"), "{}", findings[1].what);
}

#[tokio::test]
async fn topics_that_lead_into_their_queues_are_well() {
    let all = subscribed(&[
        ("shop-notifications", "arn:1"),
        ("shop-notifications-urgent", "arn:2"),
        ("shop-order-events", "arn:3"),
        ("shop-delivery-events", "arn:4"),
    ]);
    let findings = topics::subscriptions(&account(&[], &[&all], &[]), &variables()).await;
    assert_eq!(levels(&findings), [Level::Ok]);
}

#[tokio::test]
async fn a_subscription_that_is_missing_or_not_confirmed_loses_events() {
    let some = subscribed(&[
        ("shop-notifications", "PendingConfirmation"),
        ("shop-notifications-urgent", "arn:2"),
        ("shop-delivery-events", "arn:4"),
    ]);
    let findings = topics::subscriptions(&account(&[], &[&some], &[]), &variables()).await;
    let whats: Vec<_> = findings.iter().map(|finding| finding.what.as_str()).collect();
    assert_eq!(levels(&findings), [Level::Problem; 3]);
    assert!(
        whats[0].contains("shop-notifications to order-notifications is not confirmed"),
        "{whats:?}"
    );
    assert!(
        whats[1].contains("order-notifications does not lead into shop-order-events"),
        "{whats:?}"
    );
}

#[tokio::test]
async fn an_alarm_that_nobody_hears_is_noted() {
    let arn = Some("arn:aws:sns:eu-west-1:123456789012:on-call");
    let (nobody, somebody) = (subscribed(&[]), subscribed(&[("pager", "arn:1")]));
    assert_eq!(
        topics::alarms(&account(&[], &[&nobody], &[]), arn).await.level,
        Level::Note
    );
    assert_eq!(
        topics::alarms(&account(&[], &[&somebody], &[]), arn).await.level,
        Level::Ok
    );
    assert_eq!(topics::alarms(&account(&[], &[], &[]), None).await.level, Level::Note);
}
