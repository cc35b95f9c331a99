//! How many messages wait in a queue.

use anyhow::Result;
use aws_sdk_sqs::types::QueueAttributeName;
use futures_util::future::try_join_all;
use serde::Serialize;

use crate::account::{Account, failed};
use crate::names::QUEUES;

/// A queue and its dead letters; SQS counts approximately.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Depth {
    #[serde(skip)]
    pub(crate) queue: &'static str,
    pub(crate) name: String,
    pub(crate) visible: u64,
    pub(crate) in_flight: u64,
    pub(crate) delayed: u64,
    pub(crate) dead_letters: u64,
}

impl Depth {
    /// All messages that the queue holds.
    pub(crate) const fn held(&self) -> u64 {
        self.visible + self.in_flight + self.delayed
    }
}

/// Every queue, in the order in which an event travels.
pub(crate) async fn of_queues(account: &Account) -> Result<Vec<Depth>> {
    try_join_all(QUEUES.map(|queue| of_queue(account, queue))).await
}

/// The dead letters that have no queue before them.
pub(crate) async fn of_dead_letters(account: &Account, queue: &str) -> Result<u64> {
    let [visible, in_flight, delayed] = counts(account, &account.names.dead_letters(queue)).await?;
    Ok(visible + in_flight + delayed)
}

async fn of_queue(account: &Account, queue: &'static str) -> Result<Depth> {
    let name = account.names.of(queue);
    let [visible, in_flight, delayed] = counts(account, &name).await?;
    Ok(Depth {
        queue,
        name,
        visible,
        in_flight,
        delayed,
        dead_letters: of_dead_letters(account, queue).await?,
    })
}

async fn counts(account: &Account, name: &str) -> Result<[u64; 3]> {
    let wanted = [
        QueueAttributeName::ApproximateNumberOfMessages,
        QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        QueueAttributeName::ApproximateNumberOfMessagesDelayed,
    ];
    let url = account.queue_url(name).await?;
    let answer = account
        .sqs
        .get_queue_attributes()
        .queue_url(url)
        .set_attribute_names(Some(wanted.to_vec()))
        .send()
        .await;
    let answer = answer.map_err(|error| failed(&format!("count what waits in {name}"), &error))?;
    let counted = answer.attributes.unwrap_or_default();
    Ok(wanted.map(|name| counted.get(&name).and_then(|count| count.parse().ok()).unwrap_or(0)))
}
