//! The keyed hash under which an address stands in the table of suppressions, so that the table holds no address.

use domain::Contact;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt;

/// A shorter key could be guessed, and with it every address.
const LEAST_BYTES: usize = 16;

/// The key of the hashes.
///
/// `Debug` shows nothing of it.
#[derive(Clone)]
pub struct ContactKey(Hmac<Sha256>);

/// A text that is no key. Carries no part of it.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("expected a secret of at least {LEAST_BYTES} bytes, and it has {bytes}")]
pub struct InvalidContactKey {
    /// How long the text is.
    pub bytes: usize,
}

impl ContactKey {
    /// The key of this contact in the table: its channel, and the HMAC-SHA256 (RFC 2104) of its normalised address in
    /// hexadecimal digits, as in `email#8f3a…`.
    #[must_use]
    pub fn of(&self, contact: &Contact) -> String {
        let mut hash = self.0.clone();
        hash.update(contact.address().as_bytes());
        let digits = hash
            .finalize()
            .into_bytes()
            .iter()
            .fold(String::new(), |mut digits, byte| {
                digits.push_str(&format!("{byte:02x}"));
                digits
            });
        format!("{}#{digits}", contact.channel())
    }
}

impl TryFrom<&str> for ContactKey {
    type Error = InvalidContactKey;

    fn try_from(secret: &str) -> Result<Self, InvalidContactKey> {
        let invalid = InvalidContactKey { bytes: secret.len() };
        if secret.len() < LEAST_BYTES {
            return Err(invalid);
        }
        let hash = Hmac::new_from_slice(secret.as_bytes()).map_err(|_wrong_length| invalid)?;
        Ok(Self(hash))
    }
}

impl fmt::Debug for ContactKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ContactKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Channel;

    #[test]
    fn the_hash_is_the_one_of_rfc_4231_test_case_1() {
        let key = ContactKey::try_from("\u{b}".repeat(20).as_str()).unwrap();
        assert_eq!(
            key.of(&Contact::of(Channel::Sms, "Hi There")),
            "sms#b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        );
    }

    #[test]
    fn two_spellings_of_an_address_stand_under_one_key() {
        let key = ContactKey::try_from("a key of many letters").unwrap();
        let plain = key.of(&Contact::of(Channel::Email, "ana@example.com"));
        let read = Contact::read(Channel::Email, " Ana@Example.COM ").unwrap();
        assert_eq!(plain, key.of(&read));
        assert!(plain.starts_with("email#"), "{plain}");
    }

    #[test]
    fn a_short_secret_is_refused_and_debug_shows_no_letter_of_a_long_one() {
        let error = ContactKey::try_from("short").unwrap_err();
        assert_eq!(
            error.to_string(),
            "expected a secret of at least 16 bytes, and it has 5"
        );
        let key = ContactKey::try_from("a key of many letters").unwrap();
        assert_eq!(format!("{key:?}"), "ContactKey(…)");
    }
}
