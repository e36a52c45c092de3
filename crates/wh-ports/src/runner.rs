//! Who carries an attempt: a process in earnest, a script in tests.

use crate::answer::BoxFuture;
use crate::claims::{Claim, Produced};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use wh_domain::attempt::{Progress, Usage};
use wh_domain::ending::{Ending, Verdict};
use wh_domain::event::LogLine;
use wh_domain::id::{AttemptId, HostId, StreamNo, TaskId, TaskType, UniqueKey};
use wh_domain::isolation::Enforcement;
use wh_domain::outputs::Review;
use wh_domain::task::Payload;
use wh_domain::time::Timestamp;
use wh_domain::worker::Worker;

/// One attempt to be carried.
#[derive(Debug, Clone)]
pub struct Assignment {
    /// The host.
    pub host: HostId,
    /// The host's slot.
    pub slot: u32,
    /// The worker.
    pub worker: Arc<Worker>,
    /// The worker's stream.
    pub stream: StreamNo,
    /// The task.
    pub claim: Claim,
    /// Counted tries before this one, plus one.
    pub attempt: u32,
    /// The limit that holds for this task.
    pub max_attempts: u32,
}

/// What the host asks of a running attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// A person wants it ended: tell the worker, then SIGTERM, grace, SIGKILL.
    Cancel,
    /// The host is going down: tell the worker; it may finish.
    Drain,
    /// Waiting is over: SIGTERM, grace, SIGKILL.
    Stop,
    /// The host may not write for it any more, or has no more time: SIGKILL now.
    Kill,
}

/// What a worker says while it works.
#[derive(Debug, Clone, PartialEq)]
pub enum Said {
    /// How far it is.
    Progress(Progress),
    /// A line for its log.
    Log(LogLine),
    /// Something for the next attempt: a JSON value.
    Checkpoint(Box<str>),
    /// A number of its own.
    Metric {
        /// What is counted.
        name: Box<str>,
        /// How much it grew.
        value: f64,
    },
    /// An upstream asked to slow down.
    RateLimited {
        /// Its HTTP status.
        status: Option<u16>,
        /// The worker's words.
        message: Box<str>,
    },
    /// The soft limit was reached; holds what remains.
    SoftTimeout(Duration),
}

/// Where what a worker says goes. Called on the host's thread; must return at once.
pub type Listener = Arc<dyn Fn(Said) + Send + Sync>;

/// A task that a result brings forth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowUp {
    /// The worker's own id for it.
    pub id: Option<TaskId>,
    /// Its type.
    pub task_type: TaskType,
    /// Its params.
    pub params: Payload,
    /// Its priority.
    pub priority: i32,
    /// At most one unfinished task may hold this key.
    pub unique: Option<UniqueKey>,
    /// Not before this moment.
    pub run_at: Option<Timestamp>,
}

/// How an attempt ended: its process tree is empty, or is known not to be.
#[expect(missing_debug_implementations, reason = "a future has nothing to show")]
pub struct Finished {
    /// What was seen.
    pub ending: Ending,
    /// What it means.
    pub verdict: Verdict,
    /// The result, or what there was of it.
    pub produced: Option<Produced>,
    /// Tasks that the result brings forth. Empty unless it succeeded.
    pub follow_ups: Vec<FollowUp>,
    /// When the process was started, or was to be.
    pub started_at: Timestamp,
    /// When the tree was empty.
    pub ended_at: Timestamp,
    /// Protocol slips and other things worth a look.
    pub warnings: Vec<Box<str>>,
    /// Command lines of processes that outlived the worker and were ended.
    pub leaked: Vec<Box<str>>,
    /// The last lines of the log.
    pub log_tail: Box<str>,
    /// What it used.
    pub usage: Usage,
    /// Where its files are kept, relative to the data directory.
    pub workspace: Option<Box<str>>,
    /// What the checks of its outputs came to.
    pub review: Option<Review>,
    /// What was kept from it.
    pub isolation: Option<Enforcement>,
    /// Resolves when the tree is empty after all, for a tree that SIGKILL could not end in its time. Until then the
    /// stream is stuck and the task must not be settled.
    pub stuck: Option<BoxFuture<'static, ()>>,
}

/// Carries attempts.
pub trait Runner: Send + Sync {
    /// Carries one attempt to its end. Says nothing to `listener` before it has waited for something, for until then nobody
    /// has been told that the attempt began. The future may be dropped: then the whole process tree is killed.
    fn run(
        &self,
        assignment: Assignment,
        orders: mpsc::Receiver<Order>,
        listener: Listener,
    ) -> BoxFuture<'_, Finished>;

    /// Ends whatever is left of attempts whose host has died. Returns once none of their processes is alive;
    /// `Err` names what could not be ended.
    fn bury(&self, dead: HostId, attempts: Vec<AttemptId>) -> BoxFuture<'_, Result<(), String>>;

    /// Deletes kept workspaces that are older than `keep`, then the oldest until all take at most `most_bytes`.
    /// Answers how many went.
    fn sweep(&self, keep: Duration, most_bytes: u64) -> BoxFuture<'_, u64>;
}
