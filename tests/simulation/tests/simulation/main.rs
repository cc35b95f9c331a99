//! The engine in a world of twins, judged.

#[cfg(test)]
mod breaker;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod night;
#[cfg(test)]
mod panics;
#[cfg(test)]
mod random;
#[cfg(test)]
mod reading;
#[cfg(test)]
mod redrive;
#[cfg(test)]
mod throttling;
mod twins;
#[cfg(test)]
mod urgency;
