//! How tasks come in.

use crate::answer::Answer;
use wh_domain::id::{Seq, TaskId};
use wh_domain::task::{NewTask, StateName};

/// What became of one enqueued task. Whatever the answer, it is on stable storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Enqueued {
    /// It is new.
    Created(Seq),
    /// The same id with the same content is there already; nothing was added.
    Existing {
        /// Where.
        seq: Seq,
        /// How far it is.
        state: StateName,
    },
    /// The same id stands for other content; nothing was added.
    Conflict,
    /// An unfinished task holds the same unique key; nothing was added.
    Duplicate {
        /// That task.
        of: TaskId,
    },
    /// As many tasks as allowed are pending; nothing was added. Try again when some are done.
    Full {
        /// The bound (`queue.max_size`).
        max: u64,
    },
    /// An attached file is not among the blobs; nothing was added.
    MissingInput(Box<str>),
}

/// For producers.
pub trait Intake: Send + Sync {
    /// Adds tasks, each on its own, all in one commit; answers in the same order once they are durable.
    fn enqueue(&self, tasks: Vec<NewTask>) -> Answer<'_, Vec<Enqueued>>;
}
