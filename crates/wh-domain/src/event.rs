//! What happened, as facts in the past tense; observers listen and never slow the host.

use crate::attempt::{AttemptRecord, Progress};
use crate::id::{AttemptId, HostId, StreamNo, TaskId, TaskType, WorkerName};
use crate::lifecycle::Next;
use crate::watermark::Strain;
use std::time::Duration;

/// Which attempt an event is about; every log line of the attempt carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carried {
    /// The task's id and fence.
    pub attempt_id: AttemptId,
    /// The task's type.
    pub task_type: TaskType,
    /// Its worker.
    pub worker: WorkerName,
    /// The worker's stream.
    pub stream: StreamNo,
    /// Counted tries before it, plus one.
    pub attempt: u32,
    /// W3C trace context.
    pub traceparent: Option<Box<str>>,
}

/// A line that a worker wrote to its log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// `DEBUG`, `INFO`, `WARNING`, `ERROR` or `CRITICAL`; `None` for a bare line of standard error.
    pub level: Option<Box<str>>,
    /// The text, one line.
    pub message: Box<str>,
}

/// One fact.
#[derive(Debug, Clone)]
pub enum Event {
    /// A host has begun to claim.
    HostStarted {
        /// It.
        host: HostId,
        /// How many workers it has.
        workers: usize,
        /// How many attempts it may carry at once.
        streams: u32,
    },
    /// A host claims no more and waits for what it carries.
    HostDraining {
        /// Attempts still carried.
        running: usize,
    },
    /// A host has ended.
    HostStopped {
        /// Attempts that had to be killed.
        killed: usize,
    },
    /// The configuration was read again and taken.
    ConfigReloaded {
        /// New workers.
        added: Vec<WorkerName>,
        /// Changed workers.
        changed: Vec<WorkerName>,
        /// Workers that get no more tasks.
        removed: Vec<WorkerName>,
    },
    /// The configuration was read again and refused; the old one goes on.
    ConfigRefused {
        /// Why.
        why: Box<str>,
    },
    /// An attempt's process is being started.
    AttemptStarted {
        /// Which.
        carried: Carried,
    },
    /// A worker told how far it is.
    Progressed {
        /// Which.
        carried: Carried,
        /// How far.
        progress: Progress,
    },
    /// A worker wrote to its log.
    Logged {
        /// Which.
        carried: Carried,
        /// What.
        line: LogLine,
    },
    /// The soft limit was reached.
    SoftTimeout {
        /// Which.
        carried: Carried,
        /// Until the hard limit.
        remaining: Duration,
    },
    /// An attempt's ending is durable.
    Settled {
        /// Which.
        carried: Carried,
        /// How it ended.
        record: Box<AttemptRecord>,
        /// What becomes of the task.
        next: Next,
    },
    /// An ending came too late: somebody else holds the task, so nothing was written.
    Fenced {
        /// Which.
        carried: Carried,
    },
    /// A dead host's task was taken over.
    Reclaimed {
        /// The task.
        task: TaskId,
        /// The host that died.
        from: HostId,
    },
    /// A worker was put aside.
    WorkerQuarantined {
        /// It.
        worker: WorkerName,
        /// Until the next recovery; `None` is until someone mends it.
        retry_in: Option<Duration>,
        /// Why.
        why: Box<str>,
    },
    /// A worker is back.
    WorkerRecovered {
        /// It.
        worker: WorkerName,
    },
    /// Tasks of this type wait because no worker takes it.
    NoWorker {
        /// The type.
        task_type: TaskType,
    },
    /// A stream's process tree could not be ended, so the stream takes no more tasks.
    StreamStuck {
        /// Which.
        carried: Carried,
    },
    /// Processes of a dead host could not be ended yet; its tasks wait for that.
    ProcessesRemain {
        /// The dead host.
        of: HostId,
        /// What remains.
        why: Box<str>,
    },
    /// The store did not answer; the host waits and tries again.
    StoreUnavailable {
        /// Why.
        why: Box<str>,
    },
    /// The store answers again.
    StoreBack,
    /// The machine has enough to do, so the host claims nothing; what runs goes on.
    HostStrained {
        /// Why.
        strain: Strain,
    },
    /// The host claims again.
    HostRelieved,
    /// Old things were deleted.
    Swept {
        /// Tasks.
        tasks: u64,
        /// Blobs and workspaces.
        files: u64,
    },
}
