//! Small soaks, for every day. The large ones are commands: see `docs/reliability.md`.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod kills;
mod promises;
mod rooms;
mod trees;
