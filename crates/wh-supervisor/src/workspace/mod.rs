//! The stream's own tree of files: `input/ working/ output/ logs/`, used again and again, and what is kept of it.
//!
//! A worker may plant anything in its tree. So everything here is opened one component at a time, below a directory
//! that is already open, never through a link, never waiting, and only if it is a regular file or a directory.

mod beneath;
mod content;
mod digest;
pub(crate) mod finished;
pub(crate) mod harvest;
pub(crate) mod heartbeat;
pub(crate) mod logfile;
pub(crate) mod marker;
pub(crate) mod place;
pub(crate) mod reading;
pub(crate) mod records;
mod remove;
pub(crate) mod review;
pub(crate) mod scratch;
pub(crate) mod space;
pub(crate) mod stage;
