//! The cases of `workerhost verify`: what a worker is sent, what it is to do, and how to mend it when it does not.
//!
//! Nothing is started here. Whoever runs a case sends [`Case::stdin`] to a fresh process, does what [`Act`] says,
//! and hands what it saw to [`check`].
//!
//! The first four cases carry the titles of the older worker template's test program and ask for what it asked for,
//! with one difference: a worker that takes any type may succeed at an unknown one.

mod answer;
mod case;
mod check;
mod input;
mod observation;
mod problem;

pub use case::{Act, CASES, Case, Expect, Input, Level};
pub use check::{Finding, check};
pub use input::Sample;
pub use observation::{Ended, Observation};
