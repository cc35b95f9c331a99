//! The carriers in one's own hands: their side of every conversation, in the shapes of their documents.
//!
//! [`Play`] calls the webhooks with the life of a parcel, [`Laboratory`] answers as the carriers' tracking APIs would, [`Replay`] reads
//! what was archived with today's tables.

mod laboratory;
mod life;
mod numbers;
mod play;
mod post;
mod replay;
mod replayed;
mod serve;
mod shapes;
mod stack;
mod table;
#[cfg(test)]
mod tests;
mod witness;

pub use laboratory::{Asked, Call, Laboratory, Question, Reply};
pub use life::{Milestone, Step, Trace};
pub use numbers::number as made_up_number;
pub use play::{CALLERS, Casting, Manner, Play, Played, play};
pub use post::{CarrierKeys, Letter, Post};
pub use replay::{Archive, Replay, apply, compare};
pub use replayed::{Difference, Kind, Replayed, Turn};
pub use serve::{Serve, connect, serve};
pub use shapes::{Push, dhl_handshake, push, tells_histories};
pub use stack::Stack;
pub use table::table;
