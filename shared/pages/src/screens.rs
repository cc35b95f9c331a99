//! What each page shows, put together for its template.

use domain::{Channel, Language, NotificationType, Preferences, Topic, Zone};
use minijinja::value::Serde;
use minijinja::{Value, context};
use serde::Serialize;

use crate::book::{Book, BrokenPages};
use crate::choices::Choices;
use crate::form::{Problem, id_of};
use crate::groups::{ALWAYS, GROUPS};
use crate::words::Words;
use crate::zones;

/// The languages by the names that their readers give them.
const NAMES: [(Language, &str); 4] = [
    (Language::Es, "Español"),
    (Language::En, "English"),
    (Language::Ro, "Română"),
    (Language::Ru, "Русский"),
];

/// What is said at the top of a page, before anything else.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Notice {
    /// `good`, `look` or `bad`.
    kind: &'static str,
    title: &'static str,
    lead: &'static str,
    problems: Vec<Told>,
}

/// A problem with a field, for a person.
#[derive(Debug, Clone, Serialize)]
struct Told {
    id: String,
    about: String,
    text: &'static str,
}

/// Zones of one part of the world.
#[derive(Debug, Serialize)]
pub(crate) struct ZoneGroup {
    name: String,
    options: Vec<Choice>,
}

#[derive(Debug, Serialize)]
struct Choice {
    value: String,
    name: String,
    /// Stands further up as well, where it is picked.
    is_repeated: bool,
}

/// Where a customer stands with the messages that a link can stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// They come, and nothing has been asked for.
    Ask,
    /// They were stopped just now.
    Done,
    /// They had been stopped before.
    Already,
    /// They were stopped, and come again.
    Again,
}

impl Stage {
    const fn name(self) -> &'static str {
        match self {
            Self::Ask => "ask",
            Self::Done => "done",
            Self::Already => "already",
            Self::Again => "again",
        }
    }
}

impl Notice {
    /// The notice whose words have this name.
    pub(crate) fn of(words: &Words, kind: &'static str, name: &str) -> Self {
        Self {
            kind,
            title: words.page(&format!("{name}_title")),
            lead: words.page(&format!("{name}_lead")),
            problems: Vec::new(),
        }
    }

    /// The one that leads to the fields that are wrong.
    pub(crate) fn of_problems(words: &Words, problems: &[Problem]) -> Self {
        let told = |problem: &Problem| Told {
            about: name_of_field(words, &problem.id),
            id: problem.id.clone(),
            text: words.page(problem.word),
        };
        Self {
            kind: "bad",
            title: words.page("problem_title"),
            lead: "",
            problems: problems.iter().map(told).collect(),
        }
    }
}

/// What a person calls the field with this id.
fn name_of_field(words: &Words, id: &str) -> String {
    let page = |key| words.page(key).to_owned();
    match id {
        "language" => page("message_language"),
        "timezone" => page("zone"),
        "quiet" => page("quiet"),
        "quiet-start" => format!("{}, {}", words.page("quiet"), words.page("quiet_start")),
        "quiet-end" => format!("{}, {}", words.page("quiet"), words.page("quiet_end")),
        other => {
            let channel = Channel::OFFERED
                .into_iter()
                .find(|channel| format!("all-{channel}") == other);
            let topic = Topic::all().find(|topic| id_of(&topic.to_string()) == other);
            match (channel, topic) {
                (Some(channel), _) => format!(
                    "{}, {}",
                    words.page("at_once_title"),
                    words.word("ways", channel.name())
                ),
                (None, Some(topic)) => words.word("topics", &format!("{topic}.name")).to_owned(),
                (None, None) => String::new(),
            }
        }
    }
}

/// What the frame offers to change to.
pub(crate) fn languages() -> Value {
    let offered = NAMES.map(|(language, name)| context! { code => language.code(), name });
    Value::from_iter(offered)
}

/// The zones, the usual one before all others.
pub(crate) fn zone_groups(words: &Words, usual: &Zone) -> Vec<ZoneGroup> {
    let usual_name = String::from(usual.clone());
    let option = |name: &str, is_repeated| Choice {
        value: name.to_owned(),
        name: zones::city(name),
        is_repeated,
    };
    let first = ZoneGroup {
        name: words.page("zone_usual").to_owned(),
        options: vec![option(&usual_name, false)],
    };
    let regions = zones::regions(usual).map(|(region, names)| ZoneGroup {
        name: words.word("regions", region).to_owned(),
        options: names.into_iter().map(|name| option(name, name == usual_name)).collect(),
    });
    std::iter::once(first).chain(regions).collect()
}

/// The page for whoever has no link.
pub(crate) fn refused(book: &Book, language: Language) -> Result<String, BrokenPages> {
    told(book, language, "refused", Some("refused_more"), None)
}

/// The page for when something of ours does not answer.
pub(crate) fn trouble(book: &Book, language: Language) -> Result<String, BrokenPages> {
    told(book, language, "trouble", None, None)
}

/// The page that says that some messages are always sent.
pub(crate) fn must(book: &Book, language: Language, choices_link: &str) -> Result<String, BrokenPages> {
    told(book, language, "must", None, Some(choices_link))
}

fn told(
    book: &Book,
    language: Language,
    name: &str,
    more: Option<&str>,
    choices_link: Option<&str>,
) -> Result<String, BrokenPages> {
    let words = book.words(language);
    let text = |key: &str| words.page(key).replace("{shop}", book.shop_name());
    let shown = context! {
        lead => text(&format!("{name}_lead")),
        more => more.map(text),
        choices_link,
    };
    book.write("told.html", language, &text(&format!("{name}_title")), shown)
}

/// The page of a link that stops messages of one type.
#[derive(Debug)]
pub(crate) struct StopScreen<'a> {
    pub(crate) channel: Channel,
    pub(crate) notification_type: NotificationType,
    pub(crate) stage: Stage,
    pub(crate) notice: Option<Notice>,
    /// What to put back, in the words of the desk.
    pub(crate) was: &'a str,
    /// Where all choices are.
    pub(crate) choices_link: &'a str,
}

impl StopScreen<'_> {
    pub(crate) fn write(&self, book: &Book, language: Language) -> Result<String, BrokenPages> {
        let words = book.words(language);
        let stage = self.stage.name();
        let title = words.page(&format!("{stage}_{}", self.channel));
        let topic = |part: &str| words.word("topics", &format!("{}.{part}", self.notification_type));
        let shown = context! {
            notice => Serde(&self.notice),
            stage,
            lead => words.page(&format!("{stage}_lead")),
            topic => context! { name => topic("name"), hint => topic("hint") },
            was => self.was,
            choices_link => self.choices_link,
        };
        book.write("stop.html", language, title, shown)
    }
}

/// The page of all choices.
#[derive(Debug)]
pub(crate) struct ChoicesScreen<'a> {
    pub(crate) notice: Option<Notice>,
    /// What its form shows.
    pub(crate) shown: &'a Choices,
    /// What is in force, where it has to be told.
    pub(crate) in_force: Option<&'a Choices>,
    pub(crate) stored: &'a Preferences,
    pub(crate) revision: &'a str,
    pub(crate) problems: &'a [Problem],
}

impl ChoicesScreen<'_> {
    pub(crate) fn write(&self, book: &Book, language: Language) -> Result<String, BrokenPages> {
        let words = book.words(language);
        let shown = context! {
            notice => Serde(&self.notice),
            revision => self.revision,
            at_once => Value::from_iter(Channel::OFFERED.map(|channel| self.at_once(words, channel))),
            groups => Value::from_iter(GROUPS.iter().map(|group| context! {
                id => format!("group-{}", group.name),
                name => words.word("groups", &format!("{}.name", group.name)),
                hint => words.word("groups", &format!("{}.hint", group.name)),
                rows => Value::from_iter(group.topics.iter().map(|topic| self.row(words, *topic))),
            })),
            always => Value::from_iter(ALWAYS.map(|topic| self.fixed(words, topic))),
            message_language => self.message_language(words),
            zone => self.zone(book, language),
            quiet => self.quiet(words),
        };
        book.write("choices.html", language, words.page("choices_title"), shown)
    }

    fn problem(&self, words: &Words, id: &str) -> Option<&'static str> {
        let problem = self.problems.iter().find(|problem| problem.id == id)?;
        Some(words.page(problem.word))
    }

    fn at_once(&self, words: &Words, channel: Channel) -> Value {
        let id = format!("all-{channel}");
        context! {
            field => format!("all.{channel}"),
            name => words.word("ways", channel.name()),
            picked => match self.shown.at_once.get(&channel) {
                None => "each",
                Some(true) => "all",
                Some(false) => "none",
            },
            problem => self.problem(words, &id),
            id,
        }
    }

    fn row(&self, words: &Words, topic: Topic) -> Value {
        let id = id_of(&topic.to_string());
        let ways = Channel::OFFERED.map(|channel| {
            let key = (channel, topic);
            let is_on = self.shown.boxes.get(&key).copied().unwrap_or_default();
            let now = self
                .in_force
                .and_then(|now| now.boxes.get(&key))
                .filter(|now| **now != is_on);
            context! {
                field => format!("{channel}.{topic}"),
                name => words.word("ways", channel.name()),
                is_on,
                now => now.map(|now| words.page(if *now { "now_on" } else { "now_off" })),
            }
        });
        context! {
            name => words.word("topics", &format!("{topic}.name")),
            hint => words.word("topics", &format!("{topic}.hint")),
            problem => self.problem(words, &id),
            ways => Value::from_iter(ways),
            id,
        }
    }

    fn fixed(&self, words: &Words, topic: Topic) -> Value {
        let ways = Channel::OFFERED.map(|channel| {
            let state = match (self.stored.allow(channel, topic), self.stored.choice(channel, topic)) {
                (true, _) => "always_on",
                (false, Some(false)) => "always_chosen_off",
                (false, _) => "always_off",
            };
            context! { name => words.word("ways", channel.name()), state => words.page(state) }
        });
        context! {
            name => words.word("topics", &format!("{topic}.name")),
            hint => words.word("topics", &format!("{topic}.hint")),
            ways => Value::from_iter(ways),
        }
    }

    fn message_language(&self, words: &Words) -> Value {
        let name = |language: Language| words.word("languages", language.code());
        let options = Language::ALL.map(|language| context! { value => language.code(), name => name(language) });
        let now = self
            .in_force
            .map(|now| now.language)
            .filter(|now| *now != self.shown.language);
        context! {
            options => Value::from_iter(options),
            picked => self.shown.language.code(),
            problem => self.problem(words, "language"),
            now => now.map(name),
        }
    }

    fn zone(&self, book: &Book, language: Language) -> Value {
        let words = book.words(language);
        let picked = String::from(self.shown.zone.clone());
        let now = self
            .in_force
            .map(|now| &now.zone)
            .filter(|now| **now != self.shown.zone);
        let groups = book.zones(language);
        let is_offered = groups
            .iter()
            .flat_map(|group| &group.options)
            .any(|option| option.value == picked);
        // A name that is stored and not offered is still the customer's.
        let own = (!is_offered).then(|| {
            let mut own = zone_groups(words, &self.shown.zone);
            own.truncate(1);
            own
        });
        let groups = own.iter().flatten().chain(groups);
        context! {
            groups => Value::from_iter(groups.map(|group| Value::from(Serde(group)))),
            picked,
            problem => self.problem(words, "timezone"),
            now => now.map(|now| zones::city(&String::from(now.clone()))),
        }
    }

    fn quiet(&self, words: &Words) -> Value {
        let quiet = &self.shown.quiet;
        let times = [
            ("quiet-start", "quiet_start", &quiet.start),
            ("quiet-end", "quiet_end", &quiet.end),
        ];
        let times = times.map(|(id, word, value)| {
            context! { id, name => words.page(word), value, problem => self.problem(words, id) }
        });
        let now = self.in_force.map(|now| &now.quiet).filter(|now| *now != quiet);
        context! {
            is_on => quiet.is_on,
            times => Value::from_iter(times),
            problem => self.problem(words, "quiet"),
            now => now.map(|now| match now.is_on {
                true => format!("{} – {}", now.start, now.end),
                false => words.page("none_quiet").to_owned(),
            }),
        }
    }
}
