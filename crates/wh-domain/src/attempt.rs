//! One try at a task: what the worker says meanwhile, how it ended, and the record that is kept of it.

pub use crate::outcome::{Outcome, OutcomeName, RetryAfter};
pub use crate::progress::Progress;

use crate::exit::{Exit, Stop};
use crate::failure::FailureClass;
use crate::id::{Fence, HostId, StreamNo, WorkerName};
use crate::isolation::Enforcement;
use crate::limits::Breach;
use crate::outputs::Review;
use crate::time::Timestamp;
use std::time::Duration;

/// What the kernel counted for a process tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Processor time in user mode.
    pub user: Duration,
    /// Processor time in the kernel.
    pub system: Duration,
    /// The most memory that was seen, in KiB: of any one process, or of all together where that was measured.
    pub max_rss_kib: u64,
    /// What was read from disks, in KiB; what was still in memory is none of it.
    pub disk_read_kib: u64,
    /// What was written, in KiB, and has to go to a disk.
    pub disk_written_kib: u64,
    /// How many processes the kernel ended because memory ran out.
    pub oom_kills: u32,
}

impl Usage {
    /// With what somebody else used.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            user: self.user + other.user,
            system: self.system + other.system,
            max_rss_kib: self.max_rss_kib.max(other.max_rss_kib),
            disk_read_kib: self.disk_read_kib + other.disk_read_kib,
            disk_written_kib: self.disk_written_kib + other.disk_written_kib,
            oom_kills: self.oom_kills + other.oom_kills,
        }
    }
}

/// What is kept of an attempt for ever (or until retention): the termination record.
#[derive(Debug, Clone, PartialEq)]
pub struct AttemptRecord {
    /// The claim under which it ran; with the task's id it names the attempt.
    pub fence: Fence,
    /// Counted tries before it, plus one.
    pub attempt: u32,
    /// The host that ran it.
    pub host: HostId,
    /// The worker.
    pub worker: WorkerName,
    /// The worker's stream.
    pub stream: StreamNo,
    /// When it was claimed.
    pub started_at: Timestamp,
    /// When its process tree was seen to be empty, or when it was found lost.
    pub ended_at: Timestamp,
    /// What the ending means.
    pub outcome: OutcomeName,
    /// The kind of trouble, for failures.
    pub class: Option<FailureClass>,
    /// How the process ended; `None` where nobody saw it.
    pub exit: Option<Exit>,
    /// What the host had asked for.
    pub stop: Option<Stop>,
    /// The limit for which it, or a process of it, was ended.
    pub breach: Option<Breach>,
    /// One plain sentence.
    pub sentence: Box<str>,
    /// Protocol slips and other things worth a look that did not change the outcome.
    pub warnings: Vec<Box<str>>,
    /// Command lines of processes that outlived the worker and were ended.
    pub leaked: Vec<Box<str>>,
    /// The last lines of its log.
    pub log_tail: Box<str>,
    /// What it used.
    pub usage: Usage,
    /// Where its files were kept, relative to the data directory.
    pub workspace: Option<Box<str>>,
    /// What the checks of its outputs came to; `None` where nothing was declared, and nothing said.
    pub review: Option<Review>,
    /// What was kept from it; `None` for one without isolation, and for one that did not start.
    pub isolation: Option<Enforcement>,
}
