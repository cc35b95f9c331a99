//! Wakes deliveries that wait: hands them over to their queues shortly before their time.

mod config;
mod handler;

use lambda::{Call, Variables};

#[tokio::main(flavor = "local")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let variables = Variables::of_process();
    Call::start_log(&variables);
    let config = config::Config::read(&variables)?;
    let connection = aws::Connection::from_environment();
    let waker = handler::Waker::new(config, &connection);
    lambda::start("deferred-deliveries", async |call| waker.handle(call).await).await
}
