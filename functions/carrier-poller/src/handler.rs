//! Every minute a round for each carrier; and the calls that carriers want of us before they call.

use aws::{
    CarrierHttp, ChannelQueues, Connection, DynamoPatrolLog, DynamoTracking, RememberedCarrierSecrets, SqsDeadLetters,
    SqsQueue, SqsVisibility,
};
use domain::Carrier;
use domain::ports::Clock;
use jiff::Timestamp;
use lambda::{Call, Invocation, MetricName, Metrics, QueueDoor, QueueMessage, Reply, SystemClock, Value, Verdict};
use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use tracking::ports::CarrierCalls;
use tracking::{Patrol, PatrolPolicy, Patrolled, PendingHandshake};

use crate::config::Config;

/// Everything that the poller works with.
pub(crate) struct Poller {
    parcels: DynamoTracking,
    log: DynamoPatrolLog,
    http: CarrierHttp,
    events: SqsQueue,
    secrets: RememberedCarrierSecrets,
    policy: PatrolPolicy,
    tokens: Mutex<HashMap<Carrier, (String, Timestamp)>>,
    handshakes_queue: String,
    handshakes: QueueDoor<SqsDeadLetters, SqsVisibility, SystemClock>,
}

impl Poller {
    /// Builds it: every client once.
    pub(crate) fn new(config: Config, connection: &Connection) -> Result<Self, lambda_runtime::Error> {
        let (dynamodb, sqs) = (connection.dynamodb(), connection.sqs());
        let only_lane = ChannelQueues {
            normal: config.handshakes_queue.clone(),
            urgent: config.handshakes_queue.clone(),
        };
        Ok(Self {
            parcels: DynamoTracking::new(dynamodb.clone(), config.table, config.retention_days),
            log: DynamoPatrolLog::new(dynamodb, config.system_state_table),
            http: CarrierHttp::new()?,
            events: SqsQueue::new(sqs.clone(), config.carrier_events_queue),
            secrets: RememberedCarrierSecrets::new(connection.secrets(), config.secrets_arn),
            policy: config.patrol,
            tokens: Mutex::default(),
            handshakes_queue: config.handshakes_queue,
            handshakes: QueueDoor {
                dead_letters: SqsDeadLetters::new(sqs.clone(), only_lane),
                visibility: SqsVisibility::new(sqs),
                policy: config.retry,
                clock: SystemClock,
            },
        })
    }

    /// Handles one call: handshakes of the queue, or else the minute that is over.
    pub(crate) async fn handle(&self, call: Call) -> Reply {
        if let Invocation::Queue(messages) = Invocation::read(&call.payload) {
            let work = async |message: &QueueMessage| self.confirm(message).await;
            let value = self
                .handshakes
                .work_each(&self.handshakes_queue, &messages, &call.traces, work)
                .await;
            return Reply {
                value,
                metrics: Metrics::default(),
            };
        }
        let mut metrics = Metrics::default();
        let secrets = match self.secrets.at(SystemClock.now()).await {
            Ok(secrets) => secrets,
            Err(error) => {
                tracing::error!(error = domain::chain(&error), "no carrier can be asked");
                return Reply {
                    value: Err(domain::chain(&error).into()),
                    metrics,
                };
            }
        };
        let has_key = |carrier: &Carrier| {
            secrets
                .webhooks
                .get(carrier)
                .is_some_and(|keys| keys.iter().next().is_some())
        };
        let callers: HashSet<Carrier> = Carrier::ALL
            .into_iter()
            .filter(|carrier| carriers::webhook(*carrier).is_some() && has_key(carrier))
            .collect();
        let patrol = Patrol {
            parcels: &self.parcels,
            log: &self.log,
            http: &self.http,
            queue: &self.events,
            clock: &SystemClock,
            polls: carriers::poll,
            accounts: &secrets.accounts,
            callers: &callers,
            policy: self.policy,
            tokens: &self.tokens,
        };
        // Each carrier has its own pace: none waits for another.
        let patrol = &patrol;
        let rounds = Carrier::ALL.map(|carrier| async move { (carrier, patrol.round(carrier).await) });
        let mut sum = Patrolled::default();
        let mut trouble = None;
        let mut resting = 0;
        for (carrier, round) in futures_util::future::join_all(rounds).await {
            match round {
                Ok(done) => {
                    resting += u64::from(done.is_resting);
                    if done.calls > 0 || done.given_up > 0 {
                        tracing::info!(carrier = %carrier, "{carrier}: {} parcels due, {} calls, {} events", done.due, done.calls, done.events);
                    }
                    add(&mut sum, &done);
                }
                Err(error) => {
                    tracing::error!(carrier = %carrier, error = domain::chain(&error), "the round for {carrier} broke off");
                    trouble = Some(domain::chain(&error));
                }
            }
        }
        metrics
            .count(MetricName::CarrierCalls, sum.calls)
            .count(MetricName::CarrierCallsFailed, sum.failures)
            .count(MetricName::CarriersResting, resting)
            .count(MetricName::ParcelsAsked, sum.answered)
            .count(MetricName::ParcelsUnknown, sum.unknown)
            .count(MetricName::ParcelsSubscribed, sum.subscribed)
            .count(MetricName::CarrierCodeUnknown, sum.unknown_codes)
            .count(MetricName::ParcelsSilent, sum.silent)
            .count(MetricName::ParcelsGivenUp, sum.given_up);
        Reply {
            value: trouble.map_or(Ok(Value::Null), |why| Err(why.into())),
            metrics,
        }
    }

    /// Confirms to a carrier that we want to be called. The address is our own account's; the message only names the subscription.
    async fn confirm(&self, message: &QueueMessage) -> Verdict {
        let (carrier, handshake) = match PendingHandshake::read(&message.text) {
            Ok(pending) => pending,
            Err(problem) => return Verdict::Refused(problem),
        };
        let secrets = match self.secrets.at(SystemClock.now()).await {
            Ok(secrets) => secrets,
            Err(error) => return Verdict::Again(domain::chain(&error)),
        };
        let account = secrets.accounts.get(&carrier).filter(|_| carrier == Carrier::Dhl);
        let Some(account) = account else {
            return Verdict::Refused(format!(
                "expected an account with {carrier} that confirms subscriptions"
            ));
        };
        match self.http.call(&carriers::dhl_confirm_call(account, &handshake)).await {
            Ok((200..=299, _)) => Verdict::Done(format!("confirmed a subscription of {carrier}")),
            Ok((status @ (400 | 404 | 409 | 410 | 422), _)) => {
                Verdict::Refused(format!("{carrier} refuses the confirmation with status {status}"))
            }
            Ok((status, _)) => Verdict::Again(format!("{carrier} answered with status {status}")),
            Err(error) => Verdict::Again(domain::chain(&error)),
        }
    }
}

fn add(sum: &mut Patrolled, done: &Patrolled) {
    sum.calls += done.calls;
    sum.failures += done.failures;
    sum.answered += done.answered;
    sum.unknown += done.unknown;
    sum.subscribed += done.subscribed;
    sum.unknown_codes += done.unknown_codes;
    sum.silent += done.silent;
    sum.given_up += done.given_up;
}
