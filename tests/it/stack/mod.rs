//! Journeys on the local stack, with the fault proxy between functions and emulator.

mod callers;
mod contract;
mod direct;
mod faults;
mod harness;
mod hostile;
mod local_tools;
mod logs;
mod preferences;
mod repetition;
