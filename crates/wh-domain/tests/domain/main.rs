//! The rules of the domain, cell by cell: tables of what must come out, and properties that hold for everything.

// Always true here; it tells clippy that helpers of tests may unwrap too.
#![cfg(test)]

mod ailments;
mod bounds;
mod ending;
mod health;
mod lifecycle;
mod lives;
mod outputs;
mod page;
mod properties;
mod retry;
mod routing;
mod samples;
mod sentences;
mod stopping;
mod words;
