//! The reference store keeps every promise, and every promise can be broken.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod faults;
mod lease_model;
mod memory;
mod missing_guards;
mod random_lives;
mod scripts;
