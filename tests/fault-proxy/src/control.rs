//! The client with which tests steer the proxy.

use std::collections::BTreeMap;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::header::HOST;
use hyper::{Method, Request, StatusCode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::access::ByKey;
use crate::call::Call;
use crate::control_api::{Destination, Emission, PREFIX};
use crate::feedback::{Feedback, FeedbackEvent};
use crate::publisher::FeedbackReport;
use crate::rule::{Rule, RuleId, StandingRule};
use crate::topic::TopicArn;
use crate::upstream::{Connection, Upstream, UpstreamError};

/// Steers a running proxy. Cheap to clone; each request opens a connection of its own.
#[derive(Clone, Debug)]
pub struct Control {
    proxy: Upstream,
}

/// Why the proxy did not do as it was told.
#[derive(Debug, Error)]
pub enum ControlError {
    /// It cannot be reached.
    #[error("could not talk to the proxy")]
    Unreachable(#[from] UpstreamError),
    /// It broke off in the middle of its answer.
    #[error("could not read the proxy's answer")]
    Broken(#[source] hyper::Error),
    /// The request could not be written.
    #[error("could not write the request to the proxy")]
    Request(#[source] hyper::http::Error),
    /// A rule, or a feedback, could not be written as JSON.
    #[error("could not write what the proxy shall do")]
    Rule(#[source] serde_json::Error),
    /// It refused.
    #[error("the proxy answered {status}: {text}")]
    Refused {
        /// Its status.
        status: StatusCode,
        /// Its reason.
        text: String,
    },
    /// It answered with something else than was expected.
    #[error("could not understand the proxy's answer")]
    Answer(#[source] serde_json::Error),
}

impl Control {
    /// A client for the proxy at `http://HOST:PORT`.
    ///
    /// # Errors
    ///
    /// When `address` is something else.
    pub fn new(address: &str) -> Result<Self, UpstreamError> {
        Ok(Self {
            proxy: address.parse()?,
        })
    }

    /// Whether the proxy is up.
    ///
    /// # Errors
    ///
    /// When it is not.
    pub async fn health(&self) -> Result<(), ControlError> {
        self.ask(Method::GET, "health", Bytes::new()).await.map(drop)
    }

    /// Adds a rule, which holds from now on.
    ///
    /// # Errors
    ///
    /// When the proxy cannot be reached or refuses the rule.
    pub async fn add_rule(&self, rule: &Rule) -> Result<RuleId, ControlError> {
        #[derive(Deserialize)]
        struct Added {
            id: RuleId,
        }
        let added: Added = read(&self.ask(Method::POST, "rules", written(rule)?).await?)?;
        Ok(added.id)
    }

    /// Removes one rule.
    ///
    /// # Errors
    ///
    /// When the proxy cannot be reached or knows no such rule.
    pub async fn remove_rule(&self, id: RuleId) -> Result<(), ControlError> {
        self.ask(Method::DELETE, &format!("rules/{id}"), Bytes::new())
            .await
            .map(drop)
    }

    /// Removes all rules, those of other tests too.
    ///
    /// # Errors
    ///
    /// When the proxy cannot be reached.
    pub async fn remove_all_rules(&self) -> Result<(), ControlError> {
        self.ask(Method::DELETE, "rules", Bytes::new()).await.map(drop)
    }

    /// The rules that stand, and how often each was applied.
    ///
    /// # Errors
    ///
    /// When the proxy cannot be reached.
    pub async fn rules(&self) -> Result<Vec<StandingRule>, ControlError> {
        read(&self.ask(Method::GET, "rules", Bytes::new()).await?)
    }

    /// The calls of `operation` that mention `contains` in a remembered field, oldest first; an empty text means any.
    ///
    /// # Errors
    ///
    /// When the proxy cannot be reached.
    pub async fn calls(&self, operation: &str, contains: &str) -> Result<Vec<Call>, ControlError> {
        let mut query = form_urlencoded::Serializer::new("calls?".to_owned());
        let filters = [("operation", operation), ("contains", contains)];
        query.extend_pairs(filters.iter().filter(|(_, text)| !text.is_empty()));
        read(&self.ask(Method::GET, &query.finish(), Bytes::new()).await?)
    }

    /// How many requests there were, by operation.
    ///
    /// # Errors
    ///
    /// When the proxy cannot be reached.
    pub async fn counts(&self) -> Result<BTreeMap<String, u64>, ControlError> {
        read(&self.ask(Method::GET, "counts", Bytes::new()).await?)
    }

    /// Publishes events to this topic from now on; to none where it is absent.
    ///
    /// # Errors
    ///
    /// When the proxy cannot be reached.
    pub async fn set_events_topic(&self, topic: Option<&TopicArn>) -> Result<(), ControlError> {
        let destination = Destination { topic: topic.cloned() };
        self.ask(Method::PUT, "feedback/topic", written(&destination)?)
            .await
            .map(drop)
    }

    /// Replaces the feedback that stands, that of other tests too.
    ///
    /// # Errors
    ///
    /// When the proxy cannot be reached or refuses the feedback.
    pub async fn set_feedback(&self, standing: &[Feedback]) -> Result<(), ControlError> {
        self.ask(Method::PUT, "feedback", written(&standing)?).await.map(drop)
    }

    /// Adds a feedback behind those that stand.
    ///
    /// # Errors
    ///
    /// When the proxy cannot be reached or refuses the feedback.
    pub async fn add_feedback(&self, feedback: &Feedback) -> Result<(), ControlError> {
        self.ask(Method::POST, "feedback", written(feedback)?).await.map(drop)
    }

    /// Removes all feedback, that of other tests too: nothing is published any more.
    ///
    /// # Errors
    ///
    /// When the proxy cannot be reached.
    pub async fn clear_feedback(&self) -> Result<(), ControlError> {
        self.ask(Method::DELETE, "feedback", Bytes::new()).await.map(drop)
    }

    /// What stands, and what was published.
    ///
    /// # Errors
    ///
    /// When the proxy cannot be reached.
    pub async fn feedback(&self) -> Result<FeedbackReport, ControlError> {
        read(&self.ask(Method::GET, "feedback", Bytes::new()).await?)
    }

    /// Publishes an event, so many times, about the last e-mail that was accepted under this message id or with a tag of this
    /// value, such as a notification's id. It is published when this returns.
    ///
    /// # Errors
    ///
    /// When the proxy cannot be reached, knows neither such an e-mail nor a topic, or cannot publish.
    pub async fn emit(&self, message: &str, event: &FeedbackEvent, times: u64) -> Result<(), ControlError> {
        let emission = Emission {
            message: message.to_owned(),
            event: event.clone(),
            times,
        };
        self.ask(Method::POST, "feedback/events", written(&emission)?)
            .await
            .map(drop)
    }

    /// Which permissions were needed since the proxy started, by the access key that signed.
    ///
    /// # Errors
    ///
    /// When the proxy cannot be reached.
    pub async fn exercised(&self) -> Result<ByKey, ControlError> {
        read(&self.ask(Method::GET, "exercised", Bytes::new()).await?)
    }

    async fn ask(&self, method: Method, path: &str, body: Bytes) -> Result<Bytes, ControlError> {
        let request = Request::builder()
            .method(method)
            .uri(format!("{PREFIX}{path}"))
            .header(HOST, self.proxy.authority())
            .body(Full::new(body))
            .map_err(ControlError::Request)?;
        let response = Connection::to(self.proxy.clone()).send(request).await?;
        let status = response.status();
        let body = response
            .into_body()
            .collect()
            .await
            .map_err(ControlError::Broken)?
            .to_bytes();
        if status.is_success() {
            Ok(body)
        } else {
            Err(ControlError::Refused {
                status,
                text: String::from_utf8_lossy(&body).into_owned(),
            })
        }
    }
}

fn written(value: &impl Serialize) -> Result<Bytes, ControlError> {
    serde_json::to_vec(value).map(Bytes::from).map_err(ControlError::Rule)
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, ControlError> {
    serde_json::from_slice(body).map_err(ControlError::Answer)
}
