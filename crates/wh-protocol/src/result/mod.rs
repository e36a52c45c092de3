//! Reads a result object.
//!
//! A report is never lost over an optional field: what has a wrong shape is left out and named in
//! [`WorkerResult::warnings`] with its path. Two things are errors, because going on would lose work: a `success`
//! that is no boolean, and follow-up tasks that cannot be enqueued as written.

mod bad;
mod error;
mod follow_up;
mod log;
mod outputs;
mod read;
mod report;
mod when;

pub use bad::BadResult;
pub use log::log_level;
pub use read::read;
pub use report::{ClaimedOutput, Class, ErrorReport, FollowUp, LogEntry, Report, When, WorkerResult};

pub(crate) use read::from_fields;
pub(crate) use when::when;
