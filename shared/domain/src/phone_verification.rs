//! Showing that a phone number is one's own: a code that a text message brings, good for a few minutes and a few guesses.

use jiff::{SignedDuration, Timestamp};

use crate::PhoneNumber;

/// How long a code is good for.
const VALID_FOR: SignedDuration = SignedDuration::from_mins(10);

/// A million codes and five guesses: one customer in 200,000 who asks for a code can be guessed (NIST SP 800-63B, section 5.1.3.2,
/// wants six digits and a limit on attempts).
const ATTEMPTS: u32 = 5;

/// A second text message in the same minute would only be a second bill.
const BETWEEN_CODES: SignedDuration = SignedDuration::from_secs(60);

/// How many codes a customer gets in [`WINDOW`], to whatever numbers: nobody rings strangers by our hand.
const CODES: u32 = 5;

const WINDOW: SignedDuration = SignedDuration::from_hours(24);

/// A number that waits for its code, and how often one was sent and guessed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhoneVerification {
    /// The number.
    pub phone: PhoneNumber,
    /// The keyed hash of customer, number and code.
    pub mac: Vec<u8>,
    /// When the code was sent.
    pub sent_at: Timestamp,
    /// How often this code was guessed.
    pub attempts: u32,
    /// How many codes were sent since the window began, this one included.
    pub codes: u32,
    /// When the window began.
    pub window_began_at: Timestamp,
}

impl PhoneVerification {
    /// The verification that begins now, after the one before it. Forgotten after a day.
    ///
    /// # Errors
    ///
    /// The moment from which on another code may be asked for.
    pub fn begin(before: Option<&Self>, phone: PhoneNumber, mac: Vec<u8>, now: Timestamp) -> Result<Self, Timestamp> {
        let in_window = before.filter(|before| now < after(before.window_began_at, WINDOW));
        let again_at = before.map(|before| after(before.sent_at, BETWEEN_CODES));
        let used_up = in_window.filter(|before| before.codes >= CODES);
        let again_at = used_up.map(|before| after(before.window_began_at, WINDOW)).or(again_at);
        if let Some(again_at) = again_at.filter(|again_at| *again_at > now) {
            return Err(again_at);
        }
        Ok(Self {
            phone,
            mac,
            sent_at: now,
            attempts: 0,
            codes: in_window.map_or(0, |before| before.codes).saturating_add(1),
            window_began_at: in_window.map_or(now, |before| before.window_began_at),
        })
    }

    /// The same with one guess more, to be written before the guess is looked at; nothing, when the code is not good any more.
    #[must_use]
    pub fn attempted(&self, now: Timestamp) -> Option<Self> {
        let is_good = self.attempts < ATTEMPTS && now < after(self.sent_at, VALID_FOR);
        is_good.then(|| Self {
            attempts: self.attempts.saturating_add(1),
            ..self.clone()
        })
    }

    /// The same once its code has served: it is good for nothing more, and still counts.
    #[must_use]
    pub fn served(&self) -> Self {
        Self {
            attempts: ATTEMPTS,
            ..self.clone()
        }
    }

    /// From when on nothing of it is of use.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        after(self.window_began_at, WINDOW).max(after(self.sent_at, VALID_FOR))
    }
}

fn after(at: Timestamp, time: SignedDuration) -> Timestamp {
    at.saturating_add(time).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phone() -> PhoneNumber {
        PhoneNumber::try_from("+34600123456").unwrap()
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn first() -> PhoneVerification {
        PhoneVerification::begin(None, phone(), vec![1], at(0)).unwrap()
    }

    #[test]
    fn a_code_is_good_for_ten_minutes() {
        assert!(first().attempted(at(599)).is_some());
        assert_eq!(first().attempted(at(600)), None);
    }

    #[test]
    fn a_code_is_good_for_five_guesses() {
        let mut verification = first();
        for _guess in 0..5 {
            verification = verification.attempted(at(1)).unwrap();
        }
        assert_eq!(verification.attempted(at(1)), None);
        assert_eq!(first().served().attempted(at(1)), None);
    }

    #[test]
    fn a_second_code_comes_after_a_minute_and_ends_the_first() {
        let begin = |seconds| PhoneVerification::begin(Some(&first()), phone(), vec![2], at(seconds));
        assert_eq!(begin(59), Err(at(60)));
        let second = begin(60).unwrap();
        assert_eq!(
            (second.mac.as_slice(), second.attempts, second.codes),
            ([2].as_slice(), 0, 2)
        );
    }

    #[test]
    fn five_codes_a_day_and_no_more() {
        let day = 24 * 60 * 60;
        let mut verification = first();
        for nth in 1..5 {
            verification = PhoneVerification::begin(Some(&verification), phone(), vec![2], at(nth * 60)).unwrap();
        }
        let begin = |seconds| PhoneVerification::begin(Some(&verification), phone(), vec![3], at(seconds));
        assert_eq!(begin(3_600), Err(at(day)));
        assert_eq!(begin(day).unwrap().codes, 1);
        assert_eq!(verification.expires_at(), at(day));
    }
}
