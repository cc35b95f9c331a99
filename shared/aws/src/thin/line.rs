//! One call: written, signed, sent, and its answer read.

use aws_sdk_dynamodb::config::Credentials;
use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{ErrorMetadata, SdkError};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue, USER_AGENT};
use http::{HeaderMap, Request};
use http_body_util::{BodyExt as _, Full};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, SystemTime};

use super::connector::Pool;
use super::retries::{Retries, is_worth_another_call};
use crate::calls::Answer;

/// What differs from service to service.
#[derive(Debug, Clone, Copy)]
pub(super) struct Service {
    /// The first part of its host name.
    host: &'static str,
    /// Its name in signatures.
    signing_name: &'static str,
    content_type: &'static str,
    /// Whether errors come with the codes of its older protocol, which are asked for by `x-amzn-query-mode`.
    has_query_codes: bool,
}

impl Service {
    /// DynamoDB: AWS JSON 1.0.
    pub(super) const DYNAMODB: Self = Self {
        host: "dynamodb",
        signing_name: "dynamodb",
        content_type: "application/x-amz-json-1.0",
        has_query_codes: false,
    };
    /// SQS: AWS JSON 1.0, compatible with its query protocol.
    pub(super) const SQS: Self = Self {
        host: "sqs",
        signing_name: "sqs",
        content_type: "application/x-amz-json-1.0",
        has_query_codes: true,
    };
    /// SES v2: REST and JSON.
    pub(super) const SES: Self = Self {
        host: "email",
        signing_name: "ses",
        content_type: "application/json",
        has_query_codes: false,
    };

    /// Where it answers in a region (AWS General Reference, "Service endpoints").
    pub(super) fn origin(self, region: &str) -> String {
        let domain = match region.starts_with("cn-") {
            true => "amazonaws.com.cn",
            false => "amazonaws.com",
        };
        format!("https://{}.{region}.{domain}", self.host)
    }
}

/// The line to one service.
#[derive(Clone)]
pub(super) struct Line(Arc<Shared>);

struct Shared {
    pool: Pool,
    service: Service,
    origin: String,
    region: String,
    identity: Identity,
    retries: Retries,
    attempt_time_out: Duration,
    last_length: AtomicUsize,
}

/// Where a call goes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Target {
    /// An operation of AWS JSON, by the value of `x-amz-target`.
    Operation(&'static str),
    /// A path of a REST service.
    Path(&'static str),
}

/// An error of an operation, made of code and message.
pub(super) trait FromMetadata {
    /// The error that this code stands for.
    fn from_metadata(metadata: ErrorMetadata) -> Self;
}

/// What a failed call left behind.
enum Failure {
    /// The request could not be made.
    Unmade(Box<dyn Error + Send + Sync>),
    /// No answer came.
    Unanswered(ConnectorError),
    /// No answer came in time.
    Late,
    /// The service says no.
    Refused(u16, ErrorMetadata),
    /// The answer cannot be read.
    Unreadable(Box<dyn Error + Send + Sync>, u16),
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Line")
            .field("origin", &self.0.origin)
            .finish_non_exhaustive()
    }
}

impl Line {
    pub(super) fn new(
        pool: Pool,
        service: Service,
        origin: String,
        region: &str,
        credentials: &Credentials,
        retries: Retries,
        attempt_time_out: Duration,
    ) -> Self {
        Self(Arc::new(Shared {
            pool,
            service,
            origin,
            region: region.to_owned(),
            identity: credentials.clone().into(),
            retries,
            attempt_time_out,
            last_length: AtomicUsize::new(0),
        }))
    }

    /// Makes a call, and repeats it as far as its service allows.
    pub(super) async fn call<T, E>(&self, target: Target, request: &impl Serialize) -> Answer<T, E>
    where
        T: DeserializeOwned,
        E: FromMetadata,
    {
        // Most bodies for a service are about as long as the one before.
        let mut body = Vec::with_capacity(self.0.last_length.load(Relaxed) * 9 / 8);
        serde_json::to_writer(&mut body, request).map_err(SdkError::construction_failure)?;
        self.0.last_length.store(body.len(), Relaxed);
        let body = Bytes::from(body);
        let mut calls = 0_u32;
        loop {
            calls += 1;
            let failure = match self.attempt(target, &body).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            match self.0.retries.wait_after(calls, fastrand::f64()) {
                Some(wait) if failure.is_worth_another_call() => tokio::time::sleep(wait).await,
                _ => return Err(failure.into()),
            }
        }
    }

    async fn attempt<T: DeserializeOwned>(&self, target: Target, body: &Bytes) -> Result<T, Failure> {
        let request = self.signed(target, body).map_err(Failure::Unmade)?;
        let answered = async {
            let response = self.0.pool.http().request(request).await.map_err(|error| {
                let is_connect = error.is_connect();
                let error = ConnectorError::io(error.into());
                match is_connect {
                    true => error.never_connected(),
                    false => error,
                }
            })?;
            let (head, body) = response.into_parts();
            let body = body.collect().await.map_err(|error| ConnectorError::io(error.into()))?;
            Ok::<_, ConnectorError>((head, body.to_bytes()))
        };
        let (head, body) = match tokio::time::timeout(self.0.attempt_time_out, answered).await {
            Ok(answered) => answered.map_err(Failure::Unanswered)?,
            Err(_elapsed) => return Err(Failure::Late),
        };
        let status = head.status.as_u16();
        if !head.status.is_success() {
            return Err(Failure::Refused(status, self.refusal(&head.headers, &body)));
        }
        serde_json::from_slice(&body).map_err(|error| Failure::Unreadable(error.into(), status))
    }

    fn signed(&self, target: Target, body: &Bytes) -> Result<Request<Full<Bytes>>, Box<dyn Error + Send + Sync>> {
        let shared = &*self.0;
        let uri = match target {
            Target::Operation(_) => format!("{}/", shared.origin),
            Target::Path(path) => format!("{}{path}", shared.origin),
        };
        let uri: http::Uri = uri.parse()?;
        let authority = uri.authority().map_or("", http::uri::Authority::as_str);
        let mut headers: Vec<(&'static str, &str)> = vec![
            ("content-type", shared.service.content_type),
            ("host", without_usual_port(&uri, authority)),
        ];
        if let Target::Operation(operation) = target {
            headers.push(("x-amz-target", operation));
        }
        if shared.service.has_query_codes {
            headers.push(("x-amzn-query-mode", "true"));
        }
        #[expect(
            clippy::disallowed_methods,
            reason = "a signature bears the time of the machine that makes it"
        )]
        let now = SystemTime::now();
        let parameters = v4::SigningParams::builder()
            .identity(&shared.identity)
            .region(&shared.region)
            .name(shared.service.signing_name)
            .time(now)
            .settings(SigningSettings::default())
            .build()?
            .into();
        let signable = SignableRequest::new(
            "POST",
            uri.to_string(),
            headers.iter().copied(),
            SignableBody::Bytes(body),
        )?;
        let (signature, _) = sign(signable, &parameters)?.into_parts();
        let (signed, _no_query) = signature.into_parts();
        let mut request = Request::post(&uri).body(Full::new(body.clone()))?;
        let all = request.headers_mut();
        for (name, value) in headers {
            all.insert(HeaderName::from_static(name), HeaderValue::from_str(value)?);
        }
        all.insert(
            USER_AGENT,
            HeaderValue::from_static(concat!("e-com67/", env!("CARGO_PKG_VERSION"))),
        );
        for header in signed {
            let mut value = HeaderValue::from_str(header.value())?;
            value.set_sensitive(header.sensitive());
            all.insert(HeaderName::from_static(header.name()), value);
        }
        debug_assert!(all.contains_key(CONTENT_TYPE));
        Ok(request)
    }

    /// Code and message of an answer that is no success; neither, where its body is no JSON.
    fn refusal(&self, headers: &HeaderMap, body: &[u8]) -> ErrorMetadata {
        let Ok(told) = Told::read(body) else {
            return ErrorMetadata::builder().build();
        };
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let code = header("x-amzn-errortype")
            .or(told.code.as_deref())
            .or(told.kind.as_deref());
        let older = header("x-amzn-query-error").filter(|_| self.0.service.has_query_codes);
        let code = older
            .and_then(|older| older.split_once(';'))
            .map(|(code, _)| code)
            .or(code.map(short));
        let mut metadata = ErrorMetadata::builder();
        if let Some(code) = code {
            metadata = metadata.code(code);
        }
        if let Some(message) = told.message {
            metadata = metadata.message(message);
        }
        metadata.build()
    }
}

/// The body of an answer that is no success.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Told {
    code: Option<String>,
    #[serde(rename = "__type")]
    kind: Option<String>,
    #[serde(alias = "Message", alias = "errorMessage")]
    message: Option<String>,
}

impl Told {
    fn read(body: &[u8]) -> serde_json::Result<Self> {
        match body.is_empty() {
            true => Ok(Self::default()),
            false => serde_json::from_slice(body),
        }
    }
}

/// A code without the name space before it and the address behind it.
fn short(code: &str) -> &str {
    let code = code.split_once(':').map_or(code, |(code, _)| code);
    code.split_once('#').map_or(code, |(_, code)| code)
}

/// The host as HTTP clients write it: without the port that the scheme implies.
fn without_usual_port<'a>(uri: &http::Uri, authority: &'a str) -> &'a str {
    let usual = match uri.scheme_str() {
        Some("https") => ":443",
        _ => ":80",
    };
    authority.strip_suffix(usual).unwrap_or(authority)
}

impl Failure {
    fn is_worth_another_call(&self) -> bool {
        match self {
            Self::Unmade(_) => false,
            Self::Unanswered(_) | Self::Late => true,
            Self::Refused(status, metadata) => is_worth_another_call(*status, metadata.code()),
            Self::Unreadable(_, status) => is_worth_another_call(*status, None),
        }
    }
}

impl<E: FromMetadata> From<Failure> for SdkError<E, HttpResponse> {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Unmade(error) => Self::construction_failure(error),
            Failure::Unanswered(error) => Self::dispatch_failure(error),
            Failure::Late => Self::timeout_error("no answer in time"),
            Failure::Refused(status, metadata) => Self::service_error(E::from_metadata(metadata), empty(status)),
            Failure::Unreadable(error, status) => Self::response_error(error, empty(status)),
        }
    }
}

/// An answer of which only the status is kept: its body may hold what nobody should log.
fn empty(status: u16) -> HttpResponse {
    let status = http::StatusCode::from_u16(status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    HttpResponse::new(status.into(), SdkBody::empty())
}
