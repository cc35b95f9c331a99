//! Texts as short as mobile networks carry them: without letters that cost segments, and cut where they would take too many.

use domain::SmsEncoding;
use icu::normalizer::DecomposingNormalizerBorrowed;
use icu::properties::{
    CodePointMapData,
    props::{GeneralCategory, GeneralCategoryGroup},
};

/// Letters that no decomposition brings into GSM-7, and what is written for them.
const REPLACEMENTS: [(char, &str); 24] = [
    ('‘', "'"),
    ('’', "'"),
    ('‚', "'"),
    ('′', "'"),
    ('`', "'"),
    ('´', "'"),
    ('“', "\""),
    ('”', "\""),
    ('„', "\""),
    ('«', "\""),
    ('»', "\""),
    ('–', "-"),
    ('—', "-"),
    ('‑', "-"),
    ('−', "-"),
    ('•', "-"),
    ('·', "-"),
    ('×', "x"),
    ('ł', "l"),
    ('Ł', "L"),
    ('đ', "d"),
    ('Đ', "D"),
    ('œ', "oe"),
    ('ı', "i"),
];

/// What stands between the digits of a fraction that was taken apart.
const FRACTION_SLASH: char = '\u{2044}';

/// More than this nobody is sent.
pub(crate) const MOST_SEGMENTS: u8 = 2;

/// The text with everything replaced that would force UCS-2 without need: accents that GSM-7 lacks, typographic
/// quotes, dashes and spaces. Emoji and invisible characters go. Letters of other scripts stay.
pub(crate) fn simplified(text: &str) -> String {
    let categories = CodePointMapData::<GeneralCategory>::new();
    let decomposed = DecomposingNormalizerBorrowed::new_nfkd();
    let mut simple = String::with_capacity(text.len());
    for c in text.chars() {
        let category = categories.get(c);
        if SmsEncoding::Gsm7.carries(c) && !c.is_control() {
            simple.push(c);
        } else if let Some((_, instead)) = REPLACEMENTS.iter().find(|(letter, _)| *letter == c) {
            simple.push_str(instead);
        } else if c.is_whitespace() || c.is_control() {
            simple.push(' ');
        } else {
            let parts = decomposed.normalize_iter(std::iter::once(c));
            let parts = parts.map(|part| if part == FRACTION_SLASH { '/' } else { part });
            let plain: String = parts.filter(|part| SmsEncoding::Gsm7.carries(*part)).collect();
            let is_fraction =
                plain.len() > 1 && plain.contains('/') && simple.ends_with(|last: char| last.is_ascii_digit());
            let is_foreign =
                GeneralCategoryGroup::Letter.contains(category) || GeneralCategoryGroup::Number.contains(category);
            let is_mark = GeneralCategoryGroup::Mark.contains(category)
                && simple
                    .chars()
                    .next_back()
                    .is_some_and(|last| !SmsEncoding::Gsm7.carries(last));
            if !plain.trim().is_empty() {
                // 2½ is two and a half, not 21/2.
                simple.push_str(if is_fraction { " " } else { "" });
                simple.push_str(&plain);
            } else if is_foreign || is_mark {
                simple.push(c);
            }
        }
    }
    simple.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The text, cut between two letters where it would take more segments than anybody is sent.
pub(crate) fn cut(text: &str) -> String {
    const ENDING: &str = "...";
    let encoding = SmsEncoding::of(text);
    if encoding.segments(text) <= MOST_SEGMENTS {
        return text.to_owned();
    }
    // No letter takes less than a septet, and two segments have 306 of them.
    let mut kept: String = text.chars().take(306).collect();
    while kept.pop().is_some() {
        let ended = format!("{}{ENDING}", kept.trim_end());
        if encoding.segments(&ended) <= MOST_SEGMENTS {
            return ended;
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segments(text: &str) -> (SmsEncoding, u8) {
        let encoding = SmsEncoding::of(text);
        (encoding, encoding.segments(text))
    }

    #[test]
    fn accents_that_gsm_lacks_go_and_those_it_has_stay() {
        assert_eq!(
            simplified("Está en camino: mañana, según Ángel, él y Müller"),
            "Esta en camino: mañana, segun Angel, él y Müller"
        );
        assert_eq!(simplified("Łódź, Timișoara, ç"), "Lodz, Timisoara, c");
    }

    #[test]
    fn a_fraction_stays_a_fraction() {
        assert_eq!(simplified("½ l, 2¼ m, 1⁄3"), "1/2 l, 2 1/4 m, 1/3");
    }

    #[test]
    fn a_ligature_of_another_script_stays() {
        assert_eq!(simplified("ﷺ ﷲ"), "ﷺ ﷲ");
    }

    #[test]
    fn quotes_dashes_and_hard_spaces_become_plain_ones() {
        assert_eq!(
            simplified("“86,50\u{a0}€” – it’s…\u{202f}ok"),
            "\"86,50 €\" - it's... ok"
        );
    }

    #[test]
    fn an_emoji_does_not_triple_the_bill() {
        assert_eq!(segments(&simplified("Fox 🦊👍🏽❤️👨‍👩‍👧 shop")), (SmsEncoding::Gsm7, 1));
        assert_eq!(simplified("Fox 🦊 shop"), "Fox shop");
    }

    #[test]
    fn letters_of_other_scripts_stay_letters() {
        assert_eq!(simplified("Привет, שרה и नमस्ते"), "Привет, שרה и नमस्ते");
    }

    #[test]
    fn a_text_without_end_is_cut_at_two_segments() {
        let text = cut(&"€".repeat(500));
        assert_eq!(segments(&text), (SmsEncoding::Gsm7, 2));
        assert!(text.ends_with("..."), "{text}");
    }
}
