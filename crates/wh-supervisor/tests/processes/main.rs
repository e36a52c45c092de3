//! Attempts with real processes: how they end, what they leave, and what survives whom.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail anywhere")]

mod deaths;
mod endings;
mod hindrances;
mod limits;
mod outputs;
mod rig;
mod sandboxes;
mod streams;
mod trees;
mod trials;
mod witness;
mod workspaces;
