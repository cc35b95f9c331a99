//! Whether the topics lead into the queues, and whether anybody hears an alarm.

use aws_sdk_sns::operation::list_subscriptions_by_topic::ListSubscriptionsByTopicError;
use aws_sdk_sns::types::Subscription;

use super::Variables;
use crate::account::Account;
use crate::doctor::Finding;
use crate::doctor::providers::unanswered;
use crate::names::{DELIVERY_EVENTS, NOTIFICATIONS, ORDER_EVENTS};

const TOPICS: &str = "topics";
const ALARMS: &str = "alarms";
const URGENT: &str = "notifications-urgent";

/// The topics, and the queues that each of them leads to.
const LEADS: [(&str, &[&str]); 3] = [
    ("order-notifications", &[NOTIFICATIONS, URGENT, ORDER_EVENTS]),
    ("admin-notifications", &[NOTIFICATIONS, URGENT]),
    ("ses-events", &[DELIVERY_EVENTS]),
];

/// What stands in the place of its ARN until a subscription is confirmed (SNS API reference, `ListSubscriptionsByTopic`).
const UNCONFIRMED: &str = "PendingConfirmation";

/// Whether every topic leads into its queues.
pub(super) async fn subscriptions(account: &Account, variables: &Variables) -> Vec<Finding> {
    // The e-mail function knows the topic for admins: the others are beside it.
    let beside = variables.get("ADMIN_TOPIC_ARN").and_then(|arn| arn.rsplit_once(':'));
    let Some((place, _)) = beside else {
        let what = "the e-mail function has no ADMIN_TOPIC_ARN";
        return vec![Finding::problem(TOPICS, what, "deploy the stack again: make deploy")];
    };
    let mut findings = Vec::new();
    for (topic, queues) in LEADS {
        let arn = format!("{place}:{}", account.names.of(topic));
        findings.extend(match of_topic(account, &arn).await {
            Ok(subscriptions) => queues
                .iter()
                .filter_map(|queue| missing(topic, &account.names.of(queue), &subscriptions))
                .collect(),
            Err(finding) => vec![finding],
        });
    }
    if findings.is_empty() {
        findings.push(Finding::ok(TOPICS, "every topic leads into its queues"));
    }
    findings
}

fn missing(topic: &str, queue: &str, subscriptions: &[Subscription]) -> Option<Finding> {
    let leads = |subscription: &&Subscription| {
        let endpoint = subscription.endpoint().unwrap_or_default();
        endpoint.rsplit(':').next() == Some(queue)
    };
    match subscriptions.iter().find(leads) {
        Some(subscription) if is_confirmed(subscription) => None,
        Some(_) => Some(Finding::problem(
            TOPICS,
            format!("the subscription of {queue} to {topic} is not confirmed"),
            "aws sns confirm-subscription with the token that lies in the queue, or deploy the stack again: make deploy",
        )),
        None => Some(Finding::problem(
            TOPICS,
            format!("{topic} does not lead into {queue}: what is published there is lost"),
            "deploy the stack again: make deploy",
        )),
    }
}

fn is_confirmed(subscription: &Subscription) -> bool {
    subscription.subscription_arn().is_some_and(|arn| arn != UNCONFIRMED)
}

/// Whether somebody is told of alarms.
pub(super) async fn alarms(account: &Account, topic: Option<&str>) -> Finding {
    let Some(arn) = topic else {
        return Finding::note(
            ALARMS,
            "not known here: whether anybody is told of alarms",
            "ops account --alarm-topic with the stack's parameter AlarmTopicArn; without that nobody is: \
             make deploy PARAMETERS=\"AlarmTopicArn=ARN …\"",
        );
    };
    let subscribe = format!("aws sns subscribe --topic-arn {arn} --protocol email --notification-endpoint ADDRESS");
    match of_topic(account, arn).await {
        Ok(subscriptions) if subscriptions.iter().any(is_confirmed) => {
            Finding::ok(ALARMS, "somebody is told of alarms")
        }
        Ok(subscriptions) if subscriptions.is_empty() => {
            Finding::note(ALARMS, "nobody listens to the topic of alarms", subscribe)
        }
        Ok(_) => Finding::note(
            ALARMS,
            "nobody who is to be told of alarms has confirmed it yet",
            "follow the link in the e-mail that AWS sent",
        ),
        Err(finding) => finding,
    }
}

async fn of_topic(account: &Account, arn: &str) -> Result<Vec<Subscription>, Finding> {
    let listed = account.sns.list_subscriptions_by_topic().topic_arn(arn);
    listed
        .into_paginator()
        .items()
        .send()
        .collect::<Result<Vec<_>, _>>()
        .await
        .map_err(|error| {
            let is_absent = error
                .as_service_error()
                .is_some_and(ListSubscriptionsByTopicError::is_not_found_exception);
            if is_absent {
                return Finding::problem(
                    TOPICS,
                    format!("there is no topic {arn}"),
                    "deploy the stack again: make deploy",
                );
            }
            unanswered(TOPICS, "SNS who listens (sns:ListSubscriptionsByTopic)", &error)
        })
}
