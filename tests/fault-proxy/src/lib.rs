//! A proxy between the functions and the AWS emulator: it forwards each request unchanged, writes down which AWS operation it
//! was, and breaks the ones, or ends the callers, that a test asked it to. It also publishes what SES says of e-mails that it
//! accepted, which the emulator does not.
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
//! | `GET /_fault/exercised` | id of an access key → an [`Exercised`]: which permissions were needed, by whom |
//! | `PUT /_fault/feedback/topic`, `{"topic": "arn:aws:sns:…"}` | 204 |
//! | `PUT /_fault/feedback`, a list of [`Feedback`]; `POST /_fault/feedback`, one more; `DELETE /_fault/feedback` | 204 |
//! | `GET /_fault/feedback` | a [`FeedbackReport`] |
//! | `POST /_fault/feedback/events`, `{"message": "ID", "event": "complaint", "times": 1}`, a [`FeedbackEvent`] | 204 |

mod access;
mod answers;
mod book;
mod call;
mod caller;
mod control;
mod control_api;
mod feedback;
mod operation;
mod process;
mod proxy;
mod publisher;
mod rule;
mod ses_event;
mod topic;
mod upstream;

pub use access::{Access, ByKey, Exercised};
pub use call::{Call, Email, Publication};
pub use control::{Control, ControlError};
pub use feedback::{BounceKind, Feedback, FeedbackEvent};
pub use hyper::StatusCode;
pub use proxy::{Settings, serve, serve_with};
pub use publisher::{FeedbackReport, Keys};
pub use rule::{ErrorAnswer, Fault, Rule, RuleId, StandingRule};
pub use topic::{TopicArn, TopicArnError};
pub use upstream::{Upstream, UpstreamError};
