//! Whether Lambda runs as many functions at once as the stack may ask for, and whether the queues lead to them.

use anyhow::Result;

use crate::account::Account;
use crate::doctor::Finding;
use crate::doctor::providers::unanswered;
use crate::mappings::{self, Mapping};
use crate::names::CALLED_BY_QUEUES;

const CONCURRENCY: &str = "concurrency";
const MAPPINGS: &str = "mappings";

pub(super) async fn look(account: &Account) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let mut most: i64 = 0;
    for function in CALLED_BY_QUEUES {
        let name = account.names.of(function);
        for mapping in mappings::of_function(account, function).await? {
            most += i64::from(mapping.at_once.unwrap_or(1));
            if !mapping.flows() {
                let Mapping { id, queue, .. } = mapping;
                findings.push(Finding::problem(
                    MAPPINGS,
                    format!("nothing flows from {queue} to {name}"),
                    format!(
                        "ops breaker status: an open breaker stops a channel. Otherwise \
                         aws lambda update-event-source-mapping --uuid {id} --enabled"
                    ),
                ));
            }
        }
    }
    if findings.is_empty() {
        findings.push(Finding::ok(MAPPINGS, "every queue leads to its function"));
    }
    findings.push(concurrency(account, most).await);
    Ok(findings)
}

async fn concurrency(account: &Account, most: i64) -> Finding {
    match account.lambda.get_account_settings().send().await {
        Ok(told) => match told.account_limit() {
            Some(limit) => enough(
                most,
                i64::from(
                    limit
                        .unreserved_concurrent_executions()
                        .unwrap_or(limit.concurrent_executions()),
                ),
            ),
            None => Finding::note(
                CONCURRENCY,
                "not known here: how many functions run at once",
                "see Lambda's quotas in the console of Service Quotas",
            ),
        },
        Err(error) => unanswered(
            CONCURRENCY,
            "Lambda about its quotas (lambda:GetAccountSettings)",
            &error,
        ),
    }
}

/// A new account may run ten functions at once (Lambda, "quotas"). Whoever has to wait is tried again, so that fewer than the queues
/// ask for make messages late, and the gateway's calls, for which nobody tries again, fail.
fn enough(most: i64, unreserved: i64) -> Finding {
    let what = format!("{unreserved} functions may run at once, and the queues may ask for {most}");
    if unreserved < most {
        Finding::problem(
            CONCURRENCY,
            what,
            "aws service-quotas request-service-quota-increase --service-code lambda --quota-code L-B99A9384 --desired-value 1000",
        )
    } else {
        Finding::ok(CONCURRENCY, what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Level;

    #[test]
    fn a_new_account_runs_too_few_functions_at_once() {
        assert_eq!(enough(66, 10).level, Level::Problem);
        assert_eq!(enough(66, 1_000).level, Level::Ok);
    }
}
