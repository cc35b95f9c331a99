//! Wires the pages behind the links of e-mails.

mod config;
mod counts;

use aws::{DynamoPreferences, DynamoWaitingRoom};
use axum::middleware;
use lambda::{Call, SystemClock, Variables};
use pages::CustomerPages;
use std::sync::Arc;
use web::Front;

/// The form of all preferences takes a tenth of it.
const LARGEST_BODY: usize = 64 * 1_024;

#[tokio::main(flavor = "local")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let variables = Variables::of_process();
    Call::start_log(&variables);
    let config = config::Config::read(&variables)?;
    let dynamodb = aws::Connection::from_environment().dynamodb();
    let room = DynamoWaitingRoom::new(dynamodb.clone(), config.deferred_deliveries_table);
    let keep = DynamoPreferences::new(
        dynamodb,
        config.preferences_table,
        config.consent_table,
        config.consent_days,
        room,
    );
    let pages = Arc::new(CustomerPages::new(config.settings, keep, SystemClock)?);
    let router = pages::router(pages).layer(middleware::map_response(counts::counted));
    web::serve("preferences-page", Front::new(router, LARGEST_BODY)).await
}
