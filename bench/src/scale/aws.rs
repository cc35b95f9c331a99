//! What AWS allows by default and charges in eu-west-1 (Ireland), as of November 2026, without free tiers, reserved capacity or savings plans.

/// What one thing costs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Price {
    /// What is paid for.
    pub of: &'static str,
    /// The price.
    pub dollars: f64,
    /// Of so many.
    pub per: f64,
    /// Of what, in words.
    pub unit: &'static str,
    /// Where it is stated.
    pub source: &'static str,
}

impl Price {
    const fn new(of: &'static str, dollars: f64, per: f64, unit: &'static str, source: &'static str) -> Self {
        Self {
            of,
            dollars,
            per,
            unit,
            source,
        }
    }

    /// What so many cost, in dollars.
    #[must_use]
    pub fn of(&self, many: f64) -> f64 {
        many * self.dollars / self.per
    }
}

const LAMBDA: &str = "aws.amazon.com/lambda/pricing";
const DYNAMO: &str = "aws.amazon.com/dynamodb/pricing: half of what it was before 1 November 2024";
const DYNAMO_STORE: &str = "aws.amazon.com/dynamodb/pricing";
const CLOUDWATCH: &str = "aws.amazon.com/cloudwatch/pricing";

/// An invocation.
pub const INVOCATION: Price = Price::new("Lambda requests", 0.20, 1e6, "million", LAMBDA);
/// A gigabyte of memory for a second, arm64.
pub const GIGABYTE_SECOND: Price = Price::new("Lambda GB-seconds, arm64", 13.333_4, 1e6, "million", LAMBDA);
/// A request of a standard queue.
pub const QUEUE_REQUEST: Price = Price::new("SQS requests", 0.40, 1e6, "million", "aws.amazon.com/sqs/pricing");
/// A publish to a standard topic.
pub const PUBLISH: Price = Price::new("SNS publishes", 0.50, 1e6, "million", "aws.amazon.com/sns/pricing");
/// Bytes that a filter on message bodies reads.
pub const FILTERED: Price = Price::new("SNS filters on bodies", 0.09, 1e9, "GB", "aws.amazon.com/sns/pricing");
/// A write unit: 1 KB.
pub const WRITE_UNIT: Price = Price::new("DynamoDB write units, on demand", 0.706_75, 1e6, "million", DYNAMO);
/// A read unit: 4 KB, consistent.
pub const READ_UNIT: Price = Price::new("DynamoDB read units, on demand", 0.141_5, 1e6, "million", DYNAMO);
/// A write unit a second that is provisioned, for an hour.
pub const PROVISIONED_WRITES: Price = Price::new(
    "DynamoDB write units, provisioned",
    0.000_735,
    1.0,
    "unit and hour",
    DYNAMO_STORE,
);
/// A read unit a second that is provisioned, for an hour.
pub const PROVISIONED_READS: Price = Price::new(
    "DynamoDB read units, provisioned",
    0.000_147,
    1.0,
    "unit and hour",
    DYNAMO_STORE,
);
/// Bytes in a table for a month.
pub const STORED: Price = Price::new("DynamoDB storage", 0.283, 1e9, "GB and month", DYNAMO_STORE);
/// Bytes of log lines.
pub const LOGGED: Price = Price::new("CloudWatch Logs", 0.57, 1e9, "GB", CLOUDWATCH);
/// A custom metric for a month.
pub const METRIC: Price = Price::new("custom metrics", 0.30, 1.0, "metric and month", CLOUDWATCH);
/// An alarm for a month.
pub const ALARM: Price = Price::new("alarms", 0.10, 1.0, "alarm and month", CLOUDWATCH);
/// A dashboard for a month.
pub const DASHBOARD: Price = Price::new("dashboards", 3.00, 1.0, "dashboard and month", CLOUDWATCH);
/// A recorded trace.
pub const TRACE: Price = Price::new("X-Ray traces", 5.00, 1e6, "million", "aws.amazon.com/xray/pricing");
/// An e-mail.
pub const EMAIL: Price = Price::new("SES e-mails", 100.0, 1e6, "million", "aws.amazon.com/ses/pricing");
/// A customer's key for a month.
pub const KEY: Price = Price::new("KMS key", 1.00, 1.0, "month", "aws.amazon.com/kms/pricing");
/// A secret for a month.
pub const SECRET: Price = Price::new(
    "secrets",
    0.40,
    1.0,
    "secret and month",
    "aws.amazon.com/secrets-manager/pricing",
);

/// All of them.
pub const PRICES: [Price; 18] = [
    INVOCATION,
    GIGABYTE_SECOND,
    QUEUE_REQUEST,
    PUBLISH,
    FILTERED,
    WRITE_UNIT,
    READ_UNIT,
    PROVISIONED_WRITES,
    PROVISIONED_READS,
    STORED,
    LOGGED,
    METRIC,
    ALARM,
    DASHBOARD,
    TRACE,
    EMAIL,
    KEY,
    SECRET,
];

/// E-mails a second of an account that has just left the sandbox of SES; the number differs by account ("Service quotas in Amazon SES").
pub const SES_PER_SECOND: f64 = 14.0;
/// E-mails in 24 hours of such an account.
pub const SES_PER_DAY: f64 = 50_000.0;
/// Publishes a second to standard topics in eu-west-1; 30,000 in us-east-1 (AWS General Reference, "Amazon SNS endpoints and quotas").
pub const PUBLISHES_PER_SECOND: f64 = 9_000.0;
/// Invocations at once in an account and Region (Lambda Developer Guide, "Lambda quotas").
pub const INVOCATIONS_AT_ONCE: f64 = 1_000.0;
/// Invocations a second for each one at once (the same page).
pub const INVOCATIONS_PER_SECOND_FOR_EACH: f64 = 10.0;
/// Batches that a queue brings to a function at once, and by how many they grow in a minute from five (Lambda Developer Guide,
/// "Configuring scaling behavior for SQS event source mappings").
pub const BATCHES_AT_ONCE_OF_A_QUEUE: f64 = 1_250.0;
/// By how many batches at once a queue that has messages left grows in a minute (the same page).
pub const MORE_BATCHES_PER_MINUTE: u32 = 300;
/// Write units a second of a partition, hence of an item (DynamoDB Developer Guide, "Best practices for designing partition keys").
pub const PARTITION_WRITES_PER_SECOND: f64 = 1_000.0;
/// Read units a second of a partition.
pub const PARTITION_READS_PER_SECOND: f64 = 3_000.0;
/// Write units a second that a new on-demand table takes at once (DynamoDB Developer Guide, "On-demand capacity mode").
pub const NEW_TABLE_WRITES_PER_SECOND: f64 = 4_000.0;
/// Write units a second of a table by default (DynamoDB Developer Guide, "Quotas").
pub const TABLE_WRITES_PER_SECOND: f64 = 40_000.0;
/// Messages of a standard queue that are hidden at once (SQS Developer Guide, "Amazon SQS message quotas").
pub const HIDDEN_MESSAGES: usize = 120_000;
