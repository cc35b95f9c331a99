//! Suppression: addresses to which nothing is sent, why, until when, and who lifted it.

use jiff::{SignedDuration, Timestamp};
use std::fmt;

use crate::{Channel, EmailAddress, PhoneNumber, Reason};

/// An address of one channel, in the form in which two spellings of it are equal.
///
/// `Debug` shows no letter of it.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Contact {
    channel: Channel,
    address: String,
}

/// What is known against an address, and what was lifted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Suppression {
    /// Why nothing is sent there; kept after it was lifted or has run out.
    pub hold: Option<Hold>,
    /// Who lifted it last.
    pub removal: Option<Removal>,
    /// Messages that came back for a passing reason, oldest first.
    pub soft_bounces: Vec<SoftBounce>,
    /// Raised with every change, so that two writers cannot overwrite each other.
    pub version: u32,
}

/// A reason not to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// Why.
    pub reason: SuppressionReason,
    /// Since when.
    pub since: Timestamp,
    /// Until when; for ever without it.
    pub until: Option<Timestamp>,
    /// Where it is known from: a message id, a list, an operator.
    pub source: String,
}

/// A hold that was lifted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// Why.
    pub why: String,
}

/// A message that came back for a passing reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SoftBounce {
    /// When.
    pub at: Timestamp,
    /// The provider's id of the message: the same report twice counts once.
    pub message_id: String,
}

/// Why nothing is sent to an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SuppressionReason {
    /// The mailbox does not exist.
    HardBounce,
    /// Its owner called a message unwanted.
    Complaint,
    /// Several messages came back for passing reasons.
    SoftBounces,
    /// Its owner answered STOP, or its carrier blocks us.
    OptedOut,
    /// An operator decided so.
    Operator,
}

/// Something that speaks against an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Strike {
    /// What it would be held for. [`SuppressionReason::SoftBounces`] is one soft bounce; it takes several.
    pub reason: SuppressionReason,
    /// When it happened.
    pub at: Timestamp,
    /// Where it is known from.
    pub source: String,
}

/// When soft bounces add up to a suppression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SuppressionPolicy {
    /// So many of them…
    pub soft_bounces: usize,
    /// …within this time…
    pub within: SignedDuration,
    /// …suppress for so long.
    pub suppress_for: SignedDuration,
}

impl Default for SuppressionPolicy {
    fn default() -> Self {
        Self {
            soft_bounces: 3,
            within: SignedDuration::from_hours(24 * 7),
            suppress_for: SignedDuration::from_hours(24 * 14),
        }
    }
}

impl SuppressionReason {
    /// Every reason.
    pub const ALL: [Self; 5] = [
        Self::HardBounce,
        Self::Complaint,
        Self::SoftBounces,
        Self::OptedOut,
        Self::Operator,
    ];

    /// The name in table, ledger and logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.as_reason().code()
    }

    /// The reason of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }

    /// The same as the reason of a delivery.
    #[must_use]
    pub const fn as_reason(self) -> Reason {
        match self {
            Self::HardBounce => Reason::HardBounce,
            Self::Complaint => Reason::Complaint,
            Self::SoftBounces => Reason::SoftBounces,
            Self::OptedOut => Reason::SmsOptedOut,
            Self::Operator => Reason::SuppressedByOperator,
        }
    }
}

impl Contact {
    /// The contact behind an address that is known to be valid: an e-mail address, or a number in E.164.
    #[must_use]
    pub fn of(channel: Channel, address: &str) -> Self {
        let address = match channel {
            Channel::Email => address.to_ascii_lowercase(),
            Channel::Sms | Channel::Push | Channel::InApp => address.to_owned(),
        };
        Self { channel, address }
    }

    /// The contact to which a delivery goes. A customer's inbox is none: nothing comes back from there, and what its owner does
    /// not want is told by the preferences.
    #[must_use]
    pub(crate) fn behind(channel: Channel, to: &str) -> Option<Self> {
        (channel != Channel::InApp).then(|| Self::of(channel, to))
    }

    /// The contact behind an address as somebody wrote it; nothing when it is none.
    #[must_use]
    pub fn read(channel: Channel, text: &str) -> Option<Self> {
        let address = match channel {
            Channel::Email => EmailAddress::try_from(text).ok()?.normalised(),
            Channel::Sms => PhoneNumber::try_from(text).ok()?.as_str().to_owned(),
            Channel::Push | Channel::InApp => return None,
        };
        Some(Self { channel, address })
    }

    /// The channel.
    #[must_use]
    pub const fn channel(&self) -> Channel {
        self.channel
    }

    /// The address, normalised. Not for logs.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }
}

impl fmt::Debug for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Contact({}, …)", self.channel)
    }
}

impl Suppression {
    /// Why nothing may be sent there now; nothing when something may.
    #[must_use]
    pub fn in_force(&self, now: Timestamp) -> Option<&Hold> {
        self.hold
            .as_ref()
            .filter(|hold| hold.until.is_none_or(|until| until > now))
            .filter(|hold| self.removal.as_ref().is_none_or(|removal| removal.at < hold.since))
    }

    /// What a strike makes of it; nothing when it changes nothing, as a repetition, or one from before the last removal.
    #[must_use]
    pub fn after(&self, strike: &Strike, policy: &SuppressionPolicy) -> Option<Self> {
        if self.removal.as_ref().is_some_and(|removal| strike.at <= removal.at) {
            return None;
        }
        let standing = self
            .in_force(strike.at)
            .or(self.hold.as_ref().filter(|hold| hold.since > strike.at));
        let hold = match strike.reason {
            SuppressionReason::SoftBounces => {
                let mut next = self.with_soft_bounce(strike, policy)?;
                let is_enough = next.soft_bounces.len() >= policy.soft_bounces && standing.is_none();
                if is_enough {
                    next.hold = Some(Hold {
                        reason: strike.reason,
                        since: strike.at,
                        until: strike.at.saturating_add(policy.suppress_for).ok(),
                        source: strike.source.clone(),
                    });
                }
                return Some(next.raised());
            }
            SuppressionReason::HardBounce
            | SuppressionReason::Complaint
            | SuppressionReason::OptedOut
            | SuppressionReason::Operator => Hold {
                reason: strike.reason,
                since: strike.at,
                until: None,
                source: strike.source.clone(),
            },
        };
        // Whoever is held for ever already, is; the first reason stays.
        if standing.is_some_and(|standing| standing.until.is_none()) {
            return None;
        }
        let next = Self {
            hold: Some(hold),
            ..self.clone()
        };
        Some(next.raised())
    }

    /// The same, lifted. What happened until then no longer counts.
    #[must_use]
    pub fn lifted(&self, by: &str, why: &str, now: Timestamp) -> Self {
        let next = Self {
            removal: Some(Removal {
                at: now,
                by: by.to_owned(),
                why: why.to_owned(),
            }),
            soft_bounces: Vec::new(),
            ..self.clone()
        };
        next.raised()
    }

    fn with_soft_bounce(&self, strike: &Strike, policy: &SuppressionPolicy) -> Option<Self> {
        if self.soft_bounces.iter().any(|known| known.message_id == strike.source) {
            return None;
        }
        let mut next = self.clone();
        next.soft_bounces.push(SoftBounce {
            at: strike.at,
            message_id: strike.source.clone(),
        });
        next.soft_bounces.sort_by_key(|bounce| bounce.at);
        let latest = next.soft_bounces.last().map_or(strike.at, |bounce| bounce.at);
        next.soft_bounces
            .retain(|bounce| latest.duration_since(bounce.at) <= policy.within);
        let surplus = next.soft_bounces.len().saturating_sub(policy.soft_bounces);
        next.soft_bounces.drain(..surplus);
        Some(next)
    }

    fn raised(self) -> Self {
        Self {
            version: self.version.saturating_add(1),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_second(1_795_000_000 + hours * 3_600).unwrap()
    }

    fn strike(reason: SuppressionReason, hours: i64, source: &str) -> Strike {
        Strike {
            reason,
            at: at(hours),
            source: source.to_owned(),
        }
    }

    fn after(strikes: &[Strike]) -> Suppression {
        strikes.iter().fold(Suppression::default(), |known, strike| {
            known.after(strike, &SuppressionPolicy::default()).unwrap_or(known)
        })
    }

    #[test]
    fn a_hard_bounce_suppresses_for_ever() {
        let known = after(&[strike(SuppressionReason::HardBounce, 0, "m-1")]);
        let hold = known.in_force(at(24 * 3650)).unwrap();
        assert_eq!(
            (hold.reason, hold.until, hold.source.as_str()),
            (SuppressionReason::HardBounce, None, "m-1")
        );
    }

    #[test]
    fn three_soft_bounces_in_a_week_suppress_for_two() {
        let soft = SuppressionReason::SoftBounces;
        let known = after(&[strike(soft, 0, "a"), strike(soft, 24, "b")]);
        assert_eq!(known.in_force(at(25)), None);
        let known = after(&[strike(soft, 0, "a"), strike(soft, 24, "b"), strike(soft, 48, "c")]);
        assert!(known.in_force(at(49)).is_some());
        assert!(known.in_force(at(48 + 24 * 14 - 1)).is_some());
        assert_eq!(known.in_force(at(48 + 24 * 14)), None);
    }

    #[test]
    fn soft_bounces_far_apart_do_not_add_up() {
        let soft = SuppressionReason::SoftBounces;
        let known = after(&[
            strike(soft, 0, "a"),
            strike(soft, 24 * 5, "b"),
            strike(soft, 24 * 10, "c"),
        ]);
        assert_eq!(known.in_force(at(24 * 10)), None);
    }

    #[test]
    fn the_same_soft_bounce_twice_counts_once() {
        let soft = SuppressionReason::SoftBounces;
        let known = after(&[strike(soft, 0, "a"), strike(soft, 0, "a"), strike(soft, 1, "b")]);
        assert_eq!((known.soft_bounces.len(), known.in_force(at(2))), (2, None));
    }

    #[test]
    fn a_removal_names_its_author_and_outlives_late_repetitions() {
        let bounce = strike(SuppressionReason::HardBounce, 0, "m-1");
        let lifted = after(std::slice::from_ref(&bounce)).lifted("ana", "a typo at the server", at(5));
        assert_eq!(lifted.in_force(at(6)), None);
        assert_eq!(lifted.after(&bounce, &SuppressionPolicy::default()), None);
        let again = strike(SuppressionReason::HardBounce, 9, "m-2");
        assert!(
            lifted
                .after(&again, &SuppressionPolicy::default())
                .unwrap()
                .in_force(at(9))
                .is_some()
        );
    }

    #[test]
    fn a_lasting_reason_replaces_a_passing_one_and_no_other() {
        let soft = SuppressionReason::SoftBounces;
        let mut strikes = vec![strike(soft, 0, "a"), strike(soft, 1, "b"), strike(soft, 2, "c")];
        strikes.push(strike(SuppressionReason::Complaint, 3, "d"));
        strikes.push(strike(SuppressionReason::HardBounce, 4, "e"));
        let known = after(&strikes);
        assert_eq!(known.in_force(at(5)).unwrap().reason, SuppressionReason::Complaint);
    }

    #[test]
    fn two_spellings_are_one_contact_and_debug_shows_neither() {
        let contact = Contact::read(Channel::Email, " Ana@Example.com ").unwrap();
        assert_eq!(contact, Contact::of(Channel::Email, "ana@EXAMPLE.com"));
        assert_eq!(format!("{contact:?}"), "Contact(email, …)");
        assert_eq!(Contact::read(Channel::Sms, "600"), None);
    }
}
