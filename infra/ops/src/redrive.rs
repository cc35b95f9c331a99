//! `ops dead-letters redrive`: dead letters go back to where they are worked on, if the ledger agrees; safely twice.

use anyhow::Result;
use aws::SqsQueue;
use clap::Args;
use domain::NotificationId;
use domain::ports::LedgerLoad;
use futures_util::future::join_all;
use lambda::SystemClock;
use pipeline::Redriven;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fmt;
use std::process::ExitCode;

use crate::account::Account;
use crate::dead_letters::chosen;
use crate::letters::{Kind, Letter, LetterBox};
use crate::names::{DELIVERY_EVENTS, NOTIFICATIONS, QUEUES, lane_of};
use crate::operator::{Deed, notification_id};
use crate::output::{Progress, Report, counted, show};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ops dead-letters redrive --all --why 'the sending quota was raised'
  ops dead-letters redrive --queue email --limit 10 --why 'trying a few first' --dry-run
  ops dead-letters redrive --notification 579b5034-7f1a-85f1-b8fb-eb0077b4314d --why 'they asked'

A letter leaves its queue only when it is safely done; redriving again, or twice at once, sends nothing twice. \
What would come straight back stays. Answers with 1 when a letter stays.")]
pub(crate) struct Redrive {
    #[command(flatten)]
    which: Which,
    /// At most so many letters
    #[arg(long, default_value_t = usize::MAX, hide_default_value = true)]
    limit: usize,
    /// Say what would happen, and change nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    deed: Deed,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Which {
    /// The letters of every queue
    #[arg(long)]
    all: bool,
    /// The letters of one queue: notifications, email-urgent, subscriptions…
    #[arg(long, value_name = "NAME")]
    queue: Option<String>,
    /// The letters of one notification
    #[arg(long, value_name = "ID", value_parser = notification_id)]
    notification: Option<NotificationId>,
}

/// So long may ten letters take before others see them again.
const WORK_SECONDS: i32 = 300;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Done {
    is_dry_run: bool,
    letters: Vec<Line>,
    sum: Sum,
}

#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
struct Sum {
    sent_again: usize,
    settled: usize,
    stays: usize,
    failed: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    queue: String,
    message_id: String,
    kind: &'static str,
    notification_id: Option<String>,
    outcome: Outcome,
    detail: String,
}

/// What became of a letter.
#[derive(Serialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    /// Its message is on a queue again.
    SentAgain,
    /// Nothing was left to do.
    Settled,
    /// It would come straight back.
    Stays,
    /// It is not known how far it came: redrive it again.
    Failed,
}

impl Outcome {
    const fn name(self) -> &'static str {
        match self {
            Self::SentAgain => "sent again",
            Self::Settled => "settled",
            Self::Stays => "stays",
            Self::Failed => "failed",
        }
    }
}

/// Where a letter goes.
enum Way {
    /// To its sender, if the ledger agrees.
    Delivery(&'static str),
    /// These texts go on that queue.
    Texts(&'static str, Vec<String>),
    /// There is nothing to send.
    Nothing(&'static str),
    /// It would come straight back.
    Stays(String),
}

impl Redrive {
    pub(crate) async fn run(&self, account: &Account, as_json: bool) -> Result<ExitCode> {
        let desk = Desk::open(account, self).await?;
        let mut lines: Vec<Line> = Vec::new();
        let mut progress = Progress::new("redriving");
        for queue in chosen(account, self.which.queue.as_deref())? {
            let mut letter_box = LetterBox::open(account, queue, WORK_SECONDS).await?;
            let mut stay: Vec<Letter> = Vec::new();
            let ended = loop {
                let letters = match letter_box.take().await {
                    Ok(letters) if letters.is_empty() => break Ok(()),
                    Ok(letters) => letters,
                    Err(error) => break Err(error),
                };
                let (mut mine, others): (Vec<Letter>, Vec<Letter>) = letters
                    .into_iter()
                    .partition(|letter| self.which.notification.is_none_or(|id| letter.is_about(id)));
                stay.extend(others);
                stay.extend(mine.split_off(mine.len().min(self.limit.saturating_sub(lines.len()))));
                let done = join_all(mine.iter().map(|letter| desk.work(&letter_box, letter))).await;
                for (letter, (outcome, detail)) in mine.into_iter().zip(done) {
                    lines.push(Line {
                        queue: account.names.dead_letters(letter.queue),
                        message_id: letter.message_id.clone(),
                        kind: letter.kind.name(),
                        notification_id: letter.id.map(|id| id.to_string()),
                        outcome,
                        detail,
                    });
                    if self.dry_run || matches!(outcome, Outcome::Stays | Outcome::Failed) {
                        stay.push(letter);
                    }
                }
                progress.tick(format!("{} done", counted(lines.len(), "letter")));
                if lines.len() >= self.limit {
                    break Ok(());
                }
            };
            letter_box.release(&stay).await;
            ended?;
            if lines.len() >= self.limit {
                break;
            }
        }
        show(&Done::of(lines, self.dry_run), as_json)
    }
}

/// What redriving needs.
struct Desk<'a> {
    account: &'a Account,
    remark: String,
    dry_run: bool,
    urls: HashMap<&'static str, String>,
}

impl<'a> Desk<'a> {
    async fn open(account: &'a Account, redrive: &Redrive) -> Result<Self> {
        let mut urls = HashMap::new();
        for queue in QUEUES {
            urls.insert(queue, account.queue_url(&account.names.of(queue)).await?);
        }
        Ok(Self {
            account,
            remark: format!("redriven by {}", redrive.deed.remark()),
            dry_run: redrive.dry_run,
            urls,
        })
    }

    fn queue(&self, name: &str) -> SqsQueue {
        SqsQueue::new(
            self.account.sqs.clone(),
            self.urls.get(name).cloned().unwrap_or_default(),
        )
    }

    /// Works on one letter, and removes it once it is safely done.
    async fn work(&self, letter_box: &LetterBox<'_>, letter: &Letter) -> (Outcome, String) {
        let done = if self.dry_run {
            self.foresee(letter).await
        } else {
            self.send(letter).await
        };
        let (outcome, detail) = match done {
            Ok(done) => done,
            Err(error) => return (Outcome::Failed, format!("{error:#}: redrive it again")),
        };
        if self.dry_run || outcome == Outcome::Stays {
            return (outcome, detail);
        }
        match letter_box.discard(letter).await {
            Ok(()) => (outcome, detail),
            Err(error) => (
                Outcome::Failed,
                format!("{detail}, but the letter is still there ({error:#}): redriving it again does no harm"),
            ),
        }
    }

    async fn send(&self, letter: &Letter) -> Result<(Outcome, String)> {
        let (queue, bodies) = match way(letter) {
            Way::Nothing(why) => return Ok((Outcome::Settled, why.to_owned())),
            Way::Stays(why) => return Ok((Outcome::Stays, why)),
            Way::Delivery(queue) => (queue, vec![letter.body.clone()]),
            Way::Texts(queue, texts) => (queue, texts),
        };
        let redrive = pipeline::Redrive {
            ledger: &self.account.ledger(),
            queue: &self.queue(queue),
            clock: &SystemClock,
            by: &self.remark,
        };
        let name = self.account.names.of(queue);
        let mut done = (Outcome::Settled, "it held nothing".to_owned());
        if letter.queue == crate::names::SUBSCRIPTIONS && matches!(letter.kind, Kind::Event) {
            // It may be any subscription's: whoever has the event already, finds nothing new in it.
            for taken in self.queue(crate::names::ORDER_EVENTS).put_all(&bodies).await {
                taken?;
            }
        }
        for body in bodies {
            let reason = letter.reason.clone();
            let paper = pipeline::Letter { body, reason };
            let redriven = match letter.kind {
                Kind::Delivery(_) => redrive.delivery(&paper).await?,
                Kind::Event | Kind::LambdaReport(_) | Kind::Feedback | Kind::Bell | Kind::Said => {
                    redrive.event(&paper).await?
                }
            };
            done = match redriven {
                Redriven::Again(_, generation) => {
                    (Outcome::SentAgain, format!("on {name} again, generation {generation}"))
                }
                Redriven::Event => (Outcome::SentAgain, format!("on {name} again")),
                Redriven::Settled(_, state) => {
                    (Outcome::Settled, format!("nothing left to do: its delivery is {state}"))
                }
                Redriven::Stays(why) => (Outcome::Stays, why),
            };
        }
        Ok(done)
    }

    /// What would happen, without doing it.
    async fn foresee(&self, letter: &Letter) -> Result<(Outcome, String)> {
        let again = |queue: &str| {
            (
                Outcome::SentAgain,
                format!("would go on {} again", self.account.names.of(queue)),
            )
        };
        Ok(match (way(letter), &letter.kind) {
            (Way::Nothing(why), _) => (Outcome::Settled, why.to_owned()),
            (Way::Stays(why), _) => (Outcome::Stays, why),
            (Way::Texts(queue, _), _) => again(queue),
            (Way::Delivery(queue), Kind::Delivery(request)) => {
                let known = self.account.ledger().load(&[request.id]).await?;
                let delivery = known
                    .get(&request.id)
                    .and_then(|found| found.deliveries.get(&request.channel));
                match delivery.map(|delivery| delivery.state) {
                    None => (Outcome::Stays, "not in the ledger".to_owned()),
                    Some(state) if state.is_open() || state == domain::State::Parked => again(queue),
                    Some(state) => (Outcome::Settled, format!("nothing left to do: its delivery is {state}")),
                }
            }
            (Way::Delivery(_), _) => (Outcome::Stays, "no delivery of ours".to_owned()),
        })
    }
}

/// Where a letter goes, by what it is and where it lay.
fn way(letter: &Letter) -> Way {
    match (&letter.kind, &letter.reason) {
        (Kind::Delivery(request), _) => match lane_of(request) {
            Some(queue) => Way::Delivery(queue),
            None => Way::Stays("there is no sender for its channel".to_owned()),
        },
        // Whoever put it there had read it: it would be refused again.
        (_, Some(reason)) => Way::Stays(reason.clone()),
        (Kind::Event, None) => Way::Texts(NOTIFICATIONS, vec![letter.body.clone()]),
        (Kind::Feedback, None) => Way::Texts(DELIVERY_EVENTS, vec![letter.body.clone()]),
        (Kind::Bell, None) => Way::Texts(crate::names::ACCOUNT_TROUBLE, vec![letter.body.clone()]),
        (Kind::Said, None) => Way::Texts(letter.queue, vec![letter.body.clone()]),
        (Kind::LambdaReport(payload), None) => way_of_report(letter.queue, payload),
    }
}

/// What an asynchronous call that failed was about, for those who work on it from a queue.
fn way_of_report(queue: &str, payload: &Value) -> Way {
    match queue {
        crate::names::ACCOUNT_TROUBLE => Way::Nothing(
            "whoever was called has looked again since: the account monitor every minute and every night, canaries every few minutes",
        ),
        crate::names::ORDER_EVENTS | crate::names::CARRIER_HANDSHAKES => {
            Way::Nothing("whoever was called has looked again since, as it does every few minutes")
        }
        // What the schedule gives deferred deliveries. Whatever else lies there is a direct call of the SMS function, which may hold an event.
        crate::names::SMS if *payload == json!({"task": "minute"}) => {
            Way::Nothing("whoever was called has looked again since, a minute later")
        }
        DELIVERY_EVENTS => match pipeline::entries_of(&payload.to_string()) {
            Some(Ok(entries)) => Way::Texts(DELIVERY_EVENTS, entries),
            Some(Err(error)) => Way::Stays(error.to_string()),
            None => Way::Stays("expected entries of an SMS delivery log in the report".to_owned()),
        },
        _ => {
            let texts = events_in(payload, queue.starts_with("email"));
            if texts.is_empty() {
                return Way::Stays("the report holds no event".to_owned());
            }
            Way::Texts(NOTIFICATIONS, texts)
        }
    }
}

/// The events with which a function was called. The e-mail function decides for e-mail alone, and so it stays.
fn events_in(payload: &Value, for_email_alone: bool) -> Vec<String> {
    let records = payload.get("Records").and_then(Value::as_array);
    if let Some(records) = records {
        let texts = records.iter().filter_map(|record| {
            let message = record.pointer("/Sns/Message").or_else(|| record.get("body"));
            message.and_then(Value::as_str).map(str::to_owned)
        });
        return texts.collect();
    }
    let mut event = payload.clone();
    if !event.is_object() {
        return Vec::new();
    }
    if for_email_alone && let Some(fields) = event.as_object_mut() {
        fields.insert("channels".to_owned(), json!(["email"]));
    }
    vec![event.to_string()]
}

impl Done {
    fn of(letters: Vec<Line>, is_dry_run: bool) -> Self {
        let mut sum = Sum::default();
        for line in &letters {
            match line.outcome {
                Outcome::SentAgain => sum.sent_again += 1,
                Outcome::Settled => sum.settled += 1,
                Outcome::Stays => sum.stays += 1,
                Outcome::Failed => sum.failed += 1,
            }
        }
        Self {
            is_dry_run,
            letters,
            sum,
        }
    }
}

impl Report for Done {
    fn needs_a_person(&self) -> bool {
        self.sum.stays + self.sum.failed > 0
    }
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.letters {
            let id = line.notification_id.as_deref().unwrap_or("-");
            writeln!(
                f,
                "{:<10} {:<36}  {} in {}: {}",
                line.outcome.name(),
                id,
                line.kind,
                line.queue,
                line.detail
            )?;
        }
        let Sum {
            sent_again,
            settled,
            stays,
            failed,
        } = self.sum;
        let all = counted(self.letters.len(), "letter");
        let what = if self.is_dry_run {
            "nothing was changed; of "
        } else {
            ""
        };
        writeln!(
            f,
            "{what}{all}: {sent_again} sent again, {settled} settled, {stays} stay, {failed} failed"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_of_the_email_function_stays_with_email() {
        let payload = json!({"userId": "u", "orderData": {"totalAmount": 1.10}});
        assert_eq!(events_in(&payload, false), [payload.to_string()]);
        let narrowed: Value = serde_json::from_str(&events_in(&payload, true)[0]).unwrap();
        assert_eq!(narrowed["channels"], json!(["email"]));
    }

    #[test]
    fn a_report_of_a_batch_holds_every_event_of_it() {
        let payload = json!({"Records": [{"Sns": {"Message": "one"}}, {"body": "two"}, {}]});
        assert_eq!(events_in(&payload, false), ["one", "two"]);
    }

    #[test]
    fn a_report_about_the_monitor_leaves_nothing_to_do() {
        assert!(matches!(
            way_of_report("account-trouble", &json!({"task": "minute"})),
            Way::Nothing(_)
        ));
        assert!(matches!(
            way_of_report("sms", &json!({"task": "minute"})),
            Way::Nothing(_)
        ));
        // An event of whoever writes a field of this name as well is no call by the clock.
        for queue in ["sms", "notifications", "email"] {
            let event = json!({"task": "minute", "userId": "u"});
            assert!(
                matches!(way_of_report(queue, &event), Way::Texts(NOTIFICATIONS, _)),
                "{queue}"
            );
        }
        assert!(matches!(way_of_report("delivery-events", &json!({})), Way::Stays(_)));
        assert!(matches!(way_of_report("notifications", &json!("text")), Way::Stays(_)));
    }
}
