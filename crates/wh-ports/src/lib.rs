//! What the host needs from the world, as traits: a store, a runner, a clock, and somebody to tell.
//!
//! The store's traits are split by who calls them. Every verb takes a slice of things and answers for each of
//! them; none shows a transaction.

pub mod answer;
pub mod blobs;
pub mod claims;
pub mod clock;
pub mod doorbell;
pub mod intake;
pub mod machine;
pub mod observe;
pub mod reader;
pub mod runner;
pub mod store;
pub mod upkeep;
pub mod wishes;
