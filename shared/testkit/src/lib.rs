//! Memory twins of every port, a clock that is moved by hand, and ready-made values. For tests only.

mod allowance;
mod canary;
mod clock;
mod courier;
mod customers;
mod history;
mod inbox;
mod ledger;
mod messages;
mod phone_verifications;
mod preferences;
mod queues;
pub mod recorded;
mod templates;
mod tracking;
mod traffic;
mod values;
mod waiting_room;

pub use self::tracking::{Fault, MemoryTexts, MemoryTracking, ScriptedCarriers};
pub use allowance::MemoryAllowance;
pub use canary::{MemoryDependencies, MemoryFlightLog, MemoryFrontDoor};
pub use clock::{HandClock, StillClock};
pub use courier::ScriptedCourier;
pub use customers::MemoryCustomers;
pub use history::MemoryHistory;
pub use inbox::MemoryInbox;
pub use ledger::MemoryLedger;
pub use messages::MemoryMessages;
pub use phone_verifications::MemoryPhoneVerifications;
pub use preferences::MemoryPreferences;
pub use queues::{MemoryDeadLetters, MemoryQueues};
pub use templates::MemoryTemplates;
pub use traffic::MemoryTraffic;
pub use values::{at, confirmation, email_request, note, order, shipped, shop_defaults};
pub use waiting_room::MemoryWaitingRoom;
