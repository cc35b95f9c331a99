//! A proxy between the functions and the AWS emulator: it forwards each request unchanged, writes down which AWS operation it
//! was, and breaks the ones that a test asked it to break.
//!
//! Tests talk to it through [`Control`], under `/_fault/` on the same port:
//!
//! | Request | Answer |
//! | --- | --- |
//! | `GET /_fault/health` | `{"status": "ok"}` |
//! | `POST /_fault/rules`, a [`Rule`] | 201 and `{"id": 1}` |
//! | `GET /_fault/rules` | a list of [`StandingRule`] |
//! | `DELETE /_fault/rules`, `DELETE /_fault/rules/1` | 204 |
//! | `GET /_fault/calls?operation=SendEmail&contains=TEXT` | a list of [`Call`], oldest first; both filters are optional |
//! | `GET /_fault/counts` | operation → number of requests |

mod answers;
mod book;
mod call;
mod control;
mod control_api;
mod operation;
mod proxy;
mod rule;
mod upstream;

pub use call::{Call, Email, Publication};
pub use control::{Control, ControlError};
pub use hyper::StatusCode;
pub use proxy::serve;
pub use rule::{ErrorAnswer, Fault, Rule, RuleId, StandingRule};
pub use upstream::{Upstream, UpstreamError};
