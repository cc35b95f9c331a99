//! The keyed hash under which an address stands in the table of suppressions, so that the table holds no address.

use domain::{Contact, PhoneNumber, UserId};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt;

/// A shorter key could be guessed, and with it every address.
const LEAST_BYTES: usize = 16;

/// What is hashed of a code begins with this, which no address does.
const CODE_LABEL: &str = "e-com67/phone-code";

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

    /// The HMAC-SHA256 of a code that shows whose phone that is. Each part is led by its length, so that no two say the same.
    #[must_use]
    pub fn mac_of_code(&self, user: &UserId, phone: &PhoneNumber, code: &str) -> Vec<u8> {
        self.over_code(user, phone, code).finalize().into_bytes().to_vec()
    }

    /// Whether this is the code of that hash, in a time that does not tell how much of it is right.
    #[must_use]
    pub fn is_code(&self, user: &UserId, phone: &PhoneNumber, code: &str, mac: &[u8]) -> bool {
        self.over_code(user, phone, code).verify_slice(mac).is_ok()
    }

    fn over_code(&self, user: &UserId, phone: &PhoneNumber, code: &str) -> Hmac<Sha256> {
        let mut hash = self.0.clone();
        for part in [CODE_LABEL, user.as_str(), phone.as_str(), code] {
            hash.update(&part.len().to_be_bytes());
            hash.update(part.as_bytes());
        }
        hash
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
    fn a_code_is_right_for_one_customer_and_one_number() {
        let key = ContactKey::try_from("a key of many letters").unwrap();
        let user = |id: &str| UserId::try_from(id).unwrap();
        let phone = |number: &str| PhoneNumber::try_from(number).unwrap();
        let mac = key.mac_of_code(&user("ana"), &phone("+34600123456"), "123456");
        assert!(key.is_code(&user("ana"), &phone("+34600123456"), "123456", &mac));
        assert!(!key.is_code(&user("ana"), &phone("+34600123456"), "123457", &mac));
        assert!(!key.is_code(&user("ben"), &phone("+34600123456"), "123456", &mac));
        assert!(!key.is_code(&user("ana"), &phone("+34600123457"), "123456", &mac));
        assert!(!key.is_code(&user("ana"), &phone("+34600123456"), "123456", &[]));
    }

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
