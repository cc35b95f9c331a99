//! The event source mappings: from which queue to which function, and whether anything flows.

use anyhow::{Context, Result};
use domain::Channel;

use crate::account::{Account, failed};
use crate::names::{lanes, sender};

/// One mapping.
#[derive(Debug)]
pub(crate) struct Mapping {
    pub(crate) id: String,
    /// The whole name of the queue.
    pub(crate) queue: String,
    /// As Lambda calls it: Enabled, Disabled, Enabling…
    pub(crate) state: String,
    /// How many of the function it may call at once.
    pub(crate) at_once: Option<i32>,
}

impl Mapping {
    /// Whether messages flow, or soon will.
    pub(crate) fn flows(&self) -> bool {
        matches!(self.state.as_str(), "Creating" | "Enabling" | "Enabled" | "Updating")
    }
}

/// The mappings that lead to a function.
pub(crate) async fn of_function(account: &Account, function: &str) -> Result<Vec<Mapping>> {
    let name = account.names.of(function);
    // What queues call is the alias: mappings that lead there are not listed for the function.
    let mut pages = account
        .lambda
        .list_event_source_mappings()
        .function_name(format!("{name}:live"))
        .into_paginator()
        .items()
        .send();
    let mut mappings = Vec::new();
    while let Some(mapping) = pages.next().await {
        let mapping = mapping.map_err(|error| failed(&format!("list the event source mappings of {name}"), &error))?;
        let arn = mapping.event_source_arn().unwrap_or_default();
        mappings.push(Mapping {
            id: mapping.uuid().unwrap_or_default().to_owned(),
            queue: arn.rsplit(':').next().unwrap_or_default().to_owned(),
            state: mapping.state().unwrap_or_default().to_owned(),
            at_once: mapping
                .scaling_config()
                .and_then(|scaling| scaling.maximum_concurrency()),
        });
    }
    Ok(mappings)
}

/// The ids of the mappings of a channel's two lanes.
pub(crate) async fn ids_of_channel(account: &Account, channel: Channel) -> Result<Vec<String>> {
    let function = sender(channel);
    let mappings = of_function(account, function).await?;
    let ids = lanes(channel).iter().map(|lane| {
        let queue = account.names.of(lane);
        let mapping = mappings.iter().find(|mapping| mapping.queue == queue);
        mapping.map(|mapping| mapping.id.clone()).with_context(|| {
            format!(
                "no event source mapping leads from {queue} to {}: deploy the stack again",
                account.names.of(function)
            )
        })
    });
    ids.collect()
}
