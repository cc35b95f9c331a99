//! The ports spoken to AWS: one file per service, one place that makes the connection.

mod answer;
mod connection;
mod dynamo_ledger;
mod dynamo_preferences;
mod item;
mod ses_mailer;
mod sns_texter;
mod sqs;

pub use connection::{CALL_TIME_OUT, Connection};
pub use dynamo_ledger::DynamoLedger;
pub use dynamo_preferences::DynamoPreferences;
pub use ses_mailer::{Letter, Sender, SesMailer};
pub use sns_texter::SnsTexter;
pub use sqs::{ChannelQueues, SqsDeadLetters, SqsQueues, SqsVisibility, dead_letters_of};
