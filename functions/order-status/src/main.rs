//! Keeps the status of orders and their parcels.

mod config;
mod handler;

use lambda::{Call, Variables};

#[tokio::main(flavor = "local")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let variables = Variables::of_process();
    Call::start_log(&variables);
    let config = config::Config::read(&variables)?;
    let connection = aws::Connection::from_environment();
    let door = handler::Door::new(config, &connection);
    lambda::start("order-status", async |call| door.handle(call).await).await
}
