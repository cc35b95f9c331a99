//! What an account may send, in memory.

use domain::ports::{TrafficKeep, TrafficShare, Unavailable};
use domain::{Asked, Breaker, Channel, Slowed, Traffic, Window};
use jiff::SignedDuration;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;

/// What an account may send, in memory.
#[derive(Debug, Default)]
pub struct MemoryTraffic {
    known: RefCell<HashMap<Channel, Traffic>>,
    asked: RefCell<HashMap<(Channel, i64), Asked>>,
    /// Whether it can be reached.
    pub is_out_of_reach: Cell<bool>,
}

impl MemoryTraffic {
    /// What the account may send by this channel.
    #[must_use]
    pub fn of(&self, channel: Channel) -> Traffic {
        let known = self.known.borrow();
        known.get(&channel).cloned().unwrap_or_else(|| Traffic::usual(channel))
    }

    /// Puts it there, whatever was there before.
    pub fn put(&self, channel: Channel, traffic: Traffic) {
        self.known.borrow_mut().insert(channel, traffic);
    }

    fn change(&self, channel: Channel, change: impl FnOnce(&mut Traffic)) -> Result<(), Unavailable> {
        self.reach()?;
        let mut traffic = self.of(channel);
        change(&mut traffic);
        self.put(channel, traffic);
        Ok(())
    }

    fn reach(&self) -> Result<(), Unavailable> {
        match self.is_out_of_reach.get() {
            true => Err(Unavailable::new(
                "share the traffic",
                "the table is told to be out of reach",
            )),
            false => Ok(()),
        }
    }
}

impl TrafficShare for MemoryTraffic {
    async fn look(&self, channel: Channel) -> Result<Traffic, Unavailable> {
        self.reach()?;
        Ok(self.of(channel))
    }

    async fn ask(&self, channel: Channel, window: &Window, is_urgent: bool, count: u32) -> Result<Asked, Unavailable> {
        self.reach()?;
        let mut asked = self.asked.borrow_mut();
        let asked = asked.entry((channel, window.name)).or_default();
        match is_urgent {
            true => asked.urgent += count,
            false => asked.normal += count,
        }
        Ok(*asked)
    }

    async fn slow_down(&self, channel: Channel, slowed: Slowed) -> Result<(), Unavailable> {
        self.change(channel, |traffic| {
            let least = SignedDuration::from_secs(1);
            let is_known = traffic
                .slowed
                .is_some_and(|known| slowed.at.duration_since(known.at) < least);
            if !is_known {
                traffic.slowed = Some(slowed);
            }
        })
    }

    async fn set_breaker(&self, channel: Channel, breaker: &Breaker) -> Result<(), Unavailable> {
        self.change(channel, |traffic| traffic.breaker = breaker.clone())
    }
}

impl TrafficKeep for MemoryTraffic {
    async fn set_limit(&self, channel: Channel, limit: f64) -> Result<(), Unavailable> {
        self.change(channel, |traffic| traffic.limit = limit)
    }
}
