//! Publishes events the way a shop does: to the SNS topic.

use anyhow::{Context, Result};
use aws_config::SdkConfig;
use tokio::time::Instant;

use crate::settings::Settings;
use crate::story::Event;

pub(crate) struct Topic {
    sns: aws_sdk_sns::Client,
    arn: String,
}

impl Topic {
    /// Finds the stack's topic for order notifications.
    pub(crate) async fn find(settings: &Settings, aws: &SdkConfig) -> Result<Self> {
        let sns = aws_sdk_sns::Client::new(aws);
        let name = format!("{}-order-notifications", settings.prefix);
        let ending = format!(":{name}");
        let mut pages = sns.list_topics().into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.context("could not list the topics")?;
            let mut arns = page.topics().iter().filter_map(|topic| topic.topic_arn());
            if let Some(arn) = arns.find(|arn| arn.ends_with(&ending)) {
                return Ok(Self {
                    arn: arn.to_owned(),
                    sns,
                });
            }
        }
        anyhow::bail!(
            "the stack at {} has no topic {name}: run `make up` first",
            settings.endpoint
        )
    }

    /// Publishes, and says when that was done.
    pub(crate) async fn publish(&self, event: &Event) -> Result<Instant> {
        println!("\n{}: order {} of {}", event.title, event.fact.order, event.customer);
        let published = Instant::now();
        let sent = self
            .sns
            .publish()
            .topic_arn(&self.arn)
            .message(&event.text)
            .send()
            .await;
        sent.with_context(|| format!("could not publish \"{}\"", event.title))?;
        Ok(published)
    }
}
