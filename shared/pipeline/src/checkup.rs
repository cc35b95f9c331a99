//! Asking everything that the system depends on, side by side, and waiting for none of it longer than a while.

use domain::ports::Clock;
use domain::{Dependencies, Dependency, Health, Part};
use futures_util::future::{Either, join_all, select};
use jiff::SignedDuration;
use std::pin::pin;

/// What has not answered by then is down, whatever it would have said.
const PATIENCE: SignedDuration = SignedDuration::from_secs(10);

/// How everything is that the system depends on, in the order of [`Dependency::ALL`].
pub async fn checkup(dependencies: &impl Dependencies, clock: &impl Clock) -> Vec<Health> {
    join_all(Dependency::ALL.map(|dependency| examined(dependencies, dependency, clock))).await
}

async fn examined(dependencies: &impl Dependencies, dependency: Dependency, clock: &impl Clock) -> Health {
    let asked = pin!(dependencies.ask(dependency, clock.now()));
    let parts = match select(asked, pin!(clock.pause(PATIENCE))).await {
        Either::Left((parts, _)) => parts,
        Either::Right(_) => vec![Part {
            name: dependency.name().to_owned(),
            trouble: Some(format!("no answer within {} s", PATIENCE.as_secs())),
        }],
    };
    Health { dependency, parts }
}
