//! Decides about order events, channel by channel, and hands deliveries over to the senders.

mod config;
mod handler;

use lambda::{Call, Variables};

#[tokio::main(flavor = "local")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let variables = Variables::of_process();
    Call::start_log(&variables);
    let config = config::Config::read(&variables)?;
    let connection = aws::ThinConnection::from_variables(|name| variables.optional(name))?;
    let door = handler::door(config, &connection);
    lambda::start("notification-orchestrator", async |call| {
        handler::handle(&door, call).await
    })
    .await
}
