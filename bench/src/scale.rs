//! What so many notifications a second need, cost and wait for, on paper: the figures that were measured, the limits that the template
//! sets, and what AWS allows and charges.

pub mod aws;
pub mod bill;
pub mod figures;
pub mod limits;
pub mod needs;
pub mod queueing;
pub mod walls;

pub use bill::{Bill, Line};
pub use figures::Figures;
pub use limits::{Lane, Limits, whole};
pub use needs::Needs;
pub use queueing::{Arrivals, Kind, Outcome, Scenario};
pub use walls::Wall;

/// The rates that are looked at: notifications by e-mail a second.
pub const RATES_PER_SECOND: [f64; 3] = [1.0, 100.0, 10_000.0];

/// A month as AWS counts it: 730 hours.
pub const SECONDS_PER_MONTH: f64 = 730.0 * 3_600.0;

#[cfg(test)]
pub(crate) mod tests {
    use super::{Figures, Limits};
    use std::sync::LazyLock;

    static TODAY: LazyLock<(Figures, Limits)> =
        LazyLock::new(|| (Figures::committed().unwrap(), Limits::of_template().unwrap()));

    /// The committed figures and the limits of the template.
    pub(crate) fn today() -> (Figures, Limits) {
        TODAY.clone()
    }
}
