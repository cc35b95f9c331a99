//! The countries to whose numbers text messages are sent.

use std::collections::HashSet;

use crate::PhoneNumber;
use crate::numbering_plan::Country;

/// The countries to whose numbers text messages are sent; the default is every country.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Countries(HashSet<Country>);

/// A text that is no list of countries.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "expected ISO 3166 codes of two letters with commas between them, such as ES,RO, or nothing for every country, got {got:?}"
)]
pub struct InvalidCountry {
    /// The part of the list that is no code.
    pub got: String,
}

impl Countries {
    /// Whether text messages are sent to this number. One that belongs to no country, such as those of satellite networks, is
    /// served only where every number is.
    #[must_use]
    pub fn serve(&self, number: &PhoneNumber) -> bool {
        self.0.is_empty() || number.country().is_some_and(|country| self.0.contains(&country))
    }
}

impl TryFrom<&str> for Countries {
    type Error = InvalidCountry;

    /// Reads `ES,RO`, in any case; a blank text is every country.
    fn try_from(text: &str) -> Result<Self, InvalidCountry> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        let codes = text.split(',').map(str::trim).map(|code| {
            let country = Country::of_code(&code.to_ascii_uppercase());
            country.ok_or_else(|| InvalidCountry { got: code.to_owned() })
        });
        codes.collect::<Result<HashSet<Country>, _>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> PhoneNumber {
        PhoneNumber::try_from(text).unwrap()
    }

    #[test]
    fn a_number_belongs_to_its_country_and_not_to_its_dialling_code() {
        let countries = Countries::try_from("ES, gb,US").unwrap();
        for (text, is_served) in [
            ("+34600123456", true),
            ("+447400123456", true),
            // Jersey, which shares the code of the United Kingdom.
            ("+447797123456", false),
            ("+15208782491", true),
            // Canada, which shares the code of the United States.
            ("+16137827274", false),
            ("+40712345678", false),
        ] {
            assert_eq!(countries.serve(&number(text)), is_served, "{text}");
        }
    }

    #[test]
    fn an_empty_list_serves_every_number() {
        let every = Countries::try_from(" ").unwrap();
        assert_eq!(every, Countries::default());
        assert!(every.serve(&number("+40712345678")) && every.serve(&number("+80012340000")));
        assert!(!Countries::try_from("ES").unwrap().serve(&number("+80012340000")));
    }

    #[test]
    fn what_is_no_code_is_named() {
        for (text, got) in [("ES,UK", "UK"), ("Spain", "Spain"), ("ES,,RO", ""), ("ES;RO", "ES;RO")] {
            assert_eq!(
                Countries::try_from(text),
                Err(InvalidCountry { got: got.to_owned() }),
                "{text}"
            );
        }
        assert_eq!(
            Countries::try_from("UK").unwrap_err().to_string(),
            "expected ISO 3166 codes of two letters with commas between them, such as ES,RO, or nothing for every country, got \"UK\""
        );
    }
}
