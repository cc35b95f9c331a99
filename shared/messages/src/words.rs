//! The built-in words and structures, as the build collected them.

use domain::Language;

use crate::name::TemplateName;

include!(concat!(env!("OUT_DIR"), "/templates.rs"));

/// The folder of what all messages share.
const SHARED_FOLDER: &str = "layout";

/// The section whose words the other sections of a file may use.
const SHARED_SECTION: &str = "shared";

/// Codes that mean the same as one of ours.
const SYNONYMS: [(&str, &str); 20] = [
    ("not_sufficient_funds", "insufficient_funds"),
    ("do_not_honor", "card_declined"),
    ("declined", "card_declined"),
    ("generic_decline", "card_declined"),
    // Whoever holds a lost or stolen card is not told that we know.
    ("lost_card", "card_declined"),
    ("stolen_card", "card_declined"),
    ("fraudulent", "card_declined"),
    ("card_expired", "expired_card"),
    ("invalid_cvc", "incorrect_cvc"),
    ("invalid_number", "incorrect_number"),
    ("authentication_failed", "authentication_required"),
    ("sca_required", "authentication_required"),
    ("withdrawal_count_limit_exceeded", "limit_exceeded"),
    ("credit_card", "card"),
    ("debit_card", "card"),
    ("transfer", "bank_transfer"),
    ("sold_out", "out_of_stock"),
    ("bad_weather", "weather"),
    ("nobody_home", "recipient_absent"),
    ("customer_not_available", "recipient_absent"),
];

/// The structure of a folder's e-mails, in HTML (`email.html`) or as plain text (`email.txt`).
pub(crate) fn structure(folder: &str, form: &str) -> Option<&'static str> {
    let found = STRUCTURES.iter().find(|(of, kind, _)| *of == folder && *kind == form);
    found.map(|(_, _, source)| *source)
}

/// What a message's words and structure were when this was built, in a few letters.
pub(crate) fn digest_of(folder: &str) -> &'static str {
    let found = DIGESTS.iter().find(|(of, _)| *of == folder);
    found.map_or("unknown", |(_, digest)| *digest)
}

/// The words of a section, by key.
pub(crate) fn section(
    folder: &str,
    language: Language,
    section: &str,
) -> impl Iterator<Item = (&'static str, &'static str)> {
    let code = language.code();
    let all = PHRASES
        .iter()
        .filter(move |(of, within, part, _, _)| *of == folder && *within == code && *part == section);
    let found: Vec<(&'static str, &'static str)> = all.map(|(_, _, _, key, text)| (*key, *text)).collect();
    found.into_iter()
}

fn phrase(folder: &str, language: Language, section: &str, key: &str) -> Option<&'static str> {
    let wanted = (folder, language.code(), section, key);
    let place = PHRASES
        .binary_search_by(|(folder, language, section, key, _)| (*folder, *language, *section, *key).cmp(&wanted));
    place
        .ok()
        .and_then(|place| PHRASES.get(place))
        .map(|(_, _, _, _, text)| *text)
}

/// The words that this template may use under this key: its own, its folder's, everybody's.
pub(crate) fn built_in(name: &TemplateName, key: &str) -> Option<&'static str> {
    phrase(name.folder(), name.language, name.section(), key)
        .or_else(|| phrase(name.folder(), name.language, SHARED_SECTION, key))
        .or_else(|| phrase(SHARED_FOLDER, name.language, SHARED_SECTION, key))
}

/// A publisher's code as we spell it: `insufficient_funds` for `Insufficient funds` and for `not_sufficient_funds`; nothing for what
/// is too long to be one.
pub(crate) fn code_of(text: &str) -> Option<String> {
    if text.len() > 60 {
        return None;
    }
    let code = text.trim().to_ascii_lowercase().replace([' ', '-', '.'], "_");
    let ours = SYNONYMS.iter().find(|(other, _)| *other == code);
    Some(ours.map_or(code, |(_, ours)| (*ours).to_owned()))
}

/// What a publisher's code means in plain words, if we know it.
pub(crate) fn meaning(name: &TemplateName, kind: &str, code: &str) -> Option<String> {
    let code = code_of(code)?;
    phrase(name.folder(), name.language, kind, &code).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_known_however_it_is_written() {
        let name = TemplateName::try_from("payment_failed/email/en").unwrap();
        let words = meaning(&name, "reasons", "insufficient_funds");
        assert!(words.is_some());
        for code in ["Insufficient Funds", " INSUFFICIENT-FUNDS", "not_sufficient_funds"] {
            assert_eq!(meaning(&name, "reasons", code), words, "{code}");
        }
        assert_eq!(meaning(&name, "reasons", "the dog ate it"), None);
    }

    #[test]
    fn a_synonym_means_something_in_every_language() {
        let kinds = [
            ("payment", "reasons"),
            ("payment", "methods"),
            ("order_status_update", "reasons"),
        ];
        for (_, ours) in SYNONYMS {
            for language in Language::ALL {
                assert!(
                    kinds
                        .iter()
                        .any(|(folder, kind)| phrase(folder, language, kind, ours).is_some()),
                    "{ours}"
                );
            }
        }
    }
}
