//! What every function behind API Gateway shares: who calls, what is wrong, which version, and the way in and out.
//!
//! A call of Lambda comes in by [`serve`], goes through the function's own router as an HTTP request, and leaves as an answer for API
//! Gateway. Every refusal is a [`Problem`]; who calls is told by [`Caller`], which believes nothing that the gateway did not check,
//! and checks that again.

mod caller;
mod fields;
mod front;
mod if_match;
mod if_none_match;
pub mod open_api;
mod paging;
mod problem;

pub use caller::{Admin, Caller, Identity, Role};
pub use fields::{Fields, pointer_part};
pub use front::{Counted, Front, serve};
pub use if_match::{IfMatch, entity_tag};
pub use if_none_match::IfNoneMatch;
pub use paging::{InvalidCursor, Paging, cursor, read_cursor};
pub use problem::{Problem, Wrong};
