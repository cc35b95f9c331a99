//! Writes e-mails and takes them to SES; called directly with an event, it decides for e-mail alone.

mod config;
mod courier;
mod customer_links;
mod handler;

use lambda::{Call, Variables};

#[tokio::main(flavor = "local")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let variables = Variables::of_process();
    Call::start_log(&variables);
    let config = config::Config::read(&variables)?;
    let connection = aws::ThinConnection::from_variables(|name| variables.optional(name))?;
    let doors = handler::Doors::open(config, &connection)?;
    lambda::start("email-sender", async |call| doors.handle(call).await).await
}
