//! What the carriers of the world do each in their own way: names, tracking numbers, tracking pages.

mod tracking_page;

pub use tracking_page::{carrier_name, tracking_page};
