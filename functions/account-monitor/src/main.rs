//! Looks after the account: its rate, its breakers, and the numbers that opted out.

mod config;
mod handler;

use lambda::{Call, Variables};

#[tokio::main(flavor = "local")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let variables = Variables::of_process();
    Call::start_log(&variables);
    let config = config::Config::read(&variables)?;
    let connection = aws::Connection::from_environment();
    let monitor = handler::Monitor::new(config, &connection);
    lambda::start("account-monitor", async |call| monitor.handle(call).await).await
}
