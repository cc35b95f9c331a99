//! The ports spoken to AWS: one file per service, one place that makes the connection.

mod answer;
mod batch_get;
mod connection;
mod contact_key;
mod dynamo_allowance;
mod dynamo_customers;
mod dynamo_ledger;
mod dynamo_suppressions;
mod dynamo_traffic;
mod item;
mod lambda_trial;
mod lambda_valves;
mod provider_messages;
mod ses_account;
mod ses_mailer;
mod sns_opt_outs;
mod sns_texter;
mod sqs;
mod suppression_item;
mod trouble_bell;

pub use connection::{CALL_TIME_OUT, Connection, Credentials};
pub use contact_key::{ContactKey, InvalidContactKey};
pub use dynamo_allowance::{DynamoAllowance, segments_of_month};
pub use dynamo_customers::DynamoCustomers;
pub use dynamo_ledger::DynamoLedger;
pub use dynamo_suppressions::DynamoSuppressions;
pub use dynamo_traffic::DynamoTraffic;
pub use lambda_trial::LambdaTrial;
pub use lambda_valves::LambdaValves;
pub use provider_messages::ProviderMessages;
pub use ses_account::SesAccount;
pub use ses_mailer::{Letter, Sender, SesMailer};
pub use sns_opt_outs::SnsOptOuts;
pub use sns_texter::SnsTexter;
pub use sqs::{ChannelQueues, SqsDeadLetters, SqsQueue, SqsQueues, SqsVisibility, dead_letters_of};
pub use trouble_bell::SqsTroubleBell;
