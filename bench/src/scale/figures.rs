//! What was measured on one core and what is assumed of AWS, as `bench/figures.json` holds it.

use serde::Deserialize;
use std::collections::BTreeMap;

use super::limits::Limits;

const COMMITTED: &str = include_str!("../../figures.json");

/// The sender offers so many e-mails of a batch first, together, and then all others together.
pub const FIRST_CALLS: usize = 3;

/// Of every e-mail SES tells so many things when all goes well: that it was sent, that it was delivered.
pub const RECEIPTS_PER_EMAIL: f64 = 2.0;

/// Of these, so many change the ledger: the delivery does.
pub const WRITTEN_RECEIPTS_PER_EMAIL: f64 = 1.0;

/// What this much memory has to be for one whole processor (Lambda Developer Guide, "Configure Lambda function memory"), in megabytes.
const MEGABYTES_PER_PROCESSOR: f64 = 1_769.0;

/// What is counted on.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figures {
    /// What was measured.
    pub measured: Measured,
    /// What is assumed of AWS.
    pub assumed: Assumed,
}

/// What was measured, at full batches of ten.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Measured {
    /// The orchestrator.
    pub orchestrator: Stage,
    /// The e-mail sender.
    pub sender: Stage,
    /// Bytes of log lines of both, for an e-mail.
    pub bytes_logged_per_email: f64,
}

/// One function on the way of an e-mail.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Stage {
    /// AWS requests by operation, for an e-mail, at full batches.
    pub requests_per_email: BTreeMap<String, f64>,
    /// Time of one whole processor, in microseconds.
    pub cpu_microseconds_per_email: f64,
    /// Bytes sent to AWS.
    pub bytes_sent_per_email: f64,
}

/// What nobody measured here.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Assumed {
    /// The least and the most that a call of `SendEmail` takes; every time between them is equally likely.
    pub ses_milliseconds: [f64; 2],
    /// A call of DynamoDB.
    pub dynamo_milliseconds: f64,
    /// A call of SQS.
    pub queue_milliseconds: f64,
    /// The least and the most between a publish or a send and the moment at which a poller has the message.
    pub arrival_milliseconds: [f64; 2],
    /// What the first invocation of an environment takes longer.
    pub cold_start_milliseconds: f64,
    /// Time of one whole processor for one of SES's events.
    pub receipt_cpu_microseconds: f64,
    /// Bytes of log lines for one of SES's events.
    pub receipt_logged_bytes: f64,
    /// Bytes that Lambda itself logs of an invocation: its start, its end, its report.
    pub platform_log_bytes_per_invocation: f64,
    /// The part of the invocations that is traced, beyond one a second of each function.
    pub traced_part: f64,
    /// An event as it is published.
    pub event_bytes: f64,
    /// An item of the ledger with its place in both indexes.
    pub ledger_bytes_with_indexes: f64,
}

impl Figures {
    /// The committed ones.
    ///
    /// # Errors
    ///
    /// When the file is no such JSON.
    pub fn committed() -> Result<Self, serde_json::Error> {
        Self::read(COMMITTED)
    }

    /// Figures from JSON such as `bench/figures.json`.
    ///
    /// # Errors
    ///
    /// When it is no such JSON.
    pub fn read(json: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(json)
    }

    /// How long the orchestrator takes for so many events, in seconds.
    #[must_use]
    pub fn orchestrator_seconds(&self, limits: &Limits, emails: f64) -> f64 {
        self.fixed_seconds(&self.measured.orchestrator)
            + self.processor_seconds(limits, self.measured.orchestrator.cpu_microseconds_per_email, emails)
    }

    /// How long the sender takes for so many e-mails that all may go, in seconds.
    #[must_use]
    pub fn sender_seconds(&self, limits: &Limits, emails: f64) -> f64 {
        let first = emails.min(FIRST_CALLS as f64);
        self.fixed_seconds(&self.measured.sender)
            + self.wave_seconds(first)
            + self.wave_seconds(emails - first)
            + self.processor_seconds(limits, self.measured.sender.cpu_microseconds_per_email, emails)
    }

    /// How long the function of SES's events takes for so many of them, in seconds: read together, written one after the other.
    #[must_use]
    pub fn receipts_seconds(&self, limits: &Limits, receipts: f64) -> f64 {
        let written = receipts * WRITTEN_RECEIPTS_PER_EMAIL / RECEIPTS_PER_EMAIL;
        (1.0 + written) * self.assumed.dynamo_milliseconds / 1e3
            + self.processor_seconds(limits, self.assumed.receipt_cpu_microseconds, receipts)
    }

    /// What so much work takes on the part of a processor that a function has, in seconds.
    #[must_use]
    pub fn processor_seconds(&self, limits: &Limits, microseconds: f64, emails: f64) -> f64 {
        let part = (limits.memory_megabytes / MEGABYTES_PER_PROCESSOR).min(1.0);
        microseconds * emails / part / 1e6
    }

    /// The calls that a batch makes once, however full it is.
    fn fixed_seconds(&self, stage: &Stage) -> f64 {
        let per_batch = |is_meant: fn(&str) -> bool| -> f64 {
            let of_kind = stage.requests_per_email.iter().filter(|(name, _)| is_meant(name));
            of_kind.map(|(_, requests)| requests * 10.0).sum()
        };
        let queue = per_batch(|name| name.contains("Message"));
        let dynamo = per_batch(|name| !name.contains("Message") && name != "SendEmail");
        (dynamo * self.assumed.dynamo_milliseconds + queue * self.assumed.queue_milliseconds) / 1e3
    }

    /// How long the slowest of so many calls of SES takes that begin together, on average.
    fn wave_seconds(&self, calls: f64) -> f64 {
        let [least, most] = self.assumed.ses_milliseconds;
        if calls <= 0.0 {
            return 0.0;
        }
        (least + (most - least) * calls / (calls + 1.0)) / 1e3
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::today;

    #[test]
    fn a_batch_of_ten_is_offered_in_two_waves() {
        let (figures, limits) = today();
        let few = figures.sender_seconds(&limits, 3.0);
        let many = figures.sender_seconds(&limits, 10.0);
        assert!(few < 0.13 && many > 0.17 && many < 0.25, "{few} {many}");
    }
}
