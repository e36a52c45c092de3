//! What is read and shown. Nothing here writes.

pub(crate) mod backlog;
pub(crate) mod counts;
pub(crate) mod facts;
pub(crate) mod heed;
pub(crate) mod hosts;
pub(crate) mod tasks;
