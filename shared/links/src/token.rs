//! What a link carries: what it is for, whose it is, until when. How that is written is version 1 of the form; links in that
//! form lie in customers' mailboxes, so that none of its numbers may ever mean anything else.

use domain::{Channel, NotificationType, OrderId, UserId};
use jiff::Timestamp;

/// How long a link is good for after the day of its fact.
///
/// News is sent until it is 60 days old, and CAN-SPAM wants a way to opt out that works for 30 days after sending
/// (15 U.S.C. § 7704(a)(3)(A)(ii)). No longer: a link is a key to a customer's preferences, and mailboxes are handed on.
const VALID_FOR_DAYS: i64 = 90;

const SECONDS_PER_DAY: i64 = 86_400;

/// The most bytes of a written token: purpose, channel, type, expiry, and 128 characters of four bytes.
pub(crate) const MOST_BYTES: usize = 3 + 8 + 128 * 4;

const UNSUBSCRIBE: u8 = 1;
const PREFERENCES: u8 = 2;
const TRACK: u8 = 3;

/// What a link can carry.
pub(crate) trait Carried: Sized {
    /// Written, one that reads, with an id as long as a usual one.
    const STAND_IN: &[u8];

    /// As bytes: the number of its purpose first.
    fn written(&self) -> Vec<u8>;

    /// From what [`Carried::written`] wrote; none from anything else.
    fn read(bytes: &[u8]) -> Option<Self>;

    /// From when on it is refused.
    fn expires_at(&self) -> Timestamp;
}

/// What a link is for. It opens nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To stop messages of one type on one channel.
    Unsubscribe {
        /// The channel.
        channel: Channel,
        /// The type.
        notification_type: NotificationType,
    },
    /// To see and change what the customer wants to be told.
    Preferences,
}

/// What a link carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// What it is for.
    pub purpose: Purpose,
    /// Whose it is.
    pub user: UserId,
    /// From when on it is refused, in whole seconds: a fraction is not carried.
    pub expires_at: Timestamp,
}

impl Token {
    /// The token of a message about a fact that happened at `at`: good until 90 days after that day (UTC) is over. It depends on
    /// nothing but its arguments, so that a message that is written again is the same to the letter.
    #[must_use]
    pub fn for_fact(purpose: Purpose, user: UserId, at: Timestamp) -> Self {
        Self {
            purpose,
            user,
            expires_at: expiry_of(at),
        }
    }
}

/// What a link carries that shows the way of one order, whose ever it is, a guest's too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderToken {
    /// The order.
    pub order: OrderId,
    /// From when on it is refused, in whole seconds: a fraction is not carried.
    pub expires_at: Timestamp,
}

impl OrderToken {
    /// The token for whoever looks at an order on the day of `at`: good until 90 days after that day (UTC) is over, and the same to the
    /// letter all day.
    #[must_use]
    pub fn of_day(order: OrderId, at: Timestamp) -> Self {
        let expires_at = expiry_of(at);
        Self { order, expires_at }
    }
}

fn expiry_of(at: Timestamp) -> Timestamp {
    let day = at.as_second().div_euclid(SECONDS_PER_DAY);
    let expiry = (day + 1 + VALID_FOR_DAYS) * SECONDS_PER_DAY;
    Timestamp::from_second(expiry).unwrap_or(Timestamp::MAX)
}

impl Carried for OrderToken {
    const STAND_IN: &[u8] = b"\x03\0\0\0\0\0\0\0\0stand-in-stand-in-stand-in-stand-in-";

    /// The purpose in one byte, the expiry in seconds since 1970 in eight, the order's id in the rest.
    fn written(&self) -> Vec<u8> {
        let mut bytes = vec![TRACK];
        bytes.extend(self.expires_at.as_second().to_be_bytes());
        bytes.extend(self.order.as_str().as_bytes());
        bytes
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let [TRACK, rest @ ..] = bytes else {
            return None;
        };
        let (expiry, order) = rest.split_first_chunk()?;
        Some(Self {
            order: OrderId::try_from(str::from_utf8(order).ok()?).ok()?,
            expires_at: Timestamp::from_second(i64::from_be_bytes(*expiry)).ok()?,
        })
    }

    fn expires_at(&self) -> Timestamp {
        self.expires_at
    }
}

impl Carried for Token {
    const STAND_IN: &[u8] = b"\x01\x01\x0b\0\0\0\0\0\0\0\0stand-in-stand-in-stand-in-stand-in-";

    /// The purpose in one to three bytes, the expiry in seconds since 1970 in eight, the customer's id in the rest.
    fn written(&self) -> Vec<u8> {
        let mut bytes = match self.purpose {
            Purpose::Unsubscribe {
                channel,
                notification_type,
            } => vec![
                UNSUBSCRIBE,
                number_of_channel(channel),
                number_of_type(notification_type),
            ],
            Purpose::Preferences => vec![PREFERENCES],
        };
        bytes.extend(self.expires_at.as_second().to_be_bytes());
        bytes.extend(self.user.as_str().as_bytes());
        bytes
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (purpose, rest) = match bytes {
            [UNSUBSCRIBE, channel, notification_type, rest @ ..] => {
                let purpose = Purpose::Unsubscribe {
                    channel: Channel::ALL
                        .into_iter()
                        .find(|known| number_of_channel(*known) == *channel)?,
                    notification_type: NotificationType::ALL
                        .into_iter()
                        .find(|known| number_of_type(*known) == *notification_type)?,
                };
                (purpose, rest)
            }
            [PREFERENCES, rest @ ..] => (Purpose::Preferences, rest),
            _ => return None,
        };
        let (expiry, user) = rest.split_first_chunk()?;
        Some(Self {
            purpose,
            user: UserId::try_from(str::from_utf8(user).ok()?).ok()?,
            expires_at: Timestamp::from_second(i64::from_be_bytes(*expiry)).ok()?,
        })
    }

    fn expires_at(&self) -> Timestamp {
        self.expires_at
    }
}

const fn number_of_channel(channel: Channel) -> u8 {
    match channel {
        Channel::Email => 1,
        Channel::Sms => 2,
        Channel::Push => 3,
        Channel::InApp => 4,
    }
}

const fn number_of_type(notification_type: NotificationType) -> u8 {
    match notification_type {
        NotificationType::OrderConfirmation => 1,
        NotificationType::OrderStatusUpdate => 2,
        NotificationType::PaymentSucceeded => 3,
        NotificationType::PaymentFailed => 4,
        NotificationType::PaymentRefunded => 5,
        NotificationType::PaymentProcessing => 6,
        NotificationType::PayoutProcessed => 7,
        NotificationType::PayoutFailed => 8,
        NotificationType::AccountUpdate => 9,
        NotificationType::LowStock => 10,
        NotificationType::Promotional => 11,
        NotificationType::SystemMaintenance => 12,
        NotificationType::Test => 13,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn token_at(second: i64) -> Token {
        let user = UserId::try_from("user-ana").unwrap();
        Token::for_fact(Purpose::Preferences, user, Timestamp::from_second(second).unwrap())
    }

    #[test]
    fn every_message_about_one_day_has_the_same_expiry() {
        let noon = 20_000 * SECONDS_PER_DAY + 43_200;
        assert_eq!(token_at(noon), token_at(noon + 43_199));
        assert_ne!(token_at(noon), token_at(noon + 43_200));
    }

    #[test]
    fn news_of_sixty_days_still_has_thirty_days_of_its_link_left() {
        let last_second_of_a_day = 20_001 * SECONDS_PER_DAY - 1;
        let sent_at = last_second_of_a_day + 60 * SECONDS_PER_DAY;
        let left = token_at(last_second_of_a_day).expires_at.as_second() - sent_at;
        assert!(left >= 30 * SECONDS_PER_DAY, "{left} s");
    }

    #[test]
    fn a_fact_at_the_end_of_time_has_a_link() {
        let user = UserId::try_from("user-ana").unwrap();
        let token = Token::for_fact(Purpose::Preferences, user, Timestamp::MAX);
        assert_eq!(token.expires_at, Timestamp::MAX);
    }

    proptest! {
        #[test]
        fn no_bytes_are_read_as_a_token_that_would_be_written_otherwise(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            if let Some(token) = Token::read(&bytes) {
                prop_assert_eq!(token.written(), bytes.as_slice());
            }
            if let Some(token) = OrderToken::read(&bytes) {
                prop_assert_eq!(token.written(), bytes);
            }
        }

        #[test]
        fn bytes_that_begin_like_a_token_never_panic(
            start in proptest::collection::vec(1_u8..14, 1..4),
            expiry in any::<[u8; 8]>(),
            user in proptest::collection::vec(any::<u8>(), 0..200),
        ) {
            let bytes = [start, expiry.to_vec(), user].concat();
            if let Some(token) = Token::read(&bytes) {
                prop_assert_eq!(token.written(), bytes.as_slice());
            }
            if let Some(token) = OrderToken::read(&bytes) {
                prop_assert_eq!(token.written(), bytes);
            }
        }
    }
}
