//! I8: no log line holds what nobody but the customer should tell.

use crate::chronicle::{Entry, Terms, What};
use crate::verdict::Invariant::I8;
use crate::verdict::Verdict;

/// Looks for every personal text in each log line. Upper and lower case of ASCII are the same: addresses are normalised.
pub(crate) struct Logs<'a> {
    personal: &'a [String],
    /// A bit for each pair of bytes, squeezed, with which a personal text begins: most of a line needs no closer look.
    beginnings: [u32; 32],
}

impl<'a> Logs<'a> {
    pub(crate) fn new(terms: &'a Terms) -> Self {
        let mut beginnings = [0; 32];
        for personal in &terms.personal {
            let mut bytes = personal.bytes();
            if let Some(first) = bytes.next()
                && let Some(row) = beginnings.get_mut(squeezed(first))
            {
                *row |= bytes.next().map_or(u32::MAX, |second| 1 << squeezed(second));
            }
        }
        Self {
            personal: &terms.personal,
            beginnings,
        }
    }

    pub(crate) fn hear(&self, entry: &Entry, verdict: &mut Verdict) {
        let What::LogLine { text } = &entry.what else {
            return;
        };
        if !self.may_hold(text.as_bytes()) {
            return;
        }
        for personal in self.personal {
            if holds(text.as_bytes(), personal.as_bytes()) {
                let text = format!("a log line holds the personal text `{personal}`");
                verdict.breach(I8, None, Some(entry.at_ms), text);
            }
        }
    }

    fn may_hold(&self, text: &[u8]) -> bool {
        let seconds = text.iter().skip(1).chain([&0]);
        text.iter().zip(seconds).enumerate().any(|(place, (first, second))| {
            let row = self.beginnings.get(squeezed(*first)).copied().unwrap_or_default();
            row & 1 << squeezed(*second) != 0 && {
                let rest = text.get(place..).unwrap_or_default();
                self.personal.iter().any(|personal| begins(rest, personal.as_bytes()))
            }
        })
    }
}

/// Five bits in which the two cases of a letter are the same.
fn squeezed(byte: u8) -> usize {
    usize::from(byte & 31)
}

fn begins(text: &[u8], personal: &[u8]) -> bool {
    !personal.is_empty()
        && text
            .get(..personal.len())
            .is_some_and(|beginning| beginning.eq_ignore_ascii_case(personal))
}

fn holds(text: &[u8], personal: &[u8]) -> bool {
    (0..text.len()).any(|place| begins(text.get(place..).unwrap_or_default(), personal))
}
