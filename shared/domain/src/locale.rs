//! The customer's language and time zone.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A language in which the shop writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Spanish.
    Es,
    /// English.
    En,
    /// Romanian.
    Ro,
    /// Russian.
    Ru,
}

/// A language or time zone that we do not know.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum InvalidLocale {
    /// Not one of our languages.
    #[error("expected a language out of es, en, ro, ru")]
    Language,
    /// No tag of a language at all.
    #[error("expected the tag of a language such as es or es-MX")]
    Tag,
    /// Not in the IANA time zone database.
    #[error("expected an IANA time zone such as Europe/Madrid")]
    Zone,
}

/// Languages that we do not write, and the one of ours that their speakers read as well: the other official languages of Spain,
/// and the older code of Romanian as written in Moldova.
const NEIGHBOURS: [(&str, Language); 6] = [
    ("ca", Language::Es),
    ("gl", Language::Es),
    ("eu", Language::Es),
    ("ast", Language::Es),
    ("an", Language::Es),
    ("mo", Language::Ro),
];

impl Language {
    /// The language of ours that a reader of this language is written to, if there is one: `es` for `es-MX` and for `ca`, nothing for
    /// `fr`. Whoever asks then goes on to the next wish: the event's, the customer's, the shop's.
    ///
    /// # Errors
    ///
    /// [`InvalidLocale::Tag`] when the text is no tag of a language (RFC 5646, section 2.1, as far as one can see).
    pub fn closest(tag: &str) -> Result<Option<Self>, InvalidLocale> {
        let mut parts = tag.trim().split(['-', '_']);
        let primary = parts.next().unwrap_or_default().to_ascii_lowercase();
        let is_tag = (2..=8).contains(&primary.len())
            && primary.chars().all(|c| c.is_ascii_alphabetic())
            && parts.all(|part| (1..=8).contains(&part.len()) && part.chars().all(|c| c.is_ascii_alphanumeric()));
        if !is_tag {
            return Err(InvalidLocale::Tag);
        }
        let ours = Self::ALL.into_iter().find(|language| language.code() == primary);
        let neighbour = || {
            NEIGHBOURS
                .into_iter()
                .find(|(code, _)| *code == primary)
                .map(|(_, ours)| ours)
        };
        Ok(ours.or_else(neighbour))
    }

    /// Every language.
    pub const ALL: [Self; 4] = [Self::Es, Self::En, Self::Ro, Self::Ru];

    /// The ISO 639-1 code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Es => "es",
            Self::En => "en",
            Self::Ro => "ro",
            Self::Ru => "ru",
        }
    }
}

impl TryFrom<&str> for Language {
    type Error = InvalidLocale;

    /// Reads `es`, `ES` and, for its first part, `es-ES` or `es_MX`.
    fn try_from(text: &str) -> Result<Self, InvalidLocale> {
        let primary = text.trim().split(['-', '_']).next().unwrap_or_default();
        Self::ALL
            .into_iter()
            .find(|language| language.code().eq_ignore_ascii_case(primary))
            .ok_or(InvalidLocale::Language)
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// A time zone of the IANA database, which travels as its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone(jiff::tz::TimeZone);

impl Zone {
    /// Greenwich.
    #[must_use]
    pub const fn utc() -> Self {
        Self(jiff::tz::TimeZone::UTC)
    }

    /// The names of all zones, in the order of the alphabet.
    pub fn names() -> impl Iterator<Item = String> {
        jiff::tz::db().available().map(|name| name.to_string())
    }

    /// The zone itself, to reckon with.
    #[must_use]
    pub fn tz(&self) -> &jiff::tz::TimeZone {
        &self.0
    }
}

impl TryFrom<&str> for Zone {
    type Error = InvalidLocale;

    fn try_from(name: &str) -> Result<Self, InvalidLocale> {
        jiff::tz::TimeZone::get(name.trim())
            .map(Self)
            .map_err(|_unknown| InvalidLocale::Zone)
    }
}

impl TryFrom<String> for Zone {
    type Error = InvalidLocale;

    fn try_from(name: String) -> Result<Self, InvalidLocale> {
        Self::try_from(name.as_str())
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.0.iana_name().unwrap_or("UTC").to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_read_with_its_region() {
        assert_eq!(Language::try_from("es-MX"), Ok(Language::Es));
        assert_eq!(Language::try_from("EN_gb"), Ok(Language::En));
        assert_eq!(Language::try_from("fr"), Err(InvalidLocale::Language));
    }

    #[test]
    fn a_language_that_we_do_not_write_leads_to_its_neighbour_or_to_the_next_wish() {
        assert_eq!(Language::closest("es-MX"), Ok(Some(Language::Es)));
        assert_eq!(Language::closest("ca_ES"), Ok(Some(Language::Es)));
        assert_eq!(Language::closest("mo"), Ok(Some(Language::Ro)));
        assert_eq!(Language::closest("fr-CA"), Ok(None));
        for text in ["", "e", "en us", "{{x}}", "es--mx", "en-", "123"] {
            assert_eq!(Language::closest(text), Err(InvalidLocale::Tag), "{text}");
        }
    }

    #[test]
    fn a_zone_travels_by_name() {
        let zone = Zone::try_from("Europe/Madrid").unwrap();
        assert_eq!(String::from(zone), "Europe/Madrid");
        assert_eq!(Zone::try_from("Mars/Olympus"), Err(InvalidLocale::Zone));
    }
}
