//! Memory twins of every port, a clock that is moved by hand, and ready-made values. For tests only.

mod clock;
mod courier;
mod ledger;
mod queues;
mod values;

pub use clock::HandClock;
pub use courier::ScriptedCourier;
pub use ledger::MemoryLedger;
pub use queues::{MemoryDeadLetters, MemoryPreferences, MemoryQueues};
pub use values::{at, confirmation, email_request, order, shipped, shop_defaults};
