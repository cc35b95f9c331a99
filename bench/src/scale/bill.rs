//! What e-mails cost, line by line, at list prices.

use super::aws::{self, Price};
use super::figures::{Figures, RECEIPTS_PER_EMAIL, WRITTEN_RECEIPTS_PER_EMAIL};
use super::{Limits, Needs, SECONDS_PER_MONTH};

/// Receives of a poller whose queue is empty, a second: each waits for 20 seconds.
const EMPTY_RECEIVES_PER_SECOND: f64 = 1.0 / 20.0;

/// For so long the ledger keeps an item, in months: 90 days.
const LEDGER_MONTHS: f64 = 90.0 * 86_400.0 / SECONDS_PER_MONTH;

/// Whom a line is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum For {
    /// The way of an e-mail to SES.
    Sending,
    /// What SES tells of it.
    Receipts,
    /// Keeping what was written for 90 days.
    Keeping,
    /// SES itself.
    Ses,
}

/// What one thing costs.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// What it is for.
    pub whom: For,
    /// What is paid.
    pub price: Price,
    /// So many of it for an e-mail.
    pub per_email: f64,
}

/// What e-mails at one rate cost.
#[derive(Debug, Clone, PartialEq)]
pub struct Bill {
    emails_per_second: f64,
    /// What grows with the e-mails.
    pub lines: Vec<Line>,
}

impl Line {
    /// Dollars for a million e-mails.
    #[must_use]
    pub fn dollars_per_million(&self) -> f64 {
        self.price.of(self.per_email * 1e6)
    }
}

impl Bill {
    /// What e-mails at this rate cost, each.
    #[must_use]
    pub fn of(figures: &Figures, limits: &Limits, emails_per_second: f64) -> Self {
        let needs = Needs::of(figures, limits, emails_per_second);
        let each = |per_second: f64| per_second / emails_per_second;
        let assumed = &figures.assumed;
        let sending_invocations = each(needs.orchestrations + needs.sendings);
        let receptions = each(needs.receptions);
        let written = WRITTEN_RECEIPTS_PER_EMAIL;
        let writes =
            each(needs.ledger_writes + needs.user_index_writes + needs.order_index_writes + needs.window_writes);
        // Lambda traces one request of each function in a second, and a part of the others (docs/TRACING.md).
        let traced = |per_second: f64| each(per_second.min(1.0) + (per_second - 1.0).max(0.0) * assumed.traced_part);
        let logged = |invocations: f64| invocations * assumed.platform_log_bytes_per_invocation;
        // One subscription of the topic filters on bodies: the urgent lane's.
        let filtered = assumed.event_bytes;
        let lines = [
            (For::Sending, aws::WRITE_UNIT, writes - 2.0 * written),
            (For::Sending, aws::READ_UNIT, each(needs.reads) - RECEIPTS_PER_EMAIL),
            (For::Sending, aws::QUEUE_REQUEST, each(needs.queue_requests)),
            (For::Sending, aws::PUBLISH, 1.0),
            (For::Sending, aws::FILTERED, filtered),
            (
                For::Sending,
                aws::LOGGED,
                figures.measured.bytes_logged_per_email + logged(sending_invocations),
            ),
            (For::Sending, aws::GIGABYTE_SECOND, each(needs.gigabyte_seconds)),
            (For::Sending, aws::INVOCATION, sending_invocations),
            (
                For::Sending,
                aws::TRACE,
                traced(needs.orchestrations) + traced(needs.sendings),
            ),
            (For::Receipts, aws::WRITE_UNIT, 2.0 * written),
            (For::Receipts, aws::PUBLISH, RECEIPTS_PER_EMAIL),
            (For::Receipts, aws::QUEUE_REQUEST, each(needs.receipt_queue_requests)),
            (For::Receipts, aws::READ_UNIT, RECEIPTS_PER_EMAIL),
            (
                For::Receipts,
                aws::LOGGED,
                RECEIPTS_PER_EMAIL * assumed.receipt_logged_bytes + logged(receptions),
            ),
            (
                For::Receipts,
                aws::GIGABYTE_SECOND,
                each(needs.receipt_gigabyte_seconds),
            ),
            (For::Receipts, aws::INVOCATION, receptions),
            (For::Receipts, aws::TRACE, traced(needs.receptions)),
            (
                For::Keeping,
                aws::STORED,
                assumed.ledger_bytes_with_indexes * LEDGER_MONTHS,
            ),
            (For::Ses, aws::EMAIL, 1.0),
        ];
        let line = |(whom, price, per_email)| Line { whom, price, per_email };
        Self {
            emails_per_second,
            lines: lines.into_iter().map(line).collect(),
        }
    }

    /// Dollars for a million e-mails, for this.
    #[must_use]
    pub fn dollars_per_million(&self, whom: For) -> f64 {
        let lines = self.lines.iter().filter(|line| line.whom == whom);
        lines.map(Line::dollars_per_million).sum()
    }

    /// The same with capacity that is provisioned in place of on demand, of which this part is used.
    #[must_use]
    pub fn with_provisioned_tables(&self, used_part: f64) -> Self {
        let lines = self.lines.iter().map(|line| {
            let (price, per_email) = match line.price {
                aws::WRITE_UNIT => (aws::PROVISIONED_WRITES, line.per_email / 3_600.0 / used_part),
                aws::READ_UNIT => (aws::PROVISIONED_READS, line.per_email / 3_600.0 / used_part),
                other => (other, line.per_email),
            };
            Line {
                price,
                per_email,
                ..*line
            }
        });
        Self {
            lines: lines.collect(),
            ..self.clone()
        }
    }

    /// Dollars a month, for this.
    #[must_use]
    pub fn dollars_per_month(&self, whom: For) -> f64 {
        self.dollars_per_million(whom) * self.emails_per_second * SECONDS_PER_MONTH / 1e6
    }
}

/// What stands there and costs the same when nothing is sent, in dollars a month: pollers, metrics, alarms, the dashboard, key and secrets.
#[must_use]
pub fn standing_dollars_per_month(limits: &Limits, metrics: f64, alarms: f64) -> Vec<(Price, f64)> {
    let pollers = limits
        .queues
        .iter()
        .map(|most| f64::from((*most).min(super::limits::FIRST_POLLERS)));
    let polls = pollers.sum::<f64>() * EMPTY_RECEIVES_PER_SECOND * SECONDS_PER_MONTH;
    [
        (aws::QUEUE_REQUEST, polls),
        (aws::METRIC, metrics),
        (aws::ALARM, alarms),
        (aws::DASHBOARD, 1.0),
        (aws::KEY, 1.0),
        (aws::SECRET, 3.0),
    ]
    .into()
}

#[cfg(test)]
mod tests {
    use super::super::tests::today;
    use super::*;
    use proptest::prelude::*;

    const ALL: [For; 4] = [For::Sending, For::Receipts, For::Keeping, For::Ses];

    #[test]
    fn a_full_batch_makes_an_email_cheaper() {
        let (figures, limits) = today();
        let of = |rate| Bill::of(&figures, &limits, rate).dollars_per_million(For::Sending);
        assert!(of(1e4) < of(1.0));
    }

    #[test]
    fn writes_are_the_greatest_line() {
        let (figures, limits) = today();
        let bill = Bill::of(&figures, &limits, 1e4);
        let ours = bill.lines.iter().filter(|line| line.whom == For::Sending);
        let greatest = ours.max_by(|one, other| one.dollars_per_million().total_cmp(&other.dollars_per_million()));
        assert_eq!(greatest.unwrap().price, aws::WRITE_UNIT);
    }

    #[test]
    fn provisioned_tables_are_cheaper_when_they_are_used() {
        let (figures, limits) = today();
        let bill = Bill::of(&figures, &limits, 100.0);
        let of = |bill: &Bill| bill.dollars_per_million(For::Sending);
        assert!(of(&bill.with_provisioned_tables(0.7)) < of(&bill));
        assert!(of(&bill.with_provisioned_tables(0.1)) > of(&bill));
    }

    proptest! {
        #[test]
        fn more_emails_never_cost_less(rate in 0.01_f64..20_000.0, more in 1.0_f64..10.0) {
            let (figures, limits) = today();
            for whom in ALL {
                let fewer = Bill::of(&figures, &limits, rate).dollars_per_month(whom);
                let many = Bill::of(&figures, &limits, rate * more).dollars_per_month(whom);
                prop_assert!(many >= fewer - 1e-9, "{whom:?}: {fewer} and then {many}");
            }
        }
    }
}
