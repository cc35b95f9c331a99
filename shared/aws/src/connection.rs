//! How we talk to AWS: region, credentials, endpoint, time-outs and retries, decided once.

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::SharedCredentialsProvider;
use aws_smithy_http_client::tls;
use aws_smithy_runtime_api::client::http::{HttpClient, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use std::time::Duration;

pub use aws_sdk_dynamodb::config::Credentials;

/// The longest that one call of a provider may take.
pub const CALL_TIME_OUT: Duration = Duration::from_secs(10);

/// The longest that one call of Lambda may take: a sender that is invoked for a trial starts, and talks to its provider.
const INVOKE_TIME_OUT: Duration = Duration::from_secs(25);

/// A connection that was idle for longer is not used again. A function sleeps between its calls, and a connection that the
/// other side closed meanwhile breaks under the next request: for a provider that would leave doubt.
pub(crate) const IDLE_FOR: Duration = Duration::from_secs(5);

/// The longest that making a connection may take, TLS included.
pub(crate) const CONNECT_TIME_OUT: Duration = Duration::from_secs(2);

/// The longest that one attempt of a call may take that is repeated.
pub(crate) const ATTEMPT_TIME_OUT: Duration = Duration::from_secs(5);

/// The configuration from which every client is made.
#[derive(Debug, Clone)]
pub struct Connection {
    config: SdkConfig,
}

impl Connection {
    /// Reads region, credentials and endpoint from the environment, as Lambda sets it. Nothing else is asked: no profile, no
    /// instance metadata. Nothing is connected before the first call.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "what every AWS client reads is read where the clients are made"
    )]
    pub fn from_environment() -> Self {
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let region = variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION"));
        let credentials = SharedCredentialsProvider::new(EnvironmentVariableCredentialsProvider::new());
        Self {
            config: config(region, variable("AWS_ENDPOINT_URL"), credentials),
        }
    }

    /// Speaks to this endpoint, in this region, with these credentials, for tools and tests.
    #[must_use]
    pub fn to(endpoint: &str, region: &str, credentials: Credentials) -> Self {
        let credentials = SharedCredentialsProvider::new(credentials);
        Self {
            config: config(Some(region.to_owned()), Some(endpoint.to_owned()), credentials),
        }
    }

    /// A client of DynamoDB. Its calls are conditional, so that the SDK may repeat them.
    #[must_use]
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        aws_sdk_dynamodb::Client::new(&self.config)
    }

    /// A client of DynamoDB for what a sender offers: repeated like any other, and all of it within the time of one call.
    #[must_use]
    pub fn inboxes(&self) -> aws_sdk_dynamodb::Client {
        let time_outs = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIME_OUT)
            .operation_attempt_timeout(Duration::from_secs(3))
            .operation_timeout(CALL_TIME_OUT)
            .build();
        let config = aws_sdk_dynamodb::config::Builder::from(&self.config)
            .timeout_config(time_outs)
            .build();
        aws_sdk_dynamodb::Client::from_conf(config)
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

    /// A client of SNS for topics. News published twice are one notification, so that the SDK may repeat its calls.
    #[must_use]
    pub fn topics(&self) -> aws_sdk_sns::Client {
        aws_sdk_sns::Client::new(&self.config)
    }

    /// A client of S3. What is written twice is written once, so that the SDK may repeat its calls.
    #[must_use]
    pub fn s3(&self) -> aws_sdk_s3::Client {
        let config = aws_sdk_s3::config::Builder::from(&self.config)
            // The emulator answers to one name, not to one for each bucket.
            .force_path_style(self.config.endpoint_url().is_some())
            .build();
        aws_sdk_s3::Client::from_conf(config)
    }

    /// A client of Secrets Manager, for reading.
    #[must_use]
    pub fn secrets(&self) -> aws_sdk_secretsmanager::Client {
        aws_sdk_secretsmanager::Client::new(&self.config)
    }

    /// A client of Lambda. A sender that is invoked twice finds its delivery claimed, so that the SDK may repeat its calls.
    #[must_use]
    pub fn lambda(&self) -> aws_sdk_lambda::Client {
        let time_outs = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIME_OUT)
            .operation_attempt_timeout(INVOKE_TIME_OUT)
            .operation_timeout(INVOKE_TIME_OUT)
            .build();
        let config = aws_sdk_lambda::config::Builder::from(&self.config)
            .timeout_config(time_outs)
            .build();
        aws_sdk_lambda::Client::from_conf(config)
    }
}

/// What is the same for every service. The SDK's own loader would ask a chain of providers
/// and files for what Lambda sets in variables.
fn config(region: Option<String>, endpoint: Option<String>, credentials: SharedCredentialsProvider) -> SdkConfig {
    let time_outs = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIME_OUT)
        .operation_attempt_timeout(ATTEMPT_TIME_OUT)
        .build();
    let http = aws_smithy_http_client::Builder::new()
        .pool_idle_timeout(IDLE_FOR)
        .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::AwsLc))
        .build_https();
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(region.map(Region::new))
        .credentials_provider(credentials)
        .http_client(AtFirstCall(http))
        .retry_config(RetryConfig::standard().with_max_attempts(3))
        .timeout_config(time_outs);
    config.set_endpoint_url(endpoint);
    config.build()
}

/// An HTTP client that is made ready by its first call. The SDK's own reads every certificate of the machine, 16 million
/// instructions, while a function starts that may find nothing to do.
#[derive(Debug)]
struct AtFirstCall(SharedHttpClient);

impl HttpClient for AtFirstCall {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        self.0.http_connector(settings, components)
    }
}

fn provider_time_outs() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIME_OUT)
        .operation_timeout(CALL_TIME_OUT)
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Letter, Sender, SesMailer, SnsTexter};
    use domain::ports::SendAnswer;
    use domain::{NotificationId, NotificationType};
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// A provider of which no reply ever tells how it went.
    struct BadProvider {
        endpoint: String,
        requests: Arc<AtomicUsize>,
    }

    impl BadProvider {
        /// One that gives this reply to every request; the empty one closes the connection.
        fn replying(reply: &'static str) -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let endpoint = format!("http://{}", listener.local_addr().unwrap());
            let requests = Arc::new(AtomicUsize::new(0));
            let count = Arc::clone(&requests);
            std::thread::spawn(move || {
                for mut stream in listener.incoming().flatten() {
                    read_request(&mut stream);
                    count.fetch_add(1, Ordering::SeqCst);
                    stream.write_all(reply.as_bytes()).unwrap();
                }
            });
            Self { endpoint, requests }
        }

        fn connection(&self) -> Connection {
            let credentials = Credentials::new("id", "secret", None, None, "test");
            Connection::to(&self.endpoint, "eu-west-1", credentials)
        }

        fn requests(&self) -> usize {
            self.requests.load(Ordering::SeqCst)
        }
    }

    /// Reads one request to its end, so that what follows is a reply lost and not a request refused.
    fn read_request(stream: &mut TcpStream) {
        let mut bytes = Vec::new();
        let mut byte = [0];
        while !bytes.ends_with(b"\r\n\r\n") {
            stream.read_exact(&mut byte).unwrap();
            bytes.extend(byte);
        }
        let head = String::from_utf8(bytes).unwrap().to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let mut body = vec![0; length.unwrap().parse().unwrap()];
        stream.read_exact(&mut body).unwrap();
    }

    async fn email(connection: &Connection) -> SendAnswer {
        let sender = Sender {
            email: "shop@example.com".to_owned(),
            name: "Shop".to_owned(),
            reply_to: "help@example.com".to_owned(),
        };
        let letter = Letter {
            subject: "s",
            html: "<p>h</p>",
            text: "t",
            unsubscribe: None,
        };
        SesMailer::new(connection.ses(), &sender, None)
            .send(NotificationId::from_digest([1; 16]), "ana@example.com", letter)
            .await
    }

    async fn text_message(connection: &Connection) -> SendAnswer {
        SnsTexter::new(connection.sns(), None)
            .send("+34600123456", "Hola", NotificationType::OrderStatusUpdate)
            .await
    }

    #[tokio::test]
    async fn a_lost_reply_never_makes_the_sdk_send_twice() {
        let server_error = "HTTP/1.1 500 Internal Server Error\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
        for reply in [server_error, ""] {
            let provider = BadProvider::replying(reply);
            let answer = email(&provider.connection()).await;
            assert!(matches!(answer, SendAnswer::Unknown { .. }), "{answer:?} to {reply:?}");
            assert_eq!(provider.requests(), 1, "e-mails after {reply:?}");

            let provider = BadProvider::replying(reply);
            let answer = text_message(&provider.connection()).await;
            assert!(matches!(answer, SendAnswer::Unknown { .. }), "{answer:?} to {reply:?}");
            assert_eq!(provider.requests(), 1, "text messages after {reply:?}");
        }
    }

    #[tokio::test]
    async fn what_may_be_repeated_is_repeated() {
        let provider = BadProvider::replying("");
        let client = provider.connection().dynamodb();
        assert!(client.list_tables().send().await.is_err());
        assert_eq!(provider.requests(), 3);
    }
}
