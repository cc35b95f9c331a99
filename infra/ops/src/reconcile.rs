//! `ops reconcile`: whether everything that came in went out, or has a reason why not.

use anyhow::{Context, Result};
use clap::Args;
use domain::ports::LedgerLoad;
use domain::{Channel, NotificationId, State};
use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::process::ExitCode;

use crate::account::Account;
use crate::depths::{self, Depth};
use crate::ledger::{self, Entry, Row};
use crate::names::{SUBSCRIPTIONS, lanes};
use crate::output::{Report, counted, moment, show};
use crate::waiting_room;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ops reconcile
  ops reconcile --since 7d --json

The sums are over what was recorded since then; what is out of order is looked for in the whole ledger, which is \
read from one end to the other: a read unit for every 4 KB. Answers with 1 when something does not add up.")]
pub(crate) struct Reconcile {
    /// How far back the sums go: 90m, 24h, 7d
    #[arg(long, value_name = "DURATION", default_value = "24h", value_parser = ago)]
    since: SignedDuration,
}

/// A list shows so many ids.
const SHOWN: usize = 20;

const FIVE_DAYS: SignedDuration = SignedDuration::from_hours(5 * 24);
const A_DAY: SignedDuration = SignedDuration::from_hours(24);
const AN_HOUR: SignedDuration = SignedDuration::from_hours(1);
/// What is to be handed over or buried is not missed within it: whoever could not do it tries again every quarter of an hour.
const A_WHILE: SignedDuration = SignedDuration::from_mins(20);

fn ago(text: &str) -> Result<SignedDuration, String> {
    let expected = || "expected a duration such as 90m, 24h or 7d".to_owned();
    let span: Span = text.parse().map_err(|_not_one| expected())?;
    let relative = SpanRelativeTo::days_are_24_hours();
    span.to_duration(relative)
        .ok()
        .filter(SignedDuration::is_positive)
        .ok_or_else(expected)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Balance {
    since: Timestamp,
    notifications: u64,
    items_read: u64,
    channels: Vec<Sum>,
    queues: Vec<Depth>,
    /// Deliveries in the waiting room.
    waiting_room: usize,
    subscriptions_dead_letters: u64,
    mismatches: Vec<Mismatch>,
    adds_up: bool,
}

/// What became of the deliveries of a channel.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Sum {
    channel: Channel,
    received: u64,
    /// By state.
    sent: BTreeMap<&'static str, u64>,
    /// By state and reason.
    not_sent: BTreeMap<&'static str, BTreeMap<String, u64>>,
    /// By state.
    waiting: BTreeMap<&'static str, u64>,
    adds_up: bool,
}

/// Something that is not as it should be.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Mismatch {
    what: String,
    count: usize,
    /// The first of them.
    notification_ids: Vec<String>,
    to_do: &'static str,
}

/// What the ledger was found to hold.
#[derive(Default)]
struct Found {
    notifications: u64,
    sums: BTreeMap<Channel, Sum>,
    open: BTreeMap<Channel, Vec<(String, Entry)>>,
    late: Vec<String>,
    unburied: Vec<String>,
    doubtful: Vec<String>,
    overheld: Vec<String>,
    unreadable: Vec<String>,
    contradictory: Vec<String>,
}

impl Reconcile {
    pub(crate) async fn run(&self, account: &Account, as_json: bool) -> Result<ExitCode> {
        let now = account.now();
        let since = now.checked_sub(self.since).context("--since: that is too long ago")?;
        let before = depths::of_queues(account).await?;
        let mut room = waiting_room::held(account).await?;
        let mut found = Found::default();
        let items_read = ledger::scan(account, |row| found.take(&row, since, now)).await?;
        // What went into the room while the ledger was read, and what has left it for its queue.
        room.extend(waiting_room::held(account).await?);
        let mut lost = Vec::new();
        for channel in Channel::OFFERED {
            lost.extend(self.missing(account, channel, &found, &before, &room).await?);
        }
        let queues = depths::of_queues(account).await?;
        let subscriptions_dead_letters = depths::of_dead_letters(account, SUBSCRIPTIONS).await?;
        let Found {
            notifications,
            sums,
            late,
            unburied,
            doubtful,
            overheld,
            unreadable,
            contradictory,
            open: _,
        } = found;
        let mut mismatches = lost;
        let mut name = |what: &str, ids: Vec<String>, to_do| {
            if !ids.is_empty() {
                mismatches.push(Mismatch {
                    what: what.to_owned(),
                    count: ids.len(),
                    notification_ids: ids.into_iter().take(SHOWN).collect(),
                    to_do,
                });
            }
        };
        name(
            "open for more than five days, when a delivery is parked after four",
            late,
            "its message is most likely lost: ops explain --notification ID, look for it among the dead letters, else publish the event again",
        );
        name(
            "parked, and the dead letters do not have its message",
            unburied,
            "the sender puts it there when it next comes out of the queue; if this lasts, publish the event again under an idempotencyKey of its own",
        );
        name(
            "in doubt for more than a day",
            doubtful,
            "nobody looks at it, so that its message is most likely lost: ops explain --notification ID",
        );
        name(
            "held by a sender whose lease has been over for more than an hour",
            overheld,
            "its message does not come out of the queue: is the event source mapping enabled (ops breaker status), or the message lost?",
        );
        name(
            "an item with a delivery that cannot be read",
            unreadable,
            "somebody else wrote to the ledger: look at the item",
        );
        name(
            "results or counts that contradict the deliveries",
            contradictory,
            "the maps email and sms are the truth: somebody else wrote to the item, or a defect did",
        );
        let channels: Vec<Sum> = sums.into_values().map(Sum::closed).collect();
        let balance = Balance {
            since,
            notifications,
            items_read,
            adds_up: mismatches.is_empty() && channels.iter().all(|sum| sum.adds_up),
            channels,
            queues,
            waiting_room: room.len(),
            subscriptions_dead_letters,
            mismatches,
        };
        show(&balance, as_json)
    }

    /// Open deliveries that the waiting room does not hold, beyond what the queues of their channel hold. The ledger moves while it is read, so that those found
    /// open are looked at once more, and the queues as well.
    async fn missing(
        &self,
        account: &Account,
        channel: Channel,
        found: &Found,
        before: &[Depth],
        room: &BTreeSet<(String, Channel)>,
    ) -> Result<Option<Mismatch>> {
        let open = found.open.get(&channel).map(Vec::as_slice).unwrap_or_default();
        let is_elsewhere = |id: &str| !room.contains(&(id.to_owned(), channel));
        let open: Vec<&(String, Entry)> = open.iter().filter(|(id, _)| is_elsewhere(id)).collect();
        let held_before = held(channel, before);
        if open.len() as u64 <= held_before {
            return Ok(None);
        }
        let ids: Vec<NotificationId> = open
            .iter()
            .filter_map(|(id, _)| NotificationId::try_from(id.as_str()).ok())
            .collect();
        let known = account.ledger().load(&ids).await?;
        let still = known.values().filter_map(|notification| {
            let delivery = notification
                .deliveries
                .get(&channel)
                .filter(|delivery| delivery.state.is_open())?;
            Some((delivery.changed_at, delivery.claimable_at, notification.id))
        });
        let mut still: Vec<(Timestamp, Option<Timestamp>, NotificationId)> = still.collect();
        still.sort_unstable();
        let held = held(channel, &depths::of_queues(account).await?).max(held_before);
        let now = account.now();
        // What has only just been recorded is on its way to its queue.
        let is_overdue = |changed: Timestamp, due: Option<Timestamp>| {
            now.duration_since(changed.max(due.unwrap_or(changed))) > A_WHILE
        };
        let surplus = (still.len() as u64).saturating_sub(held);
        let overdue: Vec<String> = still
            .iter()
            .filter(|(changed, due, _)| is_overdue(*changed, *due))
            .map(|(_, _, id)| id.to_string())
            .collect();
        let count = overdue.len().min(usize::try_from(surplus).unwrap_or(usize::MAX));
        Ok((count > 0).then(|| Mismatch {
            what: format!(
                "open by {channel} beyond what the waiting room and its queues hold ({} open, {held} messages); the longest unchanged of the open ones",
                still.len()
            ),
            count,
            notification_ids: overdue.into_iter().take(SHOWN).collect(),
            to_do: "their messages are lost: look for them among the dead letters, else publish the events again; what is queued or deferred \
                    and was never claimed is handed over once more",
        }))
    }
}

/// The messages in both lanes of a channel.
fn held(channel: Channel, depths: &[Depth]) -> u64 {
    depths
        .iter()
        .filter(|depth| lanes(channel).contains(&depth.queue))
        .map(Depth::held)
        .sum()
}

impl Found {
    fn take(&mut self, row: &Row, since: Timestamp, now: Timestamp) {
        let is_recent = row.recorded_at >= since;
        self.notifications += u64::from(is_recent);
        if row.contradiction.is_some() {
            self.contradictory.push(row.id.clone());
        }
        for entry in &row.entries {
            if is_recent {
                self.sums
                    .entry(entry.channel)
                    .or_insert_with(|| Sum::of(entry.channel))
                    .add(entry);
            }
            self.look_at(row, entry, now);
        }
    }

    fn look_at(&mut self, row: &Row, entry: &Entry, now: Timestamp) {
        let id = || row.id.clone();
        let Some(state) = entry.state else {
            self.unreadable.push(id());
            return;
        };
        let is_past = |at: Option<Timestamp>, limit| at.is_some_and(|at| now.duration_since(at) > limit);
        if state.is_open() {
            let due = if state == State::Deferred {
                entry.claimable_at
            } else {
                None
            };
            if is_past(
                Some(due.map_or(row.recorded_at, |due| due.max(row.recorded_at))),
                FIVE_DAYS,
            ) && is_past(entry.changed_at, A_DAY)
            {
                self.late.push(id());
            }
            self.open.entry(entry.channel).or_default().push((id(), entry.clone()));
        }
        if state == State::Parked && !entry.is_dead_lettered && is_past(entry.changed_at, A_WHILE) {
            self.unburied.push(id());
        }
        if state == State::InDoubt && is_past(entry.changed_at, A_DAY) {
            self.doubtful.push(id());
        }
        if state == State::Sending && is_past(entry.lease_until, AN_HOUR) {
            self.overheld.push(id());
        }
    }
}

impl Sum {
    const fn of(channel: Channel) -> Self {
        Self {
            channel,
            received: 0,
            sent: BTreeMap::new(),
            not_sent: BTreeMap::new(),
            waiting: BTreeMap::new(),
            adds_up: false,
        }
    }

    fn add(&mut self, entry: &Entry) {
        self.received += 1;
        // What cannot be read is received and nothing else: then the sum does not add up.
        let Some(state) = entry.state else { return };
        if state.is_accepted() {
            *self.sent.entry(state.name()).or_default() += 1;
        } else if state.is_open() {
            *self.waiting.entry(state.name()).or_default() += 1;
        } else if let Some(reason) = &entry.reason {
            *self
                .not_sent
                .entry(state.name())
                .or_default()
                .entry(reason.clone())
                .or_default() += 1;
        }
    }

    fn closed(self) -> Self {
        let adds_up = self.received == self.sent() + self.not_sent() + self.waiting();
        Self { adds_up, ..self }
    }

    fn sent(&self) -> u64 {
        self.sent.values().sum()
    }

    fn not_sent(&self) -> u64 {
        self.not_sent.values().flat_map(BTreeMap::values).sum()
    }

    fn waiting(&self) -> u64 {
        self.waiting.values().sum()
    }
}

impl Report for Balance {
    fn needs_a_person(&self) -> bool {
        !self.adds_up
    }
}

impl fmt::Display for Balance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let read = counted(usize::try_from(self.items_read).unwrap_or(usize::MAX), "item");
        writeln!(
            f,
            "recorded since {}: {} notifications ({read} read)",
            moment(self.since),
            self.notifications
        )?;
        for sum in &self.channels {
            let sign = if sum.adds_up { "=" } else { "≠" };
            let (sent, not_sent, waiting) = (sum.sent(), sum.not_sent(), sum.waiting());
            writeln!(
                f,
                "\n{}: received {} {sign} sent {sent} + not sent {not_sent} + waiting {waiting}",
                sum.channel, sum.received
            )?;
            for (state, count) in sum.sent.iter().chain(&sum.waiting) {
                writeln!(f, "  {count:>8}  {state}")?;
            }
            for (state, reasons) in &sum.not_sent {
                for (reason, count) in reasons {
                    writeln!(f, "  {count:>8}  {state}: {reason}")?;
                }
            }
            if !sum.adds_up {
                writeln!(f, "  some deliveries cannot be read, or ended without a reason")?;
            }
        }
        writeln!(
            f,
            "\n{:<40} {:>9} {:>9} {:>9} {:>12}",
            "queue", "visible", "in flight", "delayed", "dead letters"
        )?;
        for depth in &self.queues {
            let Depth {
                name,
                visible,
                in_flight,
                delayed,
                dead_letters,
                ..
            } = depth;
            writeln!(
                f,
                "{name:<40} {visible:>9} {in_flight:>9} {delayed:>9} {dead_letters:>12}"
            )?;
        }
        writeln!(f, "{:<40} {:>9}", "waiting room", self.waiting_room)?;
        writeln!(
            f,
            "{:<40} {:>9} {:>9} {:>9} {:>12}",
            "what topics could not deliver", "", "", "", self.subscriptions_dead_letters
        )?;
        for mismatch in &self.mismatches {
            writeln!(f, "\n{} {}:", mismatch.count, mismatch.what)?;
            for id in &mismatch.notification_ids {
                writeln!(f, "  {id}")?;
            }
            writeln!(f, "  to do: {}", mismatch.to_do)?;
        }
        let verdict = if self.adds_up {
            "everything adds up"
        } else {
            "it does NOT add up"
        };
        writeln!(f, "\n{verdict}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_second(1_795_000_000).unwrap()
    }

    fn hours_ago(hours: i64) -> Timestamp {
        now().checked_sub(SignedDuration::from_hours(hours)).unwrap()
    }

    fn entry(state: Option<State>, reason: Option<&str>, hours: i64) -> Entry {
        Entry {
            channel: Channel::Email,
            state,
            reason: reason.map(str::to_owned),
            changed_at: Some(hours_ago(hours)),
            claimable_at: None,
            lease_until: Some(hours_ago(hours)),
            is_dead_lettered: false,
        }
    }

    fn found(entries: &[(Entry, i64)]) -> Found {
        let mut found = Found::default();
        for (entry, recorded) in entries {
            let row = Row {
                id: "n".to_owned(),
                recorded_at: hours_ago(*recorded),
                entries: vec![entry.clone()],
                contradiction: None,
            };
            found.take(&row, hours_ago(24), now());
        }
        found
    }

    #[test]
    fn every_state_with_a_reason_finds_its_place_in_the_equation() {
        let entries: Vec<(Entry, i64)> = State::ALL
            .into_iter()
            .map(|state| (entry(Some(state), Some("why"), 0), 0))
            .collect();
        let sum = found(&entries).sums.remove(&Channel::Email).unwrap().closed();
        assert!(sum.adds_up);
        assert_eq!((sum.sent(), sum.not_sent(), sum.waiting()), (4, 6, 4));
    }

    #[test]
    fn an_end_without_a_reason_does_not_add_up() {
        for entry in [entry(None, None, 0), entry(Some(State::Failed), None, 0)] {
            let sum = found(&[(entry, 0)]).sums.remove(&Channel::Email).unwrap().closed();
            assert!(!sum.adds_up && sum.received == 1);
        }
    }

    #[test]
    fn what_was_recorded_before_is_not_summed_and_still_looked_at() {
        let found = found(&[(entry(Some(State::Queued), None, 130), 130)]);
        assert!(found.sums.is_empty() && found.late.len() == 1 && found.open.len() == 1);
    }

    #[test]
    fn what_is_out_of_order_is_named_and_what_is_young_is_not() {
        let of = |hours| {
            found(&[
                (entry(Some(State::Parked), Some("why"), hours), hours),
                (entry(Some(State::InDoubt), Some("why"), hours), hours),
                (entry(Some(State::Sending), None, hours), hours),
            ])
        };
        let (old, young) = (of(30), of(0));
        assert_eq!((old.unburied.len(), old.doubtful.len(), old.overheld.len()), (1, 1, 1));
        assert_eq!(
            (young.unburied.len(), young.doubtful.len(), young.overheld.len()),
            (0, 0, 0)
        );
    }

    #[test]
    fn a_duration_may_be_in_days() {
        assert_eq!(ago("7d"), Ok(SignedDuration::from_hours(168)));
        assert_eq!(ago("90m"), Ok(SignedDuration::from_mins(90)));
        assert!(ago("soon").is_err() && ago("-1h").is_err() && ago("0h").is_err());
    }
}
