//! What carriers sent, in a bucket.

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use domain::Carrier;
use domain::ports::Unavailable;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use sha2::{Digest, Sha256};

use crate::answer::in_few_words;

const ARCHIVING: &str = "archive what a carrier sent";

/// The bucket of what carriers sent.
#[derive(Debug, Clone)]
pub struct S3Archive {
    client: Client,
    bucket: String,
}

impl S3Archive {
    /// The bucket of that name.
    #[must_use]
    pub const fn new(client: Client, bucket: String) -> Self {
        Self { client, bucket }
    }

    /// Keeps these bytes under [`archive_key`]. The same bytes of the same millisecond are kept once.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when they may not have been kept.
    pub async fn keep(&self, carrier: Carrier, bytes: &[u8], now: Timestamp) -> Result<(), Unavailable> {
        self.client
            .put_object()
            .bucket(&self.bucket)
            .key(archive_key(carrier, bytes, now))
            .body(ByteStream::from(bytes.to_vec()))
            .send()
            .await
            .map(|_kept| ())
            .map_err(|error| Unavailable::new(ARCHIVING, in_few_words(&error)))
    }
}

/// `fedex/2026/11/20/10-00-00.000Z-0123456789abcdef`: carrier, moment (UTC) and a hash of the bytes.
#[must_use]
pub fn archive_key(carrier: Carrier, bytes: &[u8], now: Timestamp) -> String {
    let hash: String = Sha256::digest(bytes)
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let now = now.to_zoned(TimeZone::UTC);
    let place = now.strftime("%Y/%m/%d/%H-%M-%S%.3fZ");
    format!("{carrier}/{place}-{hash}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_tells_carrier_and_moment() {
        let now: Timestamp = "2026-11-20T10:00:00.5Z".parse().unwrap();
        let key = archive_key(Carrier::Fedex, b"{}", now);
        assert_eq!(key, "fedex/2026/11/20/10-00-00.500Z-44136fa355b3678a");
    }
}
