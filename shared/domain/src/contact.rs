//! Where a message goes: an e-mail address or a phone number that is known to be well-formed.

use serde::{Deserialize, Serialize};
use std::fmt;

use crate::numbering_plan::{self, Country, Owner};

/// An e-mail address that SES takes: ASCII before the `@`, a domain (in its ASCII form) after it.
///
/// `Debug` shows no letter of it, so that it cannot slip into a log.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmailAddress(String);

/// A phone number in E.164 (`+34600000000`) that the numbering plan of its country knows.
///
/// `Debug` shows no digit of it.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PhoneNumber(String);

/// An address that cannot be delivered to. Carries no part of the address.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum InvalidContact {
    /// Not an address that SES takes.
    #[error("expected an e-mail address such as ana@example.com")]
    Email,
    /// Not a number of its country's numbering plan, or not in E.164.
    #[error("expected a phone number in E.164 such as +34600000000")]
    Phone,
}

impl EmailAddress {
    /// The address as it is handed to SES.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address in lower case: what counts as the same recipient.
    #[must_use]
    pub fn normalised(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl TryFrom<&str> for EmailAddress {
    type Error = InvalidContact;

    fn try_from(text: &str) -> Result<Self, InvalidContact> {
        let (local, domain) = text.trim().rsplit_once('@').ok_or(InvalidContact::Email)?;
        // SES has no SMTPUTF8; a domain of other letters has an ASCII form, a mailbox has none.
        if !local.is_ascii() || local.starts_with('"') || !domain.contains('.') {
            return Err(InvalidContact::Email);
        }
        let domain = idna::domain_to_ascii_strict(domain).map_err(|_not_a_domain| InvalidContact::Email)?;
        let address = format!("{local}@{domain}");
        if address.len() > 254 || !email_address::EmailAddress::is_valid(&address) {
            return Err(InvalidContact::Email);
        }
        Ok(Self(address))
    }
}

impl PhoneNumber {
    /// The number in E.164.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The country in whose numbering plan it is; none for the numbers of no country.
    pub(crate) fn country(&self) -> Option<Country> {
        match numbering_plan::owner(self.0.strip_prefix('+')?)? {
            Owner::Country(country) => Some(country),
            Owner::Nobody => None,
        }
    }
}

/// Whether people write this between the digits of a number: a space, a bracket, a stroke or a stop.
fn separates(letter: char) -> bool {
    matches!(
        letter,
        ' ' | '(' | ')' | '-' | '.' | '/' | '\u{a0}' | '\u{2010}'..='\u{2015}' | '\u{202f}'
    )
}

impl TryFrom<&str> for PhoneNumber {
    type Error = InvalidContact;

    /// Reads `+`, calling code and number, with what people write between digits and a trunk prefix after the calling code:
    /// `+44 (0)7400 123456`. Extensions and letters in the place of digits are refused.
    fn try_from(text: &str) -> Result<Self, InvalidContact> {
        let written = text.trim().strip_prefix('+').ok_or(InvalidContact::Phone)?;
        let digits: String = written.chars().filter(|letter| !separates(*letter)).collect();
        if numbering_plan::owner(&digits).is_some() {
            return Ok(Self(format!("+{digits}")));
        }
        let digits = numbering_plan::without_trunk_prefix(&digits).ok_or(InvalidContact::Phone)?;
        numbering_plan::owner(&digits).ok_or(InvalidContact::Phone)?;
        Ok(Self(format!("+{digits}")))
    }
}

macro_rules! private_text {
    ($name:ident) => {
        impl TryFrom<String> for $name {
            type Error = InvalidContact;

            fn try_from(text: String) -> Result<Self, InvalidContact> {
                Self::try_from(text.as_str())
            }
        }

        impl From<$name> for String {
            fn from(contact: $name) -> Self {
                contact.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    };
}

private_text!(EmailAddress);
private_text!(PhoneNumber);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_address_with_a_second_header_is_refused() {
        for text in [
            "a@example.com\r\nBcc: b@example.com",
            "a",
            "@example.com",
            "a@b",
            "a b@example.com",
            "\"a b\"@example.com",
            "añá@example.com",
            "Ana <a@example.com>",
            "a@example.com,b@example.com",
        ] {
            assert_eq!(EmailAddress::try_from(text), Err(InvalidContact::Email), "{text}");
        }
    }

    #[test]
    fn a_domain_of_other_letters_gets_its_ascii_form() {
        assert_eq!(
            EmailAddress::try_from("ana@correo.españa").unwrap().as_str(),
            "ana@correo.xn--espaa-rta"
        );
    }

    #[test]
    fn a_number_of_no_numbering_plan_is_refused() {
        for text in [
            "+1234567890",
            "600123456",
            "",
            "+",
            "+34600123456 ext. 5",
            "+99999999999",
        ] {
            assert_eq!(PhoneNumber::try_from(text), Err(InvalidContact::Phone), "{text}");
        }
        assert_eq!(
            PhoneNumber::try_from("+34 600 123 456").unwrap().as_str(),
            "+34600123456"
        );
        assert_eq!(PhoneNumber::try_from("+40712345678").unwrap().as_str(), "+40712345678");
    }

    #[test]
    fn a_number_is_read_as_people_write_it() {
        for (text, expected) in [
            ("+44 (0)7400 123456", "+447400123456"),
            ("+44-7400-123.456", "+447400123456"),
            ("+1 (520) 878\u{2013}2491", "+15208782491"),
            ("+39 02 3661 8300", "+390236618300"),
            ("+7 (912) 345-67-89", "+79123456789"),
            ("+33\u{a0}06 12 34 56 78", "+33612345678"),
        ] {
            assert_eq!(PhoneNumber::try_from(text).unwrap().as_str(), expected, "{text}");
        }
        for text in [
            "++34600123456",
            "+34 600 123 45a",
            "+34 600,123,456",
            "+1-800-FLOWERS",
            "tel:+34600123456",
        ] {
            assert_eq!(PhoneNumber::try_from(text), Err(InvalidContact::Phone), "{text}");
        }
    }

    #[test]
    fn debug_shows_nothing_of_a_person() {
        let shown = format!(
            "{:?} {:?}",
            EmailAddress::try_from("ana@example.com"),
            PhoneNumber::try_from("+34600123456")
        );
        assert_eq!(shown, "Ok(EmailAddress(…)) Ok(PhoneNumber(…))");
    }

    proptest! {
        #[test]
        fn no_text_makes_reading_a_contact_panic(text in any::<String>()) {
            if let Ok(address) = EmailAddress::try_from(text.as_str()) {
                prop_assert!(address.as_str().is_ascii());
            }
            if let Ok(number) = PhoneNumber::try_from(text.as_str()) {
                prop_assert_eq!(PhoneNumber::try_from(number.as_str()), Ok(number));
            }
        }
    }
}
