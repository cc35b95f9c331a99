//! Writes notes and puts them into customers' inboxes.

mod config;
mod courier;
mod handler;

use lambda::{Call, Variables};

#[tokio::main(flavor = "local")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let variables = Variables::of_process();
    Call::start_log(&variables);
    let config = config::Config::read(&variables)?;
    let connection = aws::Connection::from_environment();
    let door = handler::door(config, &connection);
    lambda::start("in-app-sender", async |call| handler::handle(&door, call).await).await
}
