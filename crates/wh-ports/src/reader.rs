//! What people and other programs ask.

use crate::answer::Answer;
use crate::blobs::Stored;
use crate::claims::{Cursor, WorkerReport};
use wh_domain::attempt::{AttemptRecord, OutcomeName, Progress};
use wh_domain::id::{Fence, HostId, LaneId, Seq, TaskId, TaskType};
use wh_domain::task::{InputFile, StateName, Task};
use wh_domain::time::Timestamp;

/// Which tasks to list, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only in these states; empty is any.
    pub states: Vec<StateName>,
    /// Only of this type.
    pub task_type: Option<TaskType>,
    /// Only older than this one: where the last page ended.
    pub before: Option<Seq>,
    /// At most so many; 0 is 100, never more than 10,000.
    pub most: u32,
}

/// A page of a list.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// The tasks.
    pub tasks: Vec<Task>,
    /// Where the next page begins, if there is more.
    pub next: Option<Seq>,
}

/// All that is kept of a task.
#[derive(Debug, Clone)]
pub struct Dossier {
    /// The task.
    pub task: Task,
    /// What went in.
    pub params: Stored,
    /// The producer's additions to the metadata.
    pub metadata: Option<Box<str>>,
    /// Attached files.
    pub inputs: Vec<InputFile>,
    /// W3C trace context.
    pub traceparent: Option<Box<str>>,
    /// What came out, and whether it was cut short.
    pub result: Option<(Stored, bool)>,
    /// What the next attempt would be given.
    pub checkpoint: Option<Box<str>>,
    /// The last progress that was kept.
    pub progress: Option<Progress>,
    /// Its attempts, first one first.
    pub attempts: Vec<AttemptRecord>,
}

/// Something that was committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// Tasks came in: all between these two, ends included.
    Enqueued {
        /// First.
        from: Seq,
        /// Last.
        to: Seq,
    },
    /// An attempt ended.
    Settled {
        /// The task.
        seq: Seq,
        /// The attempt.
        fence: Fence,
        /// How.
        outcome: OutcomeName,
        /// The state that followed.
        state: StateName,
    },
    /// A person's wish was heard for a task (cancel, retry).
    Wished {
        /// The task.
        seq: Seq,
        /// The state that followed.
        state: StateName,
    },
}

/// How many tasks of a type are in a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    /// The type.
    pub task_type: TaskType,
    /// The state.
    pub state: StateName,
    /// How many.
    pub tasks: u64,
}

/// What waits of a type. Numbers are never larger than was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backlog {
    /// The type.
    pub task_type: TaskType,
    /// How many pending tasks somebody could do now.
    pub due: u64,
    /// Since when the first in line is due, and there; `None` where none is.
    pub since: Option<Timestamp>,
    /// How many are to be tried later.
    pub later: u64,
}

/// An attempt with the task that it was made for.
#[derive(Debug, Clone, PartialEq)]
pub struct RecentAttempt {
    /// The task.
    pub task: TaskId,
    /// Its type.
    pub task_type: TaskType,
    /// The attempt.
    pub record: AttemptRecord,
}

/// A host as others see it.
#[derive(Debug, Clone)]
pub struct HostView {
    /// It.
    pub host: HostId,
    /// A label for people.
    pub name: Box<str>,
    /// Its process id.
    pub pid: u32,
    /// The program's version.
    pub version: Box<str>,
    /// When it joined.
    pub joined_at: Timestamp,
    /// Whether it is alive now, as far as the store can tell.
    pub alive: bool,
    /// How its workers are doing.
    pub workers: Vec<WorkerReport>,
}

/// For whoever looks.
pub trait Reader: Send + Sync {
    /// The tasks of these ids, in the same order.
    fn tasks(&self, ids: Vec<TaskId>) -> Answer<'_, Vec<Option<Task>>>;

    /// The tasks of these keys, in the same order.
    fn tasks_by_seq(&self, seqs: Vec<Seq>) -> Answer<'_, Vec<Option<Task>>>;

    /// All that is kept of a task.
    fn dossier(&self, id: TaskId) -> Answer<'_, Option<Dossier>>;

    /// How many attempts of each of these tasks are on record, in the same order; none of one that is not there. The
    /// counters of a task say less: they hold what counts against it, since it was last retried.
    fn attempts_made(&self, seqs: Vec<Seq>) -> Answer<'_, Vec<u32>>;

    /// A page of tasks, newest first.
    fn list(&self, filter: Filter) -> Answer<'_, Page>;

    /// How many tasks of each type are in each state.
    fn counts(&self) -> Answer<'_, Vec<Count>>;

    /// How many pending tasks of these lanes wait because an attempt made them wait (backoff, deferral, worker).
    fn retrying(&self, lanes: Vec<LaneId>) -> Answer<'_, u64>;

    /// What waits of each type that anything waits of, in the order of their names; what is due, by the calendar. Counting
    /// stops at `most`, so it takes no longer where millions wait.
    fn backlog(&self, most: u32) -> Answer<'_, Vec<Backlog>>;

    /// The last attempts that were settled, newest first, at most `most`.
    fn recent_attempts(&self, most: u32) -> Answer<'_, Vec<RecentAttempt>>;

    /// Committed facts after `after`, at most `most`, and where to go on.
    fn facts(&self, after: Cursor, most: u32) -> Answer<'_, (Vec<Fact>, Cursor)>;

    /// Where the facts end now: whoever wants only what is to come starts here.
    fn latest(&self) -> Answer<'_, Cursor>;

    /// The hosts that have joined and not been forgotten.
    fn hosts(&self) -> Answer<'_, Vec<HostView>>;
}
