//! Writes the pages: our templates, in every language, in the look of the shop.

use domain::Language;
use messages::{Shop, ShopFacts};
use minijinja::value::Serde;
use minijinja::{Environment, Error, UndefinedBehavior, Value, context};
use std::collections::{BTreeMap, HashMap};

use crate::Defaults;
use crate::look::Look;
use crate::screens::{self, ZoneGroup};
use crate::words::Words;

const FRAME: &str = include_str!("page/frame.html");
const NOTICE: &str = include_str!("page/notice.html");

/// The pages inside the frame, by name.
const PAGES: [(&str, &str); 3] = [
    ("told.html", include_str!("page/told.html")),
    ("stop.html", include_str!("page/stop.html")),
    ("choices.html", include_str!("page/choices.html")),
];

/// A template of ours that cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error("could not prepare the pages")]
pub struct BrokenPages(#[from] Error);

/// Everything that a page is written with.
#[derive(Debug)]
pub(crate) struct Book {
    environment: Environment<'static>,
    chapters: HashMap<Language, Chapter>,
    shop: ShopFacts,
    look: Look,
}

/// One language.
#[derive(Debug)]
struct Chapter {
    words: Words,
    of_templates: BTreeMap<&'static str, &'static str>,
    zones: Vec<ZoneGroup>,
    /// What everybody is told whose link opens nothing: written once, so that it is the same to the letter, and takes the same time.
    refused: String,
}

impl Book {
    /// The pages of this shop.
    pub(crate) fn new(shop: &Shop, defaults: &Defaults) -> Result<Self, BrokenPages> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.remove_filter("safe");
        environment.add_filter("fill", |text: &str, shop: &str| text.replace("{shop}", shop));
        if let Ok(syntax) = minijinja::syntax::SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .build()
        {
            environment.set_syntax(syntax);
        }
        for (name, page) in PAGES {
            let page = page.replace("<!-- notice -->", NOTICE.trim_end());
            environment.add_template_owned(name, FRAME.replace("<!-- content -->", page.trim_end()))?;
        }
        let shop = shop.facts();
        let look = Look::of(&shop);
        let chapter = |language| {
            let words = Words::of(language);
            let chapter = Chapter {
                of_templates: words.pages(),
                zones: screens::zone_groups(&words, &defaults.night.zone),
                words,
                refused: String::new(),
            };
            (language, chapter)
        };
        let mut book = Self {
            environment,
            chapters: Language::ALL.map(chapter).into(),
            shop,
            look,
        };
        for language in Language::ALL {
            let refused = screens::refused(&book, language)?;
            if let Some(chapter) = book.chapters.get_mut(&language) {
                chapter.refused = refused;
            }
        }
        Ok(book)
    }

    /// The words of a language.
    pub(crate) fn words(&self, language: Language) -> &Words {
        &self.chapter(language).words
    }

    /// The zones that can be chosen, with their names in this language.
    pub(crate) fn zones(&self, language: Language) -> &[ZoneGroup] {
        &self.chapter(language).zones
    }

    /// What is told to whoever has no link.
    pub(crate) fn refused(&self, language: Language) -> &str {
        &self.chapter(language).refused
    }

    /// What customers call the shop.
    pub(crate) fn shop_name(&self) -> &str {
        &self.shop.name
    }

    /// What browsers are told that a page may do.
    pub(crate) fn policy(&self) -> &str {
        &self.look.policy
    }

    /// A page by its name, with what it shows.
    pub(crate) fn write(
        &self,
        page: &str,
        language: Language,
        title: &str,
        shown: Value,
    ) -> Result<String, BrokenPages> {
        let frame = context! {
            language => language.code(),
            languages => screens::languages(),
            mailbox => self.shop.mailbox(),
            shop => Value::from(Serde(&self.shop)),
            style => Value::from_safe_string(self.look.style.clone()),
            title,
            w => Value::from(Serde(&self.chapter(language).of_templates)),
            ..shown
        };
        Ok(self.environment.get_template(page)?.render(frame)?)
    }

    #[expect(clippy::indexing_slicing, reason = "there is one for every language")]
    fn chapter(&self, language: Language) -> &Chapter {
        &self.chapters[&language]
    }
}
