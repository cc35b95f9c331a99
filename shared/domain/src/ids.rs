//! Identifiers: each a type of its own, made by checking, so that one cannot stand in for another.

use serde::{Deserialize, Serialize};
use std::fmt;

use crate::text::is_plain;

/// An identifier that cannot serve as one.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum InvalidId {
    /// Blank, or longer than we keep.
    #[error("expected 1 to {max} characters, got {got}")]
    Length {
        /// The most characters that it may have.
        max: usize,
        /// How many it has; a blank one has none.
        got: usize,
    },
    /// It holds control characters, or characters that SQS refuses.
    #[error("expected no control characters")]
    Characters,
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, max = $max:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The identifier as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(text: String) -> Result<Self, InvalidId> {
                Self::try_from(text.as_str())
            }
        }

        impl TryFrom<&str> for $name {
            type Error = InvalidId;

            fn try_from(text: &str) -> Result<Self, InvalidId> {
                // Kept to the letter: a table is looked up by it, and a stored key is obeyed.
                let got = if text.trim().is_empty() { 0 } else { text.chars().count() };
                match got {
                    1..=$max if is_plain(text) => Ok(Self(text.to_owned())),
                    1..=$max => Err(InvalidId::Characters),
                    got => Err(InvalidId::Length { max: $max, got }),
                }
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id!(
    /// A customer of the shop, as the order pipeline names them: 1 to 128 characters.
    UserId,
    max = 128
);
text_id!(
    /// An order, as the order pipeline names it: 1 to 128 characters.
    OrderId,
    max = 128
);

/// One business fact for one recipient. Derived from the fact ([`crate::Event::notification_id`]), so that a
/// repetition has the same id; only ASCII letters, digits and `-`, so that it may stand in an SES message tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NotificationId(uuid::Uuid);

impl NotificationId {
    /// An id from the first 128 bits of a digest, in the custom form of RFC 9562 (UUID version 8).
    #[must_use]
    pub fn from_digest(digest: [u8; 16]) -> Self {
        Self(uuid::Builder::from_custom_bytes(digest).into_uuid())
    }
}

impl TryFrom<&str> for NotificationId {
    type Error = uuid::Error;

    fn try_from(text: &str) -> Result<Self, uuid::Error> {
        uuid::Uuid::try_parse(text).map(Self)
    }
}

impl fmt::Display for NotificationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_id_says_what_was_expected() {
        let problem = UserId::try_from(" \n ").unwrap_err();
        assert_eq!(problem.to_string(), "expected 1 to 128 characters, got 0");
    }

    #[test]
    fn an_id_is_kept_to_the_letter() {
        assert_eq!(UserId::try_from(" ws  user").unwrap().as_str(), " ws  user");
        assert_eq!(UserId::try_from("a\nb"), Err(InvalidId::Characters));
    }

    #[test]
    fn a_notification_id_reads_back() {
        let id = NotificationId::from_digest([7; 16]);
        assert_eq!(NotificationId::try_from(id.to_string().as_str()).unwrap(), id);
    }
}
