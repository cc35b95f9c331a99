//! What a carrier tells of a parcel, in the same words whoever the carrier is.

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use std::fmt;

use crate::{Carrier, OrderStatus, clean_line};

/// The longest number that any carrier gives, with room to spare: DPD's barcode has 28 characters, FedEx's 34.
const LONGEST_NUMBER: usize = 50;

/// A carrier's number for a parcel: capital letters, digits, `-`, `.`, `/` and `_`. Blanks do not count, and whether a check digit is
/// right is not asked: carriers' own examples have wrong ones.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TrackingNumber(String);

/// A text that is no tracking number.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("expected 1 to {LONGEST_NUMBER} letters and digits")]
pub struct InvalidTrackingNumber;

impl TrackingNumber {
    /// The number.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<&str> for TrackingNumber {
    type Error = InvalidTrackingNumber;

    fn try_from(text: &str) -> Result<Self, InvalidTrackingNumber> {
        let number: String = text
            .chars()
            .filter(|c| !c.is_whitespace())
            .map(|c| c.to_ascii_uppercase())
            .collect();
        let is_known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '/' | '_');
        let has_any = number.chars().any(|c| c.is_ascii_alphanumeric());
        match has_any && number.len() <= LONGEST_NUMBER && number.chars().all(is_known) {
            true => Ok(Self(number)),
            false => Err(InvalidTrackingNumber),
        }
    }
}

impl TryFrom<String> for TrackingNumber {
    type Error = InvalidTrackingNumber;

    fn try_from(text: String) -> Result<Self, InvalidTrackingNumber> {
        Self::try_from(text.as_str())
    }
}

impl From<TrackingNumber> for String {
    fn from(number: TrackingNumber) -> Self {
        number.0
    }
}

impl fmt::Display for TrackingNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a status alone does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrackingDetail {
    /// It waits for the customer in a shop, a locker or an office (beside `out_for_delivery`).
    ReadyForPickup,
    /// Somebody was at the door, in vain (beside `exception`).
    AttemptFailed,
}

impl TrackingDetail {
    /// The name in tables and answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ReadyForPickup => "ready_for_pickup",
            Self::AttemptFailed => "attempt_failed",
        }
    }
}

/// One thing that happened to a parcel, as its carrier told it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TrackingEvent {
    /// Who told it.
    pub carrier: Carrier,
    /// Of which parcel.
    pub number: TrackingNumber,
    /// When it happened.
    pub at: Timestamp,
    /// Whether that moment was partly guessed: the carrier named no zone, or no readable time at all.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_time_assumed: bool,
    /// What it makes of the parcel; nothing where the code is unknown or changes no status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<OrderStatus>,
    /// What the status alone does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<TrackingDetail>,
    /// Whether a table of ours knows the code, also where it changes no status.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_code_known: bool,
    /// The carrier's code as it came, so that a better table can read it again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The carrier's words for the code, never a receiver's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Town and country, never a street.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// The day on which the carrier expects to deliver.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<Date>,
}

/// The most characters of a carrier's own words that are kept.
const LONGEST_TEXT: usize = 200;

impl TrackingEvent {
    /// An event that so far only says who, which and when.
    #[must_use]
    pub const fn new(carrier: Carrier, number: TrackingNumber, at: Timestamp) -> Self {
        Self {
            carrier,
            number,
            at,
            is_time_assumed: false,
            status: None,
            detail: None,
            is_code_known: false,
            code: None,
            text: None,
            place: None,
            expected: None,
        }
    }

    /// A carrier's words as one clean line of bounded length; nothing where they say nothing.
    #[must_use]
    pub fn words(text: &str) -> Option<String> {
        let line: String = clean_line(text).chars().take(LONGEST_TEXT).collect();
        Some(line).filter(|line| !line.trim().is_empty())
    }

    /// Whether it has a code that no table of ours knows how to read.
    #[must_use]
    pub const fn is_unread(&self) -> bool {
        self.code.is_some() && self.status.is_none() && !self.is_code_known
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_and_case_of_a_number_do_not_count() {
        let number = TrackingNumber::try_from(" 1z 204w4r0308071865").unwrap();
        assert_eq!(number.as_str(), "1Z204W4R0308071865");
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["", "  ", "--", "a#b", "1\u{0}2", "номер", &"1".repeat(51)] {
            assert_eq!(TrackingNumber::try_from(text), Err(InvalidTrackingNumber), "{text:?}");
        }
    }

    #[test]
    fn an_event_reads_back_from_what_it_is_written_as() {
        let number = TrackingNumber::try_from("1Z204W4R0308071865").unwrap();
        let mut event = TrackingEvent::new(Carrier::Ups, number, Timestamp::from_second(1_795_168_800).unwrap());
        event.status = Some(OrderStatus::OutForDelivery);
        event.detail = Some(TrackingDetail::ReadyForPickup);
        event.code = Some("OT/021".to_owned());
        let text = serde_json::to_string(&event).unwrap();
        assert_eq!(serde_json::from_str::<TrackingEvent>(&text).unwrap(), event);
    }
}
