//! Publishes what SES would have published: the emulator accepts e-mails, and never says what became of them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_sdk_sns::Client;
use aws_sdk_sns::config::{BehaviorVersion, Config, Credentials, Region};
use aws_sdk_sns::error::{DisplayErrorContext, SdkError};
use aws_sdk_sns::operation::publish::PublishError;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::time::sleep;

use crate::book::Book;
use crate::feedback::{Feedback, FeedbackEvent, fitting};
use crate::proxy::now_ms;
use crate::ses_event::{self, Accepted, Happening};
use crate::topic::TopicArn;
use crate::upstream::Upstream;

/// The keys with which the proxy signs its own requests to the emulator.
#[derive(Clone)]
pub struct Keys {
    /// The access key's id.
    pub id: String,
    /// The secret that belongs to it.
    pub secret: String,
}

impl Default for Keys {
    /// Those with which the emulator lets anybody in: `test` and `test`.
    fn default() -> Self {
        Self {
            id: "test".to_owned(),
            secret: "test".to_owned(),
        }
    }
}

/// What was published, and what stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedbackReport {
    /// Where events go; absent where they go nowhere.
    pub topic: Option<TopicArn>,
    /// The feedback that stands.
    pub standing: Vec<Feedback>,
    /// How many events were published, by `eventType`.
    pub published: BTreeMap<String, u64>,
    /// How many could not be published.
    pub failed: u64,
    /// Why the last of these could not.
    pub last_failure: Option<String>,
}

/// Why an event was not published.
#[derive(Debug, Error)]
pub(crate) enum EventError {
    #[error("no topic was given for events")]
    NoTopic,
    #[error("could not publish to {topic}: {}", DisplayErrorContext(.cause))]
    Sns {
        topic: TopicArn,
        cause: Box<SdkError<PublishError>>,
    },
}

pub(crate) struct Publisher {
    book: Arc<Book>,
    upstream: Upstream,
    keys: Keys,
    desk: Mutex<Desk>,
}

#[derive(Default)]
struct Desk {
    outlet: Option<Outlet>,
    standing: Vec<Feedback>,
    published: BTreeMap<String, u64>,
    failed: u64,
    last_failure: Option<String>,
    happenings: u64,
}

/// A topic, and a client for its region.
#[derive(Clone)]
struct Outlet {
    topic: TopicArn,
    client: Client,
}

impl Publisher {
    pub(crate) fn new(book: Arc<Book>, upstream: Upstream, keys: Keys, topic: Option<TopicArn>) -> Self {
        let publisher = Self {
            book,
            upstream,
            keys,
            desk: Mutex::default(),
        };
        publisher.set_topic(topic);
        publisher
    }

    pub(crate) fn set_topic(&self, topic: Option<TopicArn>) {
        self.desk().outlet = topic.map(|topic| Outlet {
            client: self.client(&topic),
            topic,
        });
    }

    pub(crate) fn set_feedback(&self, standing: Vec<Feedback>) {
        self.desk().standing = standing;
    }

    pub(crate) fn add_feedback(&self, feedback: Feedback) {
        self.desk().standing.push(feedback);
    }

    pub(crate) fn report(&self) -> FeedbackReport {
        let desk = self.desk();
        FeedbackReport {
            topic: desk.outlet.as_ref().map(|outlet| outlet.topic.clone()),
            standing: desk.standing.clone(),
            published: desk.published.clone(),
            failed: desk.failed,
            last_failure: desk.last_failure.clone(),
        }
    }

    /// Publishes, in its own time, what the feedback that stands says of an e-mail that was just accepted.
    pub(crate) fn announce(self: &Arc<Self>, accepted: &Accepted) {
        let desk = self.desk();
        if desk.outlet.is_none() {
            return;
        }
        for recipient in &accepted.email.to {
            let is_due = |feedback: &&Feedback| feedback.identity_form || accepted.email.configuration_set.is_some();
            if let Some(feedback) = fitting(&desk.standing, recipient).filter(is_due) {
                let (publisher, accepted) = (Arc::clone(self), accepted.clone());
                tokio::spawn(publisher.give(feedback.clone(), accepted, recipient.clone()));
            }
        }
    }

    async fn give(self: Arc<Self>, feedback: Feedback, accepted: Accepted, recipient: String) {
        sleep(Duration::from_millis(feedback.after_ms)).await;
        let recipients = [recipient];
        for event in &feedback.events {
            let happening = self.happening(event, &recipients, feedback.identity_form);
            // A failure is in the report, and the next event may come through.
            drop(self.publish(&accepted, &happening, feedback.times).await);
        }
    }

    /// Publishes one event about an e-mail, to all its recipients.
    pub(crate) async fn emit(&self, accepted: &Accepted, event: &FeedbackEvent, times: u64) -> Result<(), EventError> {
        let happening = self.happening(event, &accepted.email.to, false);
        self.publish(accepted, &happening, times).await
    }

    fn happening<'a>(
        &self,
        event: &'a FeedbackEvent,
        recipients: &'a [String],
        is_in_identity_form: bool,
    ) -> Happening<'a> {
        let mut desk = self.desk();
        desk.happenings += 1;
        Happening {
            event,
            recipients,
            at_ms: now_ms(),
            number: desk.happenings,
            is_in_identity_form,
        }
    }

    /// Publishes the same text as often as it says.
    async fn publish(&self, accepted: &Accepted, happening: &Happening<'_>, times: u64) -> Result<(), EventError> {
        let outlet = self.desk().outlet.clone();
        let Outlet { topic, client } = outlet.ok_or(EventError::NoTopic)?;
        let text = ses_event::write(accepted, happening, &topic);
        let kind = happening.event.name();
        for _ in 0..times {
            let sent = client.publish().topic_arn(topic.clone()).message(&text).send().await;
            match sent {
                Ok(_) => {
                    *self.desk().published.entry(kind.to_owned()).or_default() += 1;
                    self.book.event_published(accepted.call, kind);
                }
                Err(cause) => {
                    let cause = Box::new(cause);
                    let error = EventError::Sns { topic, cause };
                    let mut desk = self.desk();
                    desk.failed += 1;
                    desk.last_failure = Some(error.to_string());
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// It talks to the emulator itself: what the proxy publishes is no call of a function, and no rule is for it.
    fn client(&self, topic: &TopicArn) -> Client {
        let credentials = Credentials::new(&self.keys.id, &self.keys.secret, None, None, "fault-proxy");
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(topic.region().to_owned()))
            .endpoint_url(self.upstream.to_string())
            .credentials_provider(credentials)
            .build();
        Client::from_conf(config)
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
