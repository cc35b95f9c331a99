//! How we talk to AWS: region, credentials, endpoint, time-outs and retries, decided once.

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_smithy_http_client::tls;
use std::time::Duration;

/// The longest that one call of a provider may take.
pub const CALL_TIME_OUT: Duration = Duration::from_secs(10);

/// A connection that was idle for longer is not used again. A function sleeps between its calls, and a connection that the
/// other side closed meanwhile breaks under the next request: for a provider that would leave doubt.
const IDLE_FOR: Duration = Duration::from_secs(5);

/// The configuration from which every client is made.
#[derive(Debug, Clone)]
pub struct Connection {
    config: SdkConfig,
}

impl Connection {
    /// Reads region, credentials and endpoint from the environment, as Lambda sets it. Nothing else is asked: no profile, no
    /// instance metadata.
    pub async fn from_environment() -> Self {
        let time_outs = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(2))
            .operation_attempt_timeout(Duration::from_secs(5))
            .build();
        let http = aws_smithy_http_client::Builder::new()
            .pool_idle_timeout(IDLE_FOR)
            .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::AwsLc))
            .build_https();
        let config = aws_config::defaults(BehaviorVersion::latest())
            .http_client(http)
            .credentials_provider(EnvironmentVariableCredentialsProvider::new())
            .retry_config(RetryConfig::standard().with_max_attempts(3))
            .timeout_config(time_outs)
            .load()
            .await;
        Self { config }
    }

    /// A client of DynamoDB. Its calls are conditional, so that the SDK may repeat them.
    #[must_use]
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        aws_sdk_dynamodb::Client::new(&self.config)
    }

    /// A client of SQS. A message queued twice finds its delivery claimed, so that the SDK may repeat its calls.
    #[must_use]
    pub fn sqs(&self) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::new(&self.config)
    }

    /// A client of SES that never repeats a call: `SendEmail` has no client token, and an accepted call whose reply was lost
    /// would be a second e-mail.
    #[must_use]
    pub fn ses(&self) -> aws_sdk_sesv2::Client {
        let config = aws_sdk_sesv2::config::Builder::from(&self.config)
            .retry_config(RetryConfig::disabled())
            .timeout_config(provider_time_outs())
            .build();
        aws_sdk_sesv2::Client::from_conf(config)
    }

    /// A client of SNS for text messages that never repeats a call: `Publish` to a number has no client token either.
    #[must_use]
    pub fn sns(&self) -> aws_sdk_sns::Client {
        let config = aws_sdk_sns::config::Builder::from(&self.config)
            .retry_config(RetryConfig::disabled())
            .timeout_config(provider_time_outs())
            .build();
        aws_sdk_sns::Client::from_conf(config)
    }
}

fn provider_time_outs() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(2))
        .operation_timeout(CALL_TIME_OUT)
        .build()
}
