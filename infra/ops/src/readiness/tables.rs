//! What DynamoDB lets a table do.

use crate::account::Account;
use crate::doctor::Finding;
use crate::doctor::providers::unanswered;

const TABLES: &str = "tables";

/// A notification writes the ledger about ten times from claim to report, and a hundred a second are the rate of a large SES account.
const WRITES_PER_SECOND: i64 = 1_000;

pub(super) async fn limits(account: &Account) -> Finding {
    match account.dynamodb.describe_limits().send().await {
        Ok(told) => match told.table_max_write_capacity_units() {
            Some(most) => enough(most),
            None => Finding::note(
                TABLES,
                "not known here: how much a table may take",
                "see DynamoDB's quotas in the console of Service Quotas",
            ),
        },
        Err(error) => unanswered(TABLES, "DynamoDB about its quotas (dynamodb:DescribeLimits)", &error),
    }
}

fn enough(most: i64) -> Finding {
    let what = format!("a table takes {most} writes of a kilobyte per second");
    if most < WRITES_PER_SECOND {
        let mend = "ask for more in the console of Service Quotas, under DynamoDB";
        Finding::note(TABLES, what, mend)
    } else {
        Finding::ok(TABLES, what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Level;

    #[test]
    fn the_usual_quota_is_enough() {
        assert_eq!((enough(40_000).level, enough(100).level), (Level::Ok, Level::Note));
    }
}
