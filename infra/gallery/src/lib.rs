//! The browser with which pages are looked at: by the gallery of messages, and by the tour of the customers' own pages.

mod chromium;

pub use chromium::{CHECKS, Chromium};
