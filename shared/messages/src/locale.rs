//! Our languages as locales of the Unicode CLDR, and what words need of them.

use domain::Language;
use icu::locale::{Locale, locale};
use icu::plurals::{PluralCategory, PluralRules};

/// English is written as in Europe: "Friday, 27 November", `US$` for dollars.
pub(crate) const fn locale_of(language: Language) -> Locale {
    match language {
        Language::Es => locale!("es-ES"),
        Language::En => locale!("en-GB"),
        Language::Ro => locale!("ro-RO"),
        Language::Ru => locale!("ru-RU"),
    }
}

/// The CLDR plural category of a number of pieces: `one`, `few`, `many`, `other`.
pub(crate) fn plural_of(language: Language, count: u64) -> &'static str {
    let category = PluralRules::try_new_cardinal(locale_of(language).into())
        .map_or(PluralCategory::Other, |rules| rules.category_for(count));
    match category {
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
    fn russian_has_three_forms_where_english_has_two() {
        let forms = |language| [1, 2, 5, 21].map(|count| plural_of(language, count));
        assert_eq!(forms(Language::En), ["one", "other", "other", "other"]);
        assert_eq!(forms(Language::Ru), ["one", "few", "many", "one"]);
    }
}
