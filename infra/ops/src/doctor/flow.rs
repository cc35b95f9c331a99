//! Whether messages flow: breakers, event source mappings, what waits in queues, and what has waited for too long.

use anyhow::Result;
use domain::ports::TrafficShare;
use domain::{Breaker, Channel, State};
use jiff::{SignedDuration, Timestamp};
use std::collections::{HashMap, HashSet};

use super::Finding;
use crate::account::Account;
use crate::depths;
use crate::ledger;
use crate::letters;
use crate::mappings;
use crate::names::{CALLED_BY_QUEUES, SUBSCRIPTIONS, sender};
use crate::output::{counted, duration, moment_from};

const BREAKERS: &str = "breakers";
const MAPPINGS: &str = "mappings";
const QUEUES: &str = "queues";
const DEAD_LETTERS: &str = "dead letters";
const DOUBT: &str = "in doubt";
const WAITING: &str = "waiting";

/// SQS delivers nothing more from a queue of which about 120,000 messages are in flight.
const MANY_IN_FLIGHT: u64 = 100_000;

/// All tries of a delivery take about ten minutes; longer than this, something is in the way.
const LONG: SignedDuration = SignedDuration::from_hours(1);

pub(super) async fn look(account: &Account) -> Result<Vec<Finding>> {
    let (mut findings, held) = breakers(account).await?;
    findings.extend(flowing(account, &held).await?);
    findings.extend(queues(account).await?);
    findings.extend(dead_letters(account).await?);
    findings.extend(waiting(account, &held).await?);
    Ok(findings)
}

/// The channels whose breaker is open, as well.
async fn breakers(account: &Account) -> Result<(Vec<Finding>, HashSet<Channel>)> {
    let mut findings = Vec::new();
    let mut held = HashSet::new();
    for channel in Channel::METERED {
        match account.traffic().look(channel).await?.breaker {
            Breaker::Closed => findings.push(Finding::ok(BREAKERS, format!("{channel} is closed"))),
            Breaker::Open {
                since,
                reason,
                probe_at,
                ..
            } => {
                held.insert(channel);
                let (since, probe_at) = (moment_from(since, account.now()), moment_from(probe_at, account.now()));
                findings.push(Finding::problem(
                    BREAKERS,
                    format!("{channel} is open since {since}: {reason}; next trial {probe_at}"),
                    "mend the account; it closes by itself when a trial goes through, or with ops breaker close",
                ));
            }
        }
    }
    Ok((findings, held))
}

async fn flowing(account: &Account, held: &HashSet<Channel>) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let mut flowing = 0;
    for function in CALLED_BY_QUEUES {
        let is_held = held.iter().any(|channel| sender(*channel) == function);
        let mappings = mappings::of_function(account, function).await?;
        if mappings.is_empty() {
            let what = format!("no queue leads to {}", account.names.of(function));
            findings.push(Finding::problem(MAPPINGS, what, "deploy the stack again"));
        }
        for mapping in mappings {
            if mapping.flows() {
                flowing += 1;
            } else if is_held {
                findings.push(Finding::note(
                    MAPPINGS,
                    format!("{} is held, as long as the breaker is open", mapping.queue),
                    "nothing: it flows again when the breaker closes",
                ));
            } else {
                findings.push(Finding::problem(
                    MAPPINGS,
                    format!(
                        "{} does not flow ({}), and no breaker is open",
                        mapping.queue, mapping.state
                    ),
                    format!("aws lambda update-event-source-mapping --uuid {} --enabled", mapping.id),
                ));
            }
        }
    }
    findings.push(Finding::ok(MAPPINGS, format!("{flowing} queues flow")));
    Ok(findings)
}

async fn queues(account: &Account) -> Result<Vec<Finding>> {
    let depths = depths::of_queues(account).await?;
    let waiting: Vec<String> = depths
        .iter()
        .filter(|depth| depth.held() > 0)
        .map(|depth| format!("{} {}", depth.held(), depth.name))
        .collect();
    let mut findings = vec![Finding::ok(
        QUEUES,
        if waiting.is_empty() {
            "nothing waits".to_owned()
        } else {
            format!("waiting: {}", waiting.join(", "))
        },
    )];
    for depth in depths.iter().filter(|depth| depth.in_flight > MANY_IN_FLIGHT) {
        findings.push(Finding::problem(
            QUEUES,
            format!(
                "{} has {} messages in flight: from about 120,000 on, SQS delivers nothing more",
                depth.name, depth.in_flight
            ),
            "mend what holds them back; do not schedule so many for later in one lane",
        ));
    }
    Ok(findings)
}

async fn dead_letters(account: &Account) -> Result<Vec<Finding>> {
    let depths = depths::of_queues(account).await?;
    let mut counts: Vec<(&'static str, u64)> = depths.iter().map(|depth| (depth.queue, depth.dead_letters)).collect();
    counts.push((SUBSCRIPTIONS, depths::of_dead_letters(account, SUBSCRIPTIONS).await?));
    counts.retain(|(_, count)| *count > 0);
    if counts.is_empty() {
        return Ok(vec![Finding::ok(DEAD_LETTERS, "there are none")]);
    }
    let (letters, _) = letters::look(account, counts.iter().map(|(queue, _)| *queue), 50).await?;
    let mut oldest: HashMap<&str, Timestamp> = HashMap::new();
    for (queue, at) in letters
        .iter()
        .filter_map(|letter| Some((letter.queue, letter.sent_at?)))
    {
        oldest
            .entry(queue)
            .and_modify(|first| *first = (*first).min(at))
            .or_insert(at);
    }
    let findings = counts.into_iter().map(|(queue, count)| {
        let age = oldest.get(queue).map(|at| {
            format!(
                ", the oldest seen is {} old",
                duration(account.now().duration_since(*at))
            )
        });
        let name = account.names.dead_letters(queue);
        let count = counted(usize::try_from(count).unwrap_or(usize::MAX), "letter");
        Finding::problem(
            DEAD_LETTERS,
            format!("{count} in {name}{}", age.unwrap_or_default()),
            format!("ops dead-letters list --queue {queue}; they are forgotten 14 days after they were first queued"),
        )
    });
    Ok(findings.collect())
}

/// What has been open for too long, by what the ledger says.
async fn waiting(account: &Account, held: &HashSet<Channel>) -> Result<Vec<Finding>> {
    let now = account.now();
    let mut deadlines = HashMap::new();
    for channel in Channel::OFFERED {
        deadlines.insert(channel, deadline(account, channel).await);
    }
    let (mut doubtful, mut oldest): (Vec<String>, Option<(Timestamp, Channel, String)>) = (Vec::new(), None);
    ledger::scan(account, |row| {
        for entry in row.entries.iter().filter(|entry| entry.is_open()) {
            let age = entry.changed_at.map(|at| now.duration_since(at)).unwrap_or_default();
            let deadline = deadlines.get(&entry.channel).copied().flatten();
            // Its message looks again within minutes of the deadline.
            if entry.state == Some(State::InDoubt) && deadline.is_some_and(|deadline| age > deadline + LONG) {
                doubtful.push(row.id.clone());
            }
            // Since when it could have moved on, and has not.
            let changed_at = entry.changed_at.unwrap_or(row.recorded_at);
            let since = changed_at.max(entry.claimable_at.unwrap_or(changed_at));
            let is_older = oldest.as_ref().is_none_or(|(first, _, _)| since < *first);
            // What waits behind a breaker is told by the breaker.
            if since <= now && is_older && !held.contains(&entry.channel) {
                oldest = Some((since, entry.channel, row.id.clone()));
            }
        }
    })
    .await?;
    let mut findings = Vec::new();
    if doubtful.is_empty() {
        findings.push(Finding::ok(DOUBT, "nothing is in doubt for longer than it should be"));
    } else {
        let first: Vec<String> = doubtful.iter().take(5).cloned().collect();
        findings.push(Finding::problem(
            DOUBT,
            format!("{} in doubt past the deadline: {}", doubtful.len(), first.join(", ")),
            "their messages do not come out of the queue: is it held, or are they lost? ops reconcile tells",
        ));
    }
    findings.push(match oldest {
        None => Finding::ok(WAITING, "no delivery waits"),
        Some((since, channel, id)) => {
            let age = now.duration_since(since);
            let what = format!(
                "the open delivery that waits longest ({channel}, {id}) has not moved for {}",
                duration(age)
            );
            if age > LONG {
                Finding::problem(WAITING, what, format!("ops explain --notification {id}"))
            } else {
                Finding::ok(WAITING, what)
            }
        }
    });
    Ok(findings)
}

/// How long a doubt lasts, as the sender was told; nothing where it does not say.
async fn deadline(account: &Account, channel: Channel) -> Option<SignedDuration> {
    if channel == Channel::InApp {
        return Some(SignedDuration::ZERO);
    }
    let function = account.names.of(sender(channel));
    let variables = account.variables_of(&function).await.ok()?;
    variables
        .get("IN_DOUBT_SECONDS")?
        .parse()
        .ok()
        .map(SignedDuration::from_secs)
}
