//! Follows one event after the other through the ledger, until every channel has an outcome and the messages are there.

use std::time::Duration;

use anyhow::{Context, Result};
use aws_config::SdkConfig;
use tokio::time::{Instant, sleep};

use crate::inboxes::{Inboxes, Note};
use crate::ledger::{Delivery, Ledger};
use crate::settings::Settings;
use crate::story::{Event, Fact};
use emulator::{Email, Mailbox, Sms};

/// How long an event may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a repetition is given to do what it must not do.
const REPETITION: Duration = Duration::from_secs(2);
const BETWEEN_LOOKS: Duration = Duration::from_millis(30);

pub(crate) struct Follower {
    ledger: Ledger,
    mailbox: Mailbox,
    inboxes: Inboxes,
    told: Vec<Fact>,
}

/// An event and what came of it.
#[derive(Debug)]
pub(crate) struct Chapter {
    pub(crate) event: Event,
    pub(crate) is_repetition: bool,
    pub(crate) deliveries: Vec<Delivery>,
    /// From publishing to the last outcome.
    pub(crate) took: Duration,
    pub(crate) emails: Vec<Email>,
    pub(crate) texts: Vec<Sms>,
    pub(crate) notes: Vec<Note>,
    /// What was expected and did not happen.
    pub(crate) problems: Vec<String>,
}

impl Chapter {
    /// Whether the stack seems not to work at all, so that waiting for the next event makes no sense.
    pub(crate) fn is_stuck(&self) -> bool {
        !self.is_repetition && (self.deliveries.is_empty() || self.deliveries.iter().any(Delivery::is_open))
    }
}

impl Follower {
    pub(crate) async fn new(settings: &Settings, aws: &SdkConfig) -> Result<Self> {
        let mailbox = Mailbox::open(&settings.endpoint).await;
        let mailbox =
            mailbox.with_context(|| format!("no local stack answers at {}: run `make up` first", settings.endpoint))?;
        Ok(Self {
            ledger: Ledger::new(settings, aws),
            mailbox,
            inboxes: Inboxes::open(settings, aws).await?,
            told: Vec::new(),
        })
    }

    /// Prints what happens to `event`, as it happens.
    pub(crate) async fn follow(&mut self, event: Event, published: Instant) -> Result<Chapter> {
        say(published.elapsed(), &event.fact, "published");
        let is_repetition = self.told.contains(&event.fact);
        let deliveries = if is_repetition {
            sleep(REPETITION).await;
            Vec::new()
        } else {
            self.until_settled(&event.fact, published).await?
        };
        let took = published.elapsed();
        let (emails, texts) = self.mailbox.new_messages().await?;
        let notes = self.inboxes.new_notes().await?;

        let mut chapter = Chapter {
            event,
            is_repetition,
            deliveries,
            took,
            emails,
            texts,
            notes,
            problems: Vec::new(),
        };
        chapter.problems = self.problems(&chapter).await?;
        if is_repetition && chapter.problems.is_empty() {
            say(
                took,
                &chapter.event.fact,
                "the same fact again: no new item in the ledger, no message",
            );
        }
        for problem in &chapter.problems {
            say(took, &chapter.event.fact, &format!("PROBLEM: {problem}"));
        }
        self.told.push(chapter.event.fact.clone());
        Ok(chapter)
    }

    async fn until_settled(&self, fact: &Fact, published: Instant) -> Result<Vec<Delivery>> {
        let mut known: Vec<Delivery> = Vec::new();
        while published.elapsed() < PATIENCE {
            let found = self.ledger.items(fact).await?.into_iter().next().unwrap_or_default();
            if found != known {
                let news: Vec<String> = found
                    .iter()
                    .filter(|delivery| !known.contains(delivery))
                    .map(Delivery::to_string)
                    .collect();
                let verb = if known.is_empty() { "decided: " } else { "" };
                say(published.elapsed(), fact, &format!("{verb}{}", news.join(", ")));
                known = found;
            }
            if !known.is_empty() && !known.iter().any(Delivery::is_open) {
                break;
            }
            sleep(BETWEEN_LOOKS).await;
        }
        Ok(known)
    }

    async fn problems(&self, chapter: &Chapter) -> Result<Vec<String>> {
        let fact = &chapter.event.fact;
        let mut problems = Vec::new();
        let items = self.ledger.items(fact).await?.len();
        if items != 1 {
            problems.push(format!(
                "expected one item in the ledger within {} s, found {items}",
                PATIENCE.as_secs()
            ));
        }
        for delivery in &chapter.deliveries {
            if delivery.is_open() {
                problems.push(format!(
                    "expected an outcome within {} s, found {delivery}",
                    PATIENCE.as_secs()
                ));
            }
            if delivery.is_failure() {
                problems.push(delivery.to_string());
            }
        }
        for (channel, messages) in [
            ("email", chapter.emails.len()),
            ("sms", chapter.texts.len()),
            ("in_app", chapter.notes.len()),
        ] {
            let sent = chapter
                .deliveries
                .iter()
                .filter(|delivery| delivery.channel == channel && delivery.is_sent())
                .count();
            if sent != messages {
                problems.push(format!(
                    "{channel}: the ledger says {sent} sent, and {messages} are there"
                ));
            }
        }
        Ok(problems
            .into_iter()
            .map(|problem| format!("order {} {}: {problem}", fact.order, fact.news()))
            .collect())
    }
}

fn say(since_publishing: Duration, fact: &Fact, what: &str) {
    println!(
        "  +{:.2} s  order {}  {:<18}  {what}",
        since_publishing.as_secs_f64(),
        fact.order,
        fact.news()
    );
}
