//! The thin client: the calls of the hot path, signed by AWS's own `aws-sigv4` and sent over one pool of HTTP/1.1 connections.
//!
//! It does what the SDK's client does for these calls and nothing else: no chain of credential providers, no endpoint rules, no
//! interceptors, one JSON writer. Requests, answers and errors are the SDK's own types (see [`crate::calls`]); tests hold every
//! request of the hot path, every answer and every kind of failure to the SDK's. Why: `docs/decisions/thin-client.md`.

mod attributes;
mod connector;
mod dynamodb;
mod line;
mod retries;
mod ses;
mod sqs;

#[cfg(test)]
mod tests;

pub use dynamodb::ThinDynamoDb;
pub use ses::ThinSes;
pub use sqs::ThinSqs;

use crate::connection::{ATTEMPT_TIME_OUT, CALL_TIME_OUT, Credentials};
use connector::Pool;
use line::{Line, Service};
use retries::Retries;

/// Region, credentials and endpoint for thin clients, and the pool of connections that they share.
#[derive(Debug, Clone)]
pub struct ThinConnection {
    pool: Pool,
    region: String,
    credentials: Credentials,
    endpoint: Option<String>,
}

/// A variable that Lambda sets, and that is missing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}: expected a value, got nothing")]
pub struct MissingVariable(&'static str);

impl ThinConnection {
    /// Reads what Lambda sets: `AWS_REGION`, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`; and, where they
    /// are set, `AWS_ENDPOINT_URL` (one endpoint for every service) and `AWS_CA_BUNDLE` (a file of certificates to trust instead
    /// of those that browsers trust). Nothing is connected before the first call.
    ///
    /// # Errors
    ///
    /// [`MissingVariable`] names the first that is missing.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Self, MissingVariable> {
        let required = |name: &'static str| variable(name).ok_or(MissingVariable(name));
        let credentials = Credentials::new(
            required("AWS_ACCESS_KEY_ID")?,
            required("AWS_SECRET_ACCESS_KEY")?,
            variable("AWS_SESSION_TOKEN"),
            None,
            "environment",
        );
        Ok(Self {
            pool: Pool::new(variable("AWS_CA_BUNDLE")),
            region: required("AWS_REGION")?,
            credentials,
            endpoint: variable("AWS_ENDPOINT_URL"),
        })
    }

    /// A client of DynamoDB. Its calls are conditional, so that they are repeated like the SDK's.
    #[must_use]
    pub fn dynamodb(&self) -> ThinDynamoDb {
        ThinDynamoDb::new(self.line(Service::DYNAMODB, Retries::STANDARD, ATTEMPT_TIME_OUT))
    }

    /// A client of SQS. A message queued twice finds its delivery claimed, so that its calls are repeated like the SDK's.
    #[must_use]
    pub fn sqs(&self) -> ThinSqs {
        ThinSqs::new(self.line(Service::SQS, Retries::STANDARD, ATTEMPT_TIME_OUT))
    }

    /// A client of SES that never repeats a call: `SendEmail` has no client token, and an accepted call whose reply was lost
    /// would be a second e-mail.
    #[must_use]
    pub fn ses(&self) -> ThinSes {
        ThinSes::new(self.line(Service::SES, Retries::NONE, CALL_TIME_OUT))
    }

    fn line(&self, service: Service, retries: Retries, attempt: std::time::Duration) -> Line {
        let origin = match &self.endpoint {
            Some(endpoint) => endpoint.trim_end_matches('/').to_owned(),
            None => service.origin(&self.region),
        };
        Line::new(
            self.pool.clone(),
            service,
            origin,
            &self.region,
            &self.credentials,
            retries,
            attempt,
        )
    }
}
