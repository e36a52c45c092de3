//! The traits of the store, one per file: each picks the thread and the transaction, and leaves the work to others.

mod blobs;
mod claims;
mod doorbell;
mod intake;
mod reader;
mod upkeep;
mod wishes;
