//! The account, or the local stack, that a command works on.

use anyhow::{Context, Result, bail};
use aws::{AwsDependencies, Connection, ContactKey, DynamoLedger, DynamoSuppressions, DynamoTemplates, DynamoTraffic};
use aws_config::BehaviorVersion;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use domain::ports::Clock;
use jiff::Timestamp;
use lambda::{SystemClock, Variables};
use std::collections::HashMap;

use crate::names::{CANARY, Names};

/// Where a command works, and as whom.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) names: Names,
    pub(crate) dynamodb: aws_sdk_dynamodb::Client,
    pub(crate) sqs: aws_sdk_sqs::Client,
    pub(crate) sns: aws_sdk_sns::Client,
    pub(crate) ses: aws_sdk_sesv2::Client,
    pub(crate) lambda: aws_sdk_lambda::Client,
    connection: Connection,
    secrets: aws_sdk_secretsmanager::Client,
}

/// The tool writes no new notifications, so that it needs not know how long they are kept.
const RETENTION_DAYS: i64 = 90;

/// What the template keeps entries of the log of consent for, where nobody says otherwise.
const CONSENT_RETENTION_DAYS: i32 = 1_826;

const NO_CREDENTIALS: &str = "no credentials: expected AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment. From a profile: \
     eval \"$(aws configure export-credentials --format env)\"; for the local stack: eval \"$(make -s env)\"";

const NO_REGION: &str = "no region: expected AWS_REGION in the environment, as in export AWS_REGION=eu-west-1; for the local stack: \
     eval \"$(make -s env)\"";

impl Account {
    /// What customers asked for, with the log of who changed it.
    pub(crate) fn kept_preferences(&self) -> aws::DynamoPreferences {
        let room = aws::DynamoWaitingRoom::new(self.dynamodb.clone(), self.names.deferred_deliveries());
        aws::DynamoPreferences::new(
            self.dynamodb.clone(),
            self.names.preferences(),
            self.names.consent_log(),
            CONSENT_RETENTION_DAYS,
            room,
        )
    }

    /// The customers' inboxes.
    pub(crate) fn inbox(&self) -> aws::DynamoInbox {
        aws::DynamoInbox::new(self.dynamodb.clone(), self.names.inbox())
    }

    /// The variables with which this function was deployed.
    pub(crate) async fn variables_of(&self, function: &str) -> Result<HashMap<String, String>> {
        let configuration = self
            .lambda
            .get_function_configuration()
            .function_name(function)
            .send()
            .await
            .map_err(|error| failed(&format!("read the variables of {function}"), &error))?;
        let variables = configuration.environment.and_then(|environment| environment.variables);
        Ok(variables.unwrap_or_default())
    }

    /// Everything that the system depends on, at the places that its own canary function was told.
    pub(crate) async fn dependencies(&self) -> Result<AwsDependencies<SystemClock>> {
        let function = self.names.of(CANARY);
        let variables = self.variables_of(&function).await?;
        let pairs: Vec<(&str, &str)> = variables
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let places = Variables::given(&pairs).places();
        let places = places.with_context(|| format!("{function} was told too little: deploy the stack again"))?;
        AwsDependencies::new(&self.connection, places, SystemClock).context("no TLS can be spoken here")
    }

    /// Reads region, credentials and endpoint from the environment and nowhere else.
    pub(crate) async fn connect(prefix: &str) -> Result<Self> {
        if variable("AWS_ACCESS_KEY_ID").is_none() || variable("AWS_SECRET_ACCESS_KEY").is_none() {
            bail!(NO_CREDENTIALS);
        }
        if variable("AWS_REGION")
            .or_else(|| variable("AWS_DEFAULT_REGION"))
            .is_none()
        {
            bail!(NO_REGION);
        }
        let connection = Connection::from_environment();
        let config = aws_config::defaults(BehaviorVersion::latest())
            .credentials_provider(EnvironmentVariableCredentialsProvider::new())
            .load()
            .await;
        Ok(Self {
            names: Names::new(prefix.to_owned()),
            dynamodb: connection.dynamodb(),
            sqs: connection.sqs(),
            sns: aws_sdk_sns::Client::new(&config),
            ses: aws_sdk_sesv2::Client::new(&config),
            lambda: connection.lambda(),
            secrets: aws_sdk_secretsmanager::Client::new(&config),
            connection,
        })
    }

    pub(crate) fn now(&self) -> Timestamp {
        SystemClock.now()
    }

    pub(crate) fn ledger(&self) -> DynamoLedger {
        DynamoLedger::new(self.dynamodb.clone(), self.names.ledger(), RETENTION_DAYS)
    }

    pub(crate) fn tracking(&self) -> aws::DynamoTracking {
        aws::DynamoTracking::new(self.dynamodb.clone(), self.names.order_status(), RETENTION_DAYS)
    }

    pub(crate) fn traffic(&self) -> DynamoTraffic<SystemClock> {
        DynamoTraffic::for_keeper(self.dynamodb.clone(), self.names.system_state(), SystemClock)
    }

    pub(crate) fn templates(&self) -> DynamoTemplates {
        DynamoTemplates::new(self.dynamodb.clone(), self.names.templates())
    }

    /// The key of the hashes under which suppressions stand.
    pub(crate) async fn contact_key(&self) -> Result<ContactKey> {
        let name = self.names.contact_hash_key();
        let secret = self.secret(&name).await?;
        ContactKey::try_from(secret.as_str()).with_context(|| format!("the secret {name} is no key"))
    }

    /// What the secret of this whole name holds; empty where it holds no text.
    pub(crate) async fn secret(&self, name: &str) -> Result<String> {
        let secret = self.secrets.get_secret_value().secret_id(name).send().await;
        let secret = secret.map_err(|error| failed(&format!("read the secret {name}"), &error))?;
        Ok(secret.secret_string.unwrap_or_default())
    }

    pub(crate) async fn suppressions(&self) -> Result<DynamoSuppressions> {
        let key = self.contact_key().await?;
        Ok(DynamoSuppressions::new(
            self.dynamodb.clone(),
            self.names.suppressions(),
            key,
        ))
    }

    /// The address of the queue of this whole name.
    pub(crate) async fn queue_url(&self, name: &str) -> Result<String> {
        let found = self.sqs.get_queue_url().queue_name(name).send().await;
        let found = found.map_err(|error| failed(&format!("find the queue {name}"), &error))?;
        found
            .queue_url
            .with_context(|| format!("the queue {name} has no address"))
    }
}

/// An error of the SDK in few words: its code and status. What a service says further may quote addresses, but for a missing
/// permission, which it names.
pub(crate) fn failed<E>(doing: &str, error: &SdkError<E, HttpResponse>) -> anyhow::Error
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let SdkError::ServiceError(answer) = error else {
        return anyhow::anyhow!("could not {doing}: {}", domain::chain(error));
    };
    let code = answer.err().code().unwrap_or("no error code");
    let status = answer.raw().status().as_u16();
    match answer.err().message() {
        Some(message) if code.contains("AccessDenied") => {
            anyhow::anyhow!("could not {doing}: {code} with status {status}: {message}")
        }
        _ => anyhow::anyhow!("could not {doing}: {code} with status {status}"),
    }
}

/// How to mend what an error tells of, where the cause is plain.
pub(crate) fn remedy(error: &str, prefix: &str) -> Option<String> {
    let says = |words: &[&str]| words.iter().any(|word| error.contains(word));
    let place = place();
    if says(&[
        "ResourceNotFoundException",
        "NonExistentQueue",
        "QueueDoesNotExist",
        "ResourceNotFound",
    ]) {
        Some(format!(
            "nothing of that name is in {place}: is {prefix} the prefix (--prefix, E_COM67_PREFIX), and is the region (AWS_REGION) right?"
        ))
    } else if says(&["AccessDenied", "AuthorizationError", "NotAuthorized"]) {
        Some("these credentials lack the permission: docs/OPERATIONS.md lists what the tool needs".to_owned())
    } else if says(&[
        "ExpiredToken",
        "InvalidClientTokenId",
        "UnrecognizedClient",
        "SignatureDoesNotMatch",
        "InvalidSignature",
    ]) {
        Some(format!(
            "the credentials are not valid in {place}, or have run out: export them again"
        ))
    } else if says(&["InvalidAction", "UnknownOperation"]) {
        Some(format!(
            "{place} does not know this question: the emulator has no such setting"
        ))
    } else if says(&["dispatch failure", "connect error", "Connection refused", "dns error"]) {
        Some(format!(
            "{place} cannot be reached: is the local stack up (make status), or the network?"
        ))
    } else {
        None
    }
}

fn place() -> String {
    let region = variable("AWS_REGION")
        .or_else(|| variable("AWS_DEFAULT_REGION"))
        .unwrap_or_default();
    match variable("AWS_ENDPOINT_URL") {
        Some(endpoint) => format!("{region} at {endpoint}"),
        None => region,
    }
}

#[expect(clippy::disallowed_methods, reason = "this is where the tool reads its variables")]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
impl Account {
    /// An account whose providers answer as a test has them answer, and nobody else does.
    pub(crate) fn of_clients(
        prefix: &str,
        ses: aws_sdk_sesv2::Client,
        sns: aws_sdk_sns::Client,
        lambda: aws_sdk_lambda::Client,
    ) -> Self {
        use aws_smithy_mocks::{RuleMode, mock_client};
        Self {
            names: Names::new(prefix.to_owned()),
            dynamodb: mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, &[]),
            sqs: mock_client!(aws_sdk_sqs, RuleMode::MatchAny, &[]),
            sns,
            ses,
            lambda,
            secrets: mock_client!(aws_sdk_secretsmanager, RuleMode::MatchAny, &[]),
            connection: Connection::to(
                "http://127.0.0.1:9",
                "eu-west-1",
                aws::Credentials::new("id", "secret", None, None, "test"),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_prefix_is_said_to_be_one() {
        let text = "could not look up a notification in the ledger: ResourceNotFoundException with status 400";
        assert!(remedy(text, "shop").is_some_and(|remedy| remedy.contains("is shop the prefix")));
        assert_eq!(remedy("something else", "shop"), None);
    }
}
