//! What the ledger keeps of a message that was offered: in which language, by which template, and how large a text was.

use crate::{Language, SmsEncoding};

/// What the ledger keeps of a message that was offered to its provider. Nothing of what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The language it is written in, which need not be the one that the customer wants.
    pub language: Language,
    /// Which version of its template wrote it, such as `3` or `built-in-1a2b3c4d`; at most [`Written::LONGEST_TEMPLATE`] letters.
    pub template: String,
    /// How it travels, where it is a text message.
    pub sms: Option<SmsSize>,
}

/// How large a text message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SmsSize {
    /// How its letters travel.
    pub encoding: SmsEncoding,
    /// How many segments it takes: what is billed.
    pub segments: u8,
}

impl Written {
    /// No name of a template is kept beyond this.
    pub const LONGEST_TEMPLATE: usize = 64;

    /// An e-mail in this language, by this template.
    #[must_use]
    pub fn email(language: Language, template: &str) -> Self {
        Self {
            language,
            template: template.chars().take(Self::LONGEST_TEMPLATE).collect(),
            sms: None,
        }
    }

    /// A text message of this size in this language, by this template.
    #[must_use]
    pub fn sms(language: Language, template: &str, size: SmsSize) -> Self {
        Self {
            sms: Some(size),
            ..Self::email(language, template)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_templates_name_is_cut_between_two_letters() {
        let written = Written::email(Language::Es, &"ñ".repeat(65));
        assert_eq!(written.template, "ñ".repeat(64));
    }
}
