//! What the webhook needs of the outside.

use carriers::Keys;
use domain::Carrier;
use domain::ports::Unavailable;
use jiff::Timestamp;
use std::future::Future;

/// Knows the live keys of carriers.
pub trait KeysLoad: Send + Sync {
    /// The keys of this carrier; empty where it has none.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when that cannot be told.
    fn keys(&self, carrier: Carrier, now: Timestamp) -> impl Future<Output = Result<Keys, Unavailable>> + Send;
}

/// Keeps what carriers sent, without what must not be kept.
pub trait Archive: Send + Sync {
    /// Keeps these bytes.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when they may not have been kept.
    fn keep(
        &self,
        carrier: Carrier,
        bytes: &[u8],
        now: Timestamp,
    ) -> impl Future<Output = Result<(), Unavailable>> + Send;
}

/// Takes messages for later.
pub trait Queue: Send + Sync {
    /// Puts all of them there.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when any of them may be missing.
    fn put(&self, messages: &[String]) -> impl Future<Output = Result<(), Unavailable>> + Send;
}

impl KeysLoad for aws::RememberedCarrierSecrets {
    async fn keys(&self, carrier: Carrier, now: Timestamp) -> Result<Keys, Unavailable> {
        let secrets = self.at(now).await?;
        Ok(secrets.webhooks.get(&carrier).cloned().unwrap_or_default())
    }
}

impl Archive for aws::S3Archive {
    async fn keep(&self, carrier: Carrier, bytes: &[u8], now: Timestamp) -> Result<(), Unavailable> {
        Self::keep(self, carrier, bytes, now).await
    }
}

impl Queue for aws::SqsQueue {
    async fn put(&self, messages: &[String]) -> Result<(), Unavailable> {
        self.put_all(messages).await.into_iter().collect()
    }
}
