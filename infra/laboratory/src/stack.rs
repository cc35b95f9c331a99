//! The stack that is spoken to: its names and its clients, from the environment that `stack.py env` sets.

use anyhow::{Context, Result, bail};
use aws::{Connection, DynamoTracking};
use emulator::Api;

/// The stack.
#[derive(Debug)]
pub struct Stack {
    pub(crate) prefix: String,
    pub(crate) endpoint: Option<String>,
    pub(crate) dynamodb: aws_sdk_dynamodb::Client,
    pub(crate) sns: aws_sdk_sns::Client,
    pub(crate) sqs: aws_sdk_sqs::Client,
    pub(crate) s3: aws_sdk_s3::Client,
    pub(crate) secrets: aws_sdk_secretsmanager::Client,
}

/// Nothing that the laboratory itself writes outlives the stack that it plays with.
const RETENTION_DAYS: i64 = 400;

impl Stack {
    /// The local stack. Never an account: the laboratory sends messages and changes secrets.
    ///
    /// # Errors
    ///
    /// When the environment names none.
    pub async fn of_environment() -> Result<Self> {
        let stack = Self::anywhere().await;
        if stack.endpoint.is_none() {
            bail!(
                "AWS_ENDPOINT_URL is not set, so there is no local stack: run `make up`, then `eval \"$(make -s env)\"`"
            );
        }
        Ok(stack)
    }

    /// The stack of the environment, in an account too.
    pub async fn anywhere() -> Self {
        let connection = Connection::from_environment();
        Self {
            prefix: variable("E_COM67_PREFIX").unwrap_or_else(|| "e-com67".to_owned()),
            endpoint: variable("AWS_ENDPOINT_URL"),
            dynamodb: connection.dynamodb(),
            sns: connection.topics(),
            sqs: connection.sqs(),
            s3: connection.s3(),
            secrets: connection.secrets(),
        }
    }

    /// The table of orders and parcels.
    #[must_use]
    pub fn tracking(&self) -> DynamoTracking {
        DynamoTracking::new(
            self.dynamodb.clone(),
            format!("{}-order-status", self.prefix),
            RETENTION_DAYS,
        )
    }

    pub(crate) async fn queue_url(&self, queue: &str) -> Result<String> {
        let name = format!("{}-{queue}", self.prefix);
        let output = self.sqs.get_queue_url().queue_name(&name).send().await;
        let output = output.with_context(|| format!("could not find the queue {name}"))?;
        output.queue_url.context("expected a queue's address")
    }

    /// The HTTP API that carriers call.
    ///
    /// # Errors
    ///
    /// When the environment names none.
    pub fn api(&self) -> Result<Api> {
        let address = variable("E_COM67_API").context("E_COM67_API is not set: run `eval \"$(make -s env)\"`")?;
        Api::at(&address)
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is where the laboratory reads its variables"
)]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
