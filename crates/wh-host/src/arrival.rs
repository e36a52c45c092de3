//! What comes back to the loop from the things that run beside it.

use std::time::Duration;
use wh_domain::id::{StreamNo, WorkerName};
use wh_ports::claims::{Claimed, Heeded, Lane, Note, Orphan};
use wh_ports::doorbell::Bell;
use wh_ports::runner::{Assignment, Finished};
use wh_ports::store::StoreError;

pub(crate) enum Arrival {
    /// An attempt's process tree is empty (or known to be stuck); nothing is settled yet.
    Ended(Box<(Assignment, Finished)>),
    /// A settlement is over, whichever way.
    Settled(Result<(), StoreError>),
    /// A stuck tree is empty after all.
    Unstuck {
        worker: WorkerName,
        stream: StreamNo,
    },
    Listening(Result<Box<dyn Bell>, StoreError>),
    Claimed(Result<Claimed, StoreError>),
    Lanes(Result<(u64, Vec<Lane>), StoreError>),
    Beat {
        /// Whether others have written: told once by the store, so kept whatever went wrong afterwards.
        changed: bool,
        /// When a renewal that succeeded was sent, on the running clock: a slow answer must not stretch the lease.
        renewed: Option<Duration>,
        answer: Result<Beat, StoreError>,
    },
    Heeded(Result<Heeded, StoreError>),
    /// A dead host's processes are gone and its tasks are settled.
    Buried(Result<(), StoreError>),
    Swept,
    Retrying(Result<u64, StoreError>),
    /// What was to be published, if the store did not take it.
    Published(Option<Vec<Note>>),
}

/// What a heartbeat brought.
pub(crate) struct Beat {
    pub(crate) heeded: Heeded,
    pub(crate) orphans: Vec<Orphan>,
}
