//! Looks after parcels whose carriers do not call.

mod config;
mod handler;

use lambda::{Call, Variables};

#[tokio::main(flavor = "local")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let variables = Variables::of_process();
    Call::start_log(&variables);
    let config = config::Config::read(&variables)?;
    let connection = aws::Connection::from_environment();
    let poller = handler::Poller::new(config, &connection)?;
    lambda::start("carrier-poller", async |call| poller.handle(call).await).await
}
