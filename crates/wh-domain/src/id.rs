//! Names and numbers that identify things, each a type of its own.

use std::fmt;

/// The longest task id, task type, worker name or key, in bytes.
pub const MAX_NAME_BYTES: usize = 200;

/// Why a text cannot be a name; the caller adds which field it stood in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadName {
    /// Nothing was given.
    Empty,
    /// Longer than [`MAX_NAME_BYTES`]; holds the length that was given.
    TooLong(usize),
    /// Holds a control character (a line break, a tab, an escape), at this byte.
    Control(usize),
}

impl fmt::Display for BadName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(f, "is empty; give it at least one character"),
            Self::TooLong(n) => {
                write!(f, "is {n} bytes long; at most {MAX_NAME_BYTES} are allowed")
            }
            Self::Control(at) => {
                write!(f, "holds a control character at byte {at}; use printable characters only")
            }
        }
    }
}

impl std::error::Error for BadName {}

fn checked(text: &str) -> Result<Box<str>, BadName> {
    if text.is_empty() {
        return Err(BadName::Empty);
    }
    if text.len() > MAX_NAME_BYTES {
        return Err(BadName::TooLong(text.len()));
    }
    match text.char_indices().find(|(_, c)| c.is_control()) {
        Some((at, _)) => Err(BadName::Control(at)),
        None => Ok(text.into()),
    }
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Box<str>);

        impl $name {
            /// Takes a text of 1 to [`MAX_NAME_BYTES`] bytes without control characters.
            ///
            /// # Errors
            /// [`BadName`] says what is wrong with the text.
            pub fn new(text: impl AsRef<str>) -> Result<Self, BadName> {
                checked(text.as_ref()).map(Self)
            }

            /// The text as it was given.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name!(
    /// A task's id: the producer's own text, or a UUIDv7 where it gave none. Stable over all attempts.
    TaskId
);
name!(
    /// What kind of work a task is; routes it to a worker. Compared exactly, dots make a hierarchy.
    TaskType
);
name!(
    /// The configured name of a worker.
    WorkerName
);
name!(
    /// A key of which at most one unfinished task may exist.
    UniqueKey
);
name!(
    /// One run of a host process: new at every start, so that a successor is never mistaken for it.
    HostId
);

/// A task's place in the store: internal key and order of arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Seq(pub i64);

/// Grows by one with every claim of a task and is never reset; a write with an old fence changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fence(pub i64);

impl fmt::Display for Fence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A numbered lane of a worker on a host, from 1; carries one attempt at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamNo(pub u32);

impl fmt::Display for StreamNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A place in line that the store keeps tasks of one kind in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LaneId(pub i64);

/// Names one attempt for ever, as `id:fence`; workers hand it to downstream systems as a fencing token.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AttemptId {
    /// The task.
    pub task: TaskId,
    /// The claim under which the attempt ran.
    pub fence: Fence,
}

impl fmt::Display for AttemptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.task, self.fence)
    }
}
