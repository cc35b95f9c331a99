//! The keys that sign links: the newest writes, all of them read, so that a new one can come without the old links dying.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, NO_PAD, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::Sha256;
use std::fmt;
use std::hint::black_box;

use crate::token::{self, Carried, OrderToken, Token};

/// The output of the hash (RFC 2104 section 3): a shorter key would be the weakest part.
const LEAST_SECRET: usize = 32;

/// The id of a secret that stands alone, as its first maker, CloudFormation, writes it.
const FIRST_ID: &str = "k1";

const LONGEST_ID: usize = 8;

const VERSION: u8 = 1;

const MAC_BYTES: usize = 32;

/// What is signed begins with this, so that a signature made for anything else with the same secret is none here.
const LABEL: &[u8] = b"e-com67/customer-link\0";

/// The longest link that we write, in characters: four for every three bytes of version, id, token and MAC.
const LONGEST_LINK: usize = ((2 + LONGEST_ID + token::MOST_BYTES + MAC_BYTES) * 4).div_ceil(3);

/// Takes what has bits to spare as well: whether a link has, is looked at afterwards.
const PERMISSIVE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, RELAXED);
const RELAXED: GeneralPurposeConfig = NO_PAD.with_decode_allow_trailing_bits(true);

/// Letters that decode, as many as a link may have.
const STAND_IN: &str = {
    const LETTERS: [u8; LONGEST_LINK] = [b'A'; LONGEST_LINK];
    match str::from_utf8(&LETTERS) {
        Ok(letters) => letters,
        Err(_) => "",
    }
};

/// The keys that sign links: one that signs, and those that are still believed.
///
/// `Debug` shows their ids and nothing else of them.
#[derive(Clone)]
pub struct LinkKeys {
    signing: Key,
    older: Vec<Key>,
}

/// Keys that cannot be read. Carries no part of them.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum InvalidLinkKeys {
    /// A secret is shorter than the hash.
    #[error("key {position}: expected a secret of at least {LEAST_SECRET} characters, got {got}")]
    Short {
        /// Which one, from 1.
        position: usize,
        /// How many it has.
        got: usize,
    },
    /// A secret has characters that separate, or that come by accident, as a line break does.
    #[error("key {position}: expected a secret of letters, digits, - and _ only")]
    Characters {
        /// Which one, from 1.
        position: usize,
    },
    /// A key without an id, or with one that is none.
    #[error("key {position}: expected ID=SECRET, the id of 1 to {LONGEST_ID} letters and digits")]
    Id {
        /// Which one, from 1.
        position: usize,
    },
    /// Two keys have one id.
    #[error("key {position}: expected an id that no other key has")]
    Repeated {
        /// Which one, from 1.
        position: usize,
    },
}

/// A link that opens nothing. Whoever holds it is told the same whatever the cause: the text does not tell them apart, and the
/// variants are for our own counting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this link is not valid, or not any more")]
pub enum InvalidLink {
    /// It is none of ours, or it was cut or changed on its way.
    Malformed,
    /// No key has the id that it names.
    UnknownKey,
    /// The key that it names did not sign it.
    BadSignature,
    /// It was good once.
    Expired,
}

impl InvalidLink {
    /// The name of the cause, for counts and logs: `malformed`, `unknown_key`, `bad_signature` or `expired`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::UnknownKey => "unknown_key",
            Self::BadSignature => "bad_signature",
            Self::Expired => "expired",
        }
    }
}

impl LinkKeys {
    /// Reads `k2=SECRET,k1=SECRET`, the newest first; or a secret alone, which is the key `k1`. A secret has 32 letters, digits,
    /// `-` and `_` at least, and is used as it stands, not decoded.
    ///
    /// # Errors
    ///
    /// [`InvalidLinkKeys`] for the first key that is wrong.
    pub fn read(text: &str) -> Result<Self, InvalidLinkKeys> {
        let text = text.trim();
        if !text.contains(['=', ',']) {
            return Ok(Self {
                signing: Key::new(FIRST_ID, text, 1)?,
                older: Vec::new(),
            });
        }
        let mut keys: Vec<Key> = Vec::new();
        for (position, entry) in (1..).zip(text.split(',')) {
            let (id, secret) = entry.trim().split_once('=').ok_or(InvalidLinkKeys::Id { position })?;
            let key = Key::new(id, secret, position)?;
            if keys.iter().any(|other| other.id == key.id) {
                return Err(InvalidLinkKeys::Repeated { position });
            }
            keys.push(key);
        }
        let mut keys = keys.into_iter();
        Ok(Self {
            signing: keys.next().ok_or(InvalidLinkKeys::Id { position: 1 })?,
            older: keys.collect(),
        })
    }

    /// The token as letters, digits, `-` and `_`, signed with the first key: about 110 characters for an id of 36.
    #[must_use]
    pub fn sign(&self, token: &Token) -> String {
        self.seal(token)
    }

    /// The same for what shows the way of an order.
    #[must_use]
    pub fn sign_order(&self, token: &OrderToken) -> String {
        self.seal(token)
    }

    fn seal(&self, token: &impl Carried) -> String {
        let mut bytes = vec![VERSION, self.signing.id_length];
        bytes.extend(self.signing.id.as_bytes());
        bytes.extend(token.written());
        let mac = self.signing.over(&bytes).finalize().into_bytes();
        bytes.extend(mac);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// What a link carries, if one of the keys signed it and it still holds.
    ///
    /// Whatever is wrong with it, the same is done: decode, sign, compare, read a token, look at its expiry, with a stand-in for
    /// what is not there. How long that takes follows from the length of the text alone, which whoever made it up knows.
    ///
    /// # Errors
    ///
    /// [`InvalidLink`], the same to a stranger whatever the cause.
    pub fn verify(&self, link: &str, now: Timestamp) -> Result<Token, InvalidLink> {
        self.open(link, now)
    }

    /// The same for what shows the way of an order. A link to a customer's pages opens nothing here, and one from here nothing there.
    ///
    /// # Errors
    ///
    /// [`InvalidLink`], the same to a stranger whatever the cause.
    pub fn verify_order(&self, link: &str, now: Timestamp) -> Result<OrderToken, InvalidLink> {
        self.open(link, now)
    }

    fn open<T: Carried>(&self, link: &str, now: Timestamp) -> Result<T, InvalidLink> {
        let is_spelled = is_spelled(link);
        let bytes = decoded(if is_spelled { link } else { stand_in_for(link) });
        // One spelling: neither padding nor bits to spare.
        let is_spelled = is_spelled & (URL_SAFE_NO_PAD.encode(&bytes) == link);
        let sealed = Sealed::read(&bytes);
        let is_whole = is_spelled & sealed.is_some();
        let sealed = sealed.unwrap_or(Sealed::nothing(&bytes));
        let mut named = None;
        for key in std::iter::once(&self.signing).chain(&self.older) {
            if key.id.as_bytes() == sealed.key_id {
                named = Some(key);
            }
        }
        let is_signed = named
            .unwrap_or(&self.signing)
            .over(sealed.signed)
            .verify_slice(sealed.mac)
            .is_ok();
        let is_ours = is_whole & named.is_some() & is_signed;
        let token = T::read(if is_ours { sealed.token } else { T::STAND_IN });
        let is_good_still = black_box(token.as_ref().is_some_and(|token| token.expires_at() > now));
        match token {
            _ if !is_whole => Err(InvalidLink::Malformed),
            _ if named.is_none() => Err(InvalidLink::UnknownKey),
            _ if !is_signed => Err(InvalidLink::BadSignature),
            None => Err(InvalidLink::Malformed),
            Some(token) if is_good_still => Ok(token),
            Some(_) => Err(InvalidLink::Expired),
        }
    }
}

/// Whether a text can be a link at all, each letter looked at whatever those before it were.
fn is_spelled(link: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() | (byte == b'-') | (byte == b'_');
    let are_letters = link
        .bytes()
        .take(LONGEST_LINK)
        .fold(true, |so_far, byte| so_far & is_letter(byte));
    are_letters & (link.len() <= LONGEST_LINK) & (link.len() % 4 != 1)
}

/// What is worked on in the place of a text that is no link, as long as it and never longer than a link.
fn stand_in_for(text: &str) -> &'static str {
    let length = text.len().min(LONGEST_LINK);
    let length = if length % 4 == 1 { length - 1 } else { length };
    STAND_IN.get(..length).unwrap_or_default()
}

fn decoded(link: &str) -> Vec<u8> {
    PERMISSIVE.decode(link).unwrap_or_default()
}

impl fmt::Debug for LinkKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LinkKeys({}", self.signing.id)?;
        for key in &self.older {
            write!(f, ", {}", key.id)?;
        }
        f.write_str(")")
    }
}

#[derive(Clone)]
struct Key {
    id: String,
    id_length: u8,
    /// Has the label behind it already.
    mac: Hmac<Sha256>,
}

impl Key {
    fn new(id: &str, secret: &str, position: usize) -> Result<Self, InvalidLinkKeys> {
        let wrong_id = InvalidLinkKeys::Id { position };
        let id_length = u8::try_from(id.len()).unwrap_or(u8::MAX);
        let is_id = (1..=LONGEST_ID).contains(&id.len()) && id.chars().all(|c| c.is_ascii_alphanumeric());
        if !is_id {
            return Err(wrong_id);
        }
        let is_ours = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if !secret.chars().all(is_ours) {
            return Err(InvalidLinkKeys::Characters { position });
        }
        let short = InvalidLinkKeys::Short {
            position,
            got: secret.len(),
        };
        if secret.len() < LEAST_SECRET {
            return Err(short);
        }
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).map_err(|_wrong_length| short)?;
        mac.update(LABEL);
        Ok(Self {
            id: id.to_owned(),
            id_length,
            mac,
        })
    }

    fn over(&self, signed: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.mac.clone();
        mac.update(signed);
        mac
    }
}

/// A link taken apart and not yet believed.
struct Sealed<'a> {
    /// Version, length of the id, id, token: all before the MAC.
    signed: &'a [u8],
    key_id: &'a [u8],
    token: &'a [u8],
    mac: &'a [u8; MAC_BYTES],
}

impl<'a> Sealed<'a> {
    /// What is worked on in the place of bytes that are no sealed token.
    fn nothing(bytes: &'a [u8]) -> Self {
        Self {
            signed: bytes,
            key_id: &[],
            token: &[],
            mac: &[0; MAC_BYTES],
        }
    }

    fn read(bytes: &'a [u8]) -> Option<Self> {
        let (signed, mac) = bytes.split_last_chunk()?;
        let [VERSION, id_length, rest @ ..] = signed else {
            return None;
        };
        let (key_id, token) = rest.split_at_checked(usize::from(*id_length))?;
        Some(Self {
            signed,
            key_id,
            token,
            mac,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Purpose;
    use domain::{Channel, NotificationType, OrderId, UserId};
    use proptest::prelude::*;

    const OLD: &str = "k1=0123456789abcdefghijklmnopqrstuv";
    const NEW: &str = "k2=ABCDEFGHIJKLMNOPQRSTUVWXYZ-_0123";

    fn keys(text: &str) -> LinkKeys {
        LinkKeys::read(text).unwrap()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn unsubscribe(user: &str) -> Token {
        Token {
            purpose: Purpose::Unsubscribe {
                channel: Channel::Email,
                notification_type: NotificationType::Promotional,
            },
            user: UserId::try_from(user).unwrap(),
            expires_at: at(1_800_000_000),
        }
    }

    fn any_purpose() -> impl Strategy<Value = Purpose> {
        let unsubscribe = (
            proptest::sample::select(Channel::ALL.to_vec()),
            proptest::sample::select(NotificationType::ALL.to_vec()),
        );
        prop_oneof![
            Just(Purpose::Preferences),
            unsubscribe.prop_map(|(channel, notification_type)| Purpose::Unsubscribe {
                channel,
                notification_type,
            }),
        ]
    }

    fn any_token() -> impl Strategy<Value = Token> {
        let user = proptest::collection::vec(any::<char>(), 1..=128)
            .prop_filter_map("an id", |letters| UserId::try_from(String::from_iter(letters)).ok());
        (any_purpose(), user, 1_i64..4_000_000_000).prop_map(|(purpose, user, expiry)| Token {
            purpose,
            user,
            expires_at: at(expiry),
        })
    }

    /// A token of as many bytes as one can have.
    fn longest() -> Token {
        Token {
            expires_at: Timestamp::MAX,
            ..unsubscribe(&"\u{1f4e6}".repeat(128))
        }
    }

    #[test]
    fn links_that_are_in_mailboxes_stay_what_they_are() {
        let link = "AQJrMQEBCwAAAABrSdIAdXNlci1hbmGveC0ggRs_QW6O3WSwr5TgK1r62OLHRQgQ-PR5YTeV0g";
        assert_eq!(keys(OLD).sign(&unsubscribe("user-ana")), link);
        assert_eq!(keys(OLD).verify(link, at(0)), Ok(unsubscribe("user-ana")));
    }

    fn tracking(order: &str) -> OrderToken {
        OrderToken {
            order: OrderId::try_from(order).unwrap(),
            expires_at: at(1_800_000_000),
        }
    }

    #[test]
    fn links_to_orders_stay_what_they_are() {
        let link = "AQJrMQMAAAAAa0nSADEwMDGvgX0JYFIz6muoQ-VCBC0BMK-xS7eynyBjfOBXzODr6g";
        assert_eq!(keys(OLD).sign_order(&tracking("1001")), link);
        assert_eq!(keys(OLD).verify_order(link, at(0)), Ok(tracking("1001")));
    }

    #[test]
    fn a_link_for_one_thing_opens_no_other() {
        let (page, order) = (
            keys(OLD).sign(&unsubscribe("1001")),
            keys(OLD).sign_order(&tracking("1001")),
        );
        assert_eq!(keys(OLD).verify_order(&page, at(0)), Err(InvalidLink::Malformed));
        assert_eq!(keys(OLD).verify(&order, at(0)), Err(InvalidLink::Malformed));
    }

    #[test]
    fn a_link_to_an_order_is_good_for_ninety_days_and_the_rest_of_its_day() {
        let token = OrderToken::of_day(OrderId::try_from("1001").unwrap(), at(86_400 + 7));
        assert_eq!(token.expires_at, at(92 * 86_400));
        let link = keys(OLD).sign_order(&token);
        assert!(keys(OLD).verify_order(&link, at(92 * 86_400 - 1)).is_ok());
        assert_eq!(
            keys(OLD).verify_order(&link, at(92 * 86_400)),
            Err(InvalidLink::Expired)
        );
    }

    #[test]
    fn the_stand_ins_read() {
        assert!(Token::read(Token::STAND_IN).is_some());
        assert!(OrderToken::read(OrderToken::STAND_IN).is_some());
    }

    #[test]
    fn a_secret_alone_is_the_first_key() {
        let link = keys("0123456789abcdefghijklmnopqrstuv\n").sign(&unsubscribe("user-ana"));
        assert_eq!(link, keys(OLD).sign(&unsubscribe("user-ana")));
    }

    #[test]
    fn after_a_new_key_has_come_the_old_links_still_open() {
        let both = keys(&format!("{NEW}, {OLD}"));
        let old = keys(OLD).sign(&unsubscribe("user-ana"));
        assert_eq!(both.verify(&old, at(0)), Ok(unsubscribe("user-ana")));
        let new = both.sign(&unsubscribe("user-ana"));
        assert_eq!(keys(NEW).verify(&new, at(0)), Ok(unsubscribe("user-ana")));
    }

    #[test]
    fn a_key_that_was_taken_away_opens_nothing() {
        let link = keys(OLD).sign(&unsubscribe("user-ana"));
        assert_eq!(keys(NEW).verify(&link, at(0)), Err(InvalidLink::UnknownKey));
    }

    #[test]
    fn another_secret_under_the_same_id_opens_nothing() {
        let link = keys(OLD).sign(&unsubscribe("user-ana"));
        let other = keys(&NEW.replace("k2", "k1"));
        assert_eq!(other.verify(&link, at(0)), Err(InvalidLink::BadSignature));
    }

    #[test]
    fn a_link_is_good_until_its_second() {
        let link = keys(OLD).sign(&unsubscribe("user-ana"));
        assert!(keys(OLD).verify(&link, at(1_799_999_999)).is_ok());
        assert_eq!(keys(OLD).verify(&link, at(1_800_000_000)), Err(InvalidLink::Expired));
    }

    #[test]
    fn a_signature_of_the_same_bytes_for_something_else_is_none() {
        let token = unsubscribe("user-ana");
        let mut bytes = vec![VERSION, 2];
        bytes.extend(b"k1");
        bytes.extend(token.written());
        let mut bare = Hmac::<Sha256>::new_from_slice(&OLD.as_bytes()[3..]).unwrap();
        bare.update(&bytes);
        bytes.extend(bare.finalize().into_bytes());
        let link = URL_SAFE_NO_PAD.encode(bytes);
        assert_eq!(keys(OLD).verify(&link, at(0)), Err(InvalidLink::BadSignature));
    }

    #[test]
    fn a_second_spelling_of_a_link_is_refused() {
        let link = keys(OLD).sign(&unsubscribe("user-ana"));
        assert_eq!(link.len() % 4, 2, "the last character has bits to spare");
        let last = link.chars().last().unwrap();
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let place = alphabet.find(last).unwrap();
        let other = format!("{}{}", &link[..link.len() - 1], &alphabet[place + 1..place + 2]);
        for spelling in [other, format!("{link}="), format!("{link}\n"), format!(" {link}")] {
            assert_eq!(
                keys(OLD).verify(&spelling, at(0)),
                Err(InvalidLink::Malformed),
                "{spelling:?}"
            );
        }
    }

    #[test]
    fn the_longest_link_is_read_and_a_longer_text_is_not_even_decoded() {
        let longest_id = keys(&OLD.replace("k1", "k1234567"));
        let link = longest_id.sign(&longest());
        assert_eq!(link.len(), LONGEST_LINK);
        assert!(longest_id.verify(&link, at(0)).is_ok());
        let longer = "A".repeat(LONGEST_LINK + 1);
        assert_eq!(longest_id.verify(&longer, at(0)), Err(InvalidLink::Malformed));
    }

    #[test]
    fn a_usual_link_is_short() {
        let link = keys(OLD).sign(&unsubscribe("0f8fad5b-d9cb-469f-a165-70867728950e"));
        assert!(link.len() < 120, "{} characters", link.len());
    }

    #[test]
    fn strangers_are_told_the_same_whatever_the_cause() {
        let causes = [
            InvalidLink::Malformed,
            InvalidLink::UnknownKey,
            InvalidLink::BadSignature,
            InvalidLink::Expired,
        ];
        let mut codes: Vec<&str> = causes.iter().map(|cause| cause.code()).collect();
        codes.dedup();
        assert_eq!(codes, ["malformed", "unknown_key", "bad_signature", "expired"]);
        for cause in causes {
            assert_eq!(cause.to_string(), "this link is not valid, or not any more");
        }
    }

    #[test]
    fn wrong_keys_are_named_by_their_place_and_never_quoted() {
        let cases = [
            ("", "key 1: expected a secret of at least 32 characters, got 0"),
            ("short", "key 1: expected a secret of at least 32 characters, got 5"),
            ("k1=short", "key 1: expected a secret of at least 32 characters, got 5"),
            (
                "0123456789 abcdefghijklmnopqrstuv",
                "key 1: expected a secret of letters, digits, - and _ only",
            ),
            (
                "k1=0123456789abcdefghijklmnopqrstuv=",
                "key 1: expected a secret of letters, digits, - and _ only",
            ),
            (
                "k1=0123456789abcdefghijklmnopqrstuv,0123456789abcdefghijklmnopqrstuv",
                "key 2: expected ID=SECRET, the id of 1 to 8 letters and digits",
            ),
            (
                "k123456789=0123456789abcdefghijklmnopqrstuv",
                "key 1: expected ID=SECRET, the id of 1 to 8 letters and digits",
            ),
            (
                "k1=0123456789abcdefghijklmnopqrstuv,k1=ABCDEFGHIJKLMNOPQRSTUVWXYZ-_0123",
                "key 2: expected an id that no other key has",
            ),
            (
                "k1=0123456789abcdefghijklmnopqrstuv,",
                "key 2: expected ID=SECRET, the id of 1 to 8 letters and digits",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(LinkKeys::read(text).unwrap_err().to_string(), expected, "{text}");
        }
    }

    #[test]
    fn debug_shows_ids_and_no_secret() {
        assert_eq!(format!("{:?}", keys(&format!("{NEW},{OLD}"))), "LinkKeys(k2, k1)");
    }

    proptest! {
        #[test]
        fn what_is_signed_is_verified(token in any_token()) {
            let link = keys(OLD).sign(&token);
            prop_assert!(link.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')));
            prop_assert!(link.len() <= LONGEST_LINK);
            prop_assert_eq!(keys(OLD).verify(&link, at(0)), Ok(token));
        }

        #[test]
        fn what_is_signed_for_an_order_is_verified(
            order in proptest::collection::vec(any::<char>(), 1..=128)
                .prop_filter_map("an id", |letters| OrderId::try_from(String::from_iter(letters)).ok()),
        ) {
            let token = OrderToken { order, expires_at: at(1) };
            let link = keys(OLD).sign_order(&token);
            prop_assert!(link.len() <= LONGEST_LINK);
            prop_assert_eq!(keys(OLD).verify_order(&link, at(0)), Ok(token));
        }

        #[test]
        fn a_changed_character_is_refused(token in any_token(), place in any::<proptest::sample::Index>(), other in any::<char>()) {
            let link = keys(OLD).sign(&token);
            let mut letters: Vec<char> = link.chars().collect();
            let place = place.index(letters.len());
            prop_assume!(letters[place] != other);
            letters[place] = other;
            prop_assert!(keys(OLD).verify(&String::from_iter(letters), at(0)).is_err());
        }

        #[test]
        fn a_changed_byte_is_refused(token in any_token(), place in any::<proptest::sample::Index>(), flip in 1_u8..) {
            let mut bytes = URL_SAFE_NO_PAD.decode(keys(OLD).sign(&token)).unwrap();
            let place = place.index(bytes.len());
            bytes[place] ^= flip;
            prop_assert!(keys(OLD).verify(&URL_SAFE_NO_PAD.encode(bytes), at(0)).is_err());
        }

        #[test]
        fn a_link_that_was_cut_is_refused(token in any_token(), kept in any::<proptest::sample::Index>()) {
            let link = keys(OLD).sign(&token);
            let cut = &link[..kept.index(link.len())];
            prop_assert!(keys(OLD).verify(cut, at(0)).is_err());
        }

        #[test]
        fn the_signature_of_one_token_is_none_of_another(token in any_token(), other in any_token()) {
            prop_assume!(token != other);
            let genuine = URL_SAFE_NO_PAD.decode(keys(OLD).sign(&token)).unwrap();
            let mut forged = vec![VERSION, 2];
            forged.extend(b"k1");
            forged.extend(other.written());
            forged.extend(&genuine[genuine.len() - MAC_BYTES..]);
            let link = URL_SAFE_NO_PAD.encode(forged);
            prop_assert_eq!(keys(OLD).verify(&link, at(0)), Err(InvalidLink::BadSignature));
        }

        #[test]
        fn an_expired_link_is_refused(token in any_token(), seconds in 0_i64..1_000_000_000) {
            let later = at(token.expires_at.as_second() + seconds);
            prop_assert_eq!(keys(OLD).verify(&keys(OLD).sign(&token), later), Err(InvalidLink::Expired));
        }

        #[test]
        fn no_text_panics(text in any::<String>()) {
            prop_assert!(keys(OLD).verify(&text, at(0)).is_err());
            prop_assert!(keys(OLD).verify_order(&text, at(0)).is_err());
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600), begins_well in any::<bool>()) {
            let bytes = if begins_well { [vec![VERSION, 2, b'k', b'1'], bytes].concat() } else { bytes };
            prop_assert!(keys(OLD).verify(&URL_SAFE_NO_PAD.encode(bytes), at(0)).is_err());
        }

        #[test]
        fn no_keys_panic(text in any::<String>()) {
            let _ = LinkKeys::read(&text);
        }
    }
}
