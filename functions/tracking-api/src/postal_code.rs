//! Whether somebody knows the postal code to which a parcel goes. Addresses are kept as lines, so that the code is any word of one that
//! could be a code, or two words next to each other, as in `SW1A 1AA` and `110 00 Praha`.

use sha2::{Digest, Sha256};
use std::hint::black_box;
use subtle::{Choice, ConstantTimeEq};

/// Codes are at least so long; a shorter word, such as a house number, would be guessed too soon.
const SHORTEST: usize = 4;

/// The longest code has ten characters (ZIP+4), with blanks or hyphens that do not count.
const LONGEST: usize = 16;

/// What a code is compared with in the place of an address that is not there.
const STAND_IN: [&str; 3] = ["Stand-in Street 1", "12345 Stand-in", "Stand-in"];

/// Whether this is the postal code of an address. Where there is none, the same is done, and the answer is no.
pub(crate) fn is_code_of(code: &str, address: Option<&[String]>) -> bool {
    let code = plain(code);
    let (lines, is_there): (Vec<&str>, bool) = match address {
        Some(lines) => (lines.iter().map(String::as_str).collect(), true),
        None => (STAND_IN.to_vec(), false),
    };
    let wanted = Sha256::digest(code.as_bytes());
    let mut is_found = Choice::from(0);
    for line in lines {
        let words: Vec<String> = line
            .split(is_between)
            .map(plain)
            .filter(|word| !word.is_empty())
            .collect();
        let pairs = words.windows(2).map(<[String]>::concat);
        for candidate in words.iter().cloned().chain(pairs) {
            let is_same = Sha256::digest(candidate.as_bytes()).ct_eq(&wanted);
            is_found |= is_same & Choice::from(u8::from(could_be_code(&candidate)));
        }
    }
    let is_found: bool = black_box(is_found).into();
    is_found & is_there & could_be_code(&code)
}

/// Without blanks, hyphens and case.
fn plain(text: &str) -> String {
    let letters = text.chars().filter(|c| c.is_alphanumeric());
    // More than any code has: what is cut off is none anyway.
    letters.flat_map(char::to_uppercase).take(LONGEST + 1).collect()
}

fn is_between(c: char) -> bool {
    c.is_whitespace() || matches!(c, ',' | ';' | '.' | '/' | '(' | ')')
}

fn could_be_code(word: &str) -> bool {
    let length = word.chars().count();
    (SHORTEST..=LONGEST).contains(&length) && word.chars().any(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn opens(code: &str, lines: &[&str]) -> bool {
        let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        is_code_of(code, Some(&lines))
    }

    #[test]
    fn a_code_is_known_however_it_is_written() {
        for (code, line) in [
            ("28013", "28013 Madrid"),
            (" 28013 ", "Madrid, 28013, España"),
            ("sw1a1aa", "London SW1A 1AA"),
            ("SW1A 1AA", "London SW1A1AA"),
            ("110 00", "110 00 Praha"),
            ("11000", "110 00 Praha"),
            ("00-950", "00-950 Warszawa"),
            ("00950", "00-950 Warszawa"),
            ("1000-001", "1000-001 Lisboa"),
            ("94103-1234", "San Francisco, CA 94103-1234"),
            ("d02x285", "Dublin D02 X285"),
            ("1012 ab", "1012 AB Amsterdam"),
        ] {
            assert!(opens(code, &["Ana Pérez", line]), "{code} in {line}");
        }
    }

    #[test]
    fn what_is_no_code_opens_nothing() {
        for (code, line) in [
            ("28014", "28013 Madrid"),
            ("2801", "28013 Madrid"),
            ("280130", "28013 Madrid"),
            ("", "28013 Madrid"),
            ("-", "28013 Madrid"),
            ("Madrid", "28013 Madrid"),
            ("12", "Calle Mayor 12"),
            ("123", "123 Main Street"),
            ("28013 Calle Mayor", "28013 Calle Mayor"),
            ("12345678901234567", "12345678901234567"),
        ] {
            assert!(!opens(code, &[line]), "{code} in {line}");
        }
        assert!(!opens("28013", &[]));
        assert!(!opens("1280", &["Calle Mayor 12", "80 Madrid"]));
    }

    #[test]
    fn the_stand_in_opens_nothing() {
        assert!(!is_code_of("12345", None));
    }

    proptest! {
        #[test]
        fn no_text_panics(code in any::<String>(), line in any::<String>()) {
            let _is_code = is_code_of(&code, Some(&[line]));
            prop_assert!(!is_code_of(&code, None));
        }
    }
}
