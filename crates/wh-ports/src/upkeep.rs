//! What keeps a store healthy and small.

use crate::answer::Answer;
use std::path::PathBuf;
use std::time::Duration;

/// How long ended tasks and their files are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Completed tasks.
    pub completed: Duration,
    /// Poisoned tasks.
    pub poisoned: Duration,
    /// Cancelled tasks.
    pub cancelled: Duration,
    /// Ended tasks in all; the oldest go first.
    pub finished: u64,
    /// Bytes of the store's file; beyond it the oldest ended tasks go first.
    pub store_size: u64,
    /// Workspaces of ended attempts.
    pub workspaces: Duration,
    /// Bytes of all of them; the oldest go first.
    pub workspaces_size: u64,
}

impl Default for Retention {
    fn default() -> Self {
        const DAY: Duration = Duration::from_secs(86_400);
        const GIB: u64 = 1 << 30;
        Self {
            completed: DAY * 7,
            poisoned: DAY * 30,
            cancelled: DAY * 7,
            finished: 5_000_000,
            store_size: 20 * GIB,
            workspaces: DAY,
            workspaces_size: 10 * GIB,
        }
    }
}

/// What one round of sweeping deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Swept {
    /// Ended tasks with all that belonged to them.
    pub tasks: u64,
    /// Blobs that no task refers to any more.
    pub blobs: u64,
    /// Whether another round would find more.
    pub more: bool,
}

/// For the sweeper and for people.
pub trait Upkeep: Send + Sync {
    /// Deletes one bounded batch of what retention allows to go.
    fn sweep(&self, retention: Retention) -> Answer<'_, Swept>;

    /// Looks for damage; every line of the answer is one finding, none is good.
    fn check(&self) -> Answer<'_, Vec<String>>;

    /// Writes a consistent copy with every large content that it needs, durable before the answer, while everything
    /// else goes on. `to` must not be there yet.
    fn backup(&self, to: PathBuf) -> Answer<'_, ()>;
}
