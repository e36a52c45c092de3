//! The embedded store: one SQLite file in WAL mode, one writer, group commit.
//!
//! Writes of one process are joined: while one commit waits for the disk, the next one fills up. Between processes
//! a lock file gives every writer its turn. Nothing is acknowledged before it is on stable storage.

mod backup_dir;
mod bell;
mod blob_dir;
mod blob_sweep;
mod calendar;
mod check;
mod clock;
mod connection;
mod content;
mod desk;
mod digest;
mod failure;
mod filesystem;
mod holder;
mod home;
mod hosts;
mod identity;
mod lock;
mod maintenance;
mod marker;
mod numbers;
mod open_error;
mod options;
mod place;
#[cfg(test)]
mod plans;
mod policy;
mod ready;
mod record;
mod row;
mod schema;
mod stage;
mod steps;
mod store;
mod tasks;
mod traits;
mod trust;
mod tx;
mod views;
mod writing;

pub use clock::SystemClock;
pub use home::make_data_dir;
pub use maintenance::{Description, damaged_contents, describe, migrate, restore};
pub use open_error::OpenError;
pub use options::{Mode, Options, Writing};
pub use steps::{OnStep, STEPS};
pub use store::SqliteStore;
