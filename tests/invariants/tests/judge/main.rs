//! The judge judged: what breaks an invariant is found, and what merely looks like it is not.

#[cfg(test)]
mod alterations;
#[cfg(test)]
mod arrows;
#[cfg(test)]
mod doubles;
#[cfg(test)]
mod ends;
#[cfg(test)]
mod logs;
#[cfg(test)]
mod notes;
#[cfg(test)]
mod opt_outs;
#[cfg(test)]
mod parked;
#[cfg(test)]
mod run;
#[cfg(test)]
mod sources;
#[cfg(test)]
mod sums;
