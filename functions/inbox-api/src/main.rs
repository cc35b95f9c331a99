//! Wires the inbox API.

use inbox_api::{Config, LARGEST_BODY, router};
use lambda::{Call, Variables};
use web::Front;

#[tokio::main(flavor = "local")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let variables = Variables::of_process();
    Call::start_log(&variables);
    let config = Config::read(&variables)?;
    let connection = aws::Connection::from_environment();
    let inbox = aws::DynamoInbox::new(connection.dynamodb(), config.inbox_table);
    let front = Front::new(router(inbox), LARGEST_BODY).for_customers(config.identity);
    web::serve("inbox-api", front).await
}
