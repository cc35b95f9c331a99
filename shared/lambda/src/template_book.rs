//! The words with which a sender writes: built in, or the shop's own in their place. Looked up before a batch, never in its way.

use domain::ports::{Clock, TemplatesLoad, Unavailable};
use domain::{Channel, InForce, TemplateVersion, chain};
use jiff::{SignedDuration, Timestamp};
use messages::{Origin, TemplateName, Templates, Wording};
use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::MetricName;
use crate::runtime::Reply;

/// So long is what is in force believed to be so: a version is in force this long after it was published, at most.
const BELIEVED_FOR: SignedDuration = SignedDuration::from_secs(30);

/// The same after nobody could tell what is in force.
const AGAIN_AFTER_TROUBLE: SignedDuration = SignedDuration::from_secs(5);

/// A batch waits so long to learn what is in force, and goes on with what is known.
const PATIENCE: SignedDuration = SignedDuration::from_secs(2);

const LOOKING: &str = "look up which words are overridden";

/// The templates of a sender, made once and kept between calls.
#[derive(Debug)]
pub struct TemplateBook<W, C> {
    templates: Templates,
    channel: Channel,
    overrides: W,
    clock: C,
    memory: RefCell<Memory>,
}

/// What a book knows, and what there is to tell after the batch.
#[derive(Debug, Default)]
struct Memory {
    believed: Option<Believed>,
    /// What is in force here, once all of it could be read.
    seen: InForce,
    /// The versions that are in force here, and no others: a process that lives long does not keep what was.
    known: BTreeMap<TemplateName, Wording>,
    unavailable: u64,
    /// By template: how often its override could not be rendered, and what was wrong the first time.
    broken: BTreeMap<String, (u64, String)>,
}

/// When somebody looked what is in force, and how long that is believed.
#[derive(Debug, Clone, Copy)]
struct Believed {
    since: Timestamp,
    during: SignedDuration,
}

/// What a look brought that was not known.
struct News {
    seen: InForce,
    in_force: BTreeMap<TemplateName, Wording>,
    /// What is in force and cannot be read.
    unreadable: Vec<(String, u32)>,
}

impl<W: TemplatesLoad, C: Clock> TemplateBook<W, C> {
    /// The built-in templates, and the overrides of one channel.
    #[must_use]
    pub fn new(templates: Templates, channel: Channel, overrides: W, clock: C) -> Self {
        Self {
            templates,
            channel,
            overrides,
            clock,
            memory: RefCell::default(),
        }
    }

    /// The templates, with what is in force.
    pub const fn templates(&self) -> &Templates {
        &self.templates
    }

    /// Works on a batch with the words that are in force now. What was wrong with them is logged and counted afterwards, once for
    /// each template.
    ///
    /// If nobody can tell what is in force, what was known stays so: no delivery fails for it.
    pub async fn during(&self, batch: impl Future<Output = Reply>) -> Reply {
        self.refresh().await;
        let mut reply = batch.await;
        let (unavailable, broken) = {
            let mut memory = self.memory.borrow_mut();
            (
                std::mem::take(&mut memory.unavailable),
                std::mem::take(&mut memory.broken),
            )
        };
        for (times, what) in broken.values() {
            tracing::error!(
                messages = times,
                "an override is broken, and built-in words took its place: {what}"
            );
        }
        let broken = broken.values().map(|(times, _)| times).sum();
        reply
            .metrics
            .count(MetricName::TemplatesUnavailable, unavailable)
            .count(MetricName::TemplateBroken, broken);
        reply
    }

    /// Takes note of what wrote a message.
    pub fn note(&self, origin: &Origin) {
        if let Some(what) = &origin.broken {
            // Name and version; what follows differs with what the message was about.
            let template = what.split_once(": ").map_or(what.as_str(), |(template, _)| template);
            self.note_broken(template.to_owned(), what.clone());
        }
    }

    fn note_broken(&self, template: String, what: String) {
        let mut memory = self.memory.borrow_mut();
        let (times, _) = memory.broken.entry(template).or_insert((0, what));
        *times = times.saturating_add(1);
    }

    /// Looks what is in force, unless that was done a moment ago.
    async fn refresh(&self) {
        let now = self.clock.now();
        let believed = self.memory.borrow().believed;
        if believed.is_some_and(|believed| believed.holds(now)) {
            return;
        }
        let looked = tokio::select! {
            biased;
            looked = self.look() => looked,
            () = self.clock.pause(PATIENCE) => Err(Unavailable::new(LOOKING, "no answer in time")),
        };
        let during = match looked {
            Ok(news) => {
                if let Some(news) = news {
                    self.adopt(news);
                }
                BELIEVED_FOR
            }
            Err(error) => {
                tracing::warn!(
                    error = chain(&error),
                    "could not look up which words are overridden: what was known stays in force"
                );
                let mut memory = self.memory.borrow_mut();
                memory.unavailable = memory.unavailable.saturating_add(1);
                AGAIN_AFTER_TROUBLE
            }
        };
        self.memory.borrow_mut().believed = Some(Believed { since: now, during });
    }

    /// What is new since the last look: nothing, most of the time.
    async fn look(&self) -> Result<Option<News>, Unavailable> {
        let seen = self.overrides.in_force().await?;
        if seen == self.memory.borrow().seen {
            return Ok(None);
        }
        let mut in_force = BTreeMap::new();
        let mut unknown = Vec::new();
        for (template, live) in &seen.live {
            let name = match TemplateName::try_from(template.as_str()) {
                Ok(name) if name.channel == self.channel => name,
                Ok(_of_another_channel) => continue,
                Err(_unknown) => {
                    tracing::warn!("there are overriding words for {template}, of which this function knows nothing");
                    continue;
                }
            };
            match self.memory.borrow().known.get(&name) {
                Some(known) if known.version == live.version => {
                    in_force.insert(name, known.clone());
                }
                Some(_) | None => unknown.push((template.clone(), live.version)),
            }
        }
        let loaded = match unknown.is_empty() {
            true => Vec::new(),
            false => self.overrides.load(&unknown).await?,
        };
        in_force.extend(loaded.into_iter().filter_map(wording_of));
        unknown.retain(|(template, _)| {
            let name = TemplateName::try_from(template.as_str());
            !name.is_ok_and(|name| in_force.contains_key(&name))
        });
        Ok(Some(News {
            seen,
            in_force,
            unreadable: unknown,
        }))
    }

    fn adopt(&self, news: News) {
        let is_whole = news.unreadable.is_empty();
        for (template, version) in news.unreadable {
            let template = format!("{template}, version {version}");
            self.note_broken(template.clone(), format!("{template}: it cannot be read"));
        }
        self.templates.adopt(news.in_force.values().cloned().collect());
        let mut memory = self.memory.borrow_mut();
        // What could not be read is asked for, and told, again.
        if is_whole {
            memory.seen = news.seen;
        }
        memory.known = news.in_force;
    }
}

impl Believed {
    fn holds(self, now: Timestamp) -> bool {
        (SignedDuration::ZERO..self.during).contains(&now.duration_since(self.since))
    }
}

fn wording_of(version: TemplateVersion) -> Option<(TemplateName, Wording)> {
    let name = TemplateName::try_from(version.template.as_str()).ok()?;
    let wording = Wording {
        name,
        version: version.version,
        words: version.words,
    };
    Some((name, wording))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Metrics;
    use domain::{Language, VersionState};
    use messages::samples;
    use testkit::{HandClock, MemoryTemplates, at, shipped};

    const SHIPPED: &str = "order_status_update.shipped/email/es";

    fn version(template: &str, number: u32, subject: &str) -> TemplateVersion {
        let name = TemplateName::try_from(template).unwrap();
        TemplateVersion {
            template: template.to_owned(),
            version: number,
            state: VersionState::Live,
            channel: name.channel,
            language: name.language,
            words: BTreeMap::from([("subject".to_owned(), subject.to_owned())]),
            variables: Vec::new(),
            note: None,
            by: "olga".to_owned(),
            created_at: at(1),
            published: None,
        }
    }

    struct Desk {
        book: TemplateBook<MemoryTemplates, HandClock>,
    }

    impl Desk {
        fn new() -> Self {
            let overrides = MemoryTemplates::default();
            let clock = HandClock::at(at(1_795_168_800));
            Self {
                book: TemplateBook::new(Templates::new(), Channel::Email, overrides, clock),
            }
        }

        fn overrides(&self) -> &MemoryTemplates {
            &self.book.overrides
        }

        fn publish(&self, version: TemplateVersion) {
            let next = self
                .overrides()
                .in_force
                .borrow()
                .with(&version.template, version.version);
            self.overrides().versions.borrow_mut().push(version);
            *self.overrides().in_force.borrow_mut() = next;
        }

        fn after(&self, seconds: i64) {
            self.book.clock.advance(SignedDuration::from_secs(seconds));
        }

        /// A batch of one message in Spanish: its subject, and what was counted.
        async fn batch(&self) -> (String, Vec<(String, u64)>) {
            let subject = RefCell::new(String::new());
            let batch = async {
                let event = shipped("ana", "4711", at(1_795_168_800));
                let email = self
                    .book
                    .templates()
                    .email(&event.content, &samples::reader(Language::Es), &samples::shop())
                    .unwrap();
                self.book.note(&email.origin);
                *subject.borrow_mut() = email.subject;
                Reply {
                    value: Ok(crate::Value::Null),
                    metrics: Metrics::default(),
                }
            };
            let reply = self.book.during(batch).await;
            let counts = reply.metrics.counts().map(|(name, count)| (name.to_owned(), count));
            let counts = counts.collect();
            (subject.into_inner(), counts)
        }

        async fn subject(&self) -> String {
            self.batch().await.0
        }
    }

    #[tokio::test]
    async fn what_is_published_is_in_force_within_its_life() {
        let desk = Desk::new();
        let built_in = desk.subject().await;
        desk.publish(version(SHIPPED, 1, "Ya sale: {{ order.id }}"));
        desk.after(29);
        assert_eq!(desk.subject().await, built_in);
        desk.after(1);
        assert_eq!(desk.subject().await, "Ya sale: 4711");
    }

    #[tokio::test]
    async fn what_is_known_is_asked_for_once_and_what_did_not_change_costs_one_look() {
        let desk = Desk::new();
        desk.publish(version(SHIPPED, 1, "Ya sale: {{ order.id }}"));
        desk.subject().await;
        desk.subject().await;
        assert_eq!(
            (desk.overrides().looks.get(), desk.overrides().asked.borrow().len()),
            (1, 1)
        );
        desk.after(30);
        desk.subject().await;
        assert_eq!(
            (desk.overrides().looks.get(), desk.overrides().asked.borrow().len()),
            (2, 1)
        );
        desk.publish(version("order_confirmation/email/es", 1, "Gracias: {{ order.id }}"));
        desk.after(30);
        desk.subject().await;
        let asked = [(SHIPPED.to_owned(), 1), ("order_confirmation/email/es".to_owned(), 1)];
        assert_eq!(*desk.overrides().asked.borrow(), asked);
    }

    #[tokio::test]
    async fn what_is_no_longer_in_force_is_forgotten() {
        let desk = Desk::new();
        let built_in = desk.subject().await;
        desk.publish(version(SHIPPED, 1, "uno {{ order.id }}"));
        desk.publish(version(SHIPPED, 2, "dos {{ order.id }}"));
        desk.after(30);
        assert_eq!(desk.subject().await, "dos 4711");
        assert_eq!(desk.book.memory.borrow().known.len(), 1);
        let revision = desk.overrides().in_force.borrow().revision + 1;
        *desk.overrides().in_force.borrow_mut() = InForce {
            revision,
            ..InForce::default()
        };
        desk.after(30);
        assert_eq!(desk.subject().await, built_in);
        assert!(desk.book.memory.borrow().known.is_empty());
    }

    #[tokio::test]
    async fn words_for_other_channels_are_not_read() {
        let desk = Desk::new();
        desk.publish(version("order_status_update.shipped/sms/es", 1, "no"));
        desk.subject().await;
        assert!(desk.overrides().asked.borrow().is_empty());
    }

    #[tokio::test]
    async fn a_table_out_of_reach_leaves_in_force_what_was_known() {
        let desk = Desk::new();
        desk.publish(version(SHIPPED, 1, "Ya sale: {{ order.id }}"));
        desk.subject().await;
        desk.overrides().is_out_of_reach.set(true);
        desk.after(30);
        let (subject, counts) = desk.batch().await;
        assert_eq!(subject, "Ya sale: 4711");
        assert_eq!(counts, [("TemplatesUnavailable".to_owned(), 1)]);
    }

    #[tokio::test]
    async fn a_cold_start_without_the_table_writes_with_built_in_words_and_soon_looks_again() {
        let desk = Desk::new();
        desk.publish(version(SHIPPED, 1, "Ya sale: {{ order.id }}"));
        desk.overrides().is_out_of_reach.set(true);
        let (subject, counts) = desk.batch().await;
        assert_ne!(subject, "Ya sale: 4711");
        assert_eq!(counts, [("TemplatesUnavailable".to_owned(), 1)]);
        desk.overrides().is_out_of_reach.set(false);
        desk.after(5);
        assert_eq!(desk.batch().await, ("Ya sale: 4711".to_owned(), Vec::new()));
    }

    #[tokio::test]
    async fn a_table_that_does_not_answer_does_not_hold_the_batch() {
        let desk = Desk::new();
        desk.overrides().is_silent.set(true);
        let (subject, counts) = desk.batch().await;
        assert!(!subject.is_empty());
        assert_eq!(counts, [("TemplatesUnavailable".to_owned(), 1)]);
    }

    #[tokio::test]
    async fn a_broken_override_is_counted_and_the_built_in_words_go_out() {
        let desk = Desk::new();
        let built_in = desk.subject().await;
        desk.publish(version(SHIPPED, 1, "Ya sale: {{ order.nothing }}"));
        desk.after(30);
        let (subject, counts) = desk.batch().await;
        assert_eq!(subject, built_in);
        assert_eq!(counts, [("TemplateBroken".to_owned(), 1)]);
        assert_eq!(desk.batch().await.1, [("TemplateBroken".to_owned(), 1)]);
    }

    #[tokio::test]
    async fn a_live_version_that_is_not_there_is_counted_once_a_look_and_the_built_in_words_go_out() {
        let desk = Desk::new();
        let built_in = desk.subject().await;
        desk.publish(version(SHIPPED, 1, "Ya sale: {{ order.id }}"));
        desk.overrides().versions.borrow_mut().clear();
        desk.after(30);
        assert_eq!(desk.batch().await, (built_in, vec![("TemplateBroken".to_owned(), 1)]));
        assert_eq!(desk.batch().await.1, []);
    }

    #[tokio::test]
    async fn a_live_version_that_cannot_be_read_is_told_at_every_look_until_it_can() {
        let desk = Desk::new();
        let built_in = desk.subject().await;
        desk.publish(version(SHIPPED, 1, "Ya sale: {{ order.id }}"));
        let lost = desk.overrides().versions.borrow_mut().pop().unwrap();
        for _look in 0..2 {
            desk.after(30);
            let (subject, counts) = desk.batch().await;
            assert_eq!(subject, built_in);
            assert!(counts.contains(&("TemplateBroken".to_owned(), 1)), "{counts:?}");
        }
        desk.overrides().versions.borrow_mut().push(lost);
        desk.after(30);
        assert_eq!(desk.subject().await, "Ya sale: 4711");
    }

    #[tokio::test]
    async fn a_name_of_another_time_does_not_keep_the_others_from_being_in_force() {
        let desk = Desk::new();
        desk.publish(version(SHIPPED, 1, "Ya sale: {{ order.id }}"));
        let next = desk.overrides().in_force.borrow().with("gift_card/email/es", 1);
        *desk.overrides().in_force.borrow_mut() = next;
        assert_eq!(desk.batch().await, ("Ya sale: 4711".to_owned(), Vec::new()));
    }
}
