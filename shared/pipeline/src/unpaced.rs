//! The traffic of a channel behind which no provider's account stands.

use domain::ports::{TrafficShare, Unavailable};
use domain::{Asked, Breaker, Channel, Slowed, Traffic, Window};

/// Lets everything through: what it leads to is the shop's own, sets no pace and refuses no account. What is told to be slower
/// waits by itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unpaced;

/// More than all senders of a channel could ever offer in a second.
const LIMIT: f64 = 1_000_000.0;

impl TrafficShare for Unpaced {
    async fn look(&self, channel: Channel) -> Result<Traffic, Unavailable> {
        Ok(Traffic {
            limit: LIMIT,
            ..Traffic::usual(channel)
        })
    }

    async fn ask(
        &self,
        _channel: Channel,
        _window: &Window,
        _is_urgent: bool,
        _count: u32,
    ) -> Result<Asked, Unavailable> {
        Ok(Asked::default())
    }

    async fn slow_down(&self, _channel: Channel, _slowed: Slowed) -> Result<(), Unavailable> {
        Ok(())
    }

    async fn set_breaker(&self, _channel: Channel, _breaker: &Breaker) -> Result<(), Unavailable> {
        Ok(())
    }
}
