//! Asking everything that the system depends on, as cheaply as each can be asked: a key that is not there, an attribute, whether it
//! exists. Nothing is changed, and no secret is read.

use aws_sdk_sqs::types::QueueAttributeName;
use domain::ports::{AccountFacts, Clock, TrafficShare};
use domain::{Breaker, Carrier, Channel, Dependencies, Dependency, Part};
use futures_util::StreamExt;
use futures_util::stream::iter;
use jiff::Timestamp;
use std::net::SocketAddr;
use tracking::ports::PatrolLog;

use crate::answer::in_few_words;
use crate::item::{number, text};
use crate::{Connection, DynamoPatrolLog, DynamoTraffic, SesAccount, dead_letters_of};

/// So many parts of one dependency are asked at once: each needs a connection of its own.
const AT_ONCE: usize = 4;

/// The longest that the API may take to answer.
const API_TIME_OUT: std::time::Duration = std::time::Duration::from_secs(8);

/// The key under which no table has anything.
const NOBODY: &str = "canary/nobody";

/// A table, and the attributes of its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TablePlace {
    /// Its name.
    pub name: String,
    /// The partition key, a text.
    pub partition: &'static str,
    /// The sort key, where it has one.
    pub sort: Option<SortKey>,
}

/// A sort key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortKey {
    /// A text.
    Text(&'static str),
    /// A number.
    Number(&'static str),
}

/// Where everything is that the system depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// The tables.
    pub tables: Vec<TablePlace>,
    /// The queues by URL; each has dead letters.
    pub queues: Vec<String>,
    /// The dead letters, by URL, that have no queue before them.
    pub subscriptions_dead_letters: String,
    /// The topics by ARN.
    pub topics: Vec<String>,
    /// The secrets by ARN.
    pub secrets: Vec<String>,
    /// The archive's bucket.
    pub bucket: String,
    /// The sender of every e-mail.
    pub sender_email: String,
    /// The table of breakers and of what carriers were asked.
    pub system_state: String,
    /// The address of the API.
    pub api: String,
}

/// Everything that the system depends on.
#[derive(Debug)]
pub struct AwsDependencies<C> {
    places: Places,
    dynamodb: aws_sdk_dynamodb::Client,
    sqs: aws_sdk_sqs::Client,
    sns: aws_sdk_sns::Client,
    secrets: aws_sdk_secretsmanager::Client,
    s3: aws_sdk_s3::Client,
    account: SesAccount,
    patrol_log: DynamoPatrolLog,
    traffic: DynamoTraffic<C>,
    http: reqwest::Client,
}

impl<C: Clock> AwsDependencies<C> {
    /// What is at these places, asked over this connection.
    ///
    /// # Errors
    ///
    /// When no TLS can be spoken here.
    pub fn new(connection: &Connection, places: Places, clock: C) -> Result<Self, reqwest::Error> {
        let dynamodb = connection.dynamodb();
        let state = places.system_state.clone();
        Ok(Self {
            sqs: connection.sqs(),
            sns: connection.topics(),
            secrets: connection.secrets(),
            s3: connection.s3(),
            // How fast text messages go is not asked here.
            account: SesAccount::new(connection.ses(), places.sender_email.clone(), 0.0),
            patrol_log: DynamoPatrolLog::new(dynamodb.clone(), state.clone()),
            traffic: DynamoTraffic::for_keeper(dynamodb.clone(), state, clock),
            http: http(&places.api)?,
            dynamodb,
            places,
        })
    }

    async fn table(&self, table: &TablePlace) -> Option<String> {
        let asked = self
            .dynamodb
            .get_item()
            .table_name(&table.name)
            .key(table.partition, text(NOBODY));
        let asked = match table.sort {
            None => asked,
            Some(SortKey::Text(name)) => asked.key(name, text(NOBODY)),
            Some(SortKey::Number(name)) => asked.key(name, number(0)),
        };
        // Nothing of the item would be needed, even if there were one.
        let asked = asked
            .projection_expression("#partition")
            .expression_attribute_names("#partition", table.partition);
        asked.send().await.err().map(|error| in_few_words(&error))
    }

    async fn queue(&self, url: &str) -> Option<String> {
        let asked = self
            .sqs
            .get_queue_attributes()
            .queue_url(url)
            .attribute_names(QueueAttributeName::QueueArn);
        asked.send().await.err().map(|error| in_few_words(&error))
    }

    async fn topic(&self, arn: &str) -> Option<String> {
        let asked = self.sns.get_topic_attributes().topic_arn(arn);
        asked.send().await.err().map(|error| in_few_words(&error))
    }

    async fn secret(&self, arn: &str) -> Option<String> {
        match self.secrets.describe_secret().secret_id(arn).send().await {
            Ok(secret) if secret.deleted_date().is_some() => Some("it is about to be deleted".to_owned()),
            Ok(_) => None,
            Err(error) => Some(in_few_words(&error)),
        }
    }

    async fn bucket(&self) -> Option<String> {
        let asked = self.s3.head_bucket().bucket(&self.places.bucket);
        asked.send().await.err().map(|error| in_few_words(&error))
    }

    async fn ses(&self) -> Option<String> {
        match self.account.ask(Channel::Email).await {
            Ok(account) => account.trouble,
            Err(error) => Some(domain::chain(&error)),
        }
    }

    async fn carrier(&self, carrier: Carrier, now: Timestamp) -> Option<String> {
        match self.patrol_log.spent(carrier).await {
            Ok(spent) => spent
                .rests_until
                .filter(|_| spent.rests(now))
                .map(|until| format!("in trouble, and left alone until {until}")),
            Err(error) => Some(domain::chain(&error)),
        }
    }

    async fn sender(&self, channel: Channel) -> Option<String> {
        match self.traffic.look(channel).await.map(|traffic| traffic.breaker) {
            Ok(Breaker::Closed) => None,
            Ok(Breaker::Open { since, reason, .. }) => Some(format!("held since {since}: {reason}")),
            Err(error) => Some(domain::chain(&error)),
        }
    }

    async fn api(&self) -> Option<String> {
        let url = format!("{}/health", self.places.api.trim_end_matches('/'));
        match self.http.get(url).send().await {
            Ok(answer) if answer.status().is_success() => None,
            Ok(answer) => Some(format!("it answers with status {}", answer.status().as_u16())),
            Err(error) => Some(domain::chain(&error.without_url())),
        }
    }
}

impl<C: Clock> Dependencies for AwsDependencies<C> {
    async fn ask(&self, dependency: Dependency, now: Timestamp) -> Vec<Part> {
        let places = &self.places;
        match dependency {
            Dependency::DynamoDb => parts(&places.tables, |table| table.name.clone(), |table| self.table(table)).await,
            Dependency::Sqs => {
                let dead_letters = places.queues.iter().map(|url| dead_letters_of(url));
                let urls: Vec<String> = places
                    .queues
                    .iter()
                    .cloned()
                    .chain(dead_letters)
                    .chain([places.subscriptions_dead_letters.clone()])
                    .collect();
                parts(&urls, |url| behind_the_last(url, '/'), |url| self.queue(url)).await
            }
            Dependency::Sns => parts(&places.topics, |arn| behind_the_last(arn, ':'), |arn| self.topic(arn)).await,
            Dependency::Ses => parts(&[()], |()| "account".to_owned(), |()| self.ses()).await,
            Dependency::Secrets => {
                parts(&places.secrets, |arn| behind_the_last(arn, ':'), |arn| self.secret(arn)).await
            }
            Dependency::S3 => parts(&[()], |()| places.bucket.clone(), |()| self.bucket()).await,
            Dependency::Carriers => {
                let asked: Vec<Carrier> = Carrier::ALL
                    .into_iter()
                    .filter(|carrier| carriers::poll(*carrier).is_some())
                    .collect();
                parts(&asked, Carrier::to_string, |carrier| self.carrier(*carrier, now)).await
            }
            Dependency::Senders => parts(&Channel::METERED, Channel::to_string, |channel| self.sender(*channel)).await,
            Dependency::Api => parts(&[()], |()| "GET /health".to_owned(), |()| self.api()).await,
        }
    }
}

/// A client that follows no redirect: what answers elsewhere is not the API.
fn http(api: &str) -> Result<reqwest::Client, reqwest::Error> {
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(API_TIME_OUT);
    // Such names are the machine's own (RFC 6761, section 6.3), and not every resolver knows: the emulator's API has one.
    let url = reqwest::Url::parse(api).ok();
    let own = url
        .as_ref()
        .and_then(reqwest::Url::host_str)
        .filter(|host| host.ends_with(".localhost"));
    match own {
        Some(host) => client.resolve(host, SocketAddr::from(([127, 0, 0, 1], 0))).build(),
        None => client.build(),
    }
}

/// Asks each of these, some at once, and keeps their order.
async fn parts<'t, T, F>(these: &'t [T], name: impl Fn(&T) -> String, ask: impl Fn(&'t T) -> F) -> Vec<Part>
where
    F: Future<Output = Option<String>>,
{
    let asked = these.iter().map(|this| {
        let name = name(this);
        let trouble = ask(this);
        async move {
            Part {
                name,
                trouble: trouble.await,
            }
        }
    });
    iter(asked.collect::<Vec<_>>()).buffered(AT_ONCE).collect().await
}

/// The name at the end of a URL or an ARN.
fn behind_the_last(place: &str, sign: char) -> String {
    place.rsplit(sign).next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_dynamodb::operation::get_item::{GetItemError, GetItemOutput};
    use aws_sdk_s3::operation::head_bucket::HeadBucketError;
    use aws_sdk_s3::types::error::NotFound;
    use aws_sdk_secretsmanager::operation::describe_secret::DescribeSecretOutput;
    use aws_sdk_sqs::operation::get_queue_attributes::{GetQueueAttributesError, GetQueueAttributesOutput};
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
    use testkit::StillClock;

    fn now() -> Timestamp {
        "2026-11-20T10:00:00Z".parse().unwrap()
    }

    fn place(name: &str, sort: Option<SortKey>) -> TablePlace {
        TablePlace {
            name: name.to_owned(),
            partition: "userId",
            sort,
        }
    }

    /// Everything answers, but for what these rules say otherwise.
    #[derive(Default)]
    struct Told<'r> {
        dynamodb: &'r [&'r Rule],
        sqs: &'r [&'r Rule],
        secrets: &'r [&'r Rule],
        s3: &'r [&'r Rule],
    }

    impl Told<'_> {
        async fn parts(&self, dependency: Dependency) -> Vec<Part> {
            let dynamodb = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, self.dynamodb);
            let none = &[] as &[&Rule];
            let dependencies = AwsDependencies {
                places: Places {
                    tables: vec![
                        place("preferences", None),
                        place("inbox", Some(SortKey::Text("notificationId"))),
                    ],
                    queues: vec!["http://sqs/1/email".to_owned()],
                    subscriptions_dead_letters: "http://sqs/1/subscriptions-dead-letters".to_owned(),
                    topics: Vec::new(),
                    secrets: vec!["arn:aws:secretsmanager:eu-west-1:1:secret:shop/carriers-AbCdEf".to_owned()],
                    bucket: "archive".to_owned(),
                    sender_email: "shop@example.com".to_owned(),
                    system_state: "state".to_owned(),
                    api: "http://127.0.0.1:9/".to_owned(),
                },
                sqs: mock_client!(aws_sdk_sqs, RuleMode::MatchAny, self.sqs),
                sns: mock_client!(aws_sdk_sns, RuleMode::MatchAny, none),
                secrets: mock_client!(aws_sdk_secretsmanager, RuleMode::MatchAny, self.secrets),
                s3: mock_client!(aws_sdk_s3, RuleMode::MatchAny, self.s3),
                account: SesAccount::new(
                    mock_client!(aws_sdk_sesv2, RuleMode::MatchAny, none),
                    "shop@example.com".to_owned(),
                    0.0,
                ),
                patrol_log: DynamoPatrolLog::new(dynamodb.clone(), "state".to_owned()),
                traffic: DynamoTraffic::for_keeper(dynamodb.clone(), "state".to_owned(), StillClock(now())),
                http: reqwest::Client::new(),
                dynamodb,
            };
            dependencies.ask(dependency, now()).await
        }
    }

    fn troubles(parts: Vec<Part>) -> Vec<(String, Option<String>)> {
        parts.into_iter().map(|part| (part.name, part.trouble)).collect()
    }

    #[tokio::test]
    async fn a_table_that_refuses_is_named_and_its_neighbours_are_asked_all_the_same() {
        let well = mock!(aws_sdk_dynamodb::Client::get_item)
            .match_requests(|get| get.table_name() == Some("preferences"))
            .then_output(|| GetItemOutput::builder().build());
        let gone = mock!(aws_sdk_dynamodb::Client::get_item)
            .match_requests(|get| {
                get.table_name() == Some("inbox") && get.key().is_some_and(|key| key.contains_key("notificationId"))
            })
            .then_error(|| {
                let metadata = aws_sdk_dynamodb::error::ErrorMetadata::builder().code("ResourceNotFoundException");
                GetItemError::generic(metadata.build())
            });
        let told = Told {
            dynamodb: &[&well, &gone],
            ..Told::default()
        };
        let [preferences, inbox] = troubles(told.parts(Dependency::DynamoDb).await).try_into().unwrap();
        assert_eq!(preferences, ("preferences".to_owned(), None));
        assert!(inbox.1.unwrap().starts_with("ResourceNotFoundException"));
    }

    #[tokio::test]
    async fn every_queue_is_asked_and_its_dead_letters_too() {
        let well = mock!(aws_sdk_sqs::Client::get_queue_attributes)
            .match_requests(|get| !get.queue_url().is_some_and(|url| url.ends_with("email-dead-letters")))
            .then_output(|| GetQueueAttributesOutput::builder().build());
        let forbidden = mock!(aws_sdk_sqs::Client::get_queue_attributes)
            .match_requests(|get| get.queue_url().is_some_and(|url| url.ends_with("email-dead-letters")))
            .then_error(|| {
                let metadata = aws_sdk_sqs::error::ErrorMetadata::builder().code("AccessDenied");
                GetQueueAttributesError::generic(metadata.build())
            });
        let told = Told {
            sqs: &[&well, &forbidden],
            ..Told::default()
        };
        let asked = troubles(told.parts(Dependency::Sqs).await);
        let names: Vec<(&str, bool)> = asked.iter().map(|(name, why)| (name.as_str(), why.is_some())).collect();
        assert_eq!(
            names,
            [
                ("email", false),
                ("email-dead-letters", true),
                ("subscriptions-dead-letters", false)
            ]
        );
    }

    #[tokio::test]
    async fn a_secret_that_is_about_to_be_deleted_is_down() {
        let leaving = mock!(aws_sdk_secretsmanager::Client::describe_secret).then_output(|| {
            let on = aws_sdk_secretsmanager::primitives::DateTime::from_secs(1);
            DescribeSecretOutput::builder().deleted_date(on).build()
        });
        let told = Told {
            secrets: &[&leaving],
            ..Told::default()
        };
        assert_eq!(
            troubles(told.parts(Dependency::Secrets).await),
            [(
                "shop/carriers-AbCdEf".to_owned(),
                Some("it is about to be deleted".to_owned())
            )]
        );
    }

    #[tokio::test]
    async fn a_bucket_that_is_not_there_is_down() {
        let gone = mock!(aws_sdk_s3::Client::head_bucket)
            .then_error(|| HeadBucketError::NotFound(NotFound::builder().build()));
        let told = Told {
            s3: &[&gone],
            ..Told::default()
        };
        let [(name, trouble)] = troubles(told.parts(Dependency::S3).await).try_into().unwrap();
        assert_eq!((name.as_str(), trouble.is_some()), ("archive", true));
    }

    #[tokio::test]
    async fn a_carrier_that_is_left_alone_is_down_until_it_is_asked_again() {
        let until = now() + jiff::SignedDuration::from_secs(60);
        let resting = mock!(aws_sdk_dynamodb::Client::get_item)
            .match_requests(|get| get.key().is_some_and(|key| key.get("name") == Some(&text("patrol#fedex"))))
            .then_output(move || {
                let spent = serde_json::json!({"emptyAt": [], "busyUntil": null, "troubles": 3, "restsUntil": until, "version": 4});
                GetItemOutput::builder().item("spent", text(spent.to_string())).build()
            });
        let others = mock!(aws_sdk_dynamodb::Client::get_item)
            .match_requests(|get| {
                get.key()
                    .is_some_and(|key| key.get("name") != Some(&text("patrol#fedex")))
            })
            .then_output(|| GetItemOutput::builder().build());
        let told = Told {
            dynamodb: &[&resting, &others],
            ..Told::default()
        };
        let down: Vec<(String, Option<String>)> = troubles(told.parts(Dependency::Carriers).await)
            .into_iter()
            .filter(|(_, trouble)| trouble.is_some())
            .collect();
        assert_eq!(
            down,
            [(
                "fedex".to_owned(),
                Some("in trouble, and left alone until 2026-11-20T10:01:00Z".to_owned())
            )]
        );
    }

    #[tokio::test]
    async fn a_sender_that_is_held_is_down_with_the_reason_of_its_breaker() {
        let held = mock!(aws_sdk_dynamodb::Client::get_item)
            .match_requests(|get| {
                get.key()
                    .is_some_and(|key| key.get("name") == Some(&text("traffic#email")))
            })
            .then_output(|| {
                let breaker = std::collections::HashMap::from([
                    ("since".to_owned(), number(0)),
                    ("reason".to_owned(), text("SendingPausedException")),
                ]);
                let breaker = aws_sdk_dynamodb::types::AttributeValue::M(breaker);
                GetItemOutput::builder().item("breaker", breaker).build()
            });
        let flows = mock!(aws_sdk_dynamodb::Client::get_item)
            .match_requests(|get| {
                get.key()
                    .is_some_and(|key| key.get("name") == Some(&text("traffic#sms")))
            })
            .then_output(|| GetItemOutput::builder().build());
        let told = Told {
            dynamodb: &[&held, &flows],
            ..Told::default()
        };
        assert_eq!(
            troubles(told.parts(Dependency::Senders).await),
            [
                (
                    "email".to_owned(),
                    Some("held since 1970-01-01T00:00:00Z: SendingPausedException".to_owned())
                ),
                ("sms".to_owned(), None)
            ]
        );
    }

    #[tokio::test]
    async fn an_api_that_nobody_reaches_is_down_and_its_address_is_not_told() {
        let [(_, trouble)] = troubles(Told::default().parts(Dependency::Api).await)
            .try_into()
            .unwrap();
        let trouble = trouble.unwrap();
        assert!(!trouble.contains("127.0.0.1:9"), "{trouble}");
    }
}
