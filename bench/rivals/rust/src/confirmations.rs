//! From a batch of records to e-mails: all records at once, each on its own.

use std::io::Write as _;

use aws_config::SdkConfig;
use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::get_item::GetItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use futures_util::future::join_all;
use jiff::Timestamp;
use serde_json::json;

use crate::ledger::{Claim, Ledger};
use crate::mailer::{Mailer, SendError};
use crate::message::Templates;
use crate::order::Event;
use crate::preferences::Preferences;

/// Everything that a confirmation takes, made once per process.
#[derive(Debug)]
pub(crate) struct Confirmations {
    preferences: Preferences,
    ledger: Ledger,
    templates: Templates,
    mailer: Mailer,
}

/// What came of a record that is done with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Sent,
    Known,
    NotWanted,
}

/// Why a record has to come again.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("the record is no order confirmation")]
    Unreadable,
    #[error("the preferences could not be read")]
    Preferences(#[from] SdkError<GetItemError>),
    #[error("the decision could not be recorded")]
    Decision(#[from] SdkError<PutItemError>),
    #[error("the message could not be written")]
    Render(#[from] minijinja::Error),
    #[error("the ledger could not be changed")]
    Ledger(#[from] SdkError<UpdateItemError>),
    #[error("another call is sending this notification")]
    Held,
    #[error(transparent)]
    Send(#[from] SendError),
}

impl Confirmations {
    pub(crate) fn new(config: &SdkConfig) -> Result<Self, lambda_runtime::Error> {
        let dynamo = aws_sdk_dynamodb::Client::new(config);
        let ses = aws_sdk_sesv2::Client::new(config);
        Ok(Self {
            preferences: Preferences::new(dynamo.clone(), variable("PREFERENCES_TABLE")?),
            ledger: Ledger::new(dynamo, variable("LEDGER_TABLE")?),
            templates: Templates::compile()?,
            mailer: Mailer::new(ses, variable("SENDER_EMAIL")?),
        })
    }

    /// Confirms what the records tell of, and names those that failed.
    pub(crate) async fn confirm_all(&self, batch: SqsEvent) -> SqsBatchResponse {
        let outcomes = join_all(batch.records.iter().map(|record| self.confirm(record))).await;
        let mut response = SqsBatchResponse::default();
        for (record, outcome) in batch.records.iter().zip(&outcomes) {
            if let Err(failure) = outcome {
                let id = record.message_id.as_deref().unwrap_or_default();
                tracing::error!(message.id = id, "{failure}");
                response.add_failure(id);
            }
        }
        let sent = outcomes.iter().flatten().filter(|&&it| it == Outcome::Sent).count();
        let failed = response.batch_item_failures.len();
        count("EmailNotificationSuccess", sent);
        tracing::info!(records = outcomes.len(), sent, failed, "settled a batch");
        response
    }

    async fn confirm(&self, record: &SqsMessage) -> Result<Outcome, Failure> {
        let body = record.body.as_deref().unwrap_or_default();
        let event: Event = serde_json::from_str(body).map_err(|_error| Failure::Unreadable)?;
        let Some(to) = event.recipient_email.as_deref() else {
            return Err(Failure::Unreadable);
        };
        if event.notification_type != "order_confirmation" {
            return Err(Failure::Unreadable);
        }
        let id = event.notification_id();
        let wanted = match &event.user_id {
            Some(user_id) => self.preferences.allow_email(user_id, &event.notification_type).await?,
            None => true,
        };
        let state = if wanted { "decided" } else { "not_wanted" };
        self.ledger.record_decision(&id, &event, state, now()).await?;
        if !wanted {
            return Ok(Outcome::NotWanted);
        }
        let message = self.templates.write(&event.order_data, &id)?;
        match self.ledger.claim(&id, now()).await? {
            Claim::Granted => {}
            Claim::Sent => return Ok(Outcome::Known),
            Claim::Held => return Err(Failure::Held),
        }
        match self.mailer.send(to, message, &id).await {
            Ok(message_id) => {
                self.ledger.record_sent(&id, &message_id, now()).await?;
                Ok(Outcome::Sent)
            }
            Err(error) => {
                self.ledger.release(&id).await?;
                Err(error.into())
            }
        }
    }
}

/// One line in CloudWatch's embedded metric format.
fn count(name: &str, value: usize) {
    let line = json!({
        "_aws": {
            "Timestamp": now().as_millisecond(),
            "CloudWatchMetrics": [{
                "Namespace": "E-Com67",
                "Dimensions": [[]],
                "Metrics": [{"Name": name, "Unit": "Count"}],
            }],
        },
        name: value,
    });
    if let Err(error) = writeln!(std::io::stdout(), "{line}") {
        tracing::warn!("the metrics could not be written: {error}");
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a rival reads its variables as its documentation shows"
)]
fn variable(name: &str) -> Result<String, lambda_runtime::Error> {
    std::env::var(name).map_err(|error| format!("{name} could not be read: {error}").into())
}

#[expect(clippy::disallowed_methods, reason = "a rival reads the clock where it needs it")]
fn now() -> Timestamp {
    Timestamp::now()
}
