//! The task: one unit of work, what a producer may say of it, and the states it can be in.

use crate::id::{Fence, HostId, Seq, TaskId, TaskType, UniqueKey, WorkerName};
use crate::time::{StoreInstant, Timestamp};

/// What goes into a worker or comes out of one. The host carries it and never looks inside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// One JSON value as text: numbers, key order, duplicate keys and escapes exactly as given.
    Json(Box<str>),
    /// Bytes of a worker without an envelope (`protocol: raw`).
    Bytes(Box<[u8]>),
}

impl Payload {
    /// The JSON value `null`.
    pub fn null() -> Self {
        Self::Json("null".into())
    }

    /// The bytes as they are stored and handed on.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Json(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }
}

/// A file that a producer attached to a task; the store has its content as a blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputFile {
    /// One path component: the file's name under `input/`.
    pub name: Box<str>,
    /// Lower-case hexadecimal SHA-256 of the content: the blob's name.
    pub sha256: Box<str>,
    /// Size in bytes.
    pub size: u64,
}

impl InputFile {
    /// Names under `input/` that are the host's own.
    pub const RESERVED: [&'static str; 2] = ["config.yaml", "params.json"];
    /// The longest name, in bytes: what file systems take.
    pub const LONGEST_NAME: usize = 255;

    /// Holds a name against what can lie under `input/`.
    ///
    /// # Errors
    /// [`BadInputName`] says why it cannot.
    pub fn check_name(name: &str) -> Result<(), BadInputName> {
        if name.is_empty() || name == "." || name == ".." || name.contains(['/', '\0']) {
            Err(BadInputName::NoFileName)
        } else if name.len() > Self::LONGEST_NAME {
            Err(BadInputName::TooLong(name.len()))
        } else if Self::RESERVED.contains(&name) {
            Err(BadInputName::Reserved)
        } else {
            Ok(())
        }
    }
}

/// Why a file cannot be attached under a name; the caller adds the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadInputName {
    /// It is empty, leads elsewhere, or has more than one component.
    NoFileName,
    /// Longer than [`InputFile::LONGEST_NAME`]; holds the length that was given.
    TooLong(usize),
    /// One of [`InputFile::RESERVED`].
    Reserved,
}

impl std::fmt::Display for BadInputName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoFileName => f.write_str("is no name of a file; give one without slashes"),
            Self::TooLong(length) => {
                write!(f, "is {length} bytes long; at most {} are allowed", InputFile::LONGEST_NAME)
            }
            Self::Reserved => f.write_str("is a name that the host uses itself; give another one"),
        }
    }
}

impl std::error::Error for BadInputName {}

/// A task as its producer hands it over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTask {
    /// The producer's id, or a fresh UUIDv7.
    pub id: TaskId,
    /// Whether the producer chose the id, and so asks for "the same again is no second task".
    pub id_is_given: bool,
    /// Routes the task.
    pub task_type: TaskType,
    /// Goes into the worker.
    pub params: Payload,
    /// A JSON object that the producer adds to the worker's `metadata`; `None` is the empty one.
    pub metadata: Option<Box<str>>,
    /// Higher goes first; see [`crate::priority`].
    pub priority: i32,
    /// Not before this moment; `None` is at once.
    pub run_at: Option<Timestamp>,
    /// At most one unfinished task may hold this key.
    pub unique: Option<UniqueKey>,
    /// Overrides the worker's `max_attempts`.
    pub max_attempts: Option<u32>,
    /// Files staged into the attempt's `input/`.
    pub inputs: Vec<InputFile>,
    /// W3C trace context of whoever enqueued it.
    pub traceparent: Option<Box<str>>,
    /// The task whose result brought this one forth.
    pub parent: Option<TaskId>,
}

impl NewTask {
    /// A task with `id`, `task_type` and `params`, everything else at its default.
    pub fn new(id: TaskId, task_type: TaskType, params: Payload) -> Self {
        Self {
            id,
            id_is_given: false,
            task_type,
            params,
            metadata: None,
            priority: 0,
            run_at: None,
            unique: None,
            max_attempts: None,
            inputs: Vec::new(),
            traceparent: None,
            parent: None,
        }
    }
}

/// The five states as bare words; the store and the command line use these names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum StateName {
    /// Waits to be claimed, now or at a moment to come.
    Pending,
    /// A host holds it under a fence.
    Claimed,
    /// Ended well; its result is kept.
    Completed,
    /// Given up with a reason; kept for a person.
    Poisoned,
    /// Ended because a person asked for it.
    Cancelled,
}

impl StateName {
    /// All of them, in the order of a task's life.
    pub const ALL: [Self; 5] =
        [Self::Pending, Self::Claimed, Self::Completed, Self::Poisoned, Self::Cancelled];

    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Claimed => "claimed",
            Self::Completed => "completed",
            Self::Poisoned => "poisoned",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state of that name; `None` for any other word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str().eq_ignore_ascii_case(word))
    }

    /// Whether nothing can happen to the task any more, unless a person retries it.
    pub const fn has_ended(self) -> bool {
        matches!(self, Self::Completed | Self::Poisoned | Self::Cancelled)
    }
}

/// Why a pending task is not claimed yet though its producer set no later time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WaitingFor {
    /// The growing pause after a counted ending.
    Backoff,
    /// The worker itself named a time (`retry_after`, exit 75).
    Deferral,
    /// Its worker could not run at all; no attempt was burnt.
    Worker,
}

impl WaitingFor {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Backoff, Self::Deferral, Self::Worker];

    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Backoff => "backoff",
            Self::Deferral => "deferral",
            Self::Worker => "worker",
        }
    }

    /// The reason of that name; `None` for any other word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == word)
    }
}

/// When a pending task may be claimed: at whichever of the two passes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// The calendar's moment.
    pub at: Timestamp,
    /// The store clock's moment, for waits that the host chose.
    pub instant: Option<StoreInstant>,
}

impl Due {
    /// Whether the moment has come.
    pub fn has_come(&self, wall: Timestamp, now: StoreInstant) -> bool {
        self.at <= wall || self.instant.is_some_and(|instant| instant.wait_is_over(now))
    }
}

/// Where a task stands, with what only that state knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskState {
    /// Waits to be claimed.
    Pending {
        /// When it may be claimed.
        due: Due,
        /// Why it waits, where an attempt made it wait.
        waiting_for: Option<WaitingFor>,
    },
    /// A host holds it.
    Claimed {
        /// That host.
        host: HostId,
        /// The worker that carries it.
        worker: WorkerName,
        /// When it was claimed.
        since: Timestamp,
    },
    /// Ended well.
    Completed,
    /// Given up.
    Poisoned(PoisonReason),
    /// Ended by a person's wish.
    Cancelled,
}

impl TaskState {
    /// The bare word.
    pub const fn name(&self) -> StateName {
        match self {
            Self::Pending { .. } => StateName::Pending,
            Self::Claimed { .. } => StateName::Claimed,
            Self::Completed => StateName::Completed,
            Self::Poisoned(_) => StateName::Poisoned,
            Self::Cancelled => StateName::Cancelled,
        }
    }
}

/// Why a task was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PoisonReason {
    /// Trying again cannot help, as the worker said or the host found.
    NotRetriable,
    /// Every counted attempt was used.
    Attempts,
    /// It kept killing its worker.
    Crashes,
    /// It kept running out of time.
    Timeouts,
    /// Its hosts kept dying under it, or its worker says an unknown fate is final.
    Lost,
    /// Its worker stayed unable to run.
    WorkerBroken,
    /// The worker put it off too often.
    Deferrals,
    /// Its host was stopped under it too often.
    Interruptions,
}

impl PoisonReason {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::NotRetriable,
        Self::Attempts,
        Self::Crashes,
        Self::Timeouts,
        Self::Lost,
        Self::WorkerBroken,
        Self::Deferrals,
        Self::Interruptions,
    ];

    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotRetriable => "not_retriable",
            Self::Attempts => "attempts",
            Self::Crashes => "crashes",
            Self::Timeouts => "timeouts",
            Self::Lost => "lost",
            Self::WorkerBroken => "worker_broken",
            Self::Deferrals => "deferrals",
            Self::Interruptions => "interruptions",
        }
    }

    /// The reason of that name; `None` for any other word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == word)
    }

    /// One plain sentence, without its full stop, that ends "Given up: …".
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::NotRetriable => "trying again cannot help",
            Self::Attempts => "every attempt it was allowed has been used",
            Self::Crashes => "it killed its worker too often",
            Self::Timeouts => "it ran out of time too often",
            Self::Lost => "the hosts that carried it died too often",
            Self::WorkerBroken => "its worker could not be started too often",
            Self::Deferrals => "the worker put it off too often",
            Self::Interruptions => "its host was stopped under it too often",
        }
    }
}

/// How often each kind of ending has happened to a task; a person's `retry` sets all to zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Counters {
    /// Counted tries: failures, crashes, timeouts and protocol errors.
    pub attempts: u32,
    /// Of these, how many killed the worker.
    pub crashes: u32,
    /// Of these, how many ran out of time.
    pub timeouts: u32,
    /// Hosts that died while carrying it.
    pub lost: u32,
    /// Times its worker could not run.
    pub worker_broken: u32,
    /// Times the worker put it off.
    pub deferrals: u32,
    /// Times its host was stopped under it.
    pub interruptions: u32,
}

/// A task as the store knows it, without its payloads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Internal key and order of arrival.
    pub seq: Seq,
    /// The producer's id.
    pub id: TaskId,
    /// Routes it.
    pub task_type: TaskType,
    /// As enqueued.
    pub priority: i32,
    /// Where it stands.
    pub state: TaskState,
    /// The last fence given out; 0 before the first claim.
    pub fence: Fence,
    /// What has happened to it.
    pub counters: Counters,
    /// The task's own limit of attempts.
    pub max_attempts: Option<u32>,
    /// At most one unfinished task holds this key.
    pub unique: Option<UniqueKey>,
    /// The task that brought it forth.
    pub parent: Option<TaskId>,
    /// Whether a person asked to cancel it and the claim has not ended yet.
    pub cancel_wished: bool,
    /// When its enqueue was made durable.
    pub created_at: Timestamp,
    /// When it last changed its state.
    pub changed_at: Timestamp,
}
