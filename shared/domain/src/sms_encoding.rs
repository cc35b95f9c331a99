//! How text messages travel: GSM-7 where possible, and how many segments that takes.
//!
//! The alphabet and the sizes are those of 3GPP TS 23.038 (section 6.2.1) and TS 23.040.

use std::fmt;

/// The letters of the basic GSM-7 alphabet; each takes one septet.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";

/// The letters behind an escape; each takes two septets.
const EXTENSION: &str = "\u{c}^{}\\[~]|€";

/// How the letters of a text message travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmsEncoding {
    /// Seven bits a letter: 160 in one segment, 153 in each of several.
    Gsm7,
    /// Sixteen bits a letter: 70 in one segment, 67 in each of several.
    Ucs2,
}

impl SmsEncoding {
    /// The name in the ledger.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gsm7 => "gsm7",
            Self::Ucs2 => "ucs2",
        }
    }

    /// The encoding of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Gsm7, Self::Ucs2]
            .into_iter()
            .find(|encoding| encoding.name() == name)
    }

    /// The encoding that carries every letter of this text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        if text.chars().all(|c| septets(c).is_some()) {
            Self::Gsm7
        } else {
            Self::Ucs2
        }
    }

    /// Whether it has this letter.
    #[must_use]
    pub fn carries(self, c: char) -> bool {
        self == Self::Ucs2 || septets(c).is_some()
    }

    /// How many segments this text takes.
    #[must_use]
    pub fn segments(self, text: &str) -> u8 {
        let (alone, together) = self.sizes();
        if self.units(text) <= alone {
            return 1;
        }
        // A letter of two units is never cut in two, so a segment may end one unit early.
        let sizes = text.chars().map(|c| self.size(c));
        let (segments, _) = sizes.fold((1_u8, 0), |(segments, filled), size| {
            if filled + size <= together {
                (segments, filled + size)
            } else {
                (segments.saturating_add(1), size)
            }
        });
        segments
    }

    /// The text as it travels: one part per segment.
    #[must_use]
    pub fn parts(self, text: &str) -> Vec<&str> {
        let (alone, together) = self.sizes();
        let mut parts = Vec::new();
        let mut rest = text;
        while self.units(rest) > if parts.is_empty() { alone } else { together } {
            let mut filled = 0;
            let mut letters = rest.char_indices();
            let end = letters.find_map(|(at, c)| {
                filled += self.size(c);
                (filled > together).then_some(at)
            });
            let Some((part, after)) = end.and_then(|end| rest.split_at_checked(end)) else {
                break;
            };
            parts.push(part);
            rest = after;
        }
        parts.push(rest);
        parts
    }

    /// How much this text takes: of GSM-7 in septets, of UCS-2 in pairs of octets.
    #[must_use]
    pub fn units(self, text: &str) -> usize {
        text.chars().map(|c| self.size(c)).sum()
    }

    /// How much so many segments hold, in the same units.
    #[must_use]
    pub fn room(self, segments: u8) -> usize {
        let (alone, together) = self.sizes();
        if segments <= 1 {
            alone
        } else {
            together * usize::from(segments)
        }
    }

    /// What one segment holds alone, and what each of several holds.
    const fn sizes(self) -> (usize, usize) {
        match self {
            Self::Gsm7 => (160, 153),
            Self::Ucs2 => (70, 67),
        }
    }

    fn size(self, c: char) -> usize {
        match self {
            Self::Gsm7 => septets(c).unwrap_or(2),
            Self::Ucs2 => c.len_utf16(),
        }
    }
}

/// How many septets a letter takes; none when GSM-7 has it not.
fn septets(c: char) -> Option<usize> {
    if BASIC.contains(c) {
        Some(1)
    } else {
        EXTENSION.contains(c).then_some(2)
    }
}

impl fmt::Display for SmsEncoding {
    /// As 3GPP TS 23.038 writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gsm7 => "GSM-7",
            Self::Ucs2 => "UCS-2",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segments(text: &str) -> (SmsEncoding, u8) {
        let encoding = SmsEncoding::of(text);
        (encoding, encoding.segments(text))
    }

    #[test]
    fn an_encoding_is_known_by_its_name() {
        for encoding in [SmsEncoding::Gsm7, SmsEncoding::Ucs2] {
            assert_eq!(SmsEncoding::from_name(encoding.name()), Some(encoding));
        }
        assert_eq!(SmsEncoding::from_name("GSM-7"), None);
    }

    #[test]
    fn one_segment_holds_160_letters_and_several_hold_153_each() {
        assert_eq!(segments(&"a".repeat(160)), (SmsEncoding::Gsm7, 1));
        assert_eq!(segments(&"a".repeat(161)), (SmsEncoding::Gsm7, 2));
        assert_eq!(segments(&"a".repeat(306)), (SmsEncoding::Gsm7, 2));
        assert_eq!(segments(&"a".repeat(307)), (SmsEncoding::Gsm7, 3));
    }

    #[test]
    fn a_euro_sign_counts_two() {
        assert_eq!(segments(&"€".repeat(80)), (SmsEncoding::Gsm7, 1));
        assert_eq!(segments(&"€".repeat(81)), (SmsEncoding::Gsm7, 2));
    }

    #[test]
    fn a_letter_of_two_septets_is_not_cut_between_two_segments() {
        let text = format!("{}€{}", "a".repeat(152), "a".repeat(152));
        assert_eq!(segments(&text), (SmsEncoding::Gsm7, 3));
    }

    #[test]
    fn a_text_is_parted_where_its_segments_end() {
        let parts = |text: &str| -> Vec<usize> {
            let parts = SmsEncoding::of(text).parts(text).into_iter();
            parts.map(|part| part.chars().count()).collect()
        };
        assert_eq!(parts(""), [0]);
        assert_eq!(parts(&"a".repeat(160)), [160]);
        assert_eq!(parts(&"a".repeat(161)), [153, 8]);
        assert_eq!(
            parts(&format!("{}€{}", "a".repeat(152), "a".repeat(152))),
            [152, 152, 1]
        );
        assert_eq!(parts(&"ш".repeat(70)), [70]);
        assert_eq!(parts(&"ш".repeat(134)), [67, 67]);
        assert_eq!(parts(&format!("{}🦊ш", "ш".repeat(66))), [68]);
        assert_eq!(parts(&format!("{}🦊шшш", "ш".repeat(66))), [66, 4]);
    }

    proptest::proptest! {
        #[test]
        fn the_parts_are_the_whole_text_and_as_many_as_its_segments(text in "[a€ш🦊]{0,400}") {
            let encoding = SmsEncoding::of(&text);
            let parts = encoding.parts(&text);
            proptest::prop_assert_eq!(parts.concat(), text.clone());
            proptest::prop_assert_eq!(parts.len(), usize::from(encoding.segments(&text)));
            proptest::prop_assert!(encoding.units(&text) <= encoding.room(encoding.segments(&text)));
        }
    }

    #[test]
    fn a_foreign_letter_makes_every_letter_twice_as_large() {
        assert_eq!(segments(&"ш".repeat(70)), (SmsEncoding::Ucs2, 1));
        assert_eq!(segments(&"ш".repeat(71)), (SmsEncoding::Ucs2, 2));
        assert_eq!(segments(&"ш".repeat(134)), (SmsEncoding::Ucs2, 2));
        assert_eq!(segments(&"ш".repeat(135)), (SmsEncoding::Ucs2, 3));
        assert_eq!(segments(&"🦊".repeat(35)), (SmsEncoding::Ucs2, 1));
    }
}
