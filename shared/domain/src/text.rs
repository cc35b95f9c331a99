//! Text as it came from outside, made safe to store and to put into one line.

/// Whether SQS and XML 1.0 carry this character. SQS refuses a whole message for one character outside
/// `#x9 | #xA | #xD | #x20–#xD7FF | #xE000–#xFFFD | #x10000–#x10FFFF` (SQS API reference, `SendMessage`).
fn is_carried(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

/// One line: control characters and line breaks become spaces, runs of white space one space, ends trimmed.
///
/// A name such as `"Ana\r\nBcc: x@example.com"` stays readable and cannot start a new header.
#[must_use]
pub fn clean_line(text: &str) -> String {
    if is_clean_line(text) {
        return text.to_owned();
    }
    let spaced: String = text
        .chars()
        .map(|c| {
            if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') {
                ' '
            } else {
                c
            }
        })
        .filter(|c| is_carried(*c))
        .collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether cleaning would change nothing, as with almost every text.
fn is_clean_line(text: &str) -> bool {
    let mut last = ' ';
    for c in text.chars() {
        let is_odd = c.is_whitespace() && c != ' ' || c == ' ' && last == ' ';
        if is_odd || c.is_control() || !is_carried(c) {
            return false;
        }
        last = c;
    }
    last != ' ' || text.is_empty()
}

/// Whether a text may serve as an identifier as it is: nothing in it is invisible to the eye or refused by SQS.
pub(crate) fn is_plain(text: &str) -> bool {
    text.chars().all(|c| is_carried(c) && !c.is_control())
}

/// Several lines: line breaks stay, characters that SQS refuses go, ends trimmed.
#[must_use]
pub fn clean_block(text: &str) -> String {
    let text: String = text
        .chars()
        .filter(|c| is_carried(*c) && (!c.is_control() || matches!(c, '\n' | '\t')))
        .collect();
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_line_break_in_a_name_becomes_a_space() {
        assert_eq!(clean_line("Ana\r\nBcc: x@example.com"), "Ana Bcc: x@example.com");
    }

    #[test]
    fn emoji_and_right_to_left_letters_stay() {
        assert_eq!(clean_line(" 🦊 שרה "), "🦊 שרה");
    }

    proptest! {
        #[test]
        fn what_was_cleaned_is_always_carried_by_sqs(text in any::<String>()) {
            prop_assert!(clean_line(&text).chars().all(is_carried));
            prop_assert!(clean_block(&text).chars().all(is_carried));
        }

        #[test]
        fn a_text_that_looks_clean_is_what_cleaning_makes_of_it(text in "[a-zñ \\t\u{a0}\u{2028}\u{7}]{0,12}") {
            let parts: Vec<&str> = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|part| !part.is_empty()).collect();
            prop_assert_eq!(clean_line(&text), parts.join(" "));
        }

        #[test]
        fn cleaning_twice_changes_nothing(text in any::<String>()) {
            prop_assert_eq!(clean_line(&clean_line(&text)), clean_line(&text));
            prop_assert_eq!(clean_block(&clean_block(&text)), clean_block(&text));
        }
    }
}
