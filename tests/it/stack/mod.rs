//! Journeys on the local stack, with the fault proxy between functions and emulator.

mod breaker;
mod callers;
mod contract;
mod direct;
mod doubt;
mod fact;
mod faults;
mod handed_over;
mod harness;
mod hostile;
mod kills;
mod local_tools;
mod logs;
mod operator;
mod overdue;
mod overtaken;
mod pace;
mod poison;
mod preferences;
mod repetition;
mod reports;
mod sms_limits;
mod stores;
mod templates;
mod twins;
mod unsubscribe_headers;
