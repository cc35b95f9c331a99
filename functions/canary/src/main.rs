//! Lets a canary fly through the whole system, and asks everything that the system depends on.

mod config;
mod handler;
mod told;

use lambda::{Call, Variables};

#[tokio::main(flavor = "local")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let variables = Variables::of_process();
    Call::start_log(&variables);
    let config = config::Config::read(&variables)?;
    let connection = aws::Connection::from_environment();
    let keeper = handler::Keeper::new(config, &connection)?;
    lambda::start("canary", async |call| keeper.handle(call).await).await
}
