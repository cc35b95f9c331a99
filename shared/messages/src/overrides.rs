//! Overrides: words of a shop's own that take the place of built-in ones, without a deployment.
//!
//! An override changes words, never structure. It is checked before it is kept ([`Templates::check`]), and if it breaks all the
//! same when a message is rendered, the built-in words take over.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};

use domain::{Channel, NotificationType};
use minijinja::{Environment, Value, value::Serde};

use crate::{
    engine::{self, Wordless},
    facts::Facts,
    name::TemplateName,
    rendered::RenderedNote,
    samples,
    templates::Templates,
    weave::woven_phrase,
    words,
};

/// The keys of words that belong to other channels than e-mail.
const SMS_KEY: &str = "sms";
const TITLE_KEY: &str = "title";
const PUSH_KEY: &str = "push";
const IN_APP_KEY: &str = "in_app";

/// Larger e-mails are cut by the mail programs that most people use; half of a real one is its structure and its facts.
const LARGEST_EMAIL: usize = 102_000;

/// Words of a shop's own for one template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wording {
    /// Which template.
    pub name: TemplateName,
    /// Its version, from 1.
    pub version: u32,
    /// The words by key; a key that is missing keeps the built-in words.
    pub words: BTreeMap<String, String>,
}

/// The overrides in force, and the engine that renders them.
#[derive(Debug)]
pub(crate) struct InForce {
    versions: BTreeMap<TemplateName, u32>,
    pub(crate) environment: Environment<'static>,
}

impl Default for InForce {
    fn default() -> Self {
        Self::of(Vec::new())
    }
}

impl InForce {
    fn of(wordings: Vec<Wording>) -> Self {
        let versions = wordings.iter().map(|wording| (wording.name, wording.version)).collect();
        let words: BTreeMap<TemplateName, BTreeMap<String, String>> = wordings
            .into_iter()
            .map(|wording| (wording.name, wording.words))
            .collect();
        let environment = engine::environment(Wordless::Broken, move |name, key| {
            let own = words.get(name).and_then(|words| words.get(key));
            own.cloned().or_else(|| words::built_in(name, key).map(str::to_owned))
        });
        Self { versions, environment }
    }

    pub(crate) fn version_of(&self, name: &TemplateName) -> Option<u32> {
        self.versions.get(name).copied()
    }
}

impl Templates {
    /// From now on these overrides are in force, and no others.
    pub fn adopt(&self, wordings: Vec<Wording>) {
        let in_force = Arc::new(InForce::of(wordings));
        *self.in_force.write().unwrap_or_else(PoisonError::into_inner) = in_force;
    }

    /// The built-in words of a template, by key.
    #[must_use]
    pub fn built_in(name: &TemplateName) -> BTreeMap<String, String> {
        words::section(name.folder(), name.language, name.section())
            .filter(|(key, _)| belongs_to(key, name.channel))
            .map(|(key, text)| (key.to_owned(), text.to_owned()))
            .collect()
    }

    /// The version of the built-in words: changes with every word and every piece of structure.
    #[must_use]
    pub fn built_in_version(name: &TemplateName) -> &'static str {
        words::digest_of(name.folder())
    }

    /// The variables that words of this template may use.
    #[must_use]
    pub fn variables(name: &TemplateName) -> BTreeSet<String> {
        let mut known = BTreeSet::new();
        for content in samples::of(name.kind, name.status) {
            let codes = |kind: &str, code: &str| words::meaning(name, kind, code);
            let reader = samples::reader_of(name.kind, name.language);
            let facts = Facts::of(&content, name.language, &reader, &samples::shop(), &codes);
            collect(&Value::from(Serde(facts)), "", &mut known);
        }
        known
    }

    /// The variables that this wording uses.
    ///
    /// # Errors
    ///
    /// Everything that speaks against it: a key that the template does not have, words that do not compile, a variable that is
    /// not there, one that is needed and missing, a message of our samples that could not be rendered or whose end is cut off.
    pub fn check(wording: &Wording) -> Result<BTreeSet<String>, Vec<String>> {
        let name = &wording.name;
        let known = Self::variables(name);
        let built_in = Self::built_in(name);
        let mut problems = Vec::new();
        let mut used = BTreeSet::new();
        if wording.words.is_empty() {
            let keys: Vec<&str> = built_in.keys().map(String::as_str).collect();
            problems.push(format!("expected at least one of {}", keys.join(", ")));
        }
        for (key, phrase) in &wording.words {
            if !built_in.contains_key(key) {
                let keys: Vec<&str> = built_in.keys().map(String::as_str).collect();
                problems.push(format!("{key}: {name} has no such words, it has {}", keys.join(", ")));
                continue;
            }
            match variables_of(phrase, name) {
                Ok(variables) => {
                    for unknown in variables.difference(&known) {
                        let known: Vec<&str> = known.iter().map(String::as_str).collect();
                        let known = known.join(", ");
                        problems.push(format!("{key}: {unknown}: no such variable here; there are {known}"));
                    }
                    used.extend(variables);
                }
                Err(problem) => problems.push(format!("{key}: {problem}")),
            }
        }
        if problems.is_empty() {
            problems.extend(Self::missing(wording, &built_in));
            problems.extend(Self::unfit(wording));
        }
        match problems.is_empty() {
            true => Ok(used),
            false => Err(problems),
        }
    }

    /// What no message of this type may leave unsaid, and this one does although the built-in words say it.
    fn missing(wording: &Wording, built_in: &BTreeMap<String, String>) -> Option<String> {
        let needed = needed(wording.name.kind);
        let says_it = |own: &BTreeMap<String, String>| {
            built_in.iter().any(|(key, phrase)| {
                let said = variables_of(own.get(key).unwrap_or(phrase), &wording.name).unwrap_or_default();
                // The short form of a day says it as well.
                let mut said = said.iter().map(|name| name.replace("short_", ""));
                said.any(|name| name == needed)
            })
        };
        let is_missing = says_it(built_in) && !says_it(&wording.words);
        is_missing.then(|| format!("{needed}: the message has to say it, and does not"))
    }

    /// The samples that cannot be told in these words: by key where one alone breaks them, else together.
    fn unfit(wording: &Wording) -> BTreeSet<String> {
        let mut problems = BTreeSet::new();
        for (key, phrase) in &wording.words {
            let alone = Wording {
                words: BTreeMap::from([(key.clone(), phrase.clone())]),
                ..wording.clone()
            };
            problems.extend(
                Self::unfit_together(&alone)
                    .into_iter()
                    .map(|problem| format!("{key}: {problem}")),
            );
        }
        if problems.is_empty() {
            problems = Self::unfit_together(wording);
        }
        problems
    }

    fn unfit_together(wording: &Wording) -> BTreeSet<String> {
        let name = wording.name;
        let templates = Self::new();
        templates.adopt(vec![wording.clone()]);
        let reader = samples::reader_of(name.kind, name.language);
        let shop = samples::shop();
        let mut problems = BTreeSet::new();
        let mute = |text: &str| {
            text.trim()
                .is_empty()
                .then(|| "says nothing for one of the sample orders".to_owned())
        };
        for content in samples::of(name.kind, name.status) {
            let unfit_note = |note: RenderedNote| {
                let broken = note.origin.broken.or_else(|| mute(&note.title));
                broken.or_else(|| mute(&note.body))
            };
            let problem = match name.channel {
                Channel::Email => templates.email(&content, &reader, &shop).map(|email| {
                    let is_large = email.html.len() > LARGEST_EMAIL;
                    let large = || format!("makes an e-mail of more than {LARGEST_EMAIL} bytes");
                    let broken = email.origin.broken.or_else(|| mute(&email.subject));
                    broken.or_else(|| is_large.then(large))
                }),
                Channel::Sms => templates.sms(&content, &reader, &shop).map(|sms| {
                    let cut = || "takes more than two segments for an order with long names".to_owned();
                    let broken = sms.origin.broken.or_else(|| mute(&sms.text));
                    broken.or_else(|| sms.is_cut.then(cut))
                }),
                Channel::Push => templates.push(&content, &reader, &shop).map(unfit_note),
                Channel::InApp => templates.in_app(&content, &reader, &shop).map(unfit_note),
            };
            problems.extend(problem.unwrap_or_else(|error| Some(domain::chain(&error))));
        }
        problems
    }
}

/// Whether the words of this key are for this channel.
fn belongs_to(key: &str, channel: Channel) -> bool {
    match key {
        SMS_KEY => channel == Channel::Sms,
        TITLE_KEY => matches!(channel, Channel::Push | Channel::InApp),
        PUSH_KEY => channel == Channel::Push,
        IN_APP_KEY => channel == Channel::InApp,
        _ => channel == Channel::Email,
    }
}

/// What messages of this type have to say in their words, whatever these are.
const fn needed(kind: NotificationType) -> &'static str {
    use NotificationType as Type;
    match kind {
        Type::OrderConfirmation
        | Type::OrderStatusUpdate
        | Type::PaymentSucceeded
        | Type::PaymentFailed
        | Type::PaymentRefunded
        | Type::PaymentProcessing => "order.id",
        Type::PayoutProcessed | Type::PayoutFailed => "payout.amount",
        Type::AccountUpdate => "account.change",
        Type::LowStock => "product.name",
        Type::Promotional => "campaign.title",
        Type::SystemMaintenance => "maintenance.start",
        Type::Test => "shop.name",
    }
}

/// The variables of a phrase and of the words that it uses.
fn variables_of(phrase: &str, name: &TemplateName) -> Result<BTreeSet<String>, String> {
    let woven = woven_phrase(phrase, &|key| words::built_in(name, key).map(str::to_owned))?;
    let environment = Environment::new();
    let compiled = environment
        .template_from_str(&woven)
        .map_err(|error| domain::chain(&error))?;
    Ok(compiled.undeclared_variables(true).into_iter().collect())
}

/// The names under which a value and its parts are known.
fn collect(value: &Value, path: &str, names: &mut BTreeSet<String>) {
    if !path.is_empty() {
        names.insert(path.to_owned());
    }
    if value.kind() != minijinja::value::ValueKind::Map {
        return;
    }
    for key in value.try_iter().into_iter().flatten() {
        let Some(name) = key.as_str() else { continue };
        let path = if path.is_empty() {
            name.to_owned()
        } else {
            format!("{path}.{name}")
        };
        collect(&value.get_attr(name).unwrap_or_default(), &path, names);
    }
}
