//! The ways in which a customer can be reached.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A way to reach the customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// E-mail, through SES.
    Email,
    /// Text message, through SNS.
    Sms,
    /// The inbox inside the shop's app.
    InApp,
    /// Mobile push.
    Push,
}

impl Channel {
    /// Every channel, in the order in which results are recorded.
    pub const ALL: [Self; 4] = [Self::Email, Self::Sms, Self::InApp, Self::Push];

    /// The channels that have a sender; a choice for one of the others is kept and has no effect. The first ones of
    /// [`Channel::ALL`], without a gap: every notification has a result for each of them, at its [`Channel::position`].
    pub const OFFERED: [Self; 3] = [Self::Email, Self::Sms, Self::InApp];

    /// The channels behind which a provider's account stands: it sets a pace, and may refuse. An inbox is a table of the shop's.
    pub const METERED: [Self; 2] = [Self::Email, Self::Sms];

    /// The name in events, tables, metrics and logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Sms => "sms",
            Self::Push => "push",
            Self::InApp => "in_app",
        }
    }

    /// The channel of that name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|channel| channel.name().eq_ignore_ascii_case(name))
    }

    /// Where this channel stands in [`Channel::ALL`], and so in the ledger's list of results.
    #[must_use]
    pub const fn position(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_offered_channels_come_first_so_that_each_result_has_its_place() {
        assert!(Channel::ALL.starts_with(&Channel::OFFERED));
        for (place, channel) in Channel::ALL.into_iter().enumerate() {
            assert_eq!(channel.position(), place);
        }
    }
}
