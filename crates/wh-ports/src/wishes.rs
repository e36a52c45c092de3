//! What a person asks of tasks and workers, left in the store and obeyed by whom it concerns.

use crate::answer::Answer;
use wh_domain::id::{Seq, TaskId, TaskType, WorkerName};
use wh_domain::task::StateName;

/// What became of a wish to cancel one task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cancelled {
    /// It was pending and is cancelled now.
    Done,
    /// A host holds it; the wish is durable and the task ends as cancelled once its process tree is empty.
    Wished,
    /// It had ended already, so.
    Ended(StateName),
    /// There is no such task.
    Unknown,
}

/// What became of a wish to retry one task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Retried {
    /// It is pending again with all counters at zero.
    Done,
    /// It is neither poisoned nor cancelled.
    NotEnded(StateName),
    /// Another unfinished task holds its unique key.
    Duplicate {
        /// That task.
        of: TaskId,
    },
    /// There is no such task.
    Unknown,
}

/// For people and their programs.
pub trait Wishes: Send + Sync {
    /// Cancels tasks, each on its own.
    fn cancel(&self, ids: Vec<TaskId>) -> Answer<'_, Vec<Cancelled>>;

    /// Retries tasks, each on its own.
    fn retry(&self, ids: Vec<TaskId>) -> Answer<'_, Vec<Retried>>;

    /// Retries at most `most` poisoned tasks (of one type, if given) after `after`; answers how many were retried
    /// and where to go on, `None` at the end.
    fn retry_poisoned(
        &self,
        task_type: Option<TaskType>,
        after: Option<Seq>,
        most: u32,
    ) -> Answer<'_, (u64, Option<Seq>)>;

    /// Ends a worker's quarantine on every host.
    fn resume_worker(&self, worker: WorkerName) -> Answer<'_, ()>;
}
