//! What a test asks for: which requests, how often, and what shall happen to them.

use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;

use hyper::StatusCode;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// Requests of one operation, and what happens to them. Of several rules that fit, the oldest that is not used up counts.
///
/// ```
/// use fault_proxy::{Fault, Rule};
///
/// let rule = Rule::on("SendEmail", Fault::DropAfter).containing("ana@example.com").times(1);
/// let text = r#"{"operation":"SendEmail","contains":"ana@example.com","times":1,"fault":"drop_after"}"#;
/// assert_eq!(serde_json::to_string(&rule).unwrap(), text);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The AWS operation, such as `SendEmail`, `Publish` or `UpdateItem`; `*` means any.
    pub operation: String,
    /// A text that the body must contain, as it was sent or decoded (JSON strings, form fields). Absent: any body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contains: Option<String>,
    /// A text that the caller's name must contain: the function's name, or its program's where it is no function. Absent:
    /// anybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller: Option<String>,
    /// How many requests that fit pass unharmed first. One that an older rule was applied to is not among them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub skip: u64,
    /// For how many requests the rule holds. Absent: for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u64>,
    /// What happens.
    pub fault: Fault,
}

impl Rule {
    /// A rule for every request of `operation`, for ever.
    pub fn on(operation: impl Into<String>, fault: Fault) -> Self {
        Self {
            operation: operation.into(),
            contains: None,
            caller: None,
            skip: 0,
            times: None,
            fault,
        }
    }

    /// The same rule, for requests that contain `text` only.
    #[must_use]
    pub fn containing(mut self, text: impl Into<String>) -> Self {
        self.contains = Some(text.into());
        self
    }

    /// The same rule, for requests of callers whose name contains `name` only.
    #[must_use]
    pub fn called_by(mut self, name: impl Into<String>) -> Self {
        self.caller = Some(name.into());
        self
    }

    /// The same rule, from the request after the next `count` on.
    #[must_use]
    pub fn skipping(mut self, count: u64) -> Self {
        self.skip = count;
        self
    }

    /// The same rule, for the next `count` requests only.
    #[must_use]
    pub fn times(mut self, count: u64) -> Self {
        self.times = Some(count);
        self
    }
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// What happens to a request. "After" means: the provider has accepted it, and the caller does not learn so.
///
/// The last five happen to the caller's process, which is found on Linux only. The proxy itself, the first process and whatever
/// runs Python (so does the emulator) are left alone: such a caller is answered 501, and nothing is forwarded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Answers with an AWS error. Nothing is forwarded.
    Answer(ErrorAnswer),
    /// Forwards, then answers with an AWS error all the same.
    AnswerAfter(ErrorAnswer),
    /// Answers with this JSON body, such as the partial failure of a batch, or with this text, such as XML. Nothing is forwarded.
    AnswerWith {
        /// The HTTP status.
        #[serde(with = "status")]
        status: StatusCode,
        /// The body.
        body: Value,
    },
    /// Closes the connection without an answer. Nothing is forwarded.
    Drop,
    /// Forwards, then closes the connection without an answer.
    DropAfter,
    /// Forwards after this many milliseconds, whether or not the caller still waits.
    DelayMs(u64),
    /// Forwards at once, and answers this many milliseconds later.
    DelayAfterMs(u64),
    /// Kills the caller. Nothing is forwarded.
    Kill,
    /// Forwards, and kills the caller once the provider has answered.
    KillAfter,
    /// Forwards, answers, and kills the caller as soon as the answer is written. How far it comes with it is left to chance.
    KillAnswered,
    /// Forwards, stops the caller for this many milliseconds once the provider has answered, and then answers.
    SuspendMs(u64),
    /// Takes all further memory from the caller, forwards, and puts 64 MiB of blanks behind the answer: the caller ends as it
    /// reads them. What fits into memory that it already has still works, and would let it live on without the blanks.
    Exhaust,
}

impl Fault {
    /// An AWS error in place of the provider's work.
    pub fn answer(status: StatusCode, code: &str, message: &str) -> Self {
        Self::Answer(ErrorAnswer {
            status,
            code: code.to_owned(),
            message: message.to_owned(),
        })
    }

    /// An AWS error although the provider did the work.
    pub fn answer_after(status: StatusCode, code: &str, message: &str) -> Self {
        Self::AnswerAfter(ErrorAnswer {
            status,
            code: code.to_owned(),
            message: message.to_owned(),
        })
    }
}

/// An error as AWS gives it; the proxy writes it in the form of the service that was called.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorAnswer {
    /// The HTTP status.
    #[serde(with = "status")]
    pub status: StatusCode,
    /// The error code, such as `TooManyRequestsException`.
    pub code: String,
    /// The text that goes with it.
    #[serde(default)]
    pub message: String,
}

/// The number of a rule, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RuleId(pub(crate) u64);

impl fmt::Display for RuleId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl FromStr for RuleId {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        text.parse().map(Self)
    }
}

/// A rule that was added and not removed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StandingRule {
    /// Its number.
    pub id: RuleId,
    /// As it was added; `skip` and `times` are what is left of them.
    pub rule: Rule,
    /// To how many requests it was applied.
    pub used: u64,
}

/// A status as its number, from 200 to 599.
mod status {
    use super::{Deserialize, Deserializer, Serializer, StatusCode};
    use serde::de::Error;

    pub(super) fn serialize<S: Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u16(status.as_u16())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<StatusCode, D::Error> {
        let number = u16::deserialize(deserializer)?;
        StatusCode::from_u16(number)
            .ok()
            .filter(|_| (200..600).contains(&number))
            .ok_or_else(|| D::Error::custom(format!("status: expected 200 to 599, got {number}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Rule, serde_json::Error> {
        serde_json::from_str(text)
    }

    #[test]
    fn a_rule_is_read_as_it_is_documented() {
        let text = r#"{"operation":"SendEmail","times":2,"fault":{"answer":{"status":429,"code":"TooManyRequestsException"}}}"#;
        let rule = Rule::on(
            "SendEmail",
            Fault::answer(StatusCode::TOO_MANY_REQUESTS, "TooManyRequestsException", ""),
        )
        .times(2);
        assert_eq!(parse(text).unwrap(), rule);
    }

    #[test]
    fn a_delay_is_a_number() {
        let rule = parse(r#"{"operation":"Publish","fault":{"delay_ms":250}}"#).unwrap();
        assert_eq!(rule.fault, Fault::DelayMs(250));
    }

    #[test]
    fn a_rule_for_one_caller_is_read_as_it_is_written() {
        let rule = Rule::on("*", Fault::Kill)
            .called_by("email-sender")
            .skipping(2)
            .times(1);
        let text = r#"{"operation":"*","caller":"email-sender","skip":2,"times":1,"fault":"kill"}"#;
        assert_eq!(
            (serde_json::to_string(&rule).unwrap().as_str(), parse(text).unwrap()),
            (text, rule)
        );
    }

    #[test]
    fn a_misspelt_field_is_refused() {
        assert!(parse(r#"{"operation":"Publish","contain":"ana","fault":"drop"}"#).is_err());
    }

    #[test]
    fn a_status_that_http_does_not_have_is_refused() {
        let error = parse(r#"{"operation":"Publish","fault":{"answer":{"status":42,"code":"X"}}}"#).unwrap_err();
        assert!(error.to_string().contains("expected 200 to 599, got 42"), "{error}");
    }
}
