//! Wires the address that carriers call.

use aws::{RememberedCarrierSecrets, S3Archive, SqsQueue};
use carrier_webhook::{Config, Desk, LARGEST_BODY, router};
use lambda::{Call, Variables};
use std::sync::Arc;
use web::Front;

#[tokio::main(flavor = "local")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let variables = Variables::of_process();
    Call::start_log(&variables);
    let config = Config::read(&variables)?;
    let connection = aws::Connection::from_environment();
    let sqs = connection.sqs();
    let desk = Desk {
        keys: RememberedCarrierSecrets::new(connection.secrets(), config.secrets_arn),
        archive: S3Archive::new(connection.s3(), config.archive_bucket),
        events: SqsQueue::new(sqs.clone(), config.carrier_events_queue),
        handshakes: SqsQueue::new(sqs, config.handshakes_queue),
        addresses: config.addresses,
    };
    web::serve("carrier-webhook", Front::new(router(Arc::new(desk)), LARGEST_BODY)).await
}
