//! Proof that a message comes from whom it says: comparisons in constant time, whatever the carrier.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// A message that is not proven to be the carrier's own. The caller learns nothing of the cause; the log does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unproven {
    /// No key of this carrier is configured, so that nothing can be proven.
    #[error("no key is configured")]
    NoKey,
    /// What carries the proof is missing.
    #[error("the proof is missing")]
    Missing,
    /// It is there, but not in the form that the carrier uses.
    #[error("the proof is in another form")]
    Malformed,
    /// It does not fit any live key.
    #[error("the proof fits no live key")]
    Mismatch,
    /// It was good, too long ago.
    #[error("the proof has expired")]
    Expired,
}

/// HMAC-SHA256 of these parts, one after the other.
pub(crate) fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    // HMAC takes keys of any length (RFC 2104, section 2).
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        unreachable!("HMAC takes keys of any length")
    };
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

/// Whether two texts are the same, in a time that tells nothing of where they differ.
pub(crate) fn is_same(claimed: &[u8], ours: &[u8]) -> bool {
    // Hashes of both are of one length, whatever the lengths of the texts.
    let (one, other) = (hmac_sha256(b"compare", &[claimed]), hmac_sha256(b"compare", &[ours]));
    one.ct_eq(&other).into()
}

/// Whether any key makes what the message claims. All of them are tried, so that the time tells nothing of which.
pub(crate) fn fits_any<K>(
    keys: impl Iterator<Item = K>,
    claimed: &[u8],
    make: impl Fn(K) -> Vec<u8>,
) -> Result<(), Unproven> {
    let mut has_key = false;
    let mut fits = false;
    for key in keys {
        has_key = true;
        fits |= is_same(claimed, &make(key));
    }
    match (has_key, fits) {
        (false, _) => Err(Unproven::NoKey),
        (true, false) => Err(Unproven::Mismatch),
        (true, true) => Ok(()),
    }
}

/// Bytes from base64 with padding, to the letter: no other spelling of the same bytes passes.
pub(crate) fn from_base64(text: &str) -> Result<Vec<u8>, Unproven> {
    STANDARD.decode(text).map_err(|_other_form| Unproven::Malformed)
}

/// Bytes from small hexadecimal digits, to the letter.
pub(crate) fn from_hex(text: &str) -> Result<Vec<u8>, Unproven> {
    let digit = |c: u8| match c {
        b'0'..=b'9' => Some(c - b'0'),
        b'a'..=b'f' => Some(c - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let bytes: Option<Vec<u8>> = pairs
        .iter()
        .map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?))
        .collect();
    bytes.filter(|_| rest.is_empty()).ok_or(Unproven::Malformed)
}
