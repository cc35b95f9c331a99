//! The engine in a world of twins: the real doors over virtual time, seeded chance and every fault, judged at the end.
//!
//! A world is single-threaded and deterministic: the same setting and the same scenario give the same chronicle, entry by
//! entry. Time is a list of what is due; between two due things nothing passes. See `docs/SIMULATION.md`.

mod base;
mod exhaustive;
mod faults;
mod history;
mod invocation;
mod ledger;
mod people;
mod port;
mod provider;
mod publication;
mod queues;
mod room;
mod setting;
mod simulation;
mod world;

pub use base::{base, base_of_inboxes};
pub use exhaustive::{Exempt, Scenario, Table, every_fault};
pub use faults::{COMBINATIONS, Fault, Faults, Kind, Operation, Phase, meaningful};
pub use history::{Summary, WITH_INBOXES, histories, history};
pub use publication::{Customer, Fact, Publication};
pub use queues::Lane;
pub use setting::{Reports, Setting};
pub use simulation::{DAY_MS, Simulation};
pub use world::{BEGINNING, Mood};
