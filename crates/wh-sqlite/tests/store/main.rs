//! The store against real files.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on stops")]

mod backup;
mod backup_contents;
mod bounds;
mod conformance;
mod crash;
mod flaky;
mod handles;
mod kit;
mod life;
mod model;
mod opening;
mod place;
mod power;
mod swept;
mod trouble;
mod turn;
