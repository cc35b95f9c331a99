//! What is granted though no call of the function shows it, each with its reason.

use fault_proxy::Access;

use super::granted::Function;

/// Actions on everything: role, action, and why AWS allows nothing narrower.
pub(super) const WITHOUT_A_NAME: [(&str, &str, &str); 5] = [
    (
        "SmsRole",
        "sns:Publish",
        "a phone number is no resource; topics are denied",
    ),
    (
        "PreferencesApiRole",
        "sns:Publish",
        "a phone number is no resource; topics are denied",
    ),
    ("AccountMonitorRole", "ses:GetAccount", "it asks about the account"),
    ("CanaryRole", "ses:GetAccount", "it asks about the account"),
    (
        "AccountMonitorRole",
        "sns:ListPhoneNumbersOptedOut",
        "it asks about the account",
    ),
];

/// The same for every function: X-Ray has no resources of its own that a trace is written to.
pub(super) const OF_EVERY_FUNCTION: [&str; 2] = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"];

/// A call that no journey can bring about, and the test of its branch.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rare {
    function: &'static str,
    action: &'static str,
    /// On which queues.
    queues: &'static [&'static str],
    /// When it is made.
    pub(super) only: &'static str,
    /// The test that shows it: its file and its name.
    pub(super) test: (&'static str, &'static str),
}

/// Why a right is granted that no call of the function showed.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reason {
    /// DynamoDB, SQS, S3 and Secrets Manager call KMS in the caller's name (AWS KMS, "forward access sessions").
    ServicesUseTheKey,
    /// Lambda writes a function's log in its name (Lambda, "execution role").
    LambdaWritesTheLog,
    /// Lambda hands on what is traced in the function's name (Lambda, "Visualize invocations using X-Ray").
    LambdaWritesTraces,
    /// An event source mapping receives, deletes and counts in the function's name (Lambda, "using Lambda with Amazon SQS").
    LambdaPollsTheQueue,
    /// The mapping of a stream reads it in the function's name (Lambda, "using Lambda with DynamoDB").
    LambdaReadsTheStream,
    /// What Lambda could not have worked on it puts into the destination in the function's name (Lambda, "asynchronous invocation").
    LambdaSetsAside,
    /// SES asks for the address where it is an identity itself, as on the emulator, and else for its domain.
    TheDomainIsTheIdentity,
    /// The branch is rare.
    Rare(&'static Rare),
}

/// The calls that no journey can bring about.
pub(super) static RARE: [Rare; 1] = [Rare {
    function: "account-monitor",
    action: "sqs:ChangeMessageVisibility",
    queues: &["email", "email-urgent", "sms", "sms-urgent"],
    only: "when a sender breaks down over a trial delivery, which then comes back a minute later",
    test: (
        "shared/aws/src/lambda_trial.rs",
        "the_message_of_a_sender_that_broke_down_comes_back_after_a_minute",
    ),
}];

impl Reason {
    /// Every reason.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        let ours = [
            Self::ServicesUseTheKey,
            Self::LambdaWritesTheLog,
            Self::LambdaWritesTraces,
            Self::LambdaPollsTheQueue,
            Self::LambdaReadsTheStream,
            Self::LambdaSetsAside,
            Self::TheDomainIsTheIdentity,
        ];
        ours.into_iter().chain(RARE.iter().map(Self::Rare))
    }

    /// Why this right may stand although the function never used it.
    pub(super) fn why_unseen(function: &Function, access: &Access) -> Option<Self> {
        let resource = access.resource.as_str();
        let is_of = |list: &[String]| list.iter().any(|name| name == resource);
        match access.action.as_str() {
            "kms:Decrypt" | "kms:GenerateDataKey" => Some(Self::ServicesUseTheKey),
            "logs:CreateLogStream" | "logs:PutLogEvents" => Some(Self::LambdaWritesTheLog),
            action if OF_EVERY_FUNCTION.contains(&action) => Some(Self::LambdaWritesTraces),
            "sqs:ReceiveMessage" | "sqs:DeleteMessage" | "sqs:GetQueueAttributes" if is_of(&function.queues) => {
                Some(Self::LambdaPollsTheQueue)
            }
            "dynamodb:DescribeStream"
            | "dynamodb:GetRecords"
            | "dynamodb:GetShardIterator"
            | "dynamodb:ListStreams" => Some(Self::LambdaReadsTheStream),
            "sqs:SendMessage" if is_of(&function.destinations) => Some(Self::LambdaSetsAside),
            "ses:SendEmail" | "ses:GetEmailIdentity"
                if resource.starts_with("identity/") && !resource.contains('@') =>
            {
                Some(Self::TheDomainIsTheIdentity)
            }
            action => RARE
                .iter()
                .find(|rare| {
                    function.name.ends_with(rare.function)
                        && rare.action == action
                        && rare.queues.iter().any(|queue| resource.ends_with(&format!("-{queue}")))
                })
                .map(Self::Rare),
        }
    }
}
