//! What comes back to the loop from the things that run beside it.

use std::time::Duration;
use wh_domain::id::{StreamNo, WorkerName};
use wh_ports::claims::{Claimed, Cursor, Heeded, Lane, Orphan};
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
    Claimed(Result<Claimed, StoreError>),
    Lanes(Result<(u64, Vec<Lane>), StoreError>),
    Beat(Result<Beat, StoreError>),
    Heeded(Result<Heeded, StoreError>),
    /// Dead hosts' processes are gone and their tasks are settled.
    Buried(Result<(), StoreError>),
    Swept,
    Retrying(Result<u64, StoreError>),
    Published,
}

/// What a heartbeat brought.
pub(crate) struct Beat {
    pub(crate) heeded: Heeded,
    pub(crate) changed: bool,
    pub(crate) orphans: Vec<Orphan>,
    /// When the renewal was sent, on the running clock.
    pub(crate) sent_at: Duration,
}

/// Where the host is in the sequence of wishes.
#[derive(Default)]
pub(crate) struct Ear {
    pub(crate) cursor: Cursor,
    pub(crate) listening: bool,
    pub(crate) again: bool,
}
