//! Wires the preferences API.

use lambda::{Call, Variables};
use preferences_api::{Config, LARGEST_BODY, Outside, router};
use web::Front;

#[tokio::main(flavor = "local")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let variables = Variables::of_process();
    Call::start_log(&variables);
    let config = Config::read(&variables)?;
    let identity = config.identity.clone();
    let connection = aws::Connection::from_environment();
    let front = Front::new(router(Outside::reach(config, &connection)), LARGEST_BODY).for_customers(identity);
    web::serve("preferences-api", front).await
}
