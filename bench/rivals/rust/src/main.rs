//! The plain Rust rival: order confirmations from a batch of SQS records, with the SDK as its documentation shows it.

mod confirmations;
mod ledger;
mod mailer;
mod message;
mod order;
mod preferences;

use aws_config::BehaviorVersion;
use aws_lambda_events::event::sqs::SqsEvent;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use tracing_subscriber::filter::LevelFilter;

#[tokio::main]
async fn main() -> Result<(), Error> {
    tracing_subscriber::fmt()
        .json()
        .with_target(false)
        .with_max_level(LevelFilter::INFO)
        .init();
    let config = aws_config::load_defaults(BehaviorVersion::latest()).await;
    let confirmations = confirmations::Confirmations::new(&config)?;
    lambda_runtime::run(service_fn(async |event: LambdaEvent<SqsEvent>| {
        Ok::<_, Error>(confirmations.confirm_all(event.payload).await)
    }))
    .await
}
