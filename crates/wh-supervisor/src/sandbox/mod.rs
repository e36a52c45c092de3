//! What keeps a worker from the files, the processes and the sockets of others.
//!
//! `grants` decides what a worker may reach, from its configuration and its program (`software`); `enclosure` prepares a
//! sandbox of that once; each worker enters it between its birth and its execution (`birth`). Nothing else is inside: whoever
//! shared a worker's sandbox could be signalled by it, and be ended with all that it watches.

pub(crate) mod enclosure;
pub(crate) mod grants;
mod places;
#[cfg(test)]
mod project;
mod reach;
mod software;
mod syscalls;
