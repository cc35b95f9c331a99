//! Where it ends: the rates that something does not let pass, the lowest first.

use super::figures::{Figures, RECEIPTS_PER_EMAIL};
use super::{Limits, Needs, aws};
use domain::{Asked, Channel, Traffic};
use jiff::Timestamp;

/// A rate above which something gives way.
#[derive(Debug, Clone, PartialEq)]
pub struct Wall {
    /// E-mails a second.
    pub emails_per_second: f64,
    /// What it is.
    pub what: &'static str,
    /// What moves it.
    pub moved_by: &'static str,
}

/// So many normal e-mails a second leave at most under this limit of SES, by the pace that the senders keep.
#[must_use]
pub fn normal_emails_per_second(ses_rate: f64) -> f64 {
    let traffic = Traffic {
        limit: ses_rate,
        ..Traffic::usual(Channel::Email)
    };
    let window = traffic.window(Timestamp::UNIX_EPOCH);
    let seconds = window.ends_at.as_duration().as_secs_f64();
    let everything = Asked {
        normal: u32::MAX,
        urgent: 0,
    };
    f64::from(window.grant(false, u32::MAX, everything)) / seconds
}

/// The walls with these figures and limits, under the default quotas and this limit of SES, the lowest first.
#[must_use]
pub fn walls(figures: &Figures, limits: &Limits, ses_rate: f64) -> Vec<Wall> {
    let wall = |emails_per_second, what, moved_by| Wall {
        emails_per_second,
        what,
        moved_by,
    };
    let sender = limits.sender.normal;
    let orchestrator = limits.orchestrator.normal;
    let receipts = limits.receipts;
    // What one e-mail takes at full batches.
    let full = Needs::of(figures, limits, 1e6);
    let each = |per_second: f64| per_second / full.emails;
    let throughput = |lane: super::Lane, seconds: f64| f64::from(lane.most_at_once) * f64::from(lane.batch) / seconds;
    let mut walls = vec![
        wall(
            aws::SES_PER_DAY / 86_400.0,
            "SES, in 24 hours: 50,000 for an account that has just left the sandbox",
            "a request to AWS; it grows with a good reputation",
        ),
        wall(
            normal_emails_per_second(ses_rate),
            "SES, a second: four fifths of its rate are for the normal lane",
            "a request to AWS; the senders read the new rate within a minute",
        ),
        wall(
            throughput(sender, figures.sender_seconds(limits, sender.batch.into())),
            "senders of the normal lane at once (MaximumConcurrency)",
            "MaximumConcurrency of EmailFunction in template.yaml",
        ),
        wall(
            throughput(receipts, figures.receipts_seconds(limits, receipts.batch.into())) / RECEIPTS_PER_EMAIL,
            "functions for SES's events at once (MaximumConcurrency)",
            "MaximumConcurrency of DeliveryEventsFunction; reports wait, e-mails do not",
        ),
        wall(
            throughput(
                orchestrator,
                figures.orchestrator_seconds(limits, orchestrator.batch.into()),
            ),
            "orchestrators of the normal lane at once (MaximumConcurrency)",
            "MaximumConcurrency of OrchestratorFunction in template.yaml",
        ),
        wall(
            aws::NEW_TABLE_WRITES_PER_SECOND / each(full.ledger_writes),
            "the ledger as a new table: 4,000 write units a second",
            "it doubles by itself as it is used; or warm throughput, set beforehand",
        ),
        wall(
            aws::PUBLISHES_PER_SECOND / each(full.publishes),
            "SNS: 9,000 publishes a second, if those of SES count: one event and two reports for an e-mail",
            "a request to AWS; without the report `send`, 4,500; reports to a stream instead, 9,000",
        ),
        wall(
            aws::PARTITION_WRITES_PER_SECOND / each(full.window_writes),
            "one item: the window in which all senders count, 1,000 writes a second, if every batch is full",
            "the window in parts, each with its part of the permits; or permits asked for several batches",
        ),
        wall(
            aws::TABLE_WRITES_PER_SECOND / each(full.ledger_writes),
            "the ledger as a table: 40,000 write units a second by default",
            "a request to AWS",
        ),
        wall(
            aws::INVOCATIONS_PER_SECOND_FOR_EACH * aws::INVOCATIONS_AT_ONCE / each(full.invocations()),
            "Lambda: 10,000 invocations a second with 1,000 at once",
            "a request to AWS, for more at once",
        ),
        wall(
            aws::INVOCATIONS_AT_ONCE / each(full.at_once()),
            "Lambda: 1,000 invocations at once in an account and Region",
            "a request to AWS",
        ),
        wall(
            aws::BATCHES_AT_ONCE_OF_A_QUEUE * f64::from(sender.batch)
                / figures.sender_seconds(limits, sender.batch.into()),
            "one queue brings 1,250 batches at once to the sender",
            "a second queue, or pollers that are provisioned",
        ),
    ];
    walls.sort_by(|one, other| one.emails_per_second.total_cmp(&other.emails_per_second));
    walls
}

#[cfg(test)]
mod tests {
    use super::super::tests::today;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_new_account_gives_eleven_normal_emails_a_second() {
        assert!((normal_emails_per_second(aws::SES_PER_SECOND) - 11.0).abs() < 1e-9);
    }

    #[test]
    fn the_first_wall_is_the_quota_of_a_day() {
        let (figures, limits) = today();
        let walls = walls(&figures, &limits, aws::SES_PER_SECOND);
        assert!(walls.first().unwrap().what.starts_with("SES, in 24 hours"));
    }

    proptest! {
        #[test]
        fn the_first_wall_is_the_lowest(ses_rate in 1.0_f64..100_000.0, memory in 128.0_f64..2_000.0) {
            let (figures, mut limits) = today();
            limits.memory_megabytes = memory;
            let walls = walls(&figures, &limits, ses_rate);
            let lowest = walls.iter().map(|wall| wall.emails_per_second).fold(f64::INFINITY, f64::min);
            prop_assert_eq!(walls.first().unwrap().emails_per_second, lowest);
        }
    }
}
