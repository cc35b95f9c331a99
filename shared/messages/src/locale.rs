//! Our languages as locales of the Unicode CLDR, and what words need of them.

use std::cell::OnceCell;
use std::thread::LocalKey;

use domain::Language;
use icu::locale::{Locale, locale};
use icu::plurals::{PluralCategory, PluralRules};

/// English is written as in Europe: "Friday 27 November", `US$` for dollars.
pub(crate) const fn locale_of(language: Language) -> Locale {
    match language {
        Language::Es => locale!("es-ES"),
        Language::En => locale!("en-GB"),
        Language::Ro => locale!("ro-RO"),
        Language::Ru => locale!("ru-RU"),
    }
}

/// What ICU needs time to prepare, prepared once per thread and language.
pub(crate) struct PerLanguage<T>([OnceCell<Option<T>>; 4]);

impl<T> Default for PerLanguage<T> {
    fn default() -> Self {
        Self(std::array::from_fn(|_| OnceCell::new()))
    }
}

impl<T> PerLanguage<T> {
    /// What `use_it` makes of the thing of that language; nothing when it cannot be made.
    pub(crate) fn with<R>(
        key: &'static LocalKey<Self>,
        language: Language,
        make: impl FnOnce() -> Option<T>,
        use_it: impl FnOnce(&T) -> R,
    ) -> Option<R> {
        let place = match language {
            Language::Es => 0,
            Language::En => 1,
            Language::Ro => 2,
            Language::Ru => 3,
        };
        key.with(|all| Some(use_it(all.0.get(place)?.get_or_init(make).as_ref()?)))
    }
}

thread_local! {
    static PLURALS: PerLanguage<PluralRules> = PerLanguage::default();
}

/// The CLDR plural category of a number of pieces: `one`, `few`, `many`, `other`.
pub(crate) fn plural_of(language: Language, count: u64) -> &'static str {
    let category = PerLanguage::with(
        &PLURALS,
        language,
        || PluralRules::try_new_cardinal(locale_of(language).into()).ok(),
        |rules| rules.category_for(count),
    );
    match category.unwrap_or(PluralCategory::Other) {
        PluralCategory::Zero => "zero",
        PluralCategory::One => "one",
        PluralCategory::Two => "two",
        PluralCategory::Few => "few",
        PluralCategory::Many => "many",
        PluralCategory::Other => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_language_counts_in_its_own_way() {
        let forms = |language| [1, 2, 5, 21].map(|count| plural_of(language, count));
        assert_eq!(forms(Language::En), ["one", "other", "other", "other"]);
        assert_eq!(forms(Language::Es), ["one", "other", "other", "other"]);
        assert_eq!(forms(Language::Ro), ["one", "few", "few", "other"]);
        assert_eq!(forms(Language::Ru), ["one", "few", "many", "one"]);
    }
}
