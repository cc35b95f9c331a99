//! The way of a parcel, over the ports and without AWS.
//!
//! ```text
//! carrier ─prove, read─▶ events ─┐
//! pipeline ─read─▶ event ────────┼─▶ sayings ─fold─▶ standing ─compare─▶ order + news ─▶ topic
//! by hand ───────────────────────┘
//! ```
//!
//! [`Desk`] keeps orders; [`Patrol`] asks carriers that do not call, and keeps subscriptions alive.

mod desk;
mod news;
mod pace;
mod patrol;
pub mod ports;
mod record;
mod registration;
mod timeline;
mod wire;

pub use desk::{ByHand, CannotChange, Desk, Seen};
pub use pace::{Pace, Spent};
pub use patrol::{Patrol, PatrolPolicy, Patrolled};
pub use record::{DeliveryWishes, OrderRecord, ParcelRecord, ParcelStanding, WatchedParcel, Watching};
pub use registration::{MOST_PARCELS, RegisteredParcel, Registration, Told};
pub use timeline::{Entry, timeline};
pub use wire::{CarrierNews, PendingHandshake};
