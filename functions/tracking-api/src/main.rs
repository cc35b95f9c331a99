//! Wires the tracking API.

use lambda::{Call, Variables};
use std::sync::Arc;
use tracking_api::{Config, Door, LARGEST_BODY, router};
use web::Front;

#[tokio::main(flavor = "local")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let variables = Variables::of_process();
    Call::start_log(&variables);
    let config = Config::read(&variables)?;
    let connection = aws::Connection::from_environment();
    let store = aws::DynamoTracking::new(connection.dynamodb(), config.table, config.retention_days);
    let settings = config.settings;
    let router = router(Arc::new(Door { store, settings }));
    let front = Front::new(router, LARGEST_BODY).for_customers(config.identity);
    web::serve("tracking-api", front).await
}
