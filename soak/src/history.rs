//! What happened, as it can be told from outside: four accounts of the same run that do not know of each other.

use std::collections::BTreeSet;

/// Everything that is known of a run.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// The producer's books, in their order.
    pub books: Vec<Entry>,
    /// What hosts said is durable.
    pub told: Vec<Told>,
    /// Endings that came too late, because another host had taken over, and changed nothing.
    pub fenced: usize,
    /// What workers saw of themselves, in the order of the file.
    pub runs: Vec<Seen>,
    /// The database's tasks.
    pub tasks: Vec<Task>,
    /// The database's records of attempts, in the order of their facts.
    pub attempts: Vec<Attempt>,
    /// What is wrong with the database as a file, and lines that nobody can read.
    pub damage: Vec<String>,
}

/// A line of the producer's books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// It was about to send this task.
    Sent(String),
    /// This task was acknowledged, as `created` or `existing`.
    Acknowledged(String, String),
    /// It was about to ask for this task's cancellation.
    Doomed(String),
    /// That was answered, as `cancelled`, `asked`, `unchanged` or `unknown`.
    Answered(String, String),
}

impl Entry {
    /// The task it is about.
    pub fn id(&self) -> &str {
        match self {
            Self::Sent(id) | Self::Acknowledged(id, _) | Self::Doomed(id) | Self::Answered(id, _) => id,
        }
    }
}

/// A settlement that a host said is durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The task.
    pub id: String,
    /// The attempt's fence.
    pub fence: i64,
    /// How the attempt ended.
    pub outcome: String,
    /// What became of the task.
    pub next: String,
}

/// One line of a worker about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The task.
    pub id: String,
    /// The attempt's fence.
    pub fence: i64,
    /// The worker's process.
    pub pid: u32,
    /// Nanoseconds since the machine booted.
    pub at: u64,
    /// What it saw.
    pub what: What,
}

/// What a worker sees of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// It begins, and no other worker holds the task's lock.
    Start,
    /// It begins, and another worker is at work on the same task.
    Crowded,
    /// It is done and about to answer.
    End,
}

/// A task's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Its number.
    pub seq: i64,
    /// Its id.
    pub id: String,
    /// Its type.
    pub task_type: String,
    /// The task that brought it forth.
    pub parent: Option<String>,
    /// Where it stands: 0 and 1 wait, 2 is claimed, 3 completed, 4 poisoned, 5 cancelled.
    pub stage: i64,
    /// Why it was given up.
    pub poison: Option<String>,
    /// The last fence that was given out for it.
    pub fence: i64,
    /// Attempts that counted.
    pub counted: i64,
    /// Attempts whose host died.
    pub lost: i64,
    /// Attempts that did not count for any other reason.
    pub uncounted: i64,
    /// The fact of its last attempt.
    pub last_attempt: Option<i64>,
    /// The fence that its result names.
    pub result_fence: Option<i64>,
    /// The id that its result names.
    pub result_id: Option<String>,
}

/// A record of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Its number among all facts.
    pub fact: i64,
    /// The fact of the task's attempt before it.
    pub previous: Option<i64>,
    /// The task's number.
    pub seq: i64,
    /// Its fence.
    pub fence: i64,
    /// How it ended.
    pub outcome: String,
    /// The task's stage afterwards.
    pub stage: i64,
}

impl History {
    /// The same history of fewer tasks: those of `chosen`, and the children of theirs.
    #[must_use]
    pub fn only(&self, chosen: &BTreeSet<&str>) -> Self {
        let is_in = |task: &&Task| {
            chosen.contains(task.id.as_str())
                || task.parent.as_deref().is_some_and(|parent| chosen.contains(parent))
        };
        let tasks: Vec<Task> = self.tasks.iter().filter(is_in).cloned().collect();
        let ids: BTreeSet<&str> =
            tasks.iter().map(|task| task.id.as_str()).chain(chosen.iter().copied()).collect();
        let seqs: BTreeSet<i64> = tasks.iter().map(|task| task.seq).collect();
        Self {
            books: self.books.iter().filter(|entry| ids.contains(entry.id())).cloned().collect(),
            told: self.told.iter().filter(|told| ids.contains(told.id.as_str())).cloned().collect(),
            runs: self.runs.iter().filter(|seen| ids.contains(seen.id.as_str())).cloned().collect(),
            attempts: self.attempts.iter().filter(|it| seqs.contains(&it.seq)).cloned().collect(),
            damage: self.damage.clone(),
            fenced: self.fenced,
            tasks,
        }
    }
}
